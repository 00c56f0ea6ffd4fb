"""What what-ifs estimate from: tokens by bytes and messages, and how much luck decides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox_ledger._whatif_luck import luck_of, retried
from farebox_ledger._whatif_tokens import boundaries, slope_of, token_ratio
from farebox_ledger._whatif_traffic import Attempt, Call, _attempt

ROW: dict[str, Any] = {
    "task": "", "trace_id": "", "call_id": "", "attempt": 0, "started_us": 0, "first_byte_us": 0, "route": "r",
    "provider": "p", "model": "m", "instance": "", "script": "", "outcome": "ok", "usage_state": "reported",
    "good": 1, "uncached": 0, "cache_read": 0, "write_5m": 0, "write_1h": 0, "write_other": 0, "output": 1,
    "reasoning": 0, "list_cost": None, "characters": None, "flags": [], "checked": [], "hashes": ["head"],
}  # fmt: skip


def made(sizes: list[int], tokens: int, **more: Any) -> Attempt:
    """An attempt with a prompt of such boundaries and tokens."""
    return _attempt({**ROW, "sizes": sizes, "input_tokens": tokens, **more})


@given(st.lists(st.tuples(st.integers(100, 50_000), st.integers(-2, 2)), min_size=12, max_size=60), st.floats(0.1, 0.6))
def test_a_slope_is_found_whatever_a_template_adds(sizes: list[tuple[int, int]], rate: float) -> None:
    """Tokens per further byte come out within their error, if they come out at all."""
    prompts = [made([size], 700 + round(rate * size) + noise) for size, noise in sizes]
    slope = slope_of(prompts)

    spread = max(size for size, _ in sizes) - min(size for size, _ in sizes)
    if slope is not None and spread > 2000:
        assert abs(slope.value - rate) <= 6 * slope.error + 0.02 * rate
        assert token_ratio(prompts, prompts, "m", "n").value == pytest.approx(1)
    assert slope_of([]) is None


@given(
    st.lists(st.lists(st.integers(20, 4000), min_size=1, max_size=8), min_size=30, max_size=60),
    st.floats(0.1, 0.6),
    st.integers(0, 12),
)
def test_messages_are_told_from_bytes(turns: list[list[int]], rate: float, each: int) -> None:
    """What every message adds beyond its bytes does not pass for tokens of bytes; boundaries are where they were."""
    prompts = []
    for lengths in turns:
        sizes = [sum(lengths[: number + 1]) for number in range(len(lengths))]
        prompts.append(made(sizes, 300 + round(rate * sizes[-1]) + each * len(sizes)))
    slope = slope_of(prompts)

    if slope is not None and slope.message:
        assert slope.value == pytest.approx(rate, abs=5 * slope.error + 0.001)
        for prompt in prompts:
            first = 300 + rate * prompt.sizes[0] + each
            reach = 1 + 5 * slope.error * prompt.size + abs(slope.message - each) * len(prompt.sizes)
            assert boundaries(prompt, slope)[0] == pytest.approx(first, abs=reach)


def calls(*sizes: int, lost: int = 0, again: int = 0) -> list[Call]:
    """Calls with prompts of such sizes, of which the first ones lost their usage, or were asked twice."""
    found = []
    for number, size in enumerate(sizes):
        state = "missing" if number < lost else "reported"
        attempts = [made([size], size // 4, usage_state=state, attempt=int(number < again))]
        if number < again:
            attempts.insert(0, made([size], 0, usage_state="missing", outcome="timeout"))
        found.append(Call(attempts))
    return found


def test_a_prompt_that_holds_most_tokens_makes_for_luck() -> None:
    """Of a hundred equal calls one more or less is lost; of one that holds most of the tokens nobody knows."""
    equal, one = luck_of(calls(*[1000] * 100), automatic=True), luck_of(calls(*[1000] * 99, 500_000), automatic=True)

    assert equal.lost == pytest.approx(0.01, rel=0.05)
    assert one.lost == pytest.approx(2 / 9, rel=0.01)
    assert one.of_reads([0.0], [100.0]) > 0


def test_luck_is_by_what_happened() -> None:
    """Calls that were lost or asked again make it likelier that others are; marked caches are not met that way."""
    rare, often = luck_of(calls(*[1000] * 100), automatic=True), luck_of(calls(*[1000] * 100, lost=20), automatic=True)
    many = calls(*[1000] * 100, again=10)

    assert often.lost == pytest.approx(21 / 102 * 81 / 102)
    assert rare.lost < often.lost
    assert luck_of(many, automatic=False).again == 0 < luck_of(many, automatic=True).again
    assert retried(many, []) == 0.1
    assert retried([], many) == 0.1
