"""Put work together in portions that one statement can bear."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

__all__ = ["portions"]


def portions(sized: Iterable[Sequence[Any]], most: int) -> Iterator[list[Any]]:
    """Yield things in their order, together as long as their sizes add up to `most`; a larger one comes alone.

    sized: rows of a thing and its size.
    """
    taken: list[Any] = []
    filled = 0
    for thing, size in sized:
        if taken and filled + size > most:
            yield taken
            taken, filled = [], 0
        taken.append(thing)
        filled += size
    if taken:
        yield taken
