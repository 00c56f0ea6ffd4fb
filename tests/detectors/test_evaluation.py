"""The evaluation command itself: its arithmetic, and that the bars hold where the data are."""

from __future__ import annotations

import math

import pytest
from evaluation.__main__ import below, document, run
from evaluation.cases import SETS, CaseSet
from evaluation.measure import Score, wilson


def test_wilson_intervals_are_the_textbooks() -> None:
    """The interval of 8 in 10, of none and of all, to three digits (Wilson 1927, as in Brown et al. 2001)."""
    assert tuple(round(bound, 3) for bound in wilson(8, 10)) == (0.490, 0.943)
    assert tuple(round(bound, 3) for bound in wilson(0, 10)) == (0.0, 0.278)
    assert tuple(round(bound, 3) for bound in wilson(10, 10)) == (0.722, 1.0)
    assert wilson(0, 0) == (0.0, 1.0)


def test_scores_are_what_their_names_say() -> None:
    """Precision over what was flagged, recall over what should be, false positives over what should not."""
    score = Score(hits=8, false_alarms=2, misses=4, passes=86)

    assert (score.precision, round(score.recall, 3), round(score.f1, 3), round(score.fpr, 4)) == (
        0.8,
        0.667,
        0.727,
        0.0227,
    )
    assert math.isnan(Score().precision)
    assert Score().interval("precision") is None


@pytest.mark.parametrize("case_set", SETS, ids=lambda case_set: f"{case_set.detector}-{case_set.name}")
def test_the_bars_hold(case_set: CaseSet) -> None:
    """Each detector clears its bars on every set of labelled answers that is here, and documents what it reached."""
    score, _ = run(case_set)
    if not score.cases:
        pytest.skip("FAREBOX_SHARED names no folder of labelled answers")

    assert below(case_set, score) == []
    assert not case_set.headline or document(case_set, score) is None
