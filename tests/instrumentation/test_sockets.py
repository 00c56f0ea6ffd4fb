"""WebSockets: realtime and responses connections show their caller the same, and each response is recorded once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import openai
import pytest

import farebox
from farebox.testing import Captured
from instrumentation.socket_provider import SocketProvider, start_sockets
from instrumentation.test_differential import plain

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ORDER = {"type": "response.create", "response": {"output_modalities": ["audio"]}}
ASK = {"type": "response.create", "model": "gpt-5.4-mini", "input": "hi"}
SPOKEN = {
    "uncached_input_tokens": 10,
    "cache_read_tokens": 40,
    "cache_read_audio_tokens": 50,
    "cache_read_image_tokens": 0,
    "audio_input_tokens": 70,
    "image_input_tokens": 30,
    "output_tokens": 20,
    "audio_output_tokens": 40,
    "state": "reported",
}


@pytest.fixture(scope="session")
def _running() -> Iterator[SocketProvider]:
    provider, server = start_sockets()
    yield provider
    server.shutdown()


@pytest.fixture
def sockets(_running: SocketProvider) -> SocketProvider:
    """A local WebSocket server, whose responses are numbered anew."""
    _running.received.clear()
    _running._responses = 0
    return _running


def client(sockets: SocketProvider, *, wrapped: bool = True, **tags: Any) -> openai.OpenAI:
    made = openai.OpenAI(api_key="k", base_url=sockets.base)
    return farebox.wrap(made, provider="openai", **tags) if wrapped else made


def async_client(sockets: SocketProvider, *, wrapped: bool = True) -> openai.AsyncOpenAI:
    made = openai.AsyncOpenAI(api_key="k", base_url=sockets.base)
    return farebox.wrap(made, provider="openai") if wrapped else made


def acting(scenario: str) -> dict[str, Any]:
    return {"extra_headers": {"x-scenario": scenario}}


def until(connection: Any, *ends: str) -> list[Any]:
    """Read events up to one of these types, or to an error."""
    seen: list[Any] = []
    while not seen or seen[-1][1]["type"] not in (*ends, "error"):
        seen.append(plain(connection.recv()))
    return seen


async def auntil(connection: Any, *ends: str) -> list[Any]:
    seen: list[Any] = []
    while not seen or seen[-1][1]["type"] not in (*ends, "error"):
        seen.append(plain(await connection.recv()))
    return seen


def caught(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error).__qualname__, str(error)


async def acaught(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except Exception as error:
        return type(error).__qualname__, str(error)


def iterated(connection: Any) -> Any:
    seen: list[str] = []

    def read() -> None:
        for event in connection:
            seen.append(event.type)  # noqa: PERF401 - what came before an exception counts

    return caught(read), seen


def realtime(c: openai.OpenAI) -> Any:
    with c.realtime.connect(model="gpt-realtime") as connection:
        connection.send(ORDER)
        return type(connection).__qualname__, until(connection, "response.done")


def realtime_twice(c: openai.OpenAI) -> Any:
    with c.realtime.connect(model="gpt-realtime") as connection:
        connection.send(ORDER)
        first = until(connection, "response.done")
        connection.response.create()
        return first, until(connection, "response.done")


def realtime_raw(c: openai.OpenAI) -> Any:
    with c.realtime.connect(model="gpt-realtime") as connection:
        connection.send_raw('{"response": {}, "type": "response.create"}')
        return [connection.recv_bytes() for _ in range(6)]


def realtime_spoken(c: openai.OpenAI) -> Any:
    with c.realtime.connect(model="gpt-realtime") as connection:
        connection.send({"type": "input_audio_buffer.append", "audio": "AAAA" * 10_000})
        connection.send({"type": "input_audio_buffer.commit"})
        return until(connection, "response.done")


def realtime_queued(c: openai.OpenAI) -> Any:
    manager = c.realtime.connect(model="gpt-realtime")
    manager.send(ORDER)
    with manager as connection:
        return until(connection, "response.done")


def responses(c: openai.OpenAI) -> Any:
    with c.responses.connect() as connection:
        connection.send(ASK)
        return until(connection, "response.completed")


def responses_refused(c: openai.OpenAI) -> Any:
    with c.responses.connect(**acting("refuse")) as connection:
        connection.send(ASK)
        return until(connection, "response.completed")


def responses_iterated(c: openai.OpenAI) -> Any:
    with c.responses.connect(**acting("close")) as connection:
        connection.send(ASK)
        return iterated(connection)


def responses_aborted(c: openai.OpenAI) -> Any:
    with c.responses.connect(**acting("abort")) as connection:
        connection.send(ASK)
        return iterated(connection)


def unauthorized(c: openai.OpenAI) -> Any:
    return caught(lambda: c.responses.connect(**acting("unauthorized")).enter())


def left(c: openai.OpenAI) -> Any:
    with c.responses.connect() as connection:
        connection.send(ASK)
        return plain(connection.recv())


def older_realtime(c: openai.OpenAI) -> Any:
    c.websocket_base_url = str(c.base_url).replace("http", "ws")
    with c.beta.realtime.connect(model="gpt-realtime") as connection:
        connection.send(ORDER)
        return until(connection, "response.done")


def beta_responses(c: openai.OpenAI) -> Any:
    with c.beta.responses.connect() as connection:
        connection.send(ASK)
        return until(connection, "response.completed")


# name → (what the caller does, [(operation, outcome, usage state)] of what is recorded)
SPANS = list[tuple[str, str, str]]
SYNC: dict[str, tuple[Callable[[Any], Any], SPANS]] = {
    "realtime": (realtime, [("realtime", "ok", "reported")]),
    "realtime twice": (realtime_twice, [("realtime", "ok", "reported")] * 2),
    "realtime raw": (realtime_raw, [("realtime", "ok", "reported")]),
    "realtime spoken": (realtime_spoken, [("transcribe", "ok", "reported"), ("realtime", "ok", "reported")]),
    "realtime queued": (realtime_queued, [("realtime", "ok", "reported")]),
    "older realtime": (older_realtime, [("realtime", "ok", "reported")]),
    "responses": (responses, [("chat", "ok", "reported")]),
    "responses beta": (beta_responses, [("chat", "ok", "reported")]),
    "responses refused": (responses_refused, [("chat", "rate_limited", "none")]),
    "responses closed by the server": (responses_iterated, [("chat", "abandoned", "missing")]),
    "responses aborted": (responses_aborted, [("chat", "stream_error", "missing")]),
    "unauthorized": (unauthorized, []),
    "left": (left, [("chat", "abandoned", "missing")]),
}


def told(captured: Captured) -> SPANS:
    return [
        (span["gen_ai.operation.name"], span["farebox.outcome"], span["farebox.usage.state"])
        for span in captured.attempts()
    ]


@pytest.mark.parametrize("name", SYNC)
def test_sync_callers_cannot_tell(name: str, sockets: SocketProvider, captured: Captured) -> None:
    """A wrapped client's socket gives the same events, objects and exceptions, and each response has one span."""
    does, expected = SYNC[name]
    with client(sockets, wrapped=False) as bare:
        unwrapped = does(bare)
    sent, sockets.received[:], sockets._responses = list(sockets.received), [], 0
    with client(sockets) as wrapped:
        result = does(wrapped)

    assert result == unwrapped
    assert sockets.received == sent
    assert told(captured) == expected


async def arealtime(c: openai.AsyncOpenAI) -> Any:
    async with c.realtime.connect(model="gpt-realtime") as connection:
        await connection.send(ORDER)
        return type(connection).__qualname__, await auntil(connection, "response.done")


async def aresponses(c: openai.AsyncOpenAI) -> Any:
    async with c.responses.connect() as connection:
        await connection.send(ASK)
        return await auntil(connection, "response.completed")


async def aclosed(c: openai.AsyncOpenAI) -> Any:
    async with c.responses.connect(**acting("abort")) as connection:
        await connection.send(ASK)
        seen: list[Any] = []

        async def read() -> None:
            async for event in connection:
                seen.append(event.type)  # noqa: PERF401 - what came before an exception counts

        return await acaught(read()), seen


async def acancelled(c: openai.AsyncOpenAI) -> Any:
    """A reader that is cancelled loses nothing, and the socket goes on."""
    async with c.responses.connect() as connection:
        task = asyncio.ensure_future(connection.recv())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await connection.send(ASK)
        return await auntil(connection, "response.completed")


async def aolder(c: openai.AsyncOpenAI) -> Any:
    c.websocket_base_url = str(c.base_url).replace("http", "ws")
    async with c.beta.realtime.connect(model="gpt-realtime") as connection:
        await connection.send(ORDER)
        return await auntil(connection, "response.done")


async def aunauthorized(c: openai.AsyncOpenAI) -> Any:
    return await acaught(c.responses.connect(**acting("unauthorized")).enter())


ASYNC: dict[str, tuple[Callable[[Any], Awaitable[Any]], SPANS]] = {
    "realtime": (arealtime, [("realtime", "ok", "reported")]),
    "older realtime": (aolder, [("realtime", "ok", "reported")]),
    "responses": (aresponses, [("chat", "ok", "reported")]),
    "responses aborted": (aclosed, [("chat", "stream_error", "missing")]),
    "cancelled while waiting": (acancelled, [("chat", "ok", "reported")]),
    "unauthorized": (aunauthorized, []),
}


@pytest.mark.parametrize("name", ASYNC)
def test_async_callers_cannot_tell(name: str, sockets: SocketProvider, captured: Captured) -> None:
    """The same for async clients, cancellation included."""
    does, expected = ASYNC[name]

    async def run(*, wrapped: bool) -> Any:
        sockets._responses = 0
        async with async_client(sockets, wrapped=wrapped) as c:
            return await does(c)

    unwrapped = asyncio.run(run(wrapped=False))

    assert asyncio.run(run(wrapped=True)) == unwrapped
    assert told(captured) == expected
