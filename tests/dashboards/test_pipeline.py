"""Every figure of Pipeline, against a count in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from dashboards.asking import ask, choice
from dashboards.traffic import DAY, HOUR, LOST, UNTIL, Made, within
from ledger.spans import NOW, attempt, store

from farebox_ledger import Store

SINCE = UNTIL - DAY


@pytest.fixture
def day(traffic: list[Made]) -> list[Made]:
    """The attempts of the last day."""
    return within(traffic, SINCE, UNTIL)


def naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def counted(made: list[Made], is_one: Callable[[Made], bool]) -> int:
    return sum(map(is_one, made))


def no_usage(each: Made) -> bool:
    return each.cost is None and each.usage_state == "missing"


def cut(each: Made) -> bool:
    return each.usage_state == "partial" and each.cost is not None


def test_what_arrived_and_what_got_lost(busy: Store, day: list[Made]) -> None:
    """Attempts and their rate, and the numbers that never came."""
    (row,) = ask(busy.client, "pipeline_now", SINCE, UNTIL)

    assert row == {
        "attempts": len(day),
        "a minute": pytest.approx(len(day) / 1440),
        "lost": sum(LOST.values()),
        "conflicting": 0,
        "copies moved in time": 0,
        "impossible clock": 0,
    }


def test_conflicts_and_impossible_clocks_are_counted(fresh_store: Store) -> None:
    """Another content under known ids, and a start in 1970; without numbers nobody can tell what is lost."""
    from farebox_ledger import refresh_all

    now = fresh_store.client.query("SELECT now('UTC')").result_rows[0][0].replace(tzinfo=UNTIL.tzinfo)
    store(fresh_store.client, attempt(trace_id="a" * 32, span_id="b" * 16, started_at=now))
    store(fresh_store.client, attempt(trace_id="a" * 32, span_id="b" * 16, started_at=now, route="other"))
    store(fresh_store.client, attempt(started_at=datetime(1971, 1, 1, tzinfo=UNTIL.tzinfo)))
    refresh_all(fresh_store.client)
    (row,) = ask(fresh_store.client, "pipeline_now", now - HOUR, now + HOUR)

    assert (row["attempts"], row["conflicting"], row["lost"], row["impossible clock"]) == (1, 1, None, 1)


def test_attempts_over_time(busy: Store, day: list[Made]) -> None:
    """An interval's attempts, with those whose usage never came or was cut."""
    intervals: dict[datetime, list[Made]] = defaultdict(list)
    for each in day:
        intervals[naive(each.started_at) - timedelta(seconds=each.started_at.timestamp() % 7200)].append(each)
    rows = ask(busy.client, "pipeline_rate", SINCE, UNTIL, choice(), 7200)

    assert {row["time"]: (row["attempts"], row["without usage"], row["cut"]) for row in rows} == {
        start: (len(made), counted(made, no_usage), counted(made, cut)) for start, made in intervals.items()
    }


def test_lag_is_from_the_end_of_an_attempt(fresh_store: Store) -> None:
    """From the end of the attempt, not its beginning, until it was stored; results of batches are left out."""
    now = fresh_store.client.query("SELECT now64(3, 'UTC')").result_rows[0][0].replace(tzinfo=UNTIL.tzinfo)
    store(
        fresh_store.client,
        attempt(started_at=now - timedelta(seconds=100), duration_ms=60_000),
        attempt(started_at=now - timedelta(seconds=1), duration_ms=5_000),
        attempt(started_at=now - timedelta(minutes=30), kind="batch_result"),
    )
    rows = ask(fresh_store.client, "pipeline_lag", now - HOUR, now + HOUR, choice(), 864_000)

    assert len(rows) == 1
    assert rows[0]["longest"] == pytest.approx(40, abs=10)
    assert rows[0]["p50"] in (0, rows[0]["longest"])


def test_what_farebox_up_says_of_itself(busy: Store) -> None:
    """Counts of its minutes add up in an interval; how far behind it was is the most of them."""
    (spans,) = ask(busy.client, "pipeline_collector", SINCE, UNTIL, choice(), 3600)
    (waiting,) = ask(busy.client, "pipeline_waiting", SINCE, UNTIL, choice(), 3600)

    assert (spans.pop("time"), waiting.pop("time")) == (naive(NOW), naive(NOW))
    assert spans == {"received": 110, "stored": 100, "copies dropped": 7, "refused": 3, "in quarantine": 0}
    assert waiting == {"to store": 2.5, "oldest waiting": 0, "failed inserts": 0, "clients put off": 0}


def test_answers_without_usage(busy: Store, day: list[Made]) -> None:
    """By service and model: without usage, cut, and their share of all attempts."""
    rows = {row["model"]: row for row in ask(busy.client, "pipeline_no_usage", SINCE, UNTIL)}

    assert set(rows) == {each.model for each in day if no_usage(each) or cut(each)}
    for model, row in rows.items():
        mine = [each for each in day if each.model == model]
        lacking = (counted(mine, no_usage), counted(mine, cut))
        assert (row["service"], row["attempts"]) == ("shop", len(mine))
        assert (row["without usage"], row["cut"]) == lacking
        assert row["share"] == sum(lacking) / len(mine)
        assert row["ended mostly"].partition(",")[0] in ("timeout", "abandoned")


def test_clients_that_lost_something(busy: Store, traffic: list[Made]) -> None:
    """A process's last report and its missing numbers stand together; who said nothing, or lost nothing, has a dash."""
    rows = {row["instance"]: row for row in ask(busy.client, "pipeline_clients", SINCE, UNTIL)}
    lost: dict[str, int] = defaultdict(int)
    for place, count in LOST.items():
        lost[traffic[place].instance] += count

    assert {instance: row["lost on the way"] for instance, row in rows.items() if row["lost on the way"]} == lost
    one = rows["web-1"]
    assert (one["reported"], one["recorded"], one["dropped"], one["refused"]) == (NOW, 900, 3, 3)
    assert (one["waiting"], one["also"]) == (4, "tags_limited 5")
    assert (rows["web-9"]["recorded"], rows["web-9"]["lost on the way"]) == (7, None)
    if "web-2" in rows:
        assert (rows["web-2"]["reported"], rows["web-2"]["recorded"]) == (None, None)


def test_other_instrumentations(busy: Store) -> None:
    """A call that another instrumentation reports is pending until a refresh decides."""
    assert ask(busy.client, "pipeline_foreign", SINCE, UNTIL) == [
        {"instrumentation": "langchain", "counted": 0, "covered": 0, "pending": 1}
    ]


def test_bills_against_the_ledger(busy: Store) -> None:
    """The latest check of each day, its difference, and whether that is within the tolerance."""
    rows = ask(busy.client, "bills", SINCE, UNTIL)

    assert [(row["day"], row["state"], Decimal(row["difference, exact"])) for row in rows] == [
        (NOW.date(), "matched", Decimal("0.005")),
        ((NOW - DAY).date(), "under_recorded", Decimal("0.5")),
    ]
    assert [(row["billed"], row["recorded"], row["currency"]) for row in rows] == [
        (1.005, 1.0, "USD"),
        (1.5, 1.0, "USD"),
    ]
    assert ask(busy.client, "bills", SINCE, UNTIL, choice(provider=["fireworks"])) == []
