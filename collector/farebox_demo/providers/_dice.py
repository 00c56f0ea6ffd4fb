"""Chance that depends on the seed and on what is asked, never on when it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

__all__ = ["Dice", "digest"]

T = TypeVar("T")

SIDES = 1 << 64


def digest(*parts: object) -> str:
    """Hash the parts' texts into 32 hexadecimal digits."""
    state = blake2b(digest_size=16)
    for part in parts:
        state.update(str(part).encode())
        state.update(b"\x00")
    return state.hexdigest()


class Dice:
    """Named throws for one attempt; the same seed, content, count and name always fall the same way."""

    def __init__(self, *about: object) -> None:
        self._key = digest(*about)

    def throw(self, name: str) -> int:
        """Throw an integer in [0, 2**64)."""
        return int(digest(self._key, name)[:16], 16)

    def chance(self, name: str, rate: float) -> bool:
        """Tell whether something that happens at `rate` (0 to 1) happens now."""
        return self.throw(name) < rate * SIDES

    def between(self, name: str, low: int, high: int) -> int:
        """Throw an integer in [low, high]."""
        return low + self.throw(name) % (high - low + 1)

    def pick(self, name: str, options: Sequence[T]) -> T:
        """Choose one of the options, each as likely as the others."""
        return options[self.throw(name) % len(options)]
