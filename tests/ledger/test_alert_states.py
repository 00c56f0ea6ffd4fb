"""What becomes of alerts: fired once after their time, ended once when clearly calm, kept over a restart, told once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ledger.spans import NOW, attempt, store
from webhook import Hook, hook

from farebox_ledger import Dsn, Store, open_store
from farebox_ledger.alerts import RULES, Measured, Rule, Watch
from farebox_ledger.alerts._states import Key, Standing, advance

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RULE = replace(
    next(rule for rule in RULES if rule.name == "spend-spike"),
    above=5,
    until_below=3,
    pending_s=120,
    keep_firing_s=300,
)
HOSTILE = 'a"b\\c </script> {value} \n\u2028 検索'


def values(rule: Rule, *course: float | None, label: str = "r") -> list[tuple[int, str]]:
    """Let a value take a course, one a minute, None for no row; give the minutes of changes, and to what."""
    standing: dict[Key, Standing] = {}
    told = []
    for minute, value in enumerate(course):
        facts = dict.fromkeys(rule.facts, 1.0)
        rows = [] if value is None else [Measured(rule, {"route": label}, value, facts, NOON)]
        for each in advance(rule, standing, rows, NOON + minute * MINUTE):
            standing[each.measured.key] = each
            if each.state in ("resolved", "dropped"):
                del standing[each.measured.key]
            told.append((minute, each.state + ("!" if each.news else "")))
    return told


@pytest.mark.parametrize(
    ("course", "changes"),
    [
        ([0, 9, 9, 9, 9], [(1, "pending"), (3, "firing!")]),
        ([9, 9, 4, 9, 9, 9], [(0, "pending"), (2, "dropped"), (3, "pending"), (5, "firing!")]),
        ([9, 9, 9, 4, 4, 4, 4, 4, 4, 4], [(0, "pending"), (2, "firing!")]),
        ([9, 9, 9, 2, 2, 2, 2, 2, 2, 2], [(0, "pending"), (2, "firing!"), (3, "calming"), (8, "resolved!")]),
        ([9, 9, 9, 2, 9, 2], [(0, "pending"), (2, "firing!"), (3, "calming"), (4, "firing"), (5, "calming")]),
        ([9, 9, 9, 2, 4, 4, 4, 4, 4], [(0, "pending"), (2, "firing!"), (3, "calming"), (8, "resolved!")]),
        ([9, 9, 9, *[None] * 6], [(0, "pending"), (2, "firing!"), (3, "calming"), (8, "resolved!")]),
        ([9, None, 9], [(0, "pending"), (1, "dropped"), (2, "pending")]),
    ],
)  # fmt: skip
def test_an_alert_fires_once_and_ends_once(course: list[float | None], changes: list[tuple[int, str]]) -> None:
    """It waits, fires with one message, stays through what flickers, and ends with one when it was calm for long."""
    assert values(RULE, *course) == changes


def test_without_times_it_fires_and_ends_at_once() -> None:
    """A rule that neither waits nor lingers says so at the next evaluation."""
    assert values(replace(RULE, pending_s=0, keep_firing_s=0), 9, 4, 2) == [(0, "firing!"), (2, "resolved!")]


@pytest.fixture(scope="module")
def opened(ledger_folder, ledger_client) -> Iterator[Store]:
    """One ledger for this module."""
    with open_store(Dsn("chdb", "alert_states", path=ledger_folder)) as made:
        yield made
        made.client.command("DROP DATABASE alert_states SYNC")


@pytest.fixture
def ledger(opened: Store) -> Store:
    """That ledger, empty."""
    for table in ("stored_attempts", "alert_states"):
        opened.client.command(f"TRUNCATE TABLE {table}")
    return opened


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hook]:
    """A webhook that is set, in a folder without a farebox.toml."""
    monkeypatch.chdir(tmp_path)
    with hook() as made:
        monkeypatch.setenv("FAREBOX_ALERT_WEBHOOK", made.url)
        others = [rule.name for rule in RULES if rule.name != "not-priced"]
        (tmp_path / "farebox.toml").write_text(f"[alerts]\noff = {others}\n")
        yield made


def kept(ledger: Store) -> list[tuple[Any, ...]]:
    """How alerts changed, as the ledger has it."""
    sql = "SELECT rule, labels['model'], state, told FROM alert_states FINAL ORDER BY at, rule"
    return [tuple(row) for row in ledger.client.query(sql).result_rows]


def test_a_restart_neither_forgets_nor_repeats(ledger: Store, posted: Hook) -> None:
    """What fires is posted once, however often it is seen and whoever starts anew; and once more when it is over."""
    store(ledger.client, attempt(HOSTILE, started_at=NOW))
    for minutes in (5, 6, 7):
        Watch(ledger.client).evaluate(NOW + minutes * MINUTE)

    assert posted.told == [("not-priced", HOSTILE.lower(), "firing")]
    Watch(ledger.client).evaluate(NOW + 120 * MINUTE)
    Watch(ledger.client).evaluate(NOW + 121 * MINUTE)
    assert posted.told[1:] == [("not-priced", HOSTILE.lower(), "resolved")]
    assert kept(ledger) == [
        ("not-priced", HOSTILE.lower(), "firing", True),
        ("not-priced", HOSTILE.lower(), "resolved", True),
    ]


def test_the_message_says_what_and_where(ledger: Store, posted: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The body has the sentence for chats, and labels, numbers, times and a link for programs."""
    monkeypatch.setenv("FAREBOX_DASHBOARDS_URL", "https://farebox.example/")
    store(ledger.client, attempt("claude-haiku-9"), attempt("claude-haiku-9"))
    Watch(ledger.client).evaluate(NOW + 5 * MINUTE)
    (body,) = posted.posted
    (alert,) = body["alerts"]

    assert (body["status"], body["title"]) == ("firing", "farebox: 1 firing, 0 resolved")
    assert body["text"].startswith(
        "claude-haiku-9 at anthropic is called and has no price. Spend is short of what 2 attempts"
    )
    assert alert["labels"] == {
        "alertname": "A model without a price is called",
        "rule": "not-priced",
        "severity": "ticket",
        "source": "farebox",
        "model": "claude-haiku-9",
        "provider": "anthropic",
    }
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-11-20T12:05:00.000Z", "0001-01-01T00:00:00Z")
    assert alert["values"] == {"value": 2}
    assert alert["dashboardURL"].startswith("https://farebox.example/d/farebox-overview?from=")
    assert alert["dashboardURL"] in body["text"]


def test_nobody_at_the_webhook_is_told_later(ledger: Store, posted: Hook, caplog: pytest.LogCaptureFixture) -> None:
    """What a webhook does not take is posted once it does, and is said once, without the address's secret."""
    store(ledger.client, attempt("claude-haiku-9"))
    posted.status = 500
    watch = Watch(ledger.client)
    for minutes in (5, 6, 7):
        watch.evaluate(NOW + minutes * MINUTE)

    assert [record.message for record in caplog.records] == [
        "Alerts: the alerts' webhook at 127.0.0.1 answers 500; what is to be told is kept for a day, and tried again"
    ]
    posted.status = 200
    Watch(ledger.client).evaluate(NOW + 8 * MINUTE)
    Watch(ledger.client).evaluate(NOW + 9 * MINUTE)
    assert posted.told == [("not-priced", "claude-haiku-9", "firing")]


def test_a_rule_that_is_switched_off_ends_its_alerts(ledger: Store, posted: Hook) -> None:
    """farebox.toml holds from the next evaluation on; one that makes no sense leaves what held."""
    store(ledger.client, attempt("claude-haiku-9"))
    watch = Watch(ledger.client)
    watch.evaluate(NOW + 5 * MINUTE)
    Path("farebox.toml").write_text("[alerts]\noff = 3\n")
    watch.evaluate(NOW + 6 * MINUTE)

    assert [state for _, _, state in posted.told] == ["firing"]
    Path("farebox.toml").write_text('[alerts]\noff = ["all"]\n')
    watch.evaluate(NOW + 7 * MINUTE)
    assert [state for _, _, state in posted.told] == ["firing", "resolved"]


def test_without_a_webhook_alerts_are_kept_all_the_same(ledger: Store, posted: Hook, monkeypatch) -> None:
    """Dashboards read how alerts stood; a webhook that is set later is not told of what is past."""
    monkeypatch.delenv("FAREBOX_ALERT_WEBHOOK")
    store(ledger.client, attempt("claude-haiku-9"))
    Watch(ledger.client).evaluate(NOW + 5 * MINUTE)
    assert kept(ledger) == [("not-priced", "claude-haiku-9", "firing", True)]
    monkeypatch.setenv("FAREBOX_ALERT_WEBHOOK", posted.url)
    Watch(ledger.client).evaluate(NOW + 6 * MINUTE)

    assert posted.posted == []
