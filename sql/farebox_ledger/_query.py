"""Runs the questions of `queries/`: one SQL file a question, whose first comment states it and its unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from farebox_ledger.errors import QueryError, clickhouse_words

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Ask", "query_text", "run_query", "run_sql"]

# Whoever asks a question by its name.
Ask = Callable[["Client", str, Mapping[str, Any]], list[dict[str, Any]]]


@cache
def query_text(name: str) -> str:
    """Read the SQL of `queries/<name>.sql`."""
    return files("farebox_ledger").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


def run_query(client: Client, name: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Ask the question in `queries/<name>.sql` and return its rows; Decimal columns come back as Decimal.

    Raises:
        QueryError: ClickHouse refused it; its words are in the message.
    """
    return run_sql(client, name, query_text(name), parameters or {})


def run_sql(client: Client, name: str, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Ask a statement that was made of the question `name`.

    Raises:
        QueryError: ClickHouse refused it; its words are in the message.
    """
    from clickhouse_connect.driver.exceptions import ClickHouseError

    try:
        result = client.query(sql, parameters=dict(parameters))
    except ClickHouseError as error:
        raise QueryError(f"the query {name} failed: {clickhouse_words(error)}") from error
    return [dict(row) for row in result.named_results()]
