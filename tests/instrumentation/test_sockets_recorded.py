"""What sockets show is recorded: each response once, with its usage, and nothing is kept."""

from __future__ import annotations

import gc
import inspect
import logging
import subprocess
import sys
import time
import weakref
from typing import Any, ClassVar

import openai
import pytest

import farebox
from farebox._socket_log import BYTES_MAX, MESSAGES_MAX, SocketLog
from farebox.testing import Captured
from instrumentation.socket_provider import SocketProvider
from instrumentation.test_sockets import (
    ASK,
    ORDER,
    SPOKEN,
    _running,
    client,
    older_realtime,
    pytestmark,
    realtime,
    realtime_spoken,
    responses,
    sockets,
    told,
    until,
)

__all__ = ["_running", "pytestmark", "sockets"]


def test_a_spoken_response_is_recorded_whole(sockets: SocketProvider, captured: Captured) -> None:
    """Its span has exclusive leaves, the session's model, tools, times, and the tags around its order."""
    with client(sockets, route="calls") as c, c.realtime.connect(model="gpt-realtime") as connection:
        with farebox.tags(task="t1"):
            connection.send(ORDER)
        until(connection, "response.done")

    (span,) = captured.spans()
    attributes = dict(span.attributes or {})

    assert {name: attributes.get(f"farebox.usage.{name}") for name in SPOKEN} == SPOKEN
    assert attributes["gen_ai.request.model"] == "gpt-realtime"
    assert attributes["gen_ai.response.id"] == "resp_socket_1"
    assert attributes["gen_ai.usage.input_tokens"] == 200
    assert attributes["farebox.provider"] == "openai"
    assert (attributes["farebox.route"], attributes["farebox.task"]) == ("calls", "t1")
    assert (attributes["farebox.tool_calls"], attributes["farebox.tool_names"]) == (1, ["look_up"])
    assert 0 < attributes["farebox.time_to_first_token_ms"] <= attributes["farebox.duration_ms"]
    assert attributes["farebox.call_id"] == f"{span.context.span_id:016x}"
    assert attributes["farebox.key_fingerprint"]


def test_a_response_over_a_socket_is_like_one_over_http(sockets: SocketProvider, captured: Captured) -> None:
    """Usage, model, tier and stop reason are those that the Responses API gives over HTTP."""
    with client(sockets) as c:
        responses(c)

    (attempt,) = captured.attempts()

    assert attempt["farebox.usage.uncached_input_tokens"] == 36
    assert attempt["farebox.usage.cache_read_tokens"] == 64
    assert attempt["farebox.usage.output_tokens"] == 20
    assert attempt["gen_ai.request.model"] == "gpt-5.4-mini"
    assert attempt["gen_ai.response.model"] == "gpt-5.4-mini-2026-03-17"
    assert attempt["gen_ai.response.finish_reasons"] == ["completed"]
    assert attempt["farebox.prefix.hashes"]


def test_content_of_a_response_over_a_socket(
    sockets: SocketProvider, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where content is captured, a response over a socket has its record like one over HTTP."""
    monkeypatch.setenv("FAREBOX_CAPTURE_CONTENT", "true")
    with client(sockets) as c, c.responses.connect() as connection:
        connection.send(ASK)
        until(connection, "response.completed")
    (record,) = captured.contents()

    assert record["gen_ai.input.messages"] == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    assert record["gen_ai.output.messages"][0]["role"] == "assistant"
    assert record["gen_ai.response.id"] == captured.attempts()[0]["gen_ai.response.id"]


def test_a_response_that_two_sockets_show_has_one_identity(sockets: SocketProvider, captured: Captured) -> None:
    """A second connection to a call shows the same responses: the ledger keeps one of them."""
    with client(sockets) as c:
        realtime(c)
        sockets._responses = 0
        realtime(c)

    first, again = captured.spans()
    assert (first.context.trace_id, first.context.span_id) == (again.context.trace_id, again.context.span_id)


def test_what_the_user_said_is_written_down_at_its_own_model(sockets: SocketProvider, captured: Captured) -> None:
    """Transcription of the user's speech is billed beside the response, at the model that the session names."""
    with client(sockets) as c:
        realtime_spoken(c)

    heard, _ = captured.attempts()
    assert heard["gen_ai.request.model"] == "gpt-4o-transcribe"
    assert heard["farebox.usage.audio_input_tokens"] == 12
    assert heard["farebox.usage.output_tokens"] == 5


def test_a_session_that_tells_no_usage_is_missing_it(sockets: SocketProvider, captured: Captured) -> None:
    """A translation session costs money and reports none of it: one span, with its usage missing."""
    with client(sockets) as c:
        if not hasattr(c.realtime, "translations"):
            pytest.skip("this release of the SDK has no such session")
        with c.realtime.translations.connect(model="gpt-realtime-translate") as connection:
            connection.send({"type": "session.close"})
            assert connection.recv().type == "session.closed"

    (attempt,) = captured.attempts()
    assert attempt["farebox.usage.state"] == "missing"
    assert attempt["gen_ai.request.model"] == "gpt-realtime-translate"


def test_copies_are_watched_too(sockets: SocketProvider, captured: Captured) -> None:
    """A client made by `with_options` records its sockets, and so does a copy of that."""
    with client(sockets) as c:
        responses(c.with_options(timeout=5).copy(max_retries=0))

    assert told(captured) == [("chat", "ok", "reported")]


def test_a_resource_is_itself_once_it_is_used(sockets: SocketProvider, captured: Captured) -> None:
    """What stands in for a resource looks like it, and is gone after the first use; unwrapping leaves no trace."""
    made = openai.OpenAI(api_key="k", base_url=sockets.base)
    before = dict(vars(made))
    wrapped = farebox.wrap(made)
    waiting = wrapped.realtime

    assert isinstance(waiting, openai.resources.realtime.Realtime)
    assert repr(waiting).startswith("<openai.resources.realtime.realtime.Realtime object")
    assert type(wrapped.realtime) is openai.resources.realtime.Realtime
    assert wrapped.realtime is wrapped.realtime
    assert inspect.signature(wrapped.realtime.connect) == inspect.signature(openai.OpenAI(api_key="k").realtime.connect)
    farebox.unwrap(wrapped)
    assert "connect" not in vars(wrapped.realtime)
    assert {name: value for name, value in vars(wrapped).items() if name != "realtime"} == before
    assert told(captured) == []


def test_wrapping_imports_nothing_of_the_sdk() -> None:
    """The SDK's resources are imported when their caller asks for them, not before."""
    script = (
        "import openai, farebox, sys; farebox.wrap(openai.OpenAI(api_key='k'))\n"
        "assert 'openai.resources.realtime' not in sys.modules\n"
        "assert 'websockets.sync.client' not in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_the_sdk_logs_the_same(sockets: SocketProvider, captured: Captured, caplog: pytest.LogCaptureFixture) -> None:
    """Not even the SDK's debug log shows that a socket is watched."""

    def lines(*, wrapped: bool) -> list[str]:
        caplog.clear()
        sockets._responses = 0  # older SDKs log whole messages
        with caplog.at_level(logging.DEBUG, "openai"), client(sockets, wrapped=wrapped) as c:
            older_realtime(c)
            responses(c)
        return [record.getMessage() for record in caplog.records]

    assert lines(wrapped=True) == lines(wrapped=False)


def test_a_socket_is_freed_as_without_us(sockets: SocketProvider, captured: Captured) -> None:
    """Nothing of ours keeps a socket: it goes when the caller's connection goes, its open response with it."""
    with client(sockets) as c:
        connection = c.responses.connect().enter()
        connection.send(ASK)
        connection.recv()
        socket = connection._connection
        type(socket).close(socket)
        socket.recv_events_thread.join()
        reference = weakref.ref(socket)
        del connection, socket
        until = time.monotonic() + 10  # a thread of the library's keeps it for a moment
        while reference() is not None and time.monotonic() < until:
            gc.collect()  # the SDK's connection is in a cycle of its own
            time.sleep(0.01)

    assert reference() is None
    assert told(captured) == [("chat", "abandoned", "missing")]


class Unheard:
    """A client's state whose recorder takes nothing, as when its queue is full."""

    defaults: ClassVar[dict[str, str]] = {}
    submitted = 0

    def parent(self) -> None:
        return None

    def next_number(self) -> int:
        return 0

    def submit(self, part: Any) -> None:
        self.submitted += 1

    def put(self, span: Any) -> None:
        return None


def test_what_waits_of_a_socket_is_bounded() -> None:
    """A session of days holds no more than a fixed number of messages and bytes, even if the recorder takes none."""
    state = Unheard()
    log = SocketLog(state, None, lambda: None)
    delta = b'{"type": "response.output_audio.delta", "delta": "%s"}' % (b"A" * 20_000)
    done = b'{"type": "response.done", "response": {"id": "r", "text": "%s"}}' % (b"A" * 300_000)
    for _ in range(200):
        log.received(b'{"type": "response.created", "response": {"id": "r"}}')
        for _ in range(50):
            log.received(delta)
        log.received(done)

    assert len(log.messages) <= MESSAGES_MAX
    assert sum(len(message.data) for message in log.messages) <= BYTES_MAX + len(done)
    assert state.submitted >= 200
