"""Marks on the axis of time: `farebox annotate` keeps what people say, when, and about which route."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from farebox._cli import main
from farebox_ledger import LedgerError, Store
from farebox_ledger._marks import Mark, annotate_as_asked

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOSTILE = "v7'); DROP TABLE annotations; -- \\ {{ x }} 検索 </script>"


def marks(ledger: Store) -> list[tuple[object, ...]]:
    """What is marked."""
    sql = "SELECT at, kind, text, route, who FROM annotations FINAL ORDER BY at"
    return [tuple(row) for row in ledger.client.query(sql).result_rows]


def test_a_mark_is_kept_as_it_was_said(fresh_store: Store, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """Text, time, route and kind come back as they were given, also when they read like SQL."""
    dsn = f"chdb://{fresh_store.dsn.folder.resolve()}?database={fresh_store.dsn.database}"
    monkeypatch.setenv("FAREBOX_DSN", dsn)

    assert (
        main(["annotate", HOSTILE, "--at", "2026-11-20T12:00", "--route", HOSTILE, "--tag", "prompt", "--who", "m"])
        == 0
    )
    assert marks(fresh_store) == [(NOW, "prompt", HOSTILE, HOSTILE, "m")]
    assert capsys.readouterr().out == f"marked 2026-11-20 12:00:00 UTC on {HOSTILE}: {HOSTILE}\n"


def test_without_more_it_is_a_deployment_now(fresh_store: Store, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """The text is all that must be said; spans back from now are understood with and without `ago`."""
    monkeypatch.setenv("FAREBOX_DSN", f"chdb://{fresh_store.dsn.folder.resolve()}?database={fresh_store.dsn.database}")
    main(["annotate", "deploy v7", "--json"])
    main(["annotate", "deploy v6", "--at", "2h ago", "--json"])
    first, second = marks(fresh_store)

    assert (second[1:4], first[1:4]) == (("deploy", "deploy v7", ""), ("deploy", "deploy v6", ""))
    assert second[0] - first[0] == pytest.approx(timedelta(hours=2), abs=timedelta(seconds=60))
    assert json.loads(capsys.readouterr().out.partition("}")[0] + "}")["text"] == "deploy v7"


def test_a_repeated_request_is_one_mark(fresh_store: Store) -> None:
    """What is asked twice with the same ids, since the answer was lost, is marked once."""
    asked = {**vars(Mark("deploy v7", NOW)), "at": NOW.isoformat(), "trace_id": "ab" * 16, "span_id": "cd" * 8}
    for _ in range(2):
        annotate_as_asked(fresh_store.client, asked)

    assert marks(fresh_store) == [(NOW, "deploy", "deploy v7", "", "")]


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        (" ", {}, "is no mark; write 1 to 1000 characters"),
        ("x" * 1001, {}, "is no mark"),
        ("deploy", {"at": datetime(2019, 1, 1, tzinfo=UTC)}, "--at 2019-01-01 cannot be"),
        ("deploy", {"route": "r" * 129}, "--route 'rrr"),
    ],
)
def test_what_cannot_be_a_mark_is_a_sentence(text: str, more: dict[str, object], words: str) -> None:
    """What is wrong is named with its value and what is allowed."""
    with pytest.raises(LedgerError, match=words):
        Mark(**{"text": text, "at": NOW, **more})


def test_nobody_at_the_receiver_is_a_sentence(capsys) -> None:
    """A receiver that is not there is named, and exits 2."""
    assert main(["annotate", "deploy", "--otlp", "http://127.0.0.1:1"]) == 2
    assert "nobody takes OTLP at http://127.0.0.1:1/v1/traces (ConnectionError)" in capsys.readouterr().err
