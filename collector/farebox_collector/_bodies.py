"""Reads a request's body within named maxima: bytes, decompressed bytes, ratio, time, and bytes of all requests."""

from __future__ import annotations

import asyncio
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd  # which clickhouse-connect brings

from farebox_collector.errors import BusyError, MalformedError, StalledError, TooLargeError, UnsupportedError

__all__ = ["Budget", "Claim", "decompress", "read_body"]

SILENCE_S_MAX = 10.0
BODY_S_MAX = 60.0
# What compresses better than this is no telemetry. Small bodies may: a ratio says nothing there.
RATIO_MAX = 300
RATIO_MATTERS_BYTES = 1024 * 1024

# zlib's window argument for each encoding; "deflate" is zlib's format, as HTTP defines it.
WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
ZSTD = "zstd"
WINDOW_LOG_MAX = 23  # 8 MB, the most that a decoder must have (RFC 8878)


class Budget:
    """Bytes that all requests in work may hold together; used on the event loop's thread only."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.bytes_held = 0

    @contextmanager
    def claim(self) -> Iterator[Claim]:
        """Open one request's account; all it has taken is given back at the end."""
        claim = Claim(self)
        try:
            yield claim
        finally:
            self.bytes_held -= claim.bytes_held


class Claim:
    """What one request holds of a budget."""

    def __init__(self, budget: Budget) -> None:
        self.bytes_held = 0
        self._budget = budget

    def take(self, bytes_more: int) -> None:
        """Hold more.

        Raises:
            BusyError: the budget has no more.
        """
        if self._budget.bytes_held + bytes_more > self._budget.bytes_max:
            raise BusyError(f"requests in work hold {self._budget.bytes_held} of {self._budget.bytes_max} bytes")
        self._budget.bytes_held += bytes_more
        self.bytes_held += bytes_more


async def read_body(request: Request, claim: Claim, bytes_max: int) -> bytes:
    """Read a body as it was sent.

    Raises:
        TooLargeError: it is, or says it is, larger than `bytes_max`.
        StalledError: nothing came for SILENCE_S_MAX, or it was not whole after BODY_S_MAX.
        MalformedError: the client went away in the middle.
        BusyError: all requests together hold too much.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > bytes_max:
        raise TooLargeError(f"the body has {declared} bytes; the most is {bytes_max}")
    body = bytearray()
    stream = request.stream()
    try:
        async with asyncio.timeout(BODY_S_MAX):
            while True:
                async with asyncio.timeout(SILENCE_S_MAX):
                    chunk = await anext(stream, None)
                if chunk is None:
                    return bytes(body)
                if len(body) + len(chunk) > bytes_max:
                    raise TooLargeError(f"the body has more than {bytes_max} bytes")
                claim.take(len(chunk))
                body += chunk
    except TimeoutError:
        raise StalledError(f"the body did not arrive in time; {len(body)} bytes came") from None
    except ClientDisconnect:
        raise MalformedError("the client went away in the middle of the body") from None


def decompress(body: bytes, encoding: str, bytes_max: int) -> bytes:
    """Undo a Content-Encoding: gzip, deflate, zstd or none.

    Raises:
        UnsupportedError: another encoding.
        MalformedError: the body is not in that encoding, or is cut short.
        TooLargeError: it would become larger than `bytes_max`, or is a decompression bomb.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in (*WINDOWS, ZSTD):
        raise UnsupportedError(f"Content-Encoding is {encoding[:100]!r}; send gzip, deflate, zstd or none")
    try:
        whole = _unpack(body, bytes_max) if name == ZSTD else _inflate(body, WINDOWS[name], bytes_max)
    except (zlib.error, zstd.ZstdError, EOFError) as error:
        raise MalformedError(f"the body is not {name}: {error}") from None
    if len(whole) > RATIO_MATTERS_BYTES and len(whole) > RATIO_MAX * len(body):
        raise TooLargeError(f"the body grows {len(whole) // len(body)} times; the most is {RATIO_MAX}")
    return whole


def _inflate(body: bytes, window: int, bytes_max: int) -> bytes:
    """Decompress one or, as gzip allows, several members in a row."""
    whole = b""
    rest = body
    while rest or not whole:
        stream = zlib.decompressobj(window)
        whole += stream.decompress(rest, bytes_max + 1 - len(whole))
        if len(whole) > bytes_max:
            raise TooLargeError(f"the body has more than {bytes_max} bytes when decompressed")
        if not stream.eof:
            raise zlib.error("it is cut short")
        rest = stream.unused_data
        if not rest:
            break
    return whole


def _unpack(body: bytes, bytes_max: int) -> bytes:
    """Decompress one or more frames of zstd."""
    whole = b""
    rest = body
    while rest or not whole:
        stream = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG_MAX})
        while not stream.eof:
            whole += stream.decompress(rest, bytes_max + 1 - len(whole))
            rest = b""
            if len(whole) > bytes_max:
                raise TooLargeError(f"the body has more than {bytes_max} bytes when decompressed")
            if not stream.eof and stream.needs_input:
                raise EOFError("it is cut short")
        rest = stream.unused_data
        if not rest:
            break
    return whole
