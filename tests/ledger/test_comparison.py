"""Comparing two failure rates: the textbooks' numbers, and silence where there is too little data."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farebox_ledger._comparison import Sample, compare, newcombe_interval, two_sided_fisher, wilson_interval


def test_newcombes_own_examples() -> None:
    """The intervals of Newcombe (1998), table II, method 10, to four digits."""
    examples = {
        (56, 70, 48, 80): (0.0524, 0.3339),
        (9, 10, 3, 10): (0.1705, 0.8090),
        (5, 56, 0, 29): (-0.0381, 0.1926),
        (0, 10, 0, 20): (-0.1611, 0.2775),
        (10, 10, 0, 20): (0.6791, 1.0),
    }

    for (failed_a, checked_a, failed_b, checked_b), expected in examples.items():
        low, high = newcombe_interval(Sample(failed_a, checked_a), Sample(failed_b, checked_b))
        assert (round(low, 4), round(high, 4)) == expected


def test_fisher_of_the_tea_tasting() -> None:
    """Three of four cups told apart: p 0.4857; all four: p 0.0286 (Fisher 1935)."""
    assert round(two_sided_fisher(Sample(3, 4), Sample(1, 4)), 4) == 0.4857
    assert round(two_sided_fisher(Sample(4, 4), Sample(0, 4)), 4) == 0.0286


samples = st.integers(1, 40).flatmap(
    lambda checked: st.integers(0, checked).map(lambda failed: Sample(failed, checked))
)


@given(a=samples, b=samples)
def test_fisher_agrees_with_fractions(a: Sample, b: Sample) -> None:
    """The p is the sum of the exact chances of all tables no more likely than the one seen."""
    failed, checked = a.failed + b.failed, a.checked + b.checked
    chances = {
        number: Fraction(comb(a.checked, number) * comb(b.checked, failed - number), comb(checked, failed))
        for number in range(max(0, failed - b.checked), min(failed, a.checked) + 1)
    }
    expected = sum(each for each in chances.values() if each <= chances[a.failed])

    assert two_sided_fisher(a, b) == pytest.approx(float(expected), rel=1e-9)


@settings(max_examples=200)
@given(a=samples, b=samples)
def test_intervals_hold_what_was_seen(a: Sample, b: Sample) -> None:
    """An interval holds the rate, or the difference, that was seen; exchanging the models turns it over."""
    low, high = wilson_interval(a)
    difference = compare(a, b)
    turned = compare(b, a)

    assert 0 <= low <= (a.rate or 0) <= high <= 1
    assert difference.low is not None
    assert difference.high is not None
    assert -1 <= difference.low <= (difference.difference or 0) <= difference.high <= 1
    assert (turned.low, turned.high) == (pytest.approx(-difference.high), pytest.approx(-difference.low))
    assert (turned.verdict, turned.test) == (difference.verdict, difference.test)


def test_small_numbers_take_the_exact_test() -> None:
    """Below five expected in a cell it is Fisher's test, above the two-proportion one."""
    assert compare(Sample(2, 400), Sample(4, 400)).test == "Fisher's exact"
    assert compare(Sample(20, 400), Sample(40, 400)).test == "two proportions"
    assert compare(Sample(20, 400), Sample(40, 400)).p_value == pytest.approx(0.00726, abs=1e-5)


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ((40, 400), (2, 400), "different"),
        ((3, 1000), (18, 1000), "different"),
        ((1, 100), (2, 100), "too little data"),
        ((0, 5000), (0, 5000), "too little data"),
        ((0, 0), (10, 100), "too little data"),
        ((500, 10000), (510, 10000), "no difference seen"),
        ((2, 3), (0, 3), "too little data"),
        ((2, 204), (27, 720), "too little data"),  # p 0.045, yet the interval holds 0
        ((2000, 2000), (1999, 2000), "no difference seen"),
    ],
)
def test_the_verdict_is_plain(a: tuple[int, int], b: tuple[int, int], verdict: str) -> None:
    """No difference is only claimed where one would have shown; few answers, or none that failed, prove nothing."""
    assert compare(Sample(*a), Sample(*b)).verdict == verdict


def test_it_says_how_much_would_be_enough() -> None:
    """The size at which a doubling of 1 % shows four times in five is the textbook's 2,316 each."""
    assert compare(Sample(10, 1000), Sample(10, 1000)).enough == 2316
    assert compare(Sample(0, 1000), Sample(0, 1000)).enough is None
