"""Listens on loopback and serves ASGI applications; hurries clients that stall, leaves signals to the caller."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from farebox_collector.errors import CollectorError, PortTakenError

__all__ = ["HOST", "HOSTS", "Server", "listen"]

HOST = "127.0.0.1"
# Names a client on this machine uses. Another name means that a web page has pointed its own at 127.0.0.1.
HOSTS = ("127.0.0.1", "localhost")
BACKLOG = 1024
HEAD_S_MAX = 15.0
KEEP_ALIVE_S = 75
FINISH_S_MAX = 3


def listen(port: int, option: str, host: str = HOST) -> socket.socket:
    """Bind a port, of loopback unless told otherwise, and listen; 0 means any free one.

    Raises:
        PortTakenError: another process listens there; names the option that chooses another.
        CollectorError: the port may not be used.
    """
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it each answer takes 40 ms more.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(
                f"port {port} is taken, perhaps by another `farebox up`; stop that, or choose another with {option}"
            ) from None
        raise CollectorError(f"port {port} cannot be used: {error.strerror}; choose another with {option}") from None
    return listener


class Server(uvicorn.Server):
    """One HTTP server on a listening socket; `stop()` lets requests in work finish."""

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        hosts: Sequence[str] = HOSTS,
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        """Prepare one; `tls` names the files of a certificate chain and of its key."""
        config = uvicorn.Config(
            TrustedHostMiddleware(app, allowed_hosts=hosts, www_redirect=False),
            http=_Protocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=FINISH_S_MAX,
            ssl_certfile=tls[0] if tls else None,
            ssl_keyfile=tls[1] if tls else None,
        )
        super().__init__(config)
        self.port: int = listener.getsockname()[1]
        self._listener = listener

    async def run_until_stopped(self) -> None:
        """Serve until `stop()` is called and the requests in work are answered."""
        await self.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Take no more connections and finish what is being answered."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: two servers share one process, whose owner handles them."""
        yield


class _Protocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose client does not finish a request's head in time."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering():
            self._cancel_head()
        else:
            self._await_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_answering() and self.conn.trailing_data[0]:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_head()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        """Start the clock, unless it runs: dripping bytes must not wind it up again."""
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_S_MAX, self._give_up)

    def _cancel_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self._is_answering() and not self.transport.is_closing():
            self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete
