"""The simulated prompt caches bill a set of requests the same in any order."""

from __future__ import annotations

from dataclasses import astuple
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from farebox_demo.providers._caches import AutomaticCache, Block, InputSplit, MarkedCache

PREFIX_TOKENS = 5000


def test_lookback_ends_after_twenty_blocks() -> None:
    """A mark finds an entry up to 19 blocks before it, and none further back."""
    cache = MarkedCache(lambda: 0.0)
    blocks = [Block(f"block {index}", 1000) for index in range(50)]

    def split(length: int) -> InputSplit:
        last = blocks[length - 1]
        return cache.split("scope", [*blocks[: length - 1], Block(last.text, last.tokens, "5m")], 1024)

    first, near, far = split(5), split(24), split(44)

    assert first == InputSplit(uncached=0, write_5m=5000)
    assert near == InputSplit(uncached=0, read=5000, write_5m=19_000)
    assert far == InputSplit(uncached=0, write_5m=44_000)


@given(st.lists(st.sampled_from(["plain", "5m", "1h"]), min_size=2, max_size=4))
def test_marked_cache_does_not_mind_the_order(suffixes: list[str]) -> None:
    """Requests that share a marked prefix cost the same in total whoever comes first."""
    requests = [_request(index, ttl) for index, ttl in enumerate(suffixes)]
    totals = set()
    for order in permutations(requests):
        cache = MarkedCache(lambda: 0.0)
        splits = [astuple(cache.split("scope", request, 4096)) for request in order]
        totals.add(tuple(map(sum, zip(*splits, strict=True))))

    assert len(totals) == 1


def _request(index: int, ttl: str) -> list[Block]:
    mark = None if ttl == "plain" else ttl
    return [Block("shared", PREFIX_TOKENS, "1h"), Block(f"own {index}", 700, mark)]  # type: ignore[arg-type]


@given(st.lists(st.text(alphabet="ab", max_size=6), min_size=2, max_size=5))
def test_automatic_cache_does_not_mind_the_order(tails: list[str]) -> None:
    """Prompts that share prefixes of many lengths cost the same in total whoever comes first."""
    prompts = ["p" * 6000 + "".join(letter * 600 for letter in tail) for tail in tails]
    totals = set()
    for order in permutations(prompts):
        cache = AutomaticCache(lambda: 0.0)
        totals.add(sum(cache.split("scope", prompt, len(prompt) // 4, 250, 1024).read for prompt in order))

    assert len(totals) == 1
