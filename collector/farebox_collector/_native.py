"""Writes numbers and texts as ClickHouse's Native format has them."""

from __future__ import annotations

__all__ = ["number", "text"]


def number(value: int) -> bytes:
    """Write a number: seven bits a byte, the lowest first."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def text(value: str) -> bytes:
    """Write a text: its length in bytes, then itself."""
    encoded = value.encode()
    return number(len(encoded)) + encoded
