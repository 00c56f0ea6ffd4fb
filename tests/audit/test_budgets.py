"""Budgets: who decided what, how much is spent, and what it comes to, the same from rollups as from attempts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ledger.spans import NOW, Span, attempt, store
from ledger.test_rollups import empty

from farebox._cli import main
from farebox_ledger import Dsn, LedgerError, Store, open_store
from farebox_ledger._budgets import past_burns, read_burns, set_as_asked
from farebox_ledger._refresh import refresh_all

INPUT = {"uncached_input_tokens": 1_000_000, "output_tokens": 0}  # $1 of claude-haiku-4-5
AT = NOW + timedelta(minutes=30)  # Friday 2026-11-20 12:30


@pytest.fixture(scope="module")
def opened(ledger_folder: Path, ledger_client: object) -> Iterator[Store]:
    """A ledger of this module."""
    with open_store(Dsn("chdb", "budget_audit", path=ledger_folder)) as each:
        yield each
        each.client.command("DROP DATABASE budget_audit SYNC")


@pytest.fixture
def ledger(opened: Store) -> Store:
    """The same, without attempts and budgets."""
    empty(opened)
    opened.client.command("TRUNCATE TABLE budgets SYNC")
    return opened


def set_budget(ledger: Store, name: str, amount: str | None, valid_from: datetime = NOW, **more: Any) -> dict[str, Any]:
    asked = {"name": name, "amount": amount, "valid_from": valid_from.isoformat(), "who": "me", **more}
    return set_as_asked(ledger.client, asked)["budget"]


def spans(seed: int) -> list[Span]:
    """Make attempts of many groups over the ten days up to AT, some of them without a price."""
    random = Random(seed)
    return [
        attempt(
            random.choice(("claude-haiku-4-5", "claude-haiku-4-5", "nobody")),
            usage={"uncached_input_tokens": random.randrange(10**6), "output_tokens": 0},
            route=random.choice("ab"),
            tenant=random.choice("xy"),
            user=random.choice("uv"),
            key_fingerprint=random.choice("kl"),
            started_at=AT - timedelta(seconds=random.randrange(10 * 86400)),
        )
        for _ in range(300)
    ]


def test_spend_and_forecast_are_the_sums_of_the_attempts(ledger: Store) -> None:
    """Whatever a budget is for, and whether its hours are counted or not, it holds what its attempts cost."""
    made = spans(4)
    store(ledger.client, *made)
    begun = NOW - timedelta(days=365)
    scopes = {
        "all": {},
        "route": {"route": "a"},
        "model": {"model": "claude-haiku-4-5", "provider": "anthropic"},
        "tenant": {"tenant": "x"},
        "user": {"tenant": "x", "user_id": "u"},
        "key": {"key_fingerprint": "k"},
        "mixed": {"route": "a", "tenant": "y", "tag.colour": "none"},
    }
    for name, scope in scopes.items():
        set_budget(ledger, name, "5", begun, period="week", applies_to=scope)
    names = {"user_id": "farebox.user", "model": "gen_ai.response.model", "tag.colour": "farebox.tag.colour"}
    week = datetime(2026, 11, 16, tzinfo=UTC)
    for settle in (lambda: None, lambda: refresh_all(ledger.client)):
        settle()
        burns = {each.name: each for each in read_burns(ledger.client, AT)}
        for name, scope in scopes.items():
            wanted = [
                span
                for span in made
                if all(
                    span.attributes.get(names.get(key, f"farebox.{key}"), "") == value for key, value in scope.items()
                )
            ]
            cost = {
                id(span): Decimal(span.attributes["farebox.usage.uncached_input_tokens"]) / 10**6 for span in wanted
            }
            priced = [span for span in wanted if span.attributes["gen_ai.response.model"] != "nobody"]
            spend = sum((cost[id(span)] for span in priced if span.started_at >= week), start=Decimal(0))
            lately = [span for span in wanted if span.started_at >= NOW - timedelta(days=7)]
            began = min((span.started_at for span in lately), default=NOW - timedelta(days=7))
            began = began.replace(minute=0, second=0)
            rate = sum((cost[id(span)] for span in lately if span in priced), start=Decimal(0))
            remaining_s = int((datetime(2026, 11, 23, tzinfo=UTC) - AT).total_seconds())
            forecast = spend + rate * remaining_s / int((AT - began).total_seconds())

            found = burns[name]
            assert (found.spend, found.remaining) == (spend, 5 - spend)
            assert found.forecast is not None
            assert abs(found.forecast - forecast) < Decimal("1e-11")
            assert found.unpriced == sum(span not in priced and span.started_at >= week for span in wanted)


def test_routes_add_up_to_everything(ledger: Store) -> None:
    """Budgets for each route hold together what the one for everything holds."""
    store(ledger.client, *spans(7))
    for name, scope in (("all", {}), ("a", {"route": "a"}), ("b", {"route": "b"})):
        set_budget(ledger, name, "5", NOW - timedelta(days=40), period="month", applies_to=scope)
    spend = {each.name: each.spend for each in read_burns(ledger.client, AT)}

    assert spend["a"] is not None
    assert spend["b"] is not None
    assert spend["all"] == spend["a"] + spend["b"]


@pytest.mark.parametrize(
    ("amount", "state"),
    [("100", "within"), ("3.5", "at_risk"), ("3", "exhausted"), ("0", "exhausted")],
)
def test_a_state_says_how_it_stands(ledger: Store, amount: str, state: str) -> None:
    """A budget is exhausted when nothing of it is left, and at risk when the forecast is above it."""
    store(ledger.client, *(attempt(usage=INPUT, started_at=NOW - timedelta(hours=hours)) for hours in range(3)))
    set_budget(ledger, "b", amount, period="day")
    (burn,) = read_burns(ledger.client, AT)

    assert burn.state == state
    assert burn.period_start == datetime(2026, 11, 20, tzinfo=UTC)
    assert burn.period_end == datetime(2026, 11, 21, tzinfo=UTC)


def test_unknown_money_is_not_nothing(ledger: Store) -> None:
    """A budget whose attempts have no price is unknown, not unspent; one for what no attempt has is unreadable."""
    store(ledger.client, attempt("nobody", usage=INPUT))
    set_budget(ledger, "b", "1", period="day")
    ledger.client.command(
        "INSERT INTO budgets (name, period, amount, applies_to, valid_from) "
        "VALUES ('c', 'day', 1, map('colour', 'red'), 0)"
    )
    found = {
        each.name: (each.state, each.spend, each.unpriced, each.forecast) for each in read_burns(ledger.client, AT)
    }

    assert found == {"b": ("unknown", None, 1, None), "c": ("unreadable", None, 0, None)}


def test_the_latest_decision_holds_and_the_former_stay(ledger: Store) -> None:
    """A change keeps what it does not name, an end ends, and past periods keep the amount of their time."""
    store(ledger.client, *(attempt(usage=INPUT, started_at=NOW - timedelta(days=days)) for days in range(4)))
    set_budget(
        ledger, "b", "10", NOW - timedelta(days=2), period="day", applies_to={"route": "default"}, why="at first"
    )
    set_budget(ledger, "b", "0.5", NOW - timedelta(hours=1))
    (now,) = read_burns(ledger.client, AT)

    assert (now.amount, now.period, now.applies_to, now.state) == (
        Decimal("0.5"),
        "day",
        {"route": "default"},
        "exhausted",
    )
    assert [(each.amount, each.spend) for each in past_burns(ledger.client, now, 6)] == [(10, 1), (10, 1)]
    set_budget(ledger, "b", None, NOW)
    assert read_burns(ledger.client, AT) == []


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"name": " ", "amount": "1"}, "' ' is no name of a budget"),
        ({"name": "b", "amount": "much"}, "'much' is no amount of USD"),
        ({"name": "b", "amount": "-1"}, "'-1' is no amount of USD"),
        ({"name": "b", "amount": "1", "period": "year"}, "'year' is none of hour, day, week, month"),
        ({"name": "b", "amount": "1", "applies_to": {"colour": "red"}}, "cannot be for 'colour'; it can be for route"),
        ({"name": "b", "amount": "1", "applies_to": {"route": ""}}, "for an empty route would be for nothing"),
        ({"name": "b", "amount": None}, "there is no budget 'b' to end"),
    ],
)
def test_what_is_no_budget_is_refused(ledger: Store, asked: dict[str, Any], sentence: str) -> None:
    """A decision that cannot be is refused with what is wrong and what is allowed."""
    with pytest.raises(LedgerError) as raised:
        set_budget(ledger, **asked)

    assert sentence in str(raised.value)


def test_the_command_sets_lists_and_shows(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """`farebox budget` sets, lists and shows; an exhausted one makes it exit 1, and misuse 2."""
    dsn = ["--dsn", f"chdb:{ledger.dsn.folder}?database={ledger.dsn.database}"]
    store(ledger.client, attempt(usage=INPUT, route="hard", tag_colour="red"))
    store(ledger.client, attempt("nobody", route="hard"))
    at = ["--at", AT.isoformat()]

    assert main(["budget", "list", *dsn, *at]) == 0
    assert "No budget holds" in capsys.readouterr().out
    begin = ["--from", "2026-11-01", "--why", "a quarter's", "--who", "ann"]
    assert main(["budget", "set", "hard", "--amount", "0.50", "--period", "day", "--route", "hard", *begin, *dsn]) == 0
    assert "hard: $0.50 a day for route=hard, from 2026-11-01T00:00:00+00:00" in capsys.readouterr().out
    assert main(["budget", "list", *dsn, *at]) == 1
    shown = capsys.readouterr().out
    assert "≥ $1.0000" in shown
    assert "EXHAUSTED" in shown
    assert main(["budget", "show", "hard", "--json", *dsn, *at]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["budget"]["spend"] == "1.000000000000"
    assert told["decisions"][0]["who"] == "ann"
    assert main(["budget", "set", "hard", "--end", "--from", "2026-11-02", *dsn]) == 0
    assert main(["budget", "show", "hard", *dsn, *at]) == 0
    assert "ended  by" in capsys.readouterr().out
    for wrong, sentence in (
        (["budget", "show", "soft"], "there is no budget 'soft'"),
        (["budget", "set", "hard"], "say what may be spent"),
        (["budget", "set", "hard", "--amount", "1", "--all", "--route", "x"], "--all is everything, and route is not"),
    ):
        assert main([*wrong, *dsn]) == 2
        assert sentence in capsys.readouterr().err
