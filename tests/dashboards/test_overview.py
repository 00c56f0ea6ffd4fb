"""What Overview says of budgets, and what all dashboards mark on the axis of time."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from dashboards.asking import ask, choice
from dashboards.traffic import DAY, HOUR, REPRICED_AT, SPIKE, UNTIL, Made, added, within
from ledger.spans import Span, store

from farebox_ledger import Store

SINCE = UNTIL - DAY


def test_budgets_and_what_is_left_of_them(busy: Store, traffic: list[Made]) -> None:
    """The most burnt first: what its period cost so far, of what it counts alone, and the forecast for its end."""
    rows = {row["budget"]: row for row in ask(busy.client, "budgets", SINCE, UNTIL)}
    month = within(traffic, UNTIL.replace(day=1, hour=0, minute=0), UNTIL)
    today = within(traffic, UNTIL.replace(hour=0, minute=0), UNTIL, lambda each: each.route == "support")
    ended = timedelta(hours=24 - 12, minutes=-25)

    assert list(rows) == sorted(rows, key=lambda name: -rows[name]["burnt"])
    for name, made, amount in (("all", month, Decimal(10)), ("support", today, Decimal("0.5"))):
        spend = added(made) or Decimal(0)
        assert rows[name]["spend"] == float(spend)
        assert rows[name]["burnt"] == pytest.approx(float(spend / amount))
        assert rows[name]["left"] == pytest.approx(float(amount - spend))
        assert rows[name]["not fully priced"] == sum(each.doubtful for each in made)
        assert rows[name]["forecast"] > rows[name]["spend"]
    lately = added(within(traffic, UNTIL.replace(minute=0) - DAY, UNTIL, lambda each: each.route == "support")) or 0
    pace = Decimal(ended / (DAY + timedelta(minutes=25)))
    assert rows["support"]["forecast"] == pytest.approx(float((added(today) or 0) + lately * pace))
    assert rows["support"]["of what"] == "route=support"


def test_the_month_stands_against_its_budget(busy: Store) -> None:
    """The month's budget of everything is shown while everything is; a part of the ledger is not held against it."""
    for chosen, budget in ((choice(), 10.0), (choice(route=["support"]), None)):
        (month,) = ask(busy.client, "spend_month", SINCE, UNTIL, chosen)
        line = ask(busy.client, "spend_cumulated", SINCE, UNTIL, chosen)
        assert month["budget"] == budget
        assert {row["budget"] for row in line} == {budget}


def test_marks_are_those_of_the_chosen_routes(fresh_store: Store) -> None:
    """A mark without a route is shown everywhere, one of a route only where that is chosen; its words say by whom."""
    deploy = {"farebox.annotation.kind": "deploy", "farebox.annotation.text": "v7", "farebox.annotation.who": "ann"}
    bare = {"farebox.annotation.text": "quota raised", "farebox.route": "hard"}
    store(
        fresh_store.client,
        Span(deploy, UNTIL - HOUR, name="farebox.annotation"),
        Span(bare, UNTIL - HOUR / 2, name="farebox.annotation"),
        Span(deploy, UNTIL - 2 * DAY, name="farebox.annotation"),
    )
    everywhere = ask(fresh_store.client, "marks", SINCE, UNTIL)
    elsewhere = ask(fresh_store.client, "marks", SINCE, UNTIL, choice(route=["easy"]))

    assert [(row["title"], row["text"], row["tags"]) for row in everywhere] == [
        ("Deploy", "v7, by ann", "deploy"),
        ("Mark", "quota raised (hard)", "mark"),
    ]
    assert elsewhere == everywhere[:1]


def test_the_deployment_and_the_new_price_are_marked(busy: Store) -> None:
    """What was done to the seeded traffic stands on the axis at its moment."""
    (mark,) = ask(busy.client, "marks", SINCE, UNTIL)
    (price,) = ask(busy.client, "price_changes", SINCE, UNTIL)

    assert (mark["time"], mark["text"]) == (SPIKE[0], "shop v7, by ann")
    assert (price["time"].replace(tzinfo=UNTIL.tzinfo), price["text"]) == (
        REPRICED_AT,
        "New price of qwen3.5-flash at fireworks",
    )
