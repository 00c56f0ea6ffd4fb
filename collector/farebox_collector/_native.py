"""Writes numbers and texts as ClickHouse's Native format has them, and reads numbers."""

from __future__ import annotations

__all__ = ["number", "read_number", "text"]


def number(value: int) -> bytes:
    """Write a number: seven bits a byte, the lowest first."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def read_number(data: bytes, position: int) -> tuple[int, int]:
    """Read a number, and where it ends."""
    value = shift = 0
    while data[position] > 0x7F:
        value |= (data[position] & 0x7F) << shift
        shift, position = shift + 7, position + 1
    return value | data[position] << shift, position + 1


def text(value: str) -> bytes:
    """Write a text: its length in bytes, then itself."""
    encoded = value.encode()
    return number(len(encoded)) + encoded
