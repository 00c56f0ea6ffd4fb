"""Asks the pricing formula another question: the same SQL that prices what arrives, over attempts of one's choice.

The formula stands in one place, the materialized view `stored_attempts_mv`. The store itself gives its text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from farebox_ledger.errors import LedgerError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["formula_columns", "priced"]

FORMULA = "stored_attempts_mv"
SOURCE = "attempts_unpriced"


def formula_columns(client: Client) -> list[str]:
    """List the columns that the formula reads, all of them columns of stored_attempts and llm_attempts too."""
    rows = client.query(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} "
        "ORDER BY position",
        {"table": SOURCE},
    ).result_rows
    return [str(name) for (name,) in rows]


def priced(client: Client, attempts: str) -> str:
    """Give a SELECT that prices attempts with the book as it is now; its columns are those of stored_attempts.

    `attempts` is a SELECT of the `formula_columns`, such as one from llm_attempts.

    Raises:
        LedgerError: the formula does not read what it should.
    """
    ((formula,),) = client.query(
        "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = {name:String}",
        {"name": FORMULA},
    ).result_rows
    source = rf"\bFROM (?:`?{re.escape(str(client.database))}`?\.)?{SOURCE}\b"
    if len(re.findall(source, formula)) != 1:
        raise LedgerError(f"the view {FORMULA} does not read {SOURCE} once; run `farebox migrate`")
    return re.sub(source, lambda _: f"FROM ({attempts}) AS {SOURCE}", formula)
