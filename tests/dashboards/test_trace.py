"""What Trace shows of a task, against the attempts that were made."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from dashboards.asking import TRACED, ask, choice
from dashboards.traffic import DAY, HOSTILE, HOUR, TENANT, UNTIL, Made, added, traced
from ledger.spans import attempt, store

from farebox_ledger import Store

SINCE = UNTIL - DAY
MS = timedelta(milliseconds=1)


@pytest.fixture
def task(traffic: list[Made]) -> list[Made]:
    """The attempts of the task that is asked for, in order."""
    return sorted(traced(traffic), key=lambda each: each.started_at)


def test_a_task_is_found_by_a_trace_or_by_its_name(busy: Store, task: list[Made]) -> None:
    """A trace id of any of its calls, or its name, shows the whole task, with the calls of other traces."""
    by_trace = ask(busy.client, "trace_steps", SINCE, UNTIL)
    by_name = ask(busy.client, "trace_steps", SINCE, UNTIL, choice(trace=f" {task[0].task} "))

    assert len({each.trace_id for each in task}) > 1
    assert [row["trace"] for row in by_trace] == [each.trace_id for each in task]
    assert by_name == by_trace


def test_steps_have_their_place_and_their_money(busy: Store, task: list[Made]) -> None:
    """Order, offset, duration, how it ended, tokens, cost, and what the task came to so far."""
    rows = ask(busy.client, "trace_steps", SINCE, UNTIL)
    begin = task[0].started_at
    length = max((each.started_at - begin) / MS + each.duration_ms for each in task)
    calls = list(dict.fromkeys(each.call_id for each in task))
    for place, (row, each) in enumerate(zip(rows, task, strict=True)):
        assert (row["began"], row["took"]) == (each.started_at, each.duration_ms)
        assert row["after"] == pytest.approx((each.started_at - begin) / MS)
        assert (row["call"], row["attempt"]) == (calls.index(each.call_id) + 1, str(each.attempt + 1))
        failures = ", ".join([*([each.outcome] if each.outcome != "ok" else []), *each.flags])
        assert row["ended"] == ("good" if each.good else failures)
        assert row["input tokens"] == (each.input_tokens if each.tokens else None)
        assert (Decimal(row["spend, exact"]) if row["spend, exact"] else None) == each.cost
        assert row["so far"] == pytest.approx(float(added(task[: place + 1]) or 0))
        assert bool(row["not fully priced"]) == each.doubtful
        assert len(row["when"]) == 32
        assert row["when"].index("█") == min(int(32 * row["after"] / length), 31)


def test_the_total_is_the_sum_of_the_steps(busy: Store, task: list[Made]) -> None:
    """Spend, what failed attempts took of it, calls, attempts, and the time from first to last."""
    (row,) = ask(busy.client, "trace_total", SINCE, UNTIL)
    end = max(each.started_at + timedelta(milliseconds=each.duration_ms) for each in task)

    assert row["spend"] == float(added(task) or 0)
    assert row["on failures"] == float(added([each for each in task if not each.good]) or 0)
    assert (row["calls"], row["attempts"]) == (len({each.call_id for each in task}), len(task))
    assert row["took"] == pytest.approx((end - task[0].started_at) / MS)
    assert row["not fully priced"] == sum(each.doubtful for each in task)


def test_what_became_of_the_task(busy: Store, task: list[Made]) -> None:
    """What the application reported of it."""
    (row,) = ask(busy.client, "trace_outcomes", SINCE, UNTIL)

    good = any(each.good for each in task if each.call_id == task[-1].call_id)
    assert (row["task"], row["outcome"]) == (task[0].task, "succeeded" if good else "failed")


def test_a_call_without_a_task_is_its_trace(fresh_store: Store) -> None:
    """Attempts of one trace, a pass beside them, and nothing of other traces; refreshed or not."""
    first = attempt(started_at=UNTIL - HOUR, duration_ms=1000)
    again = attempt(started_at=UNTIL - HOUR / 2, trace_id=first.trace_id, kind="iteration")
    store(fresh_store.client, first, again, attempt(started_at=UNTIL - HOUR))
    rows = ask(fresh_store.client, "trace_steps", SINCE, UNTIL, choice(trace=first.trace_id))

    assert [row["attempt"] for row in rows] == ["1", "iteration"]
    assert [row["when"].count("█") for row in rows] == [1, 1]


@pytest.mark.parametrize("asked", ["", "0" * 32, "no such task", HOSTILE, "' OR 1=1 --", TENANT, TRACED[:-1]])
def test_what_is_not_there_shows_nothing(asked: str, busy: Store) -> None:
    """Nothing typed, an unknown id, a hostile text or half an id finds nothing, and no money is invented."""
    (total,) = ask(busy.client, "trace_total", SINCE, UNTIL, choice(trace=asked))

    assert ask(busy.client, "trace_steps", SINCE, UNTIL, choice(trace=asked)) == []
    assert (total["spend"], total["took"], total["attempts"]) == (None, None, 0)
