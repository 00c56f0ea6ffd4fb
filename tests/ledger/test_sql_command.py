"""`farebox sql` asks one question, exactly, and changes nothing."""

from __future__ import annotations

import json

import pytest
from ledger.spans import attempt, store

from farebox._cli import main
from farebox_ledger import Store
from farebox_ledger.commands.sql import one_reading_statement
from farebox_ledger.errors import QueryError


def ask(ledger: Store, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command against a ledger."""
    code = main(["sql", "--dsn", str(ledger.dsn), *arguments])
    return (code, *capsys.readouterr())


def test_answers_are_exact(fresh_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Decimals and whole numbers keep every digit, NULL is null, and moments keep their microseconds."""
    store(fresh_store.client, attempt())

    code, out, _ = ask(
        fresh_store,
        capsys,
        "--json",
        "SELECT list_cost / 3 AS third, reported_cost, 18446744073709551615 AS big, started_at FROM llm_attempts;",
    )

    assert code == 0
    assert json.loads(out) == [
        {
            "third": "0.00035",
            "reported_cost": None,
            "big": 18446744073709551615,
            "started_at": "2026-11-20 12:00:00.000000",
        }
    ]


def test_a_table_is_for_people(fresh_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers are right-aligned, text is left-aligned, and the number of rows stands below."""
    code, out, _ = ask(
        fresh_store,
        capsys,
        "SELECT arrayJoin(['a', 'bcd']) AS name, if(name = 'a', 1, NULL) AS n, toDecimal64(1.5, 2) AS usd",
    )

    assert code == 0
    assert out.splitlines() == [
        "name      n   usd",
        "─────────────────",
        "a         1   1.5",
        "bcd    NULL   1.5",
        "2 rows",
    ]


def test_an_empty_answer_has_its_columns(fresh_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """No row is an answer too."""
    code, out, _ = ask(fresh_store, capsys, "SELECT model, list_cost FROM llm_attempts")

    lines = out.splitlines()
    assert (code, lines[0].split(), lines[-1]) == (0, ["model", "list_cost"], "0 rows")


def test_bad_sql_is_a_sentence(fresh_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """ClickHouse's own words on one line, exit 2."""
    code, out, err = ask(fresh_store, capsys, "SELECT colour FROM llm_attempts")

    assert (code, out) == (2, "")
    assert err == (
        "farebox: ClickHouse refused the statement: Code 47: Unknown expression identifier `colour`. "
        "In scope SELECT colour FROM llm_attempts. (UNKNOWN_IDENTIFIER)\n"
    )


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("", "there is no statement to run"),
        (" ; ", "there is no statement to run"),
        ("-- nothing", "there is no statement to run"),
        ("INSERT INTO prices VALUES (1)", "farebox sql only reads, and 'INSERT' does not"),
        ("/* SELECT */ DROP TABLE prices", "farebox sql only reads, and 'DROP' does not"),
        ("SELECT 1; DROP TABLE prices", "farebox sql runs one statement at a time"),
        ("SELECT ';' ; SELECT 2", "farebox sql runs one statement at a time"),
        ("SELECT 1 INTO OUTFILE '/nowhere/x'", "farebox sql writes no files"),
    ],
)
def test_only_one_reading_statement_is_run(statement: str, words: str) -> None:
    """What writes, or hides a second statement, is refused before ClickHouse sees it."""
    with pytest.raises(QueryError) as refused:
        one_reading_statement(statement)

    assert words in str(refused.value)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'a;b' AS x",
        "WITH 1 AS x SELECT x -- ; no",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SHOW TABLES",
        "DESC prices",
    ],
)
def test_semicolons_in_quotes_and_comments_are_text(statement: str) -> None:
    """They do not make a second statement."""
    assert one_reading_statement(statement + " ;") in (statement, statement + " ;")


def test_the_engine_refuses_what_slips_through(fresh_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A table function that reads files is refused by ClickHouse itself."""
    code, out, err = ask(fresh_store, capsys, "SELECT * FROM file('/etc/hostname', 'RawBLOB')")

    assert (code, out) == (2, "")
    assert "READONLY" in err
