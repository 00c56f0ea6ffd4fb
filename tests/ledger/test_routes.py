"""Settings of routes: which flags disqualify an answer is the user's to say, and history is judged anew."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ledger.spans import NOW, attempt, store

from farebox_ledger import Dsn, LedgerError, Store, open_store
from farebox_ledger._refresh import refresh_all
from farebox_ledger._routes import BEGINNING, RouteSetting, read_routes, sync_routes

HOURLY = "SELECT route, sum(good_attempts), sum(attempts) FROM attempts_by_hour GROUP BY route ORDER BY route"
TASKS = "SELECT route, sum(successes), sum(tasks), sum(failed) FROM tasks_by_hour GROUP BY route ORDER BY route"


@pytest.fixture
def ledger(fresh_store: Store) -> Store:
    """An empty ledger of the test's own."""
    return fresh_store


def written(folder: Path, text: str) -> list[RouteSetting]:
    (folder / "farebox.toml").write_text(text, encoding="utf-8")
    return read_routes(folder / "farebox.toml")


def figures(ledger: Store) -> tuple[Any, ...]:
    return tuple(ledger.client.query(each).result_rows for each in (HOURLY, TASKS))


def flagged(flags: list[str], **tags: object) -> Any:
    return attempt(flags=json.dumps(flags), checked=json.dumps([flag.partition(".")[0] for flag in flags]), **tags)


def test_a_users_own_flag_can_disqualify(ledger: Store) -> None:
    """Once it is among a route's disqualifying flags, answers that bear it are no success, those before it too.

    Rollups say the same before, at and after the change; other routes stay as they are.
    """
    store(
        ledger.client,
        flagged(["apology"], route="support", task="t1"),
        flagged(["refusal.text"], route="support", task="t2"),
        flagged(["apology"], route="other", task="t3"),
        attempt(route="support", task="t4", started_at=NOW + timedelta(hours=3)),
        flagged(["apology"], route="support", task="t4", started_at=NOW + timedelta(hours=5)),
    )
    refresh_all(ledger.client)
    before = figures(ledger)

    added = sync_routes(ledger.client, [RouteSetting("support", ("apology",))])
    at_once = figures(ledger)
    refresh_all(ledger.client)

    assert before == ([("other", 1, 1), ("support", 3, 4)], [("other", 1, 1, 0), ("support", 2, 3, 1)])
    assert added == 1
    assert at_once == ([("other", 1, 1), ("support", 2, 4)], [("other", 1, 1, 0), ("support", 1, 3, 2)])
    assert figures(ledger) == at_once


def test_settings_hold_from_their_day_on(ledger: Store) -> None:
    """What is decided for later does not change what was; the star is for routes without settings of their own."""
    day = timedelta(days=1)
    store(
        ledger.client,
        *(
            flagged(["disclaimer"], route=route, started_at=NOW + shift)
            for route in ("a", "b")
            for shift in (-day, day)
        ),
    )

    sync_routes(ledger.client, [RouteSetting("*", ("disclaimer",), valid_from=NOW), RouteSetting("b", ())])

    rows = ledger.client.query("SELECT route, good FROM llm_attempts ORDER BY route, started_at").result_rows
    assert rows == [("a", 1), ("a", 0), ("b", 1), ("b", 1)]


def test_the_same_settings_are_added_once(ledger: Store) -> None:
    """Opening a ledger again adds nothing; a change of mind is a row beside the former one."""
    first = RouteSetting("r", ("loop", "refusal"), Decimal("1.20"), why="tried it")

    counts = [
        sync_routes(ledger.client, [each])
        for each in (first, first, RouteSetting("r", ("refusal", "loop"), Decimal("1.2")), RouteSetting("r", ("loop",)))
    ]

    assert counts == [1, 0, 0, 1]
    assert ledger.client.query(
        "SELECT disqualifying, human_usd_per_minute, who, why FROM route_settings ORDER BY added_at"
    ).result_rows == [
        (["loop", "refusal"], Decimal("1.2"), "farebox.toml", "tried it"),
        (["loop"], None, "farebox.toml", ""),
    ]


def test_opening_a_ledger_takes_up_the_file(fresh_dsn: Dsn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What farebox.toml says of routes is in force as soon as the ledger is open."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path, '[[routes]]\nroute = "support"\ndisqualifying = ["apology"]\n')

    with open_store(fresh_dsn) as opened:
        store(opened.client, flagged(["apology"], route="support"), flagged(["loop"], route="support"))
        found = opened.client.query("SELECT flags, good FROM llm_attempts ORDER BY flags").result_rows

    assert found == [(["apology"], 0), (["loop"], 1)]


def test_the_file_is_read(tmp_path: Path) -> None:
    """An entry has a route and families of flags, and may have a rate, a first day and a reason."""
    found = written(
        tmp_path,
        """
        dsn = "chdb:.farebox"
        [[routes]]
        route = "support"
        disqualifying = ["refusal", "apology"]
        human_usd_per_minute = "1.20"
        valid_from = 2026-12-01
        why = "apologies cost us customers"
        [[routes]]
        route = "*"
        disqualifying = []
        """,
    )

    assert found == [
        RouteSetting(
            "support",
            ("apology", "refusal"),
            Decimal("1.20"),
            datetime(2026, 12, 1, tzinfo=UTC),
            "apologies cost us customers",
        ),
        RouteSetting("*", (), None, BEGINNING),
    ]
    assert read_routes(tmp_path / "none.toml") == []


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("disqualifying = []", "number 1: route is None, not the name of a route"),
        ('route = "a"', "disqualifying is None, not a list of detectors' names"),
        ('route = "a"\ndisqualifying = ["refusal.text"]', "refusal, not refusal.text; empty: none"),
        ('route = "a"\ndisqualifying = []\nhuman = 1', "'human' is none of route, disqualifying"),
        ('route = "a"\ndisqualifying = []\nhuman_usd_per_minute = -1', "human_usd_per_minute is -1, not from 0"),
        ('route = "a"\ndisqualifying = []\nhuman_usd_per_minute = "x"', "human_usd_per_minute is 'x', not an amount"),
        ('route = "a"\ndisqualifying = []\nvalid_from = "soon"', "valid_from is 'soon', not a day or a moment"),
    ],
)
def test_an_entry_that_makes_no_sense_is_named(entry: str, words: str, tmp_path: Path) -> None:
    """The sentence says which entry, which value, and what is allowed."""
    with pytest.raises(LedgerError) as caught:
        written(tmp_path, f"[[routes]]\n{entry}\n")

    assert words in str(caught.value)
    assert str(caught.value).endswith("; mend it")


def test_a_file_that_is_no_list_of_routes_is_told(tmp_path: Path) -> None:
    """One table where a list of tables belongs, or no TOML at all."""
    with pytest.raises(LedgerError, match=r"write each under \[\[routes\]\]"):
        written(tmp_path, "[routes]\nroute = 'a'\n")
    with pytest.raises(LedgerError, match="cannot be read as TOML"):
        written(tmp_path, "[[routes")
