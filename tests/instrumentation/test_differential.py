"""Every scenario runs bare and wrapped against one server; the caller must not be able to tell them apart."""

from __future__ import annotations

import asyncio
import gc
import itertools
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
import pytest

import farebox
from farebox.testing import Captured
from instrumentation.provider import Provider

ASK = {"model": "claude-haiku-4-5", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}
CHAT: dict[str, Any] = {"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": "hi"}]}
RESPOND: dict[str, Any] = {"model": "gpt-5.4-mini", "input": "hi"}
_keys = itertools.count()


def acting(scenario: str) -> dict[str, Any]:
    """Ask the server to misbehave; a fresh key starts its count of tries anew."""
    return {"extra_headers": {"x-scenario": scenario, "x-key": str(next(_keys))}}


def plain(model: Any) -> Any:
    return type(model).__qualname__, model.to_dict(), sorted(model.model_fields_set)


@dataclass(frozen=True)
class Clients:
    """The two sync clients of one run."""

    a: anthropic.Anthropic
    o: openai.OpenAI


@dataclass(frozen=True)
class AsyncClients:
    """The two async clients of one run."""

    a: anthropic.AsyncAnthropic
    o: openai.AsyncOpenAI


def drained(stream: Any) -> Any:
    return type(stream).__qualname__, [plain(event) for event in stream]


def raised(call: Callable[[], Any]) -> Any:
    try:
        call()
    except Exception as error:
        return type(error).__qualname__, str(error), getattr(error, "status_code", None), repr(error.__cause__)
    return "nothing raised"


def left_early(stream: Any, events: int, *, close: bool) -> int:
    count = 0
    for _ in stream:
        count += 1
        if count == events:
            break
    if close:
        stream.close()
    return count


def helper_text(c: Clients) -> Any:
    with c.a.messages.stream(**ASK) as stream:
        return "".join(stream.text_stream), plain(stream.get_final_message())


def chat_helper(c: Clients) -> Any:
    with c.o.chat.completions.stream(**CHAT) as stream:
        return [event.type for event in stream], plain(stream.get_final_completion())


def responses_helper(c: Clients) -> Any:
    with c.o.responses.stream(**RESPOND) as stream:
        return [event.type for event in stream], plain(stream.get_final_response())


def error_inside(c: Clients) -> Any:
    def body() -> None:
        with c.a.messages.stream(**ASK) as stream:
            for number, _ in enumerate(stream):
                if number == 4:
                    raise KeyError("mine")

    return raised(body)


def raw(response: Any) -> Any:
    return type(response).__qualname__, response.headers["request-id"], response.retries_taken, plain(response.parse())


def streaming_bytes(c: Clients) -> Any:
    with c.a.messages.with_streaming_response.create(**ASK) as response:
        return response.status_code, b"".join(response.iter_bytes())


def streaming_lines(c: Clients) -> Any:
    with c.a.messages.with_streaming_response.create(**ASK, stream=True) as response:
        return list(response.iter_lines())


def streaming_unread(c: Clients) -> Any:
    with c.a.messages.with_streaming_response.create(**ASK) as response:
        return response.status_code


def elapsed(c: Clients) -> Any:
    response = c.a.messages.with_raw_response.create(**ASK, stream=True)
    list(response.parse())
    return response.elapsed.total_seconds() > 0


# name → (what the caller does, how many attempts it makes)
SYNC: dict[str, tuple[Callable[[Clients], Any], int]] = {
    "messages": (lambda c: plain(c.a.messages.create(**ASK)), 1),
    "chat": (lambda c: plain(c.o.chat.completions.create(**CHAT)), 1),
    "chat n=3": (lambda c: plain(c.o.chat.completions.create(**CHAT, n=3)), 1),
    "responses": (lambda c: plain(c.o.responses.create(**RESPOND)), 1),
    "embeddings": (lambda c: plain(c.o.embeddings.create(model="text-embedding-3-small", input="x")), 1),
    "completions": (lambda c: plain(c.o.completions.create(model="gpt-3.5-turbo-instruct", prompt="x")), 1),
    "messages gzip": (lambda c: plain(c.a.messages.create(**ASK, **acting("gzip"))), 1),
    "messages stream": (lambda c: drained(c.a.messages.create(**ASK, stream=True)), 1),
    "messages stream gzip": (lambda c: drained(c.a.messages.create(**ASK, stream=True, **acting("gzip"))), 1),
    "messages stream split": (lambda c: drained(c.a.messages.create(**ASK, stream=True, **acting("split"))), 1),
    "chat stream": (lambda c: drained(c.o.chat.completions.create(**CHAT, stream=True)), 1),
    "chat stream n=2": (lambda c: drained(c.o.chat.completions.create(**CHAT, stream=True, n=2)), 1),
    "chat stream split": (lambda c: drained(c.o.chat.completions.create(**CHAT, stream=True, **acting("split"))), 1),
    "chat stream gzip": (lambda c: drained(c.o.chat.completions.create(**CHAT, stream=True, **acting("gzip"))), 1),
    "chat stream with usage": (
        lambda c: drained(c.o.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True})),
        1,
    ),
    "chat stream without usage": (
        lambda c: drained(c.o.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": False})),
        1,
    ),
    "responses stream": (lambda c: drained(c.o.responses.create(**RESPOND, stream=True)), 1),
    "messages helper": (helper_text, 1),
    "chat helper": (chat_helper, 1),
    "responses helper": (responses_helper, 1),
    "left and closed": (
        lambda c: left_early(c.a.messages.create(**ASK, stream=True, **acting("slow")), 4, close=True),
        1,
    ),
    "left and dropped": (
        lambda c: left_early(c.a.messages.create(**ASK, stream=True, **acting("slow")), 4, close=False),
        1,
    ),
    "chat left": (lambda c: left_early(c.o.chat.completions.create(**CHAT, stream=True), 2, close=True), 1),
    "never read": (lambda c: type(c.a.messages.create(**ASK, stream=True)).__qualname__, 1),
    "caller raises inside": (error_inside, 1),
    "error event": (lambda c: raised(lambda: list(c.a.messages.create(**ASK, stream=True, **acting("error")))), 1),
    "chat error event": (
        lambda c: raised(lambda: list(c.o.chat.completions.create(**CHAT, stream=True, **acting("error")))),
        1,
    ),
    "stream cut": (lambda c: raised(lambda: list(c.a.messages.create(**ASK, stream=True, **acting("cut")))), 1),
    "chat stream cut": (
        lambda c: raised(lambda: list(c.o.chat.completions.create(**CHAT, stream=True, **acting("cut")))),
        1,
    ),
    "no JSON": (lambda c: raised(lambda: c.a.messages.create(**ASK, **acting("html"))), 1),
    "raw": (lambda c: raw(c.a.messages.with_raw_response.create(**ASK)), 1),
    "chat raw": (lambda c: raw(c.o.chat.completions.with_raw_response.create(**CHAT)), 1),
    "raw stream": (lambda c: drained(c.a.messages.with_raw_response.create(**ASK, stream=True).parse()), 1),
    "raw stream elapsed": (elapsed, 1),
    "streaming bytes": (streaming_bytes, 1),
    "streaming lines": (streaming_lines, 1),
    "streaming unread": (streaming_unread, 1),
    "retried once": (lambda c: plain(c.a.messages.create(**ASK, **acting("fail:1,429"))), 2),
    "retried stream": (lambda c: drained(c.a.messages.create(**ASK, stream=True, **acting("fail:2,529"))), 3),
    "chat retried": (lambda c: plain(c.o.chat.completions.create(**CHAT, **acting("fail:2,503"))), 3),
    "retries used up": (lambda c: raised(lambda: c.a.messages.create(**ASK, **acting("fail:9,529"))), 3),
    "refused": (lambda c: raised(lambda: c.a.messages.create(**ASK, **acting("fail:9,400"))), 1),
    "connection closed": (
        lambda c: raised(lambda: c.a.with_options(max_retries=0).messages.create(**ASK, **acting("close"))),
        1,
    ),
    "timeout": (
        lambda c: raised(lambda: c.a.with_options(timeout=0.1, max_retries=0).messages.create(**ASK, **acting("hang"))),
        1,
    ),
    "with_options": (lambda c: plain(c.a.with_options(timeout=5).messages.create(**ASK)), 1),
    "copy": (lambda c: plain(c.o.copy(timeout=5).chat.completions.create(**CHAT)), 1),
    "count_tokens": (lambda c: plain(c.a.messages.count_tokens(model="m", messages=ASK["messages"])), 1),
    "beta": (lambda c: type(c.a.beta.messages.create(**ASK)).__qualname__, 1),
}


def clients(provider: Provider, *, wrapped: bool) -> Clients:
    a = anthropic.Anthropic(api_key="k", base_url=provider.base)
    o = openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1")
    return Clients(farebox.wrap(a), farebox.wrap(o)) if wrapped else Clients(a, o)


@pytest.mark.parametrize("name", SYNC)
def test_sync_callers_cannot_tell(name: str, provider: Provider, captured: Captured) -> None:
    """A wrapped sync client behaves as a bare one in every way, and each HTTP attempt is recorded once."""
    does, attempts = SYNC[name]
    bare = clients(provider, wrapped=False)
    expected = does(bare)
    wrapped = clients(provider, wrapped=True)

    result = does(wrapped)

    assert result == expected
    gc.collect()
    assert len(captured.attempts()) == attempts
    for each in (bare.a, bare.o, wrapped.a, wrapped.o):
        each.close()


async def adrained(stream: Any) -> Any:
    return type(stream).__qualname__, [plain(event) async for event in stream]


async def araised(call: Awaitable[Any]) -> Any:
    try:
        await call
    except Exception as error:
        return type(error).__qualname__, str(error), getattr(error, "status_code", None)
    return "nothing raised"


async def ahelper(c: AsyncClients) -> Any:
    async with c.a.messages.stream(**ASK) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        return text, plain(await stream.get_final_message())


async def aleft(c: AsyncClients) -> Any:
    count = 0
    async for _ in await c.a.messages.create(**ASK, stream=True, **acting("slow")):
        count += 1
        if count == 4:
            break
    await asyncio.sleep(0)
    return count


async def acancelled(call: Awaitable[Any], after_s: float) -> Any:
    task = asyncio.ensure_future(call)
    await asyncio.sleep(after_s)
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return "cancelled"


async def aconsume(c: AsyncClients) -> None:
    async for _ in await c.a.messages.create(**ASK, stream=True, **acting("slow")):
        pass


async def alines(c: AsyncClients) -> Any:
    async with c.a.messages.with_streaming_response.create(**ASK, stream=True) as response:
        return [line async for line in response.iter_lines()]


async def awhole(make: Awaitable[Any]) -> Any:
    return plain(await make)


async def astream(make: Awaitable[Any]) -> Any:
    return await adrained(await make)


async def aconsume_error(c: AsyncClients, scenario: str) -> None:
    async for _ in await c.a.messages.create(**ASK, stream=True, **acting(scenario)):
        pass


ASYNC: dict[str, tuple[Callable[[AsyncClients], Awaitable[Any]], int]] = {
    "messages": (lambda c: awhole(c.a.messages.create(**ASK)), 1),
    "chat": (lambda c: awhole(c.o.chat.completions.create(**CHAT)), 1),
    "responses": (lambda c: awhole(c.o.responses.create(**RESPOND)), 1),
    "messages stream": (lambda c: astream(c.a.messages.create(**ASK, stream=True)), 1),
    "messages stream split": (lambda c: astream(c.a.messages.create(**ASK, stream=True, **acting("split"))), 1),
    "chat stream": (lambda c: astream(c.o.chat.completions.create(**CHAT, stream=True)), 1),
    "chat stream n=2": (lambda c: astream(c.o.chat.completions.create(**CHAT, stream=True, n=2)), 1),
    "responses stream": (lambda c: astream(c.o.responses.create(**RESPOND, stream=True)), 1),
    "helper": (ahelper, 1),
    "left and dropped": (aleft, 1),
    "cancelled in the stream": (lambda c: acancelled(aconsume(c), 0.1), 1),
    "cancelled before the head": (lambda c: acancelled(c.a.messages.create(**ASK, **acting("hang")), 0.1), 1),
    "error event": (lambda c: araised(aconsume_error(c, "error")), 1),
    "stream cut": (lambda c: araised(aconsume_error(c, "cut")), 1),
    "streaming lines": (alines, 1),
    "retried": (lambda c: awhole(c.a.messages.create(**ASK, **acting("fail:2,529"))), 3),
}


@pytest.mark.parametrize("name", ASYNC)
def test_async_callers_cannot_tell(name: str, provider: Provider, captured: Captured) -> None:
    """A wrapped async client behaves as a bare one, cancellation included, and each attempt is recorded once."""
    does, attempts = ASYNC[name]

    async def run(*, wrapped: bool) -> Any:
        a = anthropic.AsyncAnthropic(api_key="k", base_url=provider.base)
        o = openai.AsyncOpenAI(api_key="k", base_url=f"{provider.base}/v1")
        both = AsyncClients(farebox.wrap(a), farebox.wrap(o)) if wrapped else AsyncClients(a, o)
        result = await does(both)
        await a.close()
        await o.close()
        return result

    expected = asyncio.run(run(wrapped=False))

    result = asyncio.run(run(wrapped=True))

    assert result == expected
    gc.collect()
    assert len(captured.attempts()) == attempts


def test_async_streams_give_their_connection_back(provider: Provider, captured: Captured) -> None:
    """Five drained async streams one after another use the same connections as without us."""

    async def run(*, wrapped: bool) -> int:
        o = openai.AsyncOpenAI(api_key="k", base_url=f"{provider.base}/v1")
        o = farebox.wrap(o) if wrapped else o
        before = provider.connections
        for _ in range(5):
            await adrained(await o.chat.completions.create(**CHAT, stream=True))
        await o.close()
        return provider.connections - before

    assert asyncio.run(run(wrapped=True)) == asyncio.run(run(wrapped=False))


def test_a_dropped_stream_frees_its_connection_at_once(provider: Provider, captured: Captured) -> None:
    """Dropping the last reference to a stream closes its response without waiting for the garbage collector."""
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base))
    gc.disable()
    try:
        stream = client.messages.create(**ASK, stream=True, **acting("slow"))
        next(iter(stream))
        response = weakref.ref(stream.response)
        del stream
        assert response() is None
        (attempt,) = captured.attempts()
    finally:
        gc.enable()

    assert attempt["farebox.outcome"] == "abandoned"
    assert attempt["farebox.usage.state"] == "partial"
    assert attempt["farebox.usage.output_tokens"] == 1


def test_wrap_returns_the_same_object_and_unwrap_takes_everything_back(provider: Provider) -> None:
    """`wrap()` returns the same object of the same type, twice is once, and `unwrap()` leaves no trace."""
    http_client = anthropic.DefaultHttpxClient()
    client = anthropic.Anthropic(api_key="k", base_url=provider.base, http_client=http_client)
    before = dict(vars(client))

    assert farebox.wrap(farebox.wrap(client)) is client
    assert type(client) is anthropic.Anthropic
    assert isinstance(client._client, type(http_client))
    assert "send" not in vars(http_client)
    assert farebox.unwrap(client) is client
    assert vars(client) == before
    assert client._client is http_client


@pytest.mark.parametrize("stranger", [None, "client", object(), anthropic])
def test_a_stranger_is_refused_with_its_type(stranger: object) -> None:
    """`wrap()` of something that is no SDK client says what it got."""
    with pytest.raises(TypeError, match=r"takes a client of the anthropic or openai package.*got "):
        farebox.wrap(stranger)
