"""Every figure of Failure modes, against a count in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import sqrt
from typing import Any

import pytest
from dashboards.asking import ask, choice
from dashboards.traffic import DAY, HOUR, QWEN, ROUTES, TENANT, UNTIL, Made, added, within
from ledger.spans import attempt, store

from farebox_ledger import Store, refresh_all

SINCE = UNTIL - DAY
Z = 1.959963984540054
HEDGING, OVERCONFIDENCE = "disclaimer", "unknown_import"


@pytest.fixture
def day(traffic: list[Made]) -> list[Made]:
    """The attempts of the last day."""
    return within(traffic, SINCE, UNTIL)


@pytest.fixture
def answers(day: list[Made]) -> list[Made]:
    """Those of them that were checked for failures."""
    return [each for each in day if each.checked]


def rate(failed: int, of: int) -> float | None:
    return failed / of if of else None


def wilson(failed: int, of: int) -> tuple[Any, Any]:
    """Give Wilson's interval in the textbook's form."""
    share = failed / of
    centre, reach = share + Z * Z / (2 * of), Z * sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    found = ((centre - reach) / (1 + Z * Z / of), (centre + reach) / (1 + Z * Z / of))
    return tuple(pytest.approx(each, abs=1e-12) for each in found)  # type: ignore[return-value]


def flagged(made: Iterable[Made], detector: str) -> list[Made]:
    return [each for each in made if any(flag.partition(".")[0] == detector for flag in each.flags)]


def checked(made: Iterable[Made], detector: str) -> list[Made]:
    return [each for each in made if detector in each.checked]


def share_of(made: Sequence[Made], detector: str) -> float | None:
    """Give the share of what was checked: of tool calls where it is about them, else of answers."""
    some = checked(made, detector)
    if detector == "tool_call_malformed":
        return rate(sum(each.malformed or 0 for each in some), sum(each.tool_calls or 0 for each in some))
    return rate(len(flagged(some, detector)), len(some))


def test_the_matrix_of_routes(busy: Store, day: list[Made]) -> None:
    """Each route's share of each failure, over what was checked; a failure that nobody looked for is a dash."""
    rows = {row["route"]: row for row in ask(busy.client, "failure_matrix", SINCE, UNTIL)}

    assert set(rows) == set(ROUTES)
    for route, row in rows.items():
        mine = [each for each in day if each.route == route]
        assert row["attempts"] == len(mine)
        assert row["not ok"] == rate(sum(each.outcome != "ok" for each in mine), len(mine))
        for column, detector in {
            "refusal": "refusal", "disclaimer": "disclaimer", "malformed call": "tool_call_malformed",
            "unknown import": "unknown_import",
        }.items():  # fmt: skip
            assert row[column] == share_of(mine, detector)
        assert row["loop"] is None


def test_hedging_against_overconfidence(busy: Store, answers: list[Made]) -> None:
    """By model, both families over the answers that were checked for any of their kinds."""
    rows = {row["model"]: row for row in ask(busy.client, "failure_families", SINCE, UNTIL)}

    assert set(rows) == {each.model for each in answers}
    for model, row in rows.items():
        mine = [each for each in answers if each.model == model]
        sure = [each for each in mine if {"unknown_import", "tool_call_malformed"} & set(each.checked)]
        for family, some, detector in (
            ("hedging", mine, HEDGING),
            ("overconfidence", sure, OVERCONFIDENCE),
        ):
            failed = len(flagged(some, detector))
            assert (row[f"checked for {family}"], row[family]) == (len(some), rate(failed, len(some)))
            assert (row[f"{family}, at least"], row[f"{family}, at most"]) == wilson(failed, len(some))


def test_failures_over_time(busy: Store, answers: list[Made]) -> None:
    """An interval's share of each failure that occurred in the range."""
    found = {
        (row["time"], row["failure"]): row["rate"]
        for row in ask(busy.client, "failures_over_time", SINCE, UNTIL, choice(), 7200)
    }
    intervals: dict[Any, list[Made]] = defaultdict(list)
    for each in answers:
        start = each.started_at - timedelta(seconds=each.started_at.timestamp() % 7200)
        intervals[start.replace(tzinfo=None)].append(each)
    detectors = ("refusal", "disclaimer", "tool_call_malformed", "unknown_import")
    expected = {(start, name): share_of(made, name) for start, made in intervals.items() for name in detectors}

    assert found == {key: share for key, share in expected.items() if share is not None}


def bucket(tokens: int) -> str:
    limits = (1_000, 4_000, 16_000, 64_000, 150_000)
    return next((f"up to {limit:,}" for limit in limits if tokens <= limit), "above 150,000")


@pytest.mark.parametrize("chosen", [{}, {"tenant": TENANT}, {"tenant": TENANT, "route": "support"}])
@pytest.mark.parametrize(
    ("question", "column", "value"),
    [
        ("failures_by_prompt_version", "prompt version", lambda each: each.prompt_version or "(none)"),
        ("failures_by_language", "language", lambda each: each.language or "(not known)"),
        ("failures_by_prompt_length", "input tokens", lambda each: bucket(each.input_tokens)),
    ],
)
def test_failures_by_what_was_asked(
    question: str, column: str, value: Callable[[Made], str], chosen: dict[str, str], busy: Store, traffic: list[Made]
) -> None:
    """Disqualified answers of those checked with their interval and money, both families, and malformed calls."""
    since = UNTIL - 3 * DAY if chosen else SINCE
    answers = within(traffic, since, UNTIL, lambda one: all(getattr(one, key) == chosen[key] for key in chosen))
    answers = [each for each in answers if each.checked]
    values = choice(**{key: [each] for key, each in chosen.items()})
    rows = {row[column]: row for row in ask(busy.client, question, since, UNTIL, values)}

    assert set(rows) == {value(each) for each in answers}
    for key, row in rows.items():
        mine = [each for each in answers if value(each) == key]
        bad = [each for each in mine if not each.good]
        sure = [each for each in mine if {"unknown_import", "tool_call_malformed"} & set(each.checked)]
        assert (row["answers"], row["bad"], row["rate"]) == (len(mine), len(bad), rate(len(bad), len(mine)))
        low, high = wilson(len(bad), len(mine))
        assert (row["at least"], row["at most"]) == (low if bad else 0, high)
        assert row["hedging"] == rate(len(flagged(mine, HEDGING)), len(mine))
        assert row["overconfidence"] == rate(len(flagged(sure, OVERCONFIDENCE)), len(sure))
        assert row["malformed calls"] == share_of(mine, "tool_call_malformed")
        assert (Decimal(row["spend, exact"]) if row["spend, exact"] else None) == added(bad)
        assert row["not fully priced"] == sum(each.doubtful for each in bad)


def test_long_prompts_come_last(busy: Store) -> None:
    """Buckets of length are in the order of length."""
    found = [row["input tokens"] for row in ask(busy.client, "failures_by_prompt_length", SINCE, UNTIL)]

    assert found == ["up to 1,000", "up to 4,000", "up to 16,000", "up to 64,000", "up to 150,000"]


def test_failures_by_tool(busy: Store, day: list[Made]) -> None:
    """Answers that called a tool and were checked, and those with a malformed call of it."""
    rows = {row["tool"]: row for row in ask(busy.client, "failures_by_tool", SINCE, UNTIL)}

    assert set(rows) == {"search", "refund"}
    for tool, row in rows.items():
        mine = [each for each in day if tool in each.tools]
        bad = [each for each in mine if tool in each.malformed_tools]
        assert (row["answers"], row["malformed"], row["rate"]) == (len(mine), len(bad), rate(len(bad), len(mine)))
        assert (row["at least"], row["at most"]) == wilson(len(bad), len(mine))
        assert row["most often"] == "type"
        assert (Decimal(row["spend, exact"]) if row["spend, exact"] else None) == added(bad)


@pytest.mark.parametrize(
    ("since", "until", "chosen"),
    [
        (SINCE, UNTIL, {}),
        (UNTIL - 3 * DAY, UNTIL - 3 * HOUR / 2, {}),
        (UNTIL - 3 * DAY, UNTIL - HOUR, {"tenant": TENANT}),
        (UNTIL - 3 * DAY, UNTIL, {"model": QWEN}),
    ],
)
def test_what_became_of_failed_attempts(
    busy: Store, traffic: list[Made], since: datetime, until: datetime, chosen: dict[str, str]
) -> None:
    """A failed attempt is made good by a later attempt of its call, by a later call of its task, or by nothing."""
    tasks: dict[str, list[Made]] = defaultdict(list)
    for each in traffic:
        tasks[each.task or each.call_id].append(each)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    money: dict[str, list[Made]] = defaultdict(list)
    for made in tasks.values():
        asked_for = within(made, since, until, lambda one: all(getattr(one, key) == chosen[key] for key in chosen))
        for each in [one for one in asked_for if not one.good]:
            later = [one for one in made if one.good and one.started_at > each.started_at]
            kind = 0 if any(one.call_id == each.call_id for one in later) else 1 if later else 2
            classes = {flag.partition(".")[0] for flag in each.flags} if each.outcome == "ok" else {each.outcome}
            for name in classes:
                counts[name][kind] += 1
                money[name].append(each)
    values = choice(**{key: [value] for key, value in chosen.items()})
    rows = {row["class"]: row for row in ask(busy.client, "failures_recovered", since, until, values)}

    assert {
        name: [row["by retry"], row["by another call"], row["not recovered"]] for name, row in rows.items()
    } == counts
    for name, row in rows.items():
        recovered = sum(counts[name][:2])
        assert (row["failed"], row["recovered"]) == (sum(counts[name]), rate(recovered, sum(counts[name])))
        assert (row["at least"], row["at most"]) == wilson(recovered, sum(counts[name]))
        assert (Decimal(row["spend, exact"]) if row["spend, exact"] else None) == added(money[name])
        assert row["not fully priced"] == sum(each.doubtful for each in money[name])


def test_another_call_of_the_task_may_make_good(fresh_store: Store) -> None:
    """A malformed answer that the application asks for again, and gets, is recovered by another call."""
    store(
        fresh_store.client,
        attempt(task="t", started_at=UNTIL - HOUR, flags='["refusal.text"]', checked='["refusal"]'),
        attempt(task="t", started_at=UNTIL - HOUR / 2),
        attempt(task="u", started_at=UNTIL - HOUR, outcome="timeout", usage_state="missing"),
    )
    rows = {row["class"]: row for row in ask(fresh_store.client, "failures_recovered", SINCE, UNTIL)}

    assert (rows["refusal"]["by another call"], rows["refusal"]["not recovered"]) == (1, 0)
    assert (rows["timeout"]["by another call"], rows["timeout"]["not recovered"]) == (0, 1)


def test_what_comes_after_the_range_makes_good_as_well(fresh_store: Store) -> None:
    """A failure before midnight that another model mends in the next hour is recovered, also once it is rolled up."""
    client = fresh_store.client
    until = UNTIL - 3 * HOUR
    failure = {"trace_id": "1" * 32, "call_id": "c" * 16, "outcome": "timeout", "usage_state": "missing"}
    store(client, attempt(task="t", started_at=until - HOUR, outcome="overloaded", usage_state="none"))
    store(client, attempt(started_at=until - HOUR, attempt=0, **failure))
    refresh_all(client)

    def recovered() -> list[tuple[object, ...]]:
        rows = ask(client, "failures_recovered", SINCE, until, choice(model=["claude-haiku-4-5"]))
        return sorted((row["class"], row["by retry"], row["by another call"], row["failed"]) for row in rows)

    before = recovered()
    store(client, attempt("claude-sonnet-4-6", task="t", started_at=until + HOUR))
    store(client, attempt(started_at=until + HOUR, attempt=1, trace_id="1" * 32, call_id="c" * 16))
    stale = recovered()
    refresh_all(client)

    assert before == [("overloaded", 0, 0, 1), ("timeout", 0, 0, 1)]
    assert stale == recovered() == [("overloaded", 0, 1, 1), ("timeout", 1, 0, 1)]
