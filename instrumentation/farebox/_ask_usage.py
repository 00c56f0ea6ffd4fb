"""Ask a host for the usage of a stream it would not report, and hide from the caller that it was asked.

With `stream_options.include_usage` OpenAI adds one chunk without choices and `"usage":null` to every other chunk. Both
are taken out of the bytes again, so the caller sees what it would have seen.
"""

from __future__ import annotations

import re
import zlib
from typing import Any

import jiter

from farebox._endpoints import Endpoint, provider_of
from farebox._guard import swallow

__all__ = ["UsageFilter", "asking", "usage_filter"]

# Hosts that report usage only when asked, and then in a chunk of its own. Others report it anyway, or elsewhere.
# Source: recorded traffic of each, November 2026; Azure's API versions from learn.microsoft.com, read 2026-11-20.
ASKED_PROVIDERS = frozenset({"alibaba", "azure", "openai", "xai"})
AZURE_API_VERSION_MIN = "2024-09-01"
_OPTION = b',"stream_options":{"include_usage":true}}'
_EVENT_ENDS = (b"\n\n", b"\r\n\r\n")
_EVENT_END = re.compile(rb"\r\n\r\n|\n\n")
_NULL_USAGE = re.compile(rb'\s*"usage"\s*:\s*null\s*,|,\s*"usage"\s*:\s*null')


def asking(request: Any, endpoint: Endpoint, provider: str | None) -> Any | None:
    """Return the request with include_usage added, None where it is to be left as it is.

    Left alone: requests that are no stream, that carry stream_options of their own, hosts not known to support it, and
    bodies that an AWS signature seals.
    """
    if endpoint.shape != "chat" or "x-amz-date" in request.headers:
        return None
    body: bytes = request.content
    if b'"stream_options"' in body or not body.endswith(b"}") or not _supports(request.url, provider):
        return None
    if jiter.from_json(body, partial_mode=False).get("stream") is not True:
        return None
    headers = request.headers.copy()
    headers.pop("content-length", None)
    headers["accept-encoding"] = "identity"
    return type(request)(
        request.method, request.url, headers=headers, content=body[:-1] + _OPTION, extensions=request.extensions
    )


def _supports(url: Any, provider: str | None) -> bool:
    name = provider or provider_of(url.host)
    if name == "azure" and "/openai/v1/" not in url.path:
        return str(url.params.get("api-version") or "") >= AZURE_API_VERSION_MIN
    return name in ASKED_PROVIDERS


class UsageFilter:
    """Takes the traces of include_usage out of a stream of server-sent events; everything else stays byte for byte.

    Bytes of an event that is not complete yet are held back until it is.
    """

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return what the caller may see of the stream so far; it may be empty."""
        if not self._rest and b'"usage"' not in chunk and chunk.endswith(_EVENT_ENDS):
            return chunk
        try:
            return self._feed(self._rest + chunk)
        except Exception as error:  # noqa: BLE001
            swallow("hiding usage from a stream", error)
            whole, self._rest = self._rest + chunk, b""
            return whole

    def flush(self, *, ended: bool) -> bytes:  # noqa: ARG002 - a compressed stream has an end of its own
        """Return what is held back of an event that never became complete; `ended`: the stream came whole."""
        rest, self._rest = self._rest, b""
        return rest

    def _feed(self, data: bytes) -> bytes:
        out, start = [], 0
        for end in _EVENT_END.finditer(data):
            out.append(_seen(data[start : end.end()]))
            start = end.end()
        self._rest = data[start:]
        return b"".join(out)


class GzipUsageFilter(UsageFilter):
    """The same for a host that compresses although it was asked not to: the caller gets gzip again."""

    __slots__ = ("_squeeze", "_stretch")

    def __init__(self) -> None:
        super().__init__()
        self._stretch = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._squeeze = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)

    def feed(self, chunk: bytes) -> bytes:
        return self._pack(super().feed(self._stretch.decompress(chunk)), zlib.Z_SYNC_FLUSH)

    def flush(self, *, ended: bool) -> bytes:
        return self._pack(super().flush(ended=ended), zlib.Z_FINISH if ended else zlib.Z_SYNC_FLUSH)

    def _pack(self, seen: bytes, how: int) -> bytes:
        return self._squeeze.compress(seen) + self._squeeze.flush(how) if seen or how == zlib.Z_FINISH else b""


def usage_filter(encoding: str) -> UsageFilter | None:
    """Return the filter for a response's content encoding; None where it cannot be undone here (br, zstd)."""
    match encoding.strip().lower():
        case "" | "identity":
            return UsageFilter()
        case "gzip":
            return GzipUsageFilter()
    return None


def _seen(event: bytes) -> bytes:
    """Return an event as it would have come unasked: gone, without its null usage, or as it is."""
    if b'"usage"' not in event:
        return event
    data = event[event.find(b"data:") + 5 :].strip()
    try:
        chunk = jiter.from_json(data)
    except ValueError:
        return event
    if not isinstance(chunk, dict) or "usage" not in chunk:
        return event
    if chunk["usage"] is None:
        return _NULL_USAGE.sub(b"", event, count=1)
    return b"" if chunk.get("choices") == [] else event
