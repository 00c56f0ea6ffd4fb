"""Each attempt counts once, at every moment: the first stored row of equal ids wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from ledger.spans import NOW, Span, attempt, store

from farebox_ledger import Store

TOTALS = "SELECT count(), sum(list_cost), sum(uncached_input_tokens) FROM llm_attempts"


def totals(ledger: Store) -> tuple[int, Decimal, int]:
    """Count attempts, money and tokens."""
    return tuple(ledger.client.query(TOTALS).result_rows[0])


@pytest.fixture
def unmerged(fresh_store: Store) -> Store:
    """A ledger in which nothing is merged, so that nothing but the queries keeps it right."""
    for name in ("stored_attempts", "arrivals"):
        fresh_store.client.command(f"SYSTEM STOP MERGES {name}")
    return fresh_store


def dearer(span: Span) -> Span:
    """The same ids with other content."""
    return replace(span, attributes={**span.attributes, "farebox.usage.uncached_input_tokens": "999999"})


def later(span: Span, **step: int) -> Span:
    """The same ids with another start."""
    return replace(span, started_at=span.started_at + timedelta(**step))


def test_duplicates_in_one_batch_count_once(unmerged: Store) -> None:
    """Of three spans with equal ids in one batch, the first one counts."""
    span = attempt()

    store(unmerged.client, span, dearer(span), span)

    assert totals(unmerged) == (1, Decimal("0.00105"), 1000)


def test_duplicates_in_other_batches_count_once(unmerged: Store) -> None:
    """A retried export in another batch changes nothing."""
    first, second = attempt(), attempt()
    store(unmerged.client, first)

    store(unmerged.client, second, first)
    store(unmerged.client, dearer(first), second)

    assert totals(unmerged) == (2, Decimal("0.00210"), 2000)


@pytest.mark.parametrize("step", [{"seconds": 1}, {"hours": 1}, {"days": 3}, {"hours": -5}, {"days": -400}])
def test_duplicates_with_another_start_count_once(unmerged: Store, step: dict[str, int]) -> None:
    """The same ids with another start, in the same hour or another, in one batch or another, change nothing."""
    first, second = attempt(), attempt()
    store(unmerged.client, first, later(dearer(first), **step), second)

    store(unmerged.client, later(dearer(second), **step), later(first, minutes=1))

    assert totals(unmerged) == (2, Decimal("0.00210"), 2000)
    starts = unmerged.client.query("SELECT DISTINCT started_at FROM llm_attempts").result_rows
    assert starts == [(NOW,)]


def test_a_duplicate_never_shows_through_a_narrow_period(unmerged: Store) -> None:
    """Where a period holds only the duplicate, not the first row, it shows nothing."""
    span = attempt()
    store(unmerged.client, span)
    store(unmerged.client, later(span, minutes=40), later(span, hours=30))

    found = unmerged.client.query(
        "SELECT count() FROM llm_attempts WHERE started_at > {moment:DateTime64(6, 'UTC')}",
        {"moment": NOW + timedelta(minutes=10)},
    ).result_rows

    assert found == [(0,)]


def test_impossible_clocks_on_duplicates_change_nothing(unmerged: Store) -> None:
    """A copy from 1970, 2262 or an hour ahead is still a copy."""
    span = attempt()
    store(unmerged.client, span)

    for year in (1970, 2262):
        store(unmerged.client, replace(span, started_at=NOW.replace(year=year, month=1)))
    store(unmerged.client, later(span, hours=1))

    assert totals(unmerged) == (1, Decimal("0.00105"), 1000)


def test_merging_changes_no_figure(unmerged: Store) -> None:
    """What the queries kept right, merges make true."""
    spans = [attempt() for _ in range(5)]
    store(unmerged.client, *spans)
    store(unmerged.client, *(dearer(span) for span in spans))
    before = totals(unmerged)

    for name in ("stored_attempts", "arrivals"):
        unmerged.client.command(f"SYSTEM START MERGES {name}")
        unmerged.client.command(f"OPTIMIZE TABLE {name} FINAL")

    assert totals(unmerged) == before == (5, Decimal("0.00525"), 5000)
    assert unmerged.client.query("SELECT count() FROM stored_attempts").result_rows == [(5,)]


def test_final_on_the_ledger_is_no_error(unmerged: Store) -> None:
    """Whoever is used to write FINAL may."""
    store(unmerged.client, attempt())

    assert unmerged.client.query("SELECT count() FROM llm_attempts FINAL").result_rows == [(1,)]


def test_old_spans_of_many_days_fit_in_one_batch(unmerged: Store) -> None:
    """A replayed backlog of five months is one batch, and stored whole."""
    spans = [later(attempt(), days=-day) for day in range(150)]

    store(unmerged.client, *spans)

    assert totals(unmerged)[0] == 150
