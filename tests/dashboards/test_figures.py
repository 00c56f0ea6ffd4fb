"""Every figure of the dashboards, against `farebox report` to the last digit, over whole hours and cut ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from math import sqrt
from typing import Any

import pytest
from dashboards.asking import ask, choice
from dashboards.traffic import DAY, HOSTILE, HOUR, UNTIL, Made, within

from farebox_ledger import Store
from farebox_ledger._failures import make_failures
from farebox_ledger._period import Period
from farebox_ledger._report import Group, make_report

# Whole hours, hours cut off at both ends, a stretch within one hour, and all of it.
PERIODS = {
    "a day": Period(UNTIL - DAY, UNTIL),
    "whole hours": Period(UNTIL.replace(minute=0) - 30 * HOUR, UNTIL.replace(minute=0) - 3 * HOUR),
    "cut hours": Period(UNTIL - 3 * DAY + timedelta(milliseconds=1), UNTIL - timedelta(minutes=7, microseconds=1000)),
    "within an hour": Period(UNTIL.replace(minute=2) - 3 * HOUR, UNTIL.replace(minute=41) - 3 * HOUR),
    "everything": Period(UNTIL - 10 * DAY, UNTIL + HOUR),
}
Z = 1.959963984540054


@pytest.fixture(params=PERIODS)
def period(request: pytest.FixtureRequest) -> Period:
    """Each period in turn."""
    return PERIODS[request.param]


def shown(amount: Decimal | None) -> float | None:
    """Give money as a panel shows it."""
    return None if amount is None else float(amount)


def same(found: float | None, expected: float | None) -> bool:
    """Compare shares and quotients, which are floats at both ends."""
    return found == expected if None in (found, expected) else found == pytest.approx(expected, rel=1e-12)


def wilson(failed: int, of: int) -> tuple[float, float]:
    """Give Wilson's interval in the textbook's form."""
    share = failed / of
    centre, reach = share + Z * Z / (2 * of), Z * sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    return (centre - reach) / (1 + Z * Z / of), (centre + reach) / (1 + Z * Z / of)


def test_totals_are_those_of_the_report(period: Period, busy: Store) -> None:
    """Spend, cost per success, failure rate and what is missing: one question, one answer, wherever it is asked."""
    total = make_report(busy.client, period, []).total
    rows = {name: ask(busy.client, name, period.since, period.until)[0] for name in (
        "spend_total", "success", "not_priced", "attempts_per_success"
    )}  # fmt: skip

    assert rows["spend_total"]["spend"] == shown(total.spend)
    assert rows["spend_total"]["not fully priced"] == total.unpriced + total.partial
    assert rows["not_priced"] == {"no price": total.no_price, "no usage": total.no_usage, "lower bound": total.partial}
    assert same(rows["success"]["per success"], shown(total.spend_per_success))
    assert rows["success"]["successes"] == total.successes
    assert rows["success"]["not fully priced"] == total.task_doubts
    assert same(rows["success"]["failure rate"], total.failure_rate)
    assert rows["success"]["calls"] == total.calls
    assert same(rows["attempts_per_success"]["attempts per success"], total.attempts / total.successes)
    assert same(rows["attempts_per_success"]["attempts per call"], total.attempts / total.calls)


def test_exact_figures_are_exact(period: Period, busy: Store) -> None:
    """The text of a figure is the report's decimal, digit by digit, and the parts add up to the whole."""
    total = make_report(busy.client, period, []).total
    found = {row["figure"]: row for row in ask(busy.client, "exact_figures", period.since, period.until)}
    exact = {name: Decimal(row["USD, exact"] or 0) for name, row in found.items()}

    assert exact["spend"] == total.spend
    assert exact["spend"] == sum(exact[part] for part in ("input", "cache reads", "cache writes", "output", "tools"))
    assert exact["spend of tasks begun"] == total.task_spend
    assert exact["spend per success"] == total.spend_per_success
    assert found["spend"]["not fully priced"] == total.unpriced + total.partial
    assert found["spend per success"]["not fully priced"] == total.task_doubts


def quantile(made: Sequence[Made], level: int, figure: str = "duration_ms") -> Any:
    """Give a quantile of the attempts that have the figure, to compare with one that may be one percent off."""
    values = sorted(getattr(each, figure) for each in made if getattr(each, figure) is not None)
    return pytest.approx(values[int((len(values) - 1) * level / 100)], rel=0.0101) if values else None


def check_group(row: dict[str, Any], group: Group, made: Sequence[Made]) -> None:
    """Hold one row of a table against one of the report, and its latency against the attempts themselves."""
    assert row["spend"] == shown(group.spend)
    assert (Decimal(row["spend, exact"]) if row["spend, exact"] else None) == group.spend
    assert row["attempts"] == group.attempts
    assert row["not fully priced"] == group.unpriced + group.partial
    assert same(row["per success"], shown(group.spend_per_success))
    assert same(row["failure rate"], group.failure_rate)
    assert row["p95"] == quantile(made, 95)
    if group.calls:
        low, high = wilson(group.failed, group.calls)
        assert row["at least"] == pytest.approx(low, abs=1e-12)
        assert row["at most"] == pytest.approx(high, abs=1e-12)


def test_the_league_table_is_the_report_by_route(period: Period, busy: Store, traffic: list[Made]) -> None:
    """One row a route, in the report's order, with the report's figures."""
    groups = [group for group in make_report(busy.client, period, ["route"]).groups if group.attempts]
    rows = ask(busy.client, "routes", period.since, period.until)

    assert [row["route"] for row in rows] == [group.key[0] for group in groups]
    for row, group in zip(rows, groups, strict=True):
        check_group(
            row, group, within(traffic, period.since, period.until, lambda each, of=group.key[0]: each.route == of)
        )


def test_models_are_the_report_by_model(period: Period, busy: Store, traffic: list[Made]) -> None:
    """On one route, one row a model and provider with the report's figures."""
    report = make_report(busy.client, period, ["model", "provider"], route=HOSTILE)
    groups = {group.key: group for group in report.groups if group.attempts}
    rows = ask(busy.client, "models", period.since, period.until, choice(route=[HOSTILE]))

    assert {(row["model"], row["provider"]) for row in rows} == set(groups)
    ours = within(traffic, period.since, period.until, lambda each: each.route == HOSTILE)
    for row in rows:
        group = groups[row["model"], row["provider"]]
        made = [each for each in ours if (each.model, each.provider) == group.key]
        check_group(row, group, made)
        assert (row["calls"], row["p50"]) == (group.calls, quantile(made, 50))
        assert same(row["cache hit rate"], group.cache_hit_rate)


def test_reasons_are_those_of_the_report(period: Period, busy: Store) -> None:
    """Why attempts are not priced, and how many."""
    unpriced = make_report(busy.client, period, []).unpriced
    rows = ask(busy.client, "not_priced_reasons", period.since, period.until)

    assert [(row["state"], row["reason"], row["attempts"]) for row in rows] == [
        (each.state, each.reason, each.attempts) for each in unpriced
    ]


def test_failures_are_those_of_the_report(period: Period, busy: Store) -> None:
    """Rates over what was checked, with their money, as `farebox report --failures` says."""
    failures = make_failures(busy.client, period, ())
    expected = {
        each.failure: (each.unit, each.failed, each.checked, each.rate, each.low, each.high)
        for each in failures.rates
        if each.key is None and each.failed and not each.is_kind
    }
    rows = ask(busy.client, "failures_by_class", period.since, period.until)
    found = {row["class"]: row for row in rows if row["of"] != "attempt"}

    assert {
        name: (row["of"], row["failed"], row["checked"], row["rate"], row["at least"], row["at most"])
        for name, row in found.items()
    } == expected
    for name, row in found.items():
        cost = failures.cost_of(None, name)
        assert cost is not None
        assert row["spend"] == shown(cost.spend)
        assert (Decimal(row["spend, exact"]) if row["spend, exact"] else None) == cost.spend
        assert row["not fully priced"] == cost.unpriced + cost.partial
