"""`farebox sql`: asks the ledger one question in SQL."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

from farebox.commands import Command
from farebox.settings import setting

__all__ = ["command"]

NUMBER = re.compile(r"(Nullable\()?(LowCardinality\()?(U?Int|Float|Decimal|BFloat)")
READING = ("select", "with", "show", "describe", "desc", "exists", "explain", "(")
# Comments, and text in quotes with its escapes: what is inside says nothing about the statement.
QUOTED = re.compile(
    r"--[^\n]*|#[! ][^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|`(?:[^`\\]|\\.)*`", re.DOTALL
)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Ask the ledger one question in ClickHouse's SQL: SELECT, WITH, SHOW, DESCRIBE, EXISTS or EXPLAIN. "
        "The ledger is opened for reading only; anything that would change it or write a file is refused. "
        "The table to start from is llm_attempts: `farebox sql 'DESCRIBE llm_attempts'` explains its columns."
    )
    parser.add_argument("statement", help="one statement, in quotes")
    parser.add_argument("--json", action="store_true", help="print a list of rows as JSON; decimals are exact text")
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._store import open_reader

    statement = one_reading_statement(args.statement)
    with open_reader(parse_dsn(setting("dsn", args.dsn))) as client:
        answer = _ask(client, statement)
    names = [column["name"] for column in answer["meta"]]
    if args.json:
        rows = [dict(zip(names, row, strict=True)) for row in answer["data"]]
        print(json.dumps(rows, indent=2, ensure_ascii=False))  # noqa: T201
    else:
        _print_table(answer)
    return 0


def one_reading_statement(text: str) -> str:
    """Return the statement without its semicolon.

    Raises:
        QueryError: it is empty, more than one, or none that reads.
    """
    from farebox_ledger.errors import QueryError

    statement = text.strip()
    bare = QUOTED.sub(" ", statement).strip()
    while bare.endswith(";") and statement.endswith(";"):
        statement, bare = statement[:-1].rstrip(), bare[:-1].rstrip()
    if not bare:
        raise QueryError("there is no statement to run; write one in quotes, e.g. farebox sql 'SHOW TABLES'")
    if ";" in bare:
        raise QueryError("farebox sql runs one statement at a time; remove what follows the semicolon")
    if not bare.lower().startswith(READING):
        raise QueryError(f"farebox sql only reads, and {bare.split()[0]!r} does not; start with SELECT, WITH or SHOW")
    if re.search(r"\binto\s+outfile\b", bare, re.IGNORECASE):
        raise QueryError("farebox sql writes no files; redirect its output instead: farebox sql … --json > file")
    return statement


def _ask(client: Any, statement: str) -> dict[str, Any]:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from farebox_ledger.errors import QueryError, clickhouse_words

    try:
        body = client.raw_query(statement, fmt="JSONCompact")
    except ClickHouseError as error:
        raise QueryError(f"ClickHouse refused the statement: {clickhouse_words(error)}") from None
    answer: dict[str, Any] = json.loads(body)
    return answer


def _print_table(answer: dict[str, Any]) -> None:
    from farebox_ledger._terminal import console, table

    out = console()
    headings = [(column["name"], NUMBER.match(column["type"]) is not None) for column in answer["meta"]]
    out.print(table(headings, ([_cell(value) for value in row] for row in answer["data"])))
    out.print(f"{len(answer['data']):,} row{'' if len(answer['data']) == 1 else 's'}", style="dim")


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


command = Command(
    help="ask the ledger one question in SQL",
    configure=_configure,
    run=_run,
    example=(
        "farebox sql 'DESCRIBE llm_attempts'  # every column, and what it means\n"
        'farebox sql "SELECT model, sum(list_cost), countIf(list_cost IS NULL) FROM llm_attempts GROUP BY model"\n'
        "farebox sql 'SELECT * FROM budget_burn(at = now())' --json"
    ),
    waiting="asking",
)
