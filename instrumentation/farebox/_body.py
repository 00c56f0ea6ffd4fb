"""Turn the bytes of a response into JSON values: content decoding, server-sent events, JSON."""

from __future__ import annotations

import re
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import jiter

__all__ = ["decode_chunks", "parse_json", "sse_events"]

_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def parse_json(raw: bytes) -> Any:
    """Parse JSON; numbers with a fraction become Decimal, so that a host's own cost keeps its digits.

    Returns None for what is no JSON.
    """
    try:
        return jiter.from_json(raw, float_mode="decimal", cache_mode="keys")
    except ValueError:
        return None


def decode_chunks(chunks: Sequence[bytes], encoding: str, response_class: Any) -> list[bytes]:
    """Undo the content encoding chunk by chunk; a cut body gives what could be read.

    gzip and deflate are undone here; others (br, zstd) by the HTTP library that the caller has, in one piece.
    """
    names = [name.strip().lower() for name in encoding.split(",") if name.strip()]
    if not names or names == ["identity"]:
        return list(chunks)
    if names in (["gzip"], ["x-gzip"], ["deflate"]):
        try:
            return list(_inflate(chunks, zlib.MAX_WBITS | 32))
        except zlib.error:  # `deflate` may mean the raw format
            return list(_inflate(chunks, -zlib.MAX_WBITS))
    return [response_class(200, headers={"content-encoding": encoding}, content=b"".join(chunks)).content]


def _inflate(chunks: Sequence[bytes], window: int) -> Iterator[bytes]:
    decoder = zlib.decompressobj(window)
    for chunk in chunks:
        yield decoder.decompress(chunk)


def sse_events(chunks: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield the data of each server-sent event, with the index of the chunk that completed it.

    An event that the connection cut short is left out, as the SDKs do. `data` lines are joined by a newline.
    """
    whole = b"".join(chunks)
    ends = list(accumulate(map(len, chunks)))
    start = 0
    for match in _EVENT_END.finditer(whole):
        data = _data(whole[start : match.start()])
        start = match.end()
        if data:
            yield data, min(bisect_right(ends, start - 1), len(ends) - 1)
    rest = _data(whole[start:])
    if rest and (rest == b"[DONE]" or parse_json(rest) is not None):  # some hosts omit the last blank line
        yield rest, len(ends) - 1


def _data(event: bytes) -> bytes:
    if event.startswith(b"data: ") and b"\n" not in event and b"\r" not in event:
        return event[6:]
    lines = [
        line[5:].removeprefix(b" ")
        for line in event.removeprefix(b"\xef\xbb\xbf").splitlines()
        if line.startswith(b"data:")
    ]
    return b"\n".join(lines)
