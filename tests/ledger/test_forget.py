"""A person can be forgotten: nothing of them is left, and every figure is what it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from ledger.spans import NOW, Span, attempt, store
from ledger.test_rollups import empty

from farebox._cli import main
from farebox._identity import keyed_hash
from farebox_ledger import Dsn, Store, open_store
from farebox_ledger._forget import FORGOTTEN, forget, remembered
from farebox_ledger._refresh import refresh_all
from farebox_ledger.errors import LedgerError

ANN, BOB = "ann-4711", "bob"
TOLD = Span({"user.id": ANN, "http.route": "/ask"}, name="GET /ask", scope="shop")


@pytest.fixture(scope="module")
def shared(ledger_folder, ledger_client) -> Iterator[Store]:
    """A ledger of this module."""
    with open_store(Dsn("chdb", "forgetful", path=ledger_folder)) as opened:
        yield opened
        opened.client.command("DROP DATABASE forgetful SYNC")


@pytest.fixture
def ledger(shared: Store) -> Store:
    """A ledger with two users' calls on three days, some of them stored twice, some not counted yet."""
    empty(shared)
    for table in ("otel_logs", "otel_traces", "budgets"):
        shared.client.command(f"TRUNCATE TABLE {table} SYNC")
    store(shared.client, *calls(), TOLD)
    refresh_all(shared.client)
    store(shared.client, *calls()[:4], attempt(user=ANN), attempt(user=BOB))
    shared.client.command(
        "INSERT INTO otel_logs (Timestamp, TraceId, SpanId, LogAttributes) "
        "SELECT Timestamp, TraceId, SpanId, map('asked by', SpanAttributes['farebox.user']) FROM otel_traces"
    )
    for user in (ANN, BOB):
        shared.client.command(
            "INSERT INTO budgets (name, period, amount, applies_to, valid_from) "
            f"VALUES ('of one', 'day', 5, map('user_id', '{user}'), 0)"
        )
    return shared


def calls() -> list[Span]:
    """Make the same calls each time: of two users and of none, on three days."""
    return [
        attempt(
            started_at=NOW - timedelta(days=day, minutes=7 * number),
            trace_id=f"{1 + number + 10 * day:032x}",
            span_id=f"{1 + number + 10 * day:016x}",
            user=user,
        )
        for day in range(3)
        for number, user in enumerate((ANN, BOB, ANN, "", ANN, BOB))
    ]


def spent(ledger: Store) -> dict[str, list[tuple[object, ...]]]:
    """Read what each user cost, three ways: attempt by attempt, and from both rollups."""
    return {
        source: ledger.client.query(
            f"SELECT user_id, {count}, sum({cost}) FROM {source} GROUP BY user_id HAVING {count} > 0 ORDER BY user_id"
        ).result_rows
        for source, count, cost in (
            ("llm_attempts", "count()", "list_cost"),
            ("users_by_hour", "sum(attempts)", "spend"),
            ("users_by_day", "sum(attempts)", "spend"),
        )
    }


def places(ledger: Store, word: str) -> list[str]:
    """Search every column of every table that stores something, as it lies on the disk, and name where the word is."""
    columns = ledger.client.query(
        "SELECT table, groupArray(name) FROM system.columns WHERE database = currentDatabase() AND table "
        "IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree') "
        "GROUP BY table"
    ).result_rows
    found = []
    for table, names in columns:
        line = f"formatRow('CSV', {', '.join(f'`{name}`' for name in names)})"
        ((rows,),) = ledger.client.query(
            f"SELECT count() FROM {table} WHERE position({line}, '{word}') > 0"
        ).result_rows
        found += [table] if rows else []
    return sorted(found)


def test_nothing_of_a_person_is_left_and_all_figures_stay(ledger: Store) -> None:
    """No table holds the user any more; what they spent stands under `forgotten`, and what others did is untouched."""
    before = spent(ledger)
    assert {"otel_traces", "otel_logs", "stored_attempts", "users_hourly", "users_daily", "budgets"} <= {
        *places(ledger, ANN)
    }
    forget(ledger.client, [ANN])
    assert places(ledger, ANN) == []
    named = {
        source: [(FORGOTTEN if row[0] == ANN else row[0], *row[1:]) for row in rows] for source, rows in before.items()
    }
    assert spent(ledger) == {source: sorted(rows) for source, rows in named.items()}
    assert places(ledger, BOB) == [
        "budgets",
        "otel_logs",
        "otel_traces",
        "stored_attempts",
        "users_daily",
        "users_hourly",
    ]


def test_what_comes_twice_does_not_bring_a_person_back(ledger: Store) -> None:
    """A replay of calls of before counts no second time, and not under the old name."""
    forget(ledger.client, [ANN])
    before = spent(ledger)
    store(ledger.client, *calls())
    assert spent(ledger) == before
    refresh_all(ledger.client)
    assert spent(ledger) == before
    forget(ledger.client, [ANN])
    assert places(ledger, ANN) == []
    assert spent(ledger) == before


def test_forgetting_may_be_cut_and_repeated(ledger: Store) -> None:
    """Whoever is forgotten already is not there, and a second run changes nothing."""
    forget(ledger.client, [ANN])
    before = spent(ledger)
    assert not any(remembered(ledger.client, [ANN]).values())
    assert not any(forget(ledger.client, [ANN]).values())
    assert spent(ledger) == before


def test_the_command_forgets_hashed_users_too(ledger: Store, monkeypatch, capsys) -> None:
    """With the key of the hashes the user's own name is enough; a dry run says what there is and changes nothing."""
    monkeypatch.setenv("FAREBOX_HASH_KEY", "pepper")
    hashed = keyed_hash(ANN)
    store(ledger.client, attempt(user=hashed))
    asked = ["forget", "--user", ANN, "--json", "--dsn", str(ledger.dsn)]
    assert main([*asked, "--dry-run"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dry_run"] is True
    assert told["rows"]["stored_attempts"] > 1
    assert hashed in [row[0] for row in spent(ledger)["llm_attempts"]]
    assert main(asked) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == told["rows"]
    assert places(ledger, ANN) == places(ledger, hashed) == []
    assert main(asked[:3] + asked[4:]) == 0
    assert "nothing of the user" in capsys.readouterr().out


@pytest.mark.parametrize("user", ["", " ", FORGOTTEN])
def test_a_name_that_is_nobody_s_is_refused(shared: Store, user: str) -> None:
    """Calls without a user, and those already forgotten, are nobody's."""
    with pytest.raises(LedgerError, match="name"):
        forget(shared.client, [user])


@pytest.mark.parametrize("command", [["forget", "--user", ANN], ["reprice", "--since", "1d"]])
def test_where_no_ledger_is_none_is_made(tmp_path, capsys, command: list[str]) -> None:
    """A mistyped address is told, and nothing is written there."""
    assert main([*command, "--dsn", f"chdb:{tmp_path / 'typo'}"]) == 2
    assert "there is no ledger in" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()
