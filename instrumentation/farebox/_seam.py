"""The one narrow seam: everything both SDKs send leaves through `client._client.send`, and a proxy stands before it.

The client, its type and the user's HTTP client stay untouched; copies (`with_options`) take the proxy along, since both
SDKs hand their `_client` on. Read in anthropic 2.12 and openai 3.54 (`_base_client.py`), both on httpx2.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from farebox import _attempt as ends
from farebox import _clock
from farebox._ask_usage import UsageFilter, asking, usage_filter
from farebox._attempt import CHUNKS_TIMED, Attempt, ClientState, content_of
from farebox._endpoints import endpoint_of
from farebox._guard import swallow
from farebox._long_reads import LongRead

__all__ = ["AsyncSend", "SyncSend", "inner_of", "is_proxy"]

CHUNKS_BETWEEN_SIZE_CHECKS = 1024


class _Proxy:
    """Looks like what it stands for: attributes, `isinstance`, and assignments go to the real object."""

    __slots__ = ("_farebox_inner",)

    def __init__(self, inner: Any) -> None:
        object.__setattr__(self, "_farebox_inner", inner)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_farebox_inner"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "_farebox_inner"), name, value)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(object.__getattribute__(self, "_farebox_inner"))


class _Tap(_Proxy):
    """Stands before a response's byte stream and keeps a reference to each chunk that passes."""

    # The Anthropic SDK looks for `stream_observer` at every event (2.12, `_streaming.py`): a slot answers fastest.
    __slots__ = ("_farebox_attempt", "stream_observer")

    def __init__(self, inner: Any, attempt: Attempt) -> None:
        super().__init__(inner)
        object.__setattr__(self, "_farebox_attempt", attempt)
        object.__setattr__(self, "stream_observer", getattr(inner, "stream_observer", None))

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "stream_observer":
            object.__setattr__(self, name, value)
        super().__setattr__(name, value)

    def __del__(self) -> None:
        # At interpreter shutdown our globals may be gone; nothing may be raised from here.
        with suppress(Exception):
            self._farebox_attempt.end(ends.DROPPED)


class SyncTap(_Tap):
    __slots__ = ()

    def __iter__(self) -> Iterator[bytes]:
        attempt: Attempt = self._farebox_attempt
        keep, keep_time, now = attempt.chunks.append, attempt.chunk_times.append, _clock.ticks_s
        source = iter(self._farebox_inner)
        try:
            for chunk in islice(source, CHUNKS_TIMED):
                keep_time(now())
                keep(chunk)
                yield chunk
            seen = -1
            while seen != len(attempt.chunks):
                seen = len(attempt.chunks)
                for chunk in islice(source, CHUNKS_BETWEEN_SIZE_CHECKS):
                    keep(chunk)
                    yield chunk
                if len(attempt.chunks) == seen + CHUNKS_BETWEEN_SIZE_CHECKS:
                    attempt.forget_middle()
        except GeneratorExit:
            attempt.end(ends.CLOSED)
            raise
        except Exception as error:
            attempt.end(ends.FAILED, error)
            raise
        except BaseException as error:
            attempt.end(ends.CANCELLED, error)
            raise
        attempt.end(ends.READ)

    def close(self) -> None:
        self._farebox_attempt.end(ends.CLOSED)
        self._farebox_inner.close()


class AsyncTap(_Tap):
    __slots__ = ()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        attempt: Attempt = self._farebox_attempt
        chunks, times, now = attempt.chunks, attempt.chunk_times, _clock.ticks_s
        source = self._farebox_inner.__aiter__()
        try:
            async for chunk in source:
                if len(times) < CHUNKS_TIMED:
                    times.append(now())
                chunks.append(chunk)
                if not len(chunks) % CHUNKS_BETWEEN_SIZE_CHECKS:
                    attempt.forget_middle()
                yield chunk
        except GeneratorExit:
            attempt.end(ends.CLOSED)
            raise
        except Exception as error:
            attempt.end(ends.FAILED, error)
            raise
        except BaseException as error:
            attempt.end(ends.CANCELLED, error)
            raise
        finally:
            if inspect.isasyncgen(source):
                await source.aclose()
        attempt.end(ends.READ)

    async def aclose(self) -> None:
        self._farebox_attempt.end(ends.CLOSED)
        await self._farebox_inner.aclose()


class FilteredSyncTap(SyncTap):
    """A tap whose reader does not see the usage that farebox asked for."""

    __slots__ = ()

    def __iter__(self) -> Iterator[bytes]:
        hide: UsageFilter = self._farebox_attempt.hide
        source = super().__iter__()
        try:
            for chunk in source:
                seen = hide.feed(chunk)
                if seen:
                    yield seen
        except Exception:
            rest = hide.flush(ended=False)
            if rest:
                yield rest
            raise
        finally:
            source.close()  # type: ignore[attr-defined]
        rest = hide.flush(ended=True)
        if rest:
            yield rest


class FilteredAsyncTap(AsyncTap):
    """The same for async readers."""

    __slots__ = ()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        hide: UsageFilter = self._farebox_attempt.hide
        source = super().__aiter__()
        try:
            async for chunk in source:
                seen = hide.feed(chunk)
                if seen:
                    yield seen
        except Exception:
            rest = hide.flush(ended=False)
            if rest:
                yield rest
            raise
        finally:
            await source.aclose()  # type: ignore[attr-defined]
        rest = hide.flush(ended=True)
        if rest:
            yield rest


class _Send(_Proxy):
    """Common half of the two proxies: begin an attempt, and look at the response once its head is there."""

    __slots__ = ("_farebox_state",)

    def __init__(self, inner: Any, state: ClientState) -> None:
        super().__init__(inner)
        object.__setattr__(self, "_farebox_state", state)

    def _farebox_begin(self, request: Any, options: dict[str, Any]) -> tuple[Attempt | None, Any]:
        """Return the attempt, None for a request that costs nothing, and the request to send in place of this one."""
        try:
            path = request.url.path
            endpoint = endpoint_of(request.method, path)
            if endpoint is None:
                return None, request
            state = self._farebox_state
            attempt = (LongRead if endpoint.long else Attempt)(request, endpoint, path, state)
            if options.get("stream") and state.ask_usage:
                provider = attempt.tags.get("provider") or state.defaults.get("provider")
                asked = asking(request, endpoint, provider)
                if asked is not None:
                    attempt.asked_usage = True
                    return attempt, asked
            return attempt, request
        except Exception as error:  # noqa: BLE001
            swallow("noting a request", error)
            return None, request

    @staticmethod
    def _farebox_look(attempt: Attempt, response: Any, tap: type[_Tap], filtered: type[_Tap]) -> None:
        try:
            attempt.got(response)
            if response.is_closed:  # the body was read inside send(), and decoded
                attempt.chunks.append(content_of(response))
                attempt.end(ends.READ)
            else:
                encoding = attempt.headers.get("content-encoding") if attempt.headers else None
                attempt.encoded = encoding is not None
                if attempt.asked_usage and response.is_success:
                    attempt.hide = usage_filter(encoding or "")
                response.stream = (tap if attempt.hide is None else filtered)(response.stream, attempt)
        except Exception as error:  # noqa: BLE001
            swallow("looking at a response", error)


class SyncSend(_Send):
    __slots__ = ()

    def send(self, request: Any, **options: Any) -> Any:
        attempt, request = self._farebox_begin(request, options)
        if attempt is None:
            return self._farebox_inner.send(request, **options)
        try:
            response = self._farebox_inner.send(request, **options)
        except Exception as error:
            attempt.end(ends.NOT_SENT, error)
            raise
        except BaseException as error:
            attempt.end(ends.CANCELLED, error)
            raise
        self._farebox_look(attempt, response, SyncTap, FilteredSyncTap)
        return response


class AsyncSend(_Send):
    __slots__ = ()

    async def send(self, request: Any, **options: Any) -> Any:
        attempt, request = self._farebox_begin(request, options)
        if attempt is None:
            return await self._farebox_inner.send(request, **options)
        try:
            response = await self._farebox_inner.send(request, **options)
        except Exception as error:
            attempt.end(ends.NOT_SENT, error)
            raise
        except BaseException as error:
            attempt.end(ends.CANCELLED, error)
            raise
        self._farebox_look(attempt, response, AsyncTap, FilteredAsyncTap)
        return response


def is_proxy(http_client: Any) -> bool:
    """Tell whether an SDK client's `_client` is ours."""
    return issubclass(type(http_client), _Send)


def inner_of(http_client: Any) -> Any:
    """Return the HTTP client that a proxy stands for."""
    return object.__getattribute__(http_client, "_farebox_inner")
