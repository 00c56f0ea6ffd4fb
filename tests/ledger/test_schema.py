"""The schema is what the golden file says, and explains itself."""

from __future__ import annotations

import os
import re
from pathlib import Path

from clickhouse_connect.driver.client import Client
from documentation.reference import SCHEMA, schema_page

from farebox import semconv
from farebox_ledger._book_rows import OTHER_UNITS, UNITS
from farebox_ledger._migrate import migrations

GOLDEN = Path(__file__).with_name("schema.golden.txt")
ATTRIBUTE = re.compile(r"\[?'((?:farebox|gen_ai|http|server|error|deployment)\.[a-z0-9_.]+)'")


def describe(client: Client) -> str:
    """Write the schema down: each table with engine, keys and comment, each column with type and comment."""
    lines = []
    tables = client.query(
        "SELECT name, engine, partition_key, sorting_key, comment FROM system.tables "
        "WHERE database = currentDatabase() ORDER BY name"
    ).result_rows
    columns = client.query(
        "SELECT table, name, type, compression_codec, comment FROM system.columns "
        "WHERE database = currentDatabase() ORDER BY table, position"
    ).result_rows
    for table, engine, partition, order, comment in tables:
        lines.append(f"{table}: {engine} | partition {partition or '-'} | order {order or '-'} | {comment}")
        lines += [
            f"    {name} {kind}{' ' + codec if codec else ''} | {said}"
            for of, name, kind, codec, said in columns
            if of == table
        ]
    return "\n".join(lines) + "\n"


def test_the_migrations_make_the_golden_schema(ledger_client: Client) -> None:
    """What an empty ledger becomes equals the file; UPDATE_GOLDEN=1 writes the file anew, for review."""
    found = describe(ledger_client)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(found, encoding="utf-8")

    assert found == GOLDEN.read_text(encoding="utf-8")


def test_the_page_of_the_schema_is_current(ledger_client: Client) -> None:
    """sql/SCHEMA.md is what the ledger's own comments make; UPDATE_GOLDEN=1 writes it anew."""
    page = schema_page(ledger_client)
    if os.environ.get("UPDATE_GOLDEN"):
        SCHEMA.write_text(page, encoding="utf-8")

    assert SCHEMA.read_text(encoding="utf-8") == page


def test_every_table_and_column_has_a_comment(ledger_client: Client) -> None:
    """Nobody has to guess what a table or column holds; dictionaries and materialized views have none on columns."""
    silent = ledger_client.query(
        "SELECT name, '' FROM system.tables WHERE database = currentDatabase() AND comment = '' "
        "UNION ALL SELECT table, name FROM system.columns WHERE database = currentDatabase() AND comment = '' "
        "AND table NOT IN (SELECT name FROM system.tables "
        "WHERE database = currentDatabase() AND engine IN ('Dictionary', 'MaterializedView'))"
    ).result_rows

    assert silent == []


def test_a_nullable_column_says_what_null_means(ledger_client: Client) -> None:
    """The comment of every column that can be NULL gives the reason."""
    unexplained = ledger_client.query(
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND type LIKE '%Nullable%' "
        "AND position(comment, 'NULL') = 0 AND table NOT IN (SELECT name FROM system.tables "
        "WHERE database = currentDatabase() AND engine IN ('Dictionary', 'MaterializedView'))"
    ).result_rows

    assert unexplained == []


def test_the_view_shows_every_stored_column(ledger_client: Client) -> None:
    """llm_attempts has the columns of stored_attempts, with the same types and comments, and adds what it derives."""
    columns = "SELECT name, type, comment FROM system.columns WHERE database = currentDatabase() AND table = "
    stored = ledger_client.query(columns + "'stored_attempts' ORDER BY position").result_rows
    shown = ledger_client.query(columns + "'llm_attempts' ORDER BY position").result_rows

    assert shown[: len(stored) - 1] == stored[:-1]
    assert [name for name, *_ in shown[len(stored) - 1 :]] == ["input_tokens", "good"]
    assert stored[-1][0] == "version"


def test_money_is_decimal_everywhere(ledger_client: Client) -> None:
    """No column that holds money or a price is a float."""
    floats = ledger_client.query(
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND match(name, 'cost|price|spend') "
        "AND type LIKE '%Float%'"
    ).result_rows

    assert floats == []


def test_attribute_names_in_sql_are_those_of_semconv() -> None:
    """Every attribute that the migrations read has a name in farebox/semconv.py, and every leaf there is read."""
    known = {value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str)}
    leaves = {*semconv.INPUT_LEAVES, *semconv.OUTPUT_LEAVES, *semconv.FEE_LEAVES}
    known |= {*semconv.FOREIGN}
    known |= {semconv.USAGE_PREFIX + leaf for leaf in {*leaves, "reasoning_tokens"}}
    used = {name for migration in migrations() for name in ATTRIBUTE.findall(migration.sql)}

    assert used - known == set()
    assert {semconv.USAGE_PREFIX + leaf for leaf in leaves} <= used
    assert leaves == set(UNITS)
    assert set(semconv.OTHER_LEAVES) == set(OTHER_UNITS)


def test_no_statement_divides_money_or_makes_it_a_float() -> None:
    """Pricing multiplies and adds decimals, and nothing else."""
    pricing = "".join(each.sql for each in migrations() if each.name.endswith("stored_attempts_mv.sql"))
    code = re.sub(r"--.*|'[^']*'", "", pricing)

    assert re.findall(r"Float|divide|intDiv|(?<!/)/(?!/)", code) == []
