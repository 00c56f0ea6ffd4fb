"""Lighter views and rollups are shortcuts, never another answer."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from dashboards.traffic import UNTIL

from farebox_ledger import Store

KEYS = ("tenant", "moment", "route", "provider", "model", "outcome", "price_state", "price_reason", "price_id")


@pytest.mark.parametrize(
    ("since", "step_s"),
    [(UNTIL - timedelta(days=2, minutes=7), 3600), (UNTIL - timedelta(hours=3, minutes=7), 600)],
    ids=["by the hour", "finer"],
)
@pytest.mark.parametrize("by_tenant", [0, 1])
def test_amounts_are_those_of_attempts(busy: Store, since: datetime, step_s: int, by_tenant: int) -> None:
    """Each group has the same figures in `amounts_between` as in `attempts_between`, also while rollups are stale."""
    client = busy.client
    period = f"(since = '{since:%Y-%m-%d %H:%M:%S}', until = '{UNTIL:%Y-%m-%d %H:%M:%S}', "
    period += f"by_tenant = {by_tenant}, step_s = {step_s})"
    named = [row[0] for row in client.query(f"DESCRIBE (SELECT * FROM amounts_between{period})").result_rows]
    counted = [name for name in named if name not in KEYS]
    sums = ", ".join(f"{'max' if name == 'dearest' else 'sum'}({name})" for name in counted)
    keys = ", ".join(KEYS)

    def groups(view: str) -> list[tuple[object, ...]]:
        asked = f"SELECT {keys}, {sums} FROM {view}{period} GROUP BY {keys} ORDER BY {keys}"
        return list(client.query(asked).result_rows)

    light = groups("amounts_between")

    assert len(light) > 20
    assert light == groups("attempts_between")


@pytest.mark.parametrize("by_tenant", [0, 1])
@pytest.mark.parametrize("trait", ["length", "version", "language", "tool"])
def test_rolled_up_answers_are_those_counted_one_by_one(busy: Store, trait: str, by_tenant: int) -> None:
    """Of all tenants together and of each, in a period that is stale in part, rollups say what attempts say."""
    counted = (
        "sum(answers), sum(bad), sum(hedging_checked), sum(hedging), sum(overconfidence_checked), sum(overconfidence), "
        "sum(calls_checked), sum(calls_malformed), sumMap(counts), sum(spend_bad), sum(doubtful)"
    )

    def groups(view: str, value: str) -> list[tuple[object, ...]]:
        keys = f"tenant, hour, route, provider, model, {value}"
        return list(
            busy.client.query(f"SELECT {keys}, {counted} FROM {view} GROUP BY {keys} ORDER BY {keys}").result_rows
        )

    rolled_up = groups(f"answers_between({days()}, by_tenant = {by_tenant}, trait = '{trait}')", "value")

    assert len(rolled_up) > 20
    one_by_one = f"answer_sums({days()}, hours = {every_hour()}, levels = [{by_tenant}], traits = ['{trait}'])"
    assert rolled_up == groups(one_by_one, "trait_value")


@pytest.mark.parametrize("by_tenant", [0, 1])
def test_rolled_up_failures_are_those_counted_one_by_one(busy: Store, by_tenant: int) -> None:
    """Of all tenants together and of each, in a period that is stale in part, rollups say what attempts say."""
    keys = "tenant, hour, route, provider, model, class"
    counted = "sum(failed), sum(by_retry), sum(by_call), sum(spend), sum(doubtful)"

    def groups(view: str) -> list[tuple[object, ...]]:
        return list(
            busy.client.query(f"SELECT {keys}, {counted} FROM {view} GROUP BY {keys} ORDER BY {keys}").result_rows
        )

    rolled_up = groups(f"failures_between({days()}, by_tenant = {by_tenant})")

    assert len(rolled_up) > 20
    assert rolled_up == groups(
        f"failure_sums({days()}, hours = {every_hour()}, live = {every_hour()}, levels = [{by_tenant}])"
    )


def test_rolled_up_units_are_those_counted_one_by_one(busy: Store) -> None:
    """By tenant nothing is rolled up: those sums are what the rollup of units must say of all together."""
    keys = "moment, route, provider, model, price_id"
    counted = "sum(rows), sum(priced), sum(doubtful), sum(cached), sum(cached_doubtful), sum(spend_priced)"
    counted += ", sumForEach(units), max(longest_lag)"

    def groups(by_tenant: int) -> list[tuple[object, ...]]:
        view = f"units_between({days()}, by_tenant = {by_tenant}, step_s = 3600)"
        asked = f"SELECT {keys}, {counted} FROM {view} GROUP BY {keys} ORDER BY {keys}"
        return list(busy.client.query(asked).result_rows)

    rolled_up = groups(0)

    assert len(rolled_up) > 20
    assert rolled_up == groups(1)


def days() -> str:
    """Write a period of three days that begins and ends within an hour."""
    since = UNTIL - timedelta(days=3, minutes=7)
    return f"since = '{since:%Y-%m-%d %H:%M:%S}', until = '{UNTIL:%Y-%m-%d %H:%M:%S}'"


def every_hour() -> str:
    """Write the hours of all traffic."""
    return f"(SELECT arrayMap(each -> toDateTime('{UNTIL:%Y-%m-%d %H}:00:00', 'UTC') - each * 3600, range(240)))"
