"""The journal's files: bodies one after the other, each under a checksum, so that damage is found and passed over.

A segment begins with MAGIC. Each record is a head (mark, checksum, kinds, time, length) and the body as it was sent.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from farebox_collector._decode import LOGS, TRACES, Body
from farebox_collector._otlp import Encoding

__all__ = ["MAGIC", "Contents", "Damage", "Record", "encode_record", "encode_records", "parse_segment"]

MAGIC = b"farebox journal 1\n"
MARK = b"\xfb\x0dRC"
# Mark; checksum of all after it; table, encoding, compression, reserved; nanoseconds since 1970; length of the body.
HEAD = struct.Struct(">4sIBBBBQI")
CHECKED_FROM = 8
COPIED_BYTES_MAX = 256 * 1024
TABLES = (TRACES, LOGS)
ENCODINGS = (Encoding.PROTOBUF, Encoding.JSON)
COMPRESSIONS = ("", "gzip", "deflate", "zstd")


@dataclass(frozen=True)
class Record:
    """One acknowledged body and when it came, in nanoseconds since 1970 by the clock of then."""

    body: Body
    received_ns: int

    @property
    def size(self) -> int:
        """Bytes that it takes in a segment."""
        return HEAD.size + len(self.body.content)


@dataclass(frozen=True)
class Damage:
    """Bytes of a segment that are no record: where they are, and whether they are only its unfinished end."""

    start: int
    stop: int
    torn: bool


@dataclass
class Contents:
    """What could be read of a segment."""

    records: list[Record] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)


def encode_records(records: Iterable[Record]) -> Iterator[bytes]:
    """Write records as they stand in a segment; a large body comes by itself, so that it is not copied."""
    small: list[bytes] = []
    for record in records:
        small.append(_head(record))
        if len(record.body.content) < COPIED_BYTES_MAX:
            small.append(record.body.content)
        else:
            yield b"".join(small)
            yield record.body.content
            small = []
    yield b"".join(small)


def encode_record(record: Record) -> bytes:
    """Write a record as it stands in a segment."""
    return b"".join(encode_records([record]))


def _head(record: Record) -> bytes:
    body = record.body
    kinds = (
        TABLES.index(body.table),
        ENCODINGS.index(body.encoding),
        COMPRESSIONS.index(body.compression),
        0,
    )
    head = HEAD.pack(MARK, 0, *kinds, record.received_ns, len(body.content))
    checksum = zlib.crc32(body.content, zlib.crc32(head[CHECKED_FROM:]))
    return MARK + checksum.to_bytes(4, "big") + head[CHECKED_FROM:]


def parse_segment(data: bytes) -> Contents:
    """Read every whole record of a segment; what is none is passed over up to the next mark and told of."""
    contents = Contents()
    position = len(MAGIC) if data.startswith(MAGIC) else 0
    if position == 0 and data:
        position = _pass_over(data, 0, contents)
    while position < len(data):
        found = _record_at(data, position)
        if found is None:
            position = _pass_over(data, position, contents)
        else:
            record, position = found
            contents.records.append(record)
    return contents


def _pass_over(data: bytes, start: int, contents: Contents) -> int:
    """Find where the next whole record begins, the end if nowhere, and note what lies before it."""
    stop = next((at for at in _marks(data, start + 1) if _record_at(data, at) is not None), len(data))
    contents.damages.append(Damage(start, stop, torn=stop == len(data)))
    return stop


def _marks(data: bytes, start: int) -> Iterator[int]:
    while (start := data.find(MARK, start)) >= 0:
        yield start
        start += 1


def _record_at(data: bytes, position: int) -> tuple[Record, int] | None:
    """Read the record that begins here and where it ends; None where no whole one does."""
    if len(data) - position < HEAD.size:
        return None
    mark, checksum, table, encoding, compression, _, received_ns, length = HEAD.unpack_from(data, position)
    stop = position + HEAD.size + length
    if mark != MARK or stop > len(data):
        return None
    if zlib.crc32(memoryview(data)[position + CHECKED_FROM : stop]) != checksum:
        return None
    if table >= len(TABLES) or encoding >= len(ENCODINGS) or compression >= len(COMPRESSIONS):
        return None
    content = data[position + HEAD.size : stop]
    return Record(Body(TABLES[table], ENCODINGS[encoding], COMPRESSIONS[compression], content), received_ns), stop
