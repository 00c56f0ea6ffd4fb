"""A small HTTP/1.1 server that can also misbehave: stall, cut a body short, and notice who has left."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

__all__ = ["Exchange", "HttpServer", "Request"]

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 64 * 1024 * 1024
LOOK_EVERY_S = 0.02

REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    413: "Content Too Large",
    429: "Too Many Requests",
}


@dataclass(frozen=True)
class Request:
    """One request; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """One request and the ways to answer it."""

    def __init__(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self.started = False
        self._reader = reader
        self._writer = writer

    @property
    def client_left(self) -> bool:
        """Tell whether the client has closed its connection."""
        return self._reader.at_eof() or self._reader.exception() is not None or self._writer.is_closing()

    async def wait(self, seconds: float) -> bool:
        """Let time pass; return early, with False, if the client leaves."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not self.client_left and (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, LOOK_EVERY_S))
        return not self.client_left

    async def reply(self, status: int, headers: Mapping[str, str], body: bytes, sent: int | None = None) -> None:
        """Send a whole answer, or only its first `sent` bytes and then nothing more."""
        head = _head(status, {**headers, "content-length": str(len(body))})
        self.started = True
        await self._send(head + body[:sent])
        if sent is not None:
            self.hang_up()

    async def start(self, headers: Mapping[str, str]) -> None:
        """Start an answer whose body comes in chunks."""
        self.started = True
        await self._send(_head(200, {**headers, "transfer-encoding": "chunked"}))

    async def chunk(self, data: bytes) -> None:
        """Send one chunk."""
        await self._send(b"%x\r\n%b\r\n" % (len(data), data))

    async def finish(self) -> None:
        """End the chunks."""
        await self._send(b"0\r\n\r\n")

    def hang_up(self) -> None:
        """Close the connection once what was said so far is sent."""
        self._writer.close()

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class HttpServer:
    """Listens on loopback and hands each request to the handler, one at a time on each connection."""

    def __init__(self, handler: Callable[[Exchange], Awaitable[None]]) -> None:
        self._handler = handler
        self._conversations: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> int:
        """Listen, and return the port."""
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", port, limit=HEAD_BYTES_MAX, backlog=512)
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._conversations:
            task.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        try:
            while not writer.is_closing() and (request := await _read(reader)) is not None:
                await self._handler(Exchange(request, reader, writer))
        except ConnectionError:
            pass  # The client left: there is nobody to answer.
        except asyncio.CancelledError:
            pass  # The server stops.
        except Exception:  # noqa: BLE001
            traceback.print_exc(file=sys.stderr)
        finally:
            self._conversations.discard(task)
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """Read the next request; None when the client left or does not speak HTTP as we do."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        length = int(headers.get("content-length", 0))
        if length > BODY_BYTES_MAX:
            return None
        body = await reader.readexactly(length)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return None
    return Request(method, path, headers, body)
