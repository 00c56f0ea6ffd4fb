"""Every query of every dashboard runs on a real ClickHouse, whatever is chosen, and has the columns its panel needs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from dashboards.asking import Asked, ask, asked, choice
from dashboards.traffic import BACKSLASHES, DAY, HOSTILE, ROUTES, TENANT, UNTIL, Made, spans, within
from ledger.spans import store

from farebox_dashboards._macros import Range, expand
from farebox_dashboards._panels import NOT_PRICED
from farebox_ledger import Dsn, Store, open_store

PERIOD = Range.of(UNTIL - DAY, UNTIL, 600)
CHOICES = {
    "everything": choice(),
    "hostile names": choice(route=[HOSTILE, BACKSLASHES], provider="anthropic", tenant=[TENANT], trace=HOSTILE),
    "nothing": choice(route=[], provider=[], model=[], tenant=[]),
    "what is not there": choice(route=["no such route"], model=["no such model"]),
}
NUMBER = re.compile(r"(Nullable\()?(Float|U?Int)")
TIME = re.compile(r"DateTime")


@pytest.fixture(scope="module")
def empty(ledger_folder, ledger_client) -> Iterator[Store]:
    """A ledger in which nothing has arrived."""
    with open_store(Dsn("chdb", "dashboards_empty", path=ledger_folder)) as opened:
        yield opened
        opened.client.command("DROP DATABASE dashboards_empty SYNC")


def columns(ledger: Store, each: Asked) -> dict[str, str]:
    """Ask ClickHouse what the columns of an answer are."""
    statement, _, settings = expand(each.sql, choice(), PERIOD).partition("SETTINGS ")
    found = ledger.client.query(f"DESCRIBE TABLE ({statement})" + (f" SETTINGS {settings}" if settings else ""))
    return {row[0]: row[1] for row in found.result_rows}


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("each", asked(), ids=str)
def test_a_query_runs_whatever_is_chosen(each: Asked, chosen: str, busy: Store) -> None:
    """All, hostile names, nothing, what is not there: none is an error, and the last finds nothing."""
    rows = busy.client.query(expand(each.sql, CHOICES[chosen], PERIOD)).result_rows

    if chosen in ("everything", "nothing") and each.form != "annotation":
        assert rows
    if chosen == "what is not there" and each.form == "timeseries" and "queryparam" in each.sql:
        assert rows == []


@pytest.mark.parametrize("each", asked(), ids=str)
def test_a_query_runs_on_an_empty_ledger(each: Asked, empty: Store) -> None:
    """A ledger without an attempt is no error, and no money is invented: it is NULL, not 0."""
    answer = empty.client.query(expand(each.sql, choice(), PERIOD))

    for row in answer.named_results():
        money = {name: value for name, value in row.items() if name in MONEY_FIGURES}
        assert set(money.values()) <= {None}


MONEY_FIGURES = {
    "today", "yesterday by this time", "month so far", "forecast", "per success", "on failures", "spend", "before",
}  # fmt: skip


@pytest.mark.parametrize("each", [one for one in asked() if one.form in ("timeseries", "table")], ids=str)
def test_an_answer_has_the_columns_that_its_panel_shows(each: Asked, busy: Store) -> None:
    """A series begins with the time, then its label, then numbers; every column that a panel names is there."""
    found = columns(busy, each)
    named = {
        one["matcher"]["options"] for one in each.panel["fieldConfig"]["overrides"] if one["matcher"]["id"] == "byName"
    }
    if each.where.endswith(" A") and len(each.panel["targets"]) == 1:
        assert named - {NOT_PRICED} <= set(found)
        if each.panel["fieldConfig"]["defaults"]["unit"] == "currencyUSD":
            assert NOT_PRICED in found or "not comparable" in found
    label = re.search(r"labels\.(\w+)}", each.panel["fieldConfig"]["defaults"].get("displayName", ""))
    if each.form == "timeseries":
        names = list(found)
        assert (names[0], bool(TIME.match(found["time"]))) == ("time", True)
        texts = [name for name, kind in found.items() if "String" in kind]
        assert texts == ([label[1]] if label and each.where.endswith(" A") else [])
        assert all(NUMBER.match(found[name]) for name in names[1:] if name not in texts)


@pytest.mark.parametrize("each", [one for one in asked() if one.form == "variable"], ids=str)
def test_a_variable_offers_values_with_texts(each: Asked, busy: Store) -> None:
    """Value first, then text; a tag that was not set is a value of its own with a text that shows."""
    assert list(columns(busy, each)) == ["value", "text"]
    offered = dict(busy.client.query(expand(each.sql, choice(), PERIOD)).result_rows)

    assert all(text for text in offered.values())
    if each.panel["name"] == "tenant":
        assert offered[""] == "(none)"
        assert TENANT in offered


def test_one_route_is_enough(fresh_store: Store, traffic: list[Made]) -> None:
    """A ledger with one attempt shows it everywhere that shows attempts."""
    (one,) = within(traffic, UNTIL - DAY, UNTIL, lambda each: each.cost is not None and each.good)[:1]
    store(fresh_store.client, *spans([one]))

    assert [row["route"] for row in ask(fresh_store.client, "routes", UNTIL - DAY, UNTIL)] == [one.route]
    assert [row["spend"] for row in ask(fresh_store.client, "spend_by_route", UNTIL - DAY, UNTIL)] == [
        float(one.cost or 0)
    ]


@pytest.mark.parametrize("route", ROUTES)
def test_a_hostile_name_chooses_itself_and_nothing_else(route: str, busy: Store, traffic: list[Made]) -> None:
    """Quotes, backslashes, comments, macros and letters of any script in a value: the query means the same."""
    made = within(traffic, UNTIL - DAY, UNTIL, lambda each: each.route == route)
    values = choice(route=[route])

    for name in ("routes", "models", "calls_costliest", "attempts_failing"):
        rows = ask(busy.client, name, UNTIL - DAY, UNTIL, values)
        assert {row["route"] for row in rows if "route" in row} <= {route}
    (row,) = ask(busy.client, "routes", UNTIL - DAY, UNTIL, values)
    assert row["attempts"] == len(made)


@pytest.mark.parametrize(
    "value", ["x' OR 1=1 --", "x') OR (1=1", "x\\' OR 1=1 /*", "') UNION ALL SELECT 1 --", "$__fromTime"]
)
def test_a_crafted_value_lets_nothing_through(value: str, busy: Store) -> None:
    """A value that is not in the ledger, as a crafted link may carry it, finds nothing and breaks nothing."""
    for name in ("routes", "spend_by_route", "attempts_failing"):
        assert ask(busy.client, name, UNTIL - DAY, UNTIL, choice(route=[value])) == []
