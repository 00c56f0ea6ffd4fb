"""Take apart the frames of AWS's event streams, in which Bedrock sends the events of a streamed answer.

A frame is its length, the length of its headers, a checksum of those eight bytes, headers, payload, a checksum of all.
Source: botocore 1.43 `eventstream.py`; anthropic 2.12 `lib/bedrock/_stream_decoder.py`.
"""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from struct import Struct
from typing import Any
from zlib import crc32

from farebox._body import parse_json

__all__ = ["AWS_STREAM", "aws_events"]

AWS_STREAM = "application/vnd.amazon.eventstream"

_PRELUDE = Struct("!III")
_CHECKSUM_BYTES = 4
_SEARCHED_BYTES_MAX = 1024 * 1024  # without a frame in so much, it is no event stream
_STRING = 7
# Bytes of a header's value by its type; those of text and bytes (6, 7) are said before the value.
_VALUE_BYTES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


def aws_events(chunks: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield the JSON text of each event, with the index of the chunk that completed its frame.

    An exception of the service becomes the error event that Anthropic's own API would send. A frame that the connection
    cut is left out; after a part that was not kept, reading goes on at the next whole frame.
    """
    whole = b"".join(chunks)
    ends = list(accumulate(map(len, chunks)))
    start = searched = 0
    while start + _PRELUDE.size <= len(whole) and searched < _SEARCHED_BYTES_MAX:
        size, headers_size, _ = _PRELUDE.unpack_from(whole, start)
        if not _is_frame(whole, start, size, headers_size):
            start, searched = start + 1, searched + 1
            continue
        headers_end = start + _PRELUDE.size + headers_size
        headers = _headers(whole[start + _PRELUDE.size : headers_end])
        start, searched = start + size, 0
        event = _event(headers, whole[headers_end : start - _CHECKSUM_BYTES])
        if event:
            yield event, bisect_right(ends, start - 1)


def _is_frame(whole: bytes, start: int, size: int, headers_size: int) -> bool:
    """Tell by both checksums whether a whole frame stands here."""
    body = start + size - _CHECKSUM_BYTES
    return (
        crc32(whole[start : start + 8]) == int.from_bytes(whole[start + 8 : start + 12], "big")
        and _PRELUDE.size + headers_size + _CHECKSUM_BYTES <= size
        and crc32(whole[start:body]) == int.from_bytes(whole[body : start + size], "big")
    )


def _headers(raw: bytes) -> dict[str, str]:
    """Return the headers that are text, as far as they can be read."""
    found, at = {}, 0
    while at + 1 < len(raw):
        name_end = at + 1 + raw[at]
        name = raw[at + 1 : name_end].decode("utf-8", "replace")
        kind = raw[name_end] if name_end < len(raw) else None
        at = name_end + 1
        size = _VALUE_BYTES.get(kind) if kind is not None else None
        if size is None:
            size = int.from_bytes(raw[at : at + 2], "big")
            at += 2
        if kind == _STRING:
            found[name] = raw[at : at + size].decode("utf-8", "replace")
        at += size
    return found


def _event(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return the event inside a frame: base64 in `bytes`, or an exception of the service."""
    body: Any = parse_json(payload)
    fields: Mapping[str, Any] = body if isinstance(body, dict) else {}
    failure = headers.get(":exception-type") or headers.get(":error-code")
    if failure:
        message = fields.get("message") or headers.get(":error-message", "")
        return json.dumps({"type": "error", "error": {"type": failure, "message": message}}, default=str).encode()
    inner = fields.get("bytes")
    if not isinstance(inner, str):
        return b""
    try:
        return base64.b64decode(inner)
    except binascii.Error:
        return b""
