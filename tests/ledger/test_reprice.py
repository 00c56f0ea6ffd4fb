"""Repricing appends: the past gets the price it should have had, and what it was stays readable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ledger.spans import NOW, Span, attempt, outcome, store
from ledger.test_rollups import draw, empty, found, spoil

from farebox._cli import main
from farebox_ledger import Dsn, Store, open_store
from farebox_ledger._book import reload_book
from farebox_ledger._past import asking_the_past
from farebox_ledger._period import Period
from farebox_ledger._query import Ask, run_query
from farebox_ledger._refresh import refresh, refresh_all
from farebox_ledger._reprice import Change, Reason, changes, reprice

WHOLE = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
ME = Reason("me", "a price was missing")
UNITS = ("uncached_input_tokens", "output_tokens")


@pytest.fixture(scope="module")
def repriced(ledger_folder, ledger_client) -> Iterator[Store]:
    """A ledger of this module."""
    with open_store(Dsn("chdb", "repriced", path=ledger_folder)) as opened:
        yield opened
        opened.client.command("DROP DATABASE repriced SYNC")


@pytest.fixture
def ledger(repriced: Store) -> Store:
    """An empty ledger in which claude-haiku-9 has no price."""
    start_anew(repriced)
    return repriced


def start_anew(ledger: Store) -> None:
    """Take out all attempts, adjustments and prices of one's own."""
    empty(ledger)
    ledger.client.command("TRUNCATE TABLE adjustments SYNC")
    ledger.client.command("ALTER TABLE prices DELETE WHERE book = 'user' SETTINGS mutations_sync = 2")
    reload_book(ledger.client)


def set_price(ledger: Store, price: str, model: str = "claude-haiku-9") -> None:
    """Give a model a price of one's own, for input and output."""
    for unit in UNITS:
        ledger.client.command(
            "INSERT INTO prices (provider, model, unit, price, valid_from, book, checked_on, added_at) "
            f"VALUES ('anthropic', '{model}', '{unit}', {price}, 0, 'user', '2026-11-20', now64(6, 'UTC'))"
        )
    reload_book(ledger.client)


def costs(ledger: Store, table: str = "llm_attempts", **parameters: Any) -> list[tuple[Any, ...]]:
    """Read state and cost of all attempts."""
    sql = f"SELECT model, price_state, list_cost FROM {table} ORDER BY model, span_id"
    return [tuple(row) for row in ledger.client.query(sql, parameters).result_rows]


def now(ledger: Store) -> datetime:
    """Ask the store for the time."""
    return ledger.client.query("SELECT now64(6, 'UTC')").result_rows[0][0]


def test_a_price_that_comes_later_prices_the_past(ledger: Store) -> None:
    """What had no price gets one, everywhere; what had one keeps it."""
    store(ledger.client, attempt("claude-haiku-9"), attempt())
    refresh_all(ledger.client)
    set_price(ledger, "0.000002")

    planned = changes(ledger.client, WHOLE)
    adjusted = reprice(ledger.client, WHOLE, ME)

    assert planned == [Change("claude-haiku-9", "no_price", "priced", 1, None, Decimal("0.00202"))]
    assert adjusted == 1
    assert costs(ledger) == [
        ("claude-haiku-4-5", "priced", Decimal("0.00105")),
        ("claude-haiku-9", "priced", Decimal("0.00202")),
    ]


def test_rollups_follow_at_once(ledger: Store) -> None:
    """Sums by hour show the new figure before and after the next refresh."""
    store(ledger.client, attempt("claude-haiku-9", task="t"), attempt())
    refresh_all(ledger.client)
    set_price(ledger, "0.000002")
    reprice(ledger.client, WHOLE, ME)
    sums = [
        "SELECT sum(spend), sum(no_price) FROM attempts_by_hour",
        "SELECT sum(spend), sum(no_price) FROM users_by_hour",
        "SELECT sum(spend), sum(unpriced) FROM tasks_by_hour",
    ]
    before = [ledger.client.query(sql).result_rows for sql in sums]

    refresh_all(ledger.client)

    assert [ledger.client.query(sql).result_rows for sql in sums] == before == [[(Decimal("0.00307"), 0)]] * 3


def test_repricing_twice_changes_nothing(ledger: Store) -> None:
    """What has the price it should have is left alone, a newer book or not."""
    store(ledger.client, attempt("claude-haiku-9"))
    set_price(ledger, "0.000002")
    reprice(ledger.client, WHOLE, ME)
    set_price(ledger, "0.000002")

    assert (changes(ledger.client, WHOLE), reprice(ledger.client, WHOLE, ME)) == ([], 0)


def test_who_when_why_old_and_new_are_kept(ledger: Store) -> None:
    """An adjustment says all that an auditor asks."""
    span = attempt("claude-haiku-9")
    store(ledger.client, span)
    set_price(ledger, "0.000002")
    began = now(ledger)
    reprice(ledger.client, WHOLE, ME)

    ((adjusted_at, *kept),) = ledger.client.query(
        "SELECT adjusted_at, lower(hex(span_id)), who, why, old_list_cost, new_list_cost, old_price_state, "
        "new_price_state, old_price_reason, new_cost_output FROM adjustments"
    ).result_rows

    assert began <= adjusted_at <= now(ledger)
    assert kept == [
        span.span_id,
        "me",
        "a price was missing",
        None,
        Decimal("0.00202"),
        "no_price",
        "priced",
        "no price for model claude-haiku-9 of anthropic",
        Decimal("0.00002"),
    ]


def test_the_past_stays_readable(ledger: Store) -> None:
    """As of a moment, the ledger holds what was stored by then at the figures of then, whatever changed since."""
    store(ledger.client, attempt("claude-haiku-9"))
    moments = [now(ledger)]
    for price in ("0.000002", "0.000003"):
        set_price(ledger, price)
        reprice(ledger.client, WHOLE, ME)
        moments.append(now(ledger))
    store(ledger.client, attempt("claude-haiku-9"))
    refresh_all(ledger.client)

    seen = [costs(ledger, "llm_attempts_as_of(moment = {moment:DateTime64(6, 'UTC')})", moment=at) for at in moments]

    assert seen == [
        [("claude-haiku-9", "no_price", None)],
        [("claude-haiku-9", "priced", Decimal("0.00202"))],
        [("claude-haiku-9", "priced", Decimal("0.00303"))],
    ]


def test_a_duplicate_after_an_adjustment_changes_nothing(ledger: Store) -> None:
    """A replayed span does not bring the former price back, before a merge or after."""
    span = attempt("claude-haiku-9")
    store(ledger.client, span)
    set_price(ledger, "0.000002")
    reprice(ledger.client, WHOLE, ME)
    set_price(ledger, "0.000005")
    store(ledger.client, span, replace(span, started_at=NOW + timedelta(hours=3)))
    before = costs(ledger)
    refresh_all(ledger.client)
    ledger.client.command("OPTIMIZE TABLE stored_attempts FINAL")

    assert costs(ledger) == before == [("claude-haiku-9", "priced", Decimal("0.00202"))]


def test_an_interrupted_run_is_repeated(ledger: Store) -> None:
    """A run that was cut between its note and its figure is made good by the next."""
    store(ledger.client, attempt("claude-haiku-9"))
    set_price(ledger, "0.000002")
    reprice(ledger.client, WHOLE, ME)
    ledger.client.command(
        "ALTER TABLE stored_attempts DELETE WHERE version > 9223372036854775808 SETTINGS mutations_sync = 2"
    )

    assert reprice(ledger.client, WHOLE, ME) == 1
    assert costs(ledger) == [("claude-haiku-9", "priced", Decimal("0.00202"))]


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_any_order_of_events_gives_the_same_report(repriced: Store, seed: int) -> None:
    """However duplicates, splits, replays, refreshes and reprices interleave, the end is the same to the last digit."""
    random = Random(seed)
    spans = [span for number in range(15) for span in draw(random, number)]
    copies = [spoil(random, span) for span in random.sample(spans, 6)]
    ends = []
    for _ in range(2):
        start_anew(repriced)
        set_price(repriced, "0.000001")
        _play(repriced, random, spans, copies)
        ends.append((found(repriced), costs(repriced)))

    assert ends[0] == ends[1]


def _play(ledger: Store, random: Random, spans: list[Span], copies: list[Span]) -> None:
    """Store all spans, and copies only after their originals; let the price change, refresh and reprice at any time."""
    waiting = list(spans)
    random.shuffle(waiting)
    late = list(copies)
    changed = False
    while waiting or late:
        batch = [waiting.pop() for _ in range(min(len(waiting), random.randrange(1, 15)))]
        batch += late if not waiting else []
        late = late if waiting else []
        if batch:
            store(ledger.client, *batch)
        if not changed and random.randrange(2):
            set_price(ledger, "0.000007")
            changed = True
        for event in (refresh_all, refresh, lambda client: reprice(client, WHOLE, ME)):
            if random.randrange(2):
                event(ledger.client)
    if not changed:
        set_price(ledger, "0.000007")
    reprice(ledger.client, WHOLE, ME)
    if random.randrange(2):
        refresh_all(ledger.client)


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_a_report_of_the_past_is_the_report_of_then(repriced: Store, seed: int) -> None:
    """Whatever came later, was reported, replayed or priced anew: as of a moment, the report is what it was then."""
    random = Random(seed)
    start_anew(repriced)
    period = Period(NOW + timedelta(minutes=10), NOW + timedelta(hours=5, minutes=20))
    seen = []
    for price in ("0.000001", "0.000004", "0.000009"):
        spans = [span for number in range(5) for span in draw(random, number)]
        store(repriced.client, *spans, *(spoil(random, span) for span in spans[:2]))
        store(repriced.client, outcome(f"t{random.randrange(8)}", random.choice([True, False]), "3"))
        if random.randrange(2):
            refresh_all(repriced.client)
        set_price(repriced, price)
        reprice(repriced.client, WHOLE, ME)
        seen.append((now(repriced), questions(repriced, period, run_query)))

    for moment, then in seen:
        assert questions(repriced, period, asking_the_past(repriced.client, moment, period)) == then


def questions(ledger: Store, period: Period, ask: Ask) -> list[list[dict[str, Any]]]:
    """Ask what the report is made of."""
    asked = {**vars(period), "by": ["route", "model"], "route": "", "model": ""}
    return [ask(ledger.client, name, asked) for name in ("report_attempts", "report_calls", "report_tasks")]


def test_the_command_reports_the_past(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """`farebox report --as-of` gives the figures of then, failures among them, and says so."""
    store(ledger.client, attempt("claude-haiku-9", flags='["refusal.text"]', checked='["refusal"]'))
    then = now(ledger)
    set_price(ledger, "0.000002")
    reprice(ledger.client, WHOLE, ME)
    asked = ["report", "--dsn", str(ledger.dsn), "--since", "2026-11-20", "--until", "2026-11-21", "--json"]
    told = []
    for more in ([], ["--as-of", then.isoformat()], ["--as-of", "2026-11-01"]):
        assert main([*asked, *more]) == 0
        told.append(json.loads(capsys.readouterr().out))

    assert [(each["as_of"], each["total"]["spend"], each["total"]["no_price"]) for each in told] == [
        (None, "0.002020000000", 0),
        (then.isoformat(), None, 1),
        ("2026-11-01T00:00:00+00:00", None, 0),
    ]
    assert [[(row["failure"], row["spend"]) for row in each["failure_costs"] if row["total"]] for each in told] == [
        [("any", cost), ("disqualified", cost), ("refusal", cost)] for cost in ("0.002020000000", None)
    ] + [[]]
    assert main([*asked, "--as-of", "2026-11-01", "--tasks"]) == 2
    assert capsys.readouterr().err == "farebox: --tasks knows the present alone; leave out --as-of, or --tasks\n"


def test_the_command_says_what_it_would_change(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run prints old and new figures, and changes nothing; the run prints the same, and does."""
    store(ledger.client, attempt("claude-haiku-9"))
    set_price(ledger, "0.000002")
    asked = ["reprice", "--dsn", str(ledger.dsn), "--since", "2026-11-20", "--json"]

    codes = [main([*asked, "--dry-run"])]
    dry = json.loads(capsys.readouterr().out)
    unchanged = costs(ledger)
    codes.append(main([*asked, "--who", "ann", "--why", "we forgot"]))
    done = json.loads(capsys.readouterr().out)

    assert codes == [0, 0]
    assert unchanged == [("claude-haiku-9", "no_price", None)]
    assert (
        done["changes"]
        == dry["changes"]
        == [
            {
                "model": "claude-haiku-9",
                "old_state": "no_price",
                "new_state": "priced",
                "attempts": 1,
                "old_cost": None,
                "new_cost": "0.002020000000",
            }
        ]
    )
    assert ledger.client.query("SELECT who, why FROM adjustments").result_rows == [("ann", "we forgot")]
