"""Prompt caches as providers keep them: marked breakpoints (Anthropic) and automatic prefixes (the others).

In both, the sum billed for a set of requests does not depend on their order while no entry expires: whoever
comes first pays for a prefix, the others read it. Only which line carries the write varies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from typing import Literal

__all__ = ["AutomaticCache", "Block", "InputSplit", "MarkedCache"]

Ttl = Literal["5m", "1h"]

# Source: platform.claude.com, prompt caching: lifetimes from the last use, and the lookback of 20 blocks.
TTL_S: dict[Ttl, float] = {"5m": 300.0, "1h": 3600.0}
LOOKBACK_BLOCKS = 20

# Source: platform.openai.com, prompt caching: hits grow by 128 tokens, and last for 5 to 10 idle minutes.
STEP_TOKENS = 128
IDLE_S = 600.0

ENTRIES_MAX = 200_000


@dataclass(frozen=True)
class Block:
    """A piece of the prompt: its text, its tokens, and the lifetime asked for if it is marked."""

    text: str
    tokens: int
    ttl: Ttl | None = None


@dataclass(frozen=True)
class InputSplit:
    """Input tokens by what the cache did with them."""

    uncached: int
    read: int = 0
    write_5m: int = 0
    write_1h: int = 0


class _Entries:
    """Prefix digests, each with its expiry and lifetime; forgets what has expired once it holds too many."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[bytes, tuple[float, float]] = {}

    def lifetime_s(self, key: bytes) -> float:
        """Tell the lifetime of a live entry; 0 means there is none."""
        expiry, lifetime_s = self._entries.get(key, (0.0, 0.0))
        return lifetime_s if expiry > self._clock() else 0.0

    def touch(self, key: bytes, lifetime_s: float = 0.0) -> None:
        """Start the entry's lifetime anew; a longer one given replaces it, a shorter one does not."""
        now = self._clock()
        lifetime_s = max(lifetime_s, self.lifetime_s(key))
        self._entries[key] = (now + lifetime_s, lifetime_s)
        if len(self._entries) > ENTRIES_MAX:
            self._entries = {key: entry for key, entry in self._entries.items() if entry[0] > now}


class MarkedCache:
    """Anthropic's cache: entries are written only at marked blocks; reads look back from each mark."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._entries = _Entries(clock)

    def split(self, scope: str, blocks: Sequence[Block], minimum: int) -> InputSplit:
        """Split the prompt's tokens into read, written for 1h or 5m, and the rest; update the entries.

        `scope` keeps models apart; a prefix shorter than `minimum` tokens is silently not cached.

        Source: platform.claude.com, prompt caching, "Mixing different TTLs", read in November 2026.
        """
        keys = list(_chain(scope, (block.text.encode() for block in blocks)))
        ends = list(accumulate(block.tokens for block in blocks))
        total = ends[-1] if ends else 0
        marks = [index for index, block in enumerate(blocks) if block.ttl is not None and ends[index] >= minimum]
        read = self._read(marks, keys, ends)
        marks_1h = [index for index in marks if blocks[index].ttl == "1h"]
        end_1h = max([read, *(ends[index] for index in marks_1h)])
        end = max([end_1h, *(ends[index] for index in marks)])
        for index in marks:
            ttl = blocks[index].ttl
            self._entries.touch(keys[index], TTL_S[ttl] if ttl else 0.0)
        return InputSplit(total - end, read, end - end_1h, end_1h - read)

    def _read(self, marks: Sequence[int], keys: Sequence[bytes], ends: Sequence[int]) -> int:
        longest = 0
        for mark in marks:
            for index in range(mark, max(mark - LOOKBACK_BLOCKS, -1), -1):
                if self._entries.lifetime_s(keys[index]):
                    self._entries.touch(keys[index])
                    longest = max(longest, ends[index])
                    break
        return longest


class AutomaticCache:
    """The cache of OpenAI and its likes: any prefix seen before, with no marks and no charge for writing."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._entries = _Entries(clock)

    def split(self, scope: str, prompt: str, tokens: int, tokens_per_kilobyte: int, minimum: int) -> InputSplit:
        """Split the prompt's tokens into read and uncached, and remember its prefixes."""
        raw = prompt.encode()
        step_bytes = STEP_TOKENS * 1000 // tokens_per_kilobyte
        whole = range(0, len(raw) - step_bytes + 1, step_bytes)
        keys = list(_chain(scope, (raw[start : start + step_bytes] for start in whole)))
        known = 0
        while known < len(keys) and self._entries.lifetime_s(keys[known]):
            known += 1
        for key in keys:
            self._entries.touch(key, IDLE_S)
        read = known * STEP_TOKENS
        if read < minimum:
            read = 0
        return InputSplit(tokens - read, read)


def _chain(scope: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield, for each piece, a digest of everything up to its end."""
    state = blake2b(scope.encode(), digest_size=16)
    for piece in pieces:
        state.update(len(piece).to_bytes(8, "big") + piece)
        yield state.digest()
