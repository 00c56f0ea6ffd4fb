"""The HTTP server listens on loopback, lets stalled clients go, and finishes its answers when it is stopped."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from farebox_up import wait_until
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from farebox_collector import _bodies, _http
from farebox_collector._bodies import Budget, read_body
from farebox_collector._http import HOST, Server, listen
from farebox_collector.errors import CollectorError, PortTakenError, RequestError

HEAD = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"


async def _echo(request: Request) -> Response:
    try:
        with Budget(1000).claim() as claim:
            return Response(await read_body(request, claim, 1000))
    except RequestError as error:
        return PlainTextResponse(str(error), error.status, {"Connection": "close"})


async def _slow(_: Request) -> Response:
    await asyncio.sleep(0.4)
    return PlainTextResponse("done")


@pytest.fixture
def server(serve: Callable[[ASGIApp], Server], monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server with short patience."""
    monkeypatch.setattr(_http, "HEAD_S_MAX", 0.4)
    monkeypatch.setattr(_bodies, "SILENCE_S_MAX", 0.3)
    monkeypatch.setattr(_bodies, "BODY_S_MAX", 0.6)
    return serve(Starlette(routes=[Route("/echo", _echo, methods=["POST"]), Route("/slow", _slow)]))


def talk(server: Server, sent: bytes, drip: bytes = b"") -> tuple[bytes, float]:
    """Send bytes, then drip more while nothing comes back; gives the answer and how long it took."""
    began = time.monotonic()
    with socket.create_connection((HOST, server.port), timeout=0.05) as connection:
        connection.sendall(sent)
        answer = b""
        while time.monotonic() - began < 5:
            try:
                chunk = connection.recv(4096)
            except TimeoutError:
                with suppress(OSError):
                    connection.sendall(drip)
                continue
            except ConnectionResetError:
                break
            if not chunk:
                break
            answer += chunk
        return answer, time.monotonic() - began


def test_whole_request(server: Server) -> None:
    """A request that arrives whole is answered."""
    answer, _ = talk(server, HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + b"x" * 100)

    assert answer.endswith(b"\r\n\r\n" + b"x" * 100)


def test_answers_are_not_held_back(server: Server) -> None:
    """On a kept connection an answer takes well under the 40 ms that TCP would hold its second half back."""
    with socket.create_connection((HOST, server.port), timeout=5) as connection:
        seconds = []
        for _ in range(5):
            began = time.monotonic()
            connection.sendall(HEAD + b"x" * 100)
            answer = b""
            while not answer.endswith(b"x" * 100):
                answer += connection.recv(4096)
            seconds.append(time.monotonic() - began)

    assert min(seconds) < 0.03


@pytest.mark.parametrize(("drip", "at_most"), [(b"", 2.0), (b"x", 3.0)])
def test_stalled_body(server: Server, drip: bytes, at_most: float) -> None:
    """A client that falls silent in its body, or drips it, gets 408 and is let go."""
    answer, seconds = talk(server, HEAD + b"x", drip)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert seconds < at_most


@pytest.mark.parametrize("sent", [b"", b"POST /echo HT", HEAD[:-2]])
@pytest.mark.parametrize("drip", [b"", b"a"])
def test_stalled_head(server: Server, sent: bytes, drip: bytes) -> None:
    """A client that does not finish a request's head is let go, however it drips."""
    _, seconds = talk(server, sent, drip)

    assert seconds < 2


def test_second_head_is_hurried_too(server: Server) -> None:
    """The patience with a head holds for each request of a connection."""
    _, seconds = talk(server, HEAD + b"x" * 100 + b"POST /ec")

    assert seconds < 2


def test_slow_answer_is_waited_for(server: Server) -> None:
    """A client that waits for its answer is not hurried; stopping lets the answer go out."""
    answers: list[bytes] = []
    request = b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    client = threading.Thread(target=lambda: answers.append(talk(server, request)[0]))
    client.start()
    wait_until(lambda: bool(server.server_state.tasks))
    server.stop()
    client.join()

    assert answers[0].endswith(b"done")


def test_port_taken() -> None:
    """A port in use is one sentence that names it and the option."""
    with (
        listen(0, "--otlp-port") as held,
        pytest.raises(PortTakenError, match="choose another with --otlp-port") as raised,
    ):
        listen(held.getsockname()[1], "--otlp-port")

    assert raised.value.exit_code == 2


def test_other_errors_of_a_port() -> None:
    """A port that may not be used is a sentence with the system's reason."""
    with pytest.raises(CollectorError, match="port 4318 cannot be used: "):
        listen(4318, "--otlp-port", "192.0.2.1")
