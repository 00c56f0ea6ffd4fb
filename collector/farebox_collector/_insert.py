"""Inserts rows into a table, and tells rows that can never be stored from a store that cannot store now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from clickhouse_connect.driver.exceptions import Error, OperationalError

from farebox_collector.errors import StoreError, StoreRefusedError, StoreUnavailableError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["insert"]

SETTINGS = {
    # An answer must mean that the rows are in the table, not in a buffer.
    "async_insert": 0,
    # A retry with the same token adds nothing to the table, yet mends a view that a crash cut off from it.
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # A span that the ledger's view cannot take must not be acknowledged.
    "materialized_views_ignore_errors": 0,
    # The views' queries are planned anew at each insert and read no more than it holds: optimising them costs a fifth
    # of the CPU of a small batch, and gains nothing.
    "query_plan_enable_optimizations": 0,
}

# ClickHouse's names of errors that the rows themselves cause: the same rows fail again.
OF_THE_ROWS = frozenset(
    {
        "ARGUMENT_OUT_OF_BOUND",
        "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
        "CANNOT_PARSE_DATE",
        "CANNOT_PARSE_DATETIME",
        "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
        "CANNOT_PARSE_NUMBER",
        "CANNOT_PARSE_TEXT",
        "DECIMAL_OVERFLOW",
        "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO",
        "INCORRECT_DATA",
        "SIZES_OF_ARRAYS_DONT_MATCH",
        "TOO_LARGE_ARRAY_SIZE",
        "TOO_LARGE_STRING_SIZE",
        "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
        "VIOLATED_CONSTRAINT",
    }
)

# Errors of the store's own state: a smaller insert would only fail again, and later all may be well.
OF_THE_STORE = frozenset(
    {
        "ABORTED",
        "ACCESS_DENIED",
        "AUTHENTICATION_FAILED",
        "CANNOT_ALLOCATE_MEMORY",
        "CANNOT_CREATE_DIRECTORY",
        "CANNOT_CREATE_FILE",
        "CANNOT_FSYNC",
        "CANNOT_OPEN_FILE",
        "CANNOT_SCHEDULE_TASK",
        "CANNOT_WRITE_TO_FILE",
        "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
        "KEEPER_EXCEPTION",
        "MEMORY_LIMIT_EXCEEDED",
        "MEMORY_RESERVATION_FAILED",
        "NETWORK_ERROR",
        "NOT_ENOUGH_SPACE",
        "NO_SUCH_COLUMN_IN_TABLE",
        "NO_ZOOKEEPER",
        "POCO_EXCEPTION",
        "QUERY_WAS_CANCELLED",
        "QUOTA_EXCEEDED",
        "READONLY",
        "SOCKET_TIMEOUT",
        "SYSTEM_ERROR",
        "TABLE_IS_DROPPED",
        "TABLE_IS_READ_ONLY",
        "TIMEOUT_EXCEEDED",
        "TOO_FEW_LIVE_REPLICAS",
        "TOO_MANY_PARTS",
        "TOO_MANY_SIMULTANEOUS_QUERIES",
        "UNKNOWN_DATABASE",
        "UNKNOWN_STATUS_OF_INSERT",
        "UNKNOWN_TABLE",
        "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE",
    }
)

# Those among them that fewer rows at once may avoid.
OF_MEMORY = frozenset({"CANNOT_ALLOCATE_MEMORY", "MEMORY_LIMIT_EXCEEDED", "MEMORY_RESERVATION_FAILED"})

WORDS_MAX = 300


def insert(client: Client, table: str, rows: pa.Table, token: str) -> None:
    """Insert rows and return once they are in the table and in the views that hang on it.

    A second insert with the same token adds nothing: the token must be made of the rows' content.

    Raises:
        StoreRefusedError: because of these rows.
        StoreUnavailableError: because of the store; the rows may succeed later.
        StoreError: ClickHouse gave a reason that may be either.
    """
    try:
        client.insert_arrow(table, rows, settings={**SETTINGS, "insert_deduplication_token": token})
    except Exception as error:  # whatever it is, the rows are kept and tried again
        raise _sorted(error) from error


def _sorted(error: Exception) -> StoreError:
    words = " ".join(str(error).split())[:WORDS_MAX]
    name = error.name if isinstance(error, Error) else None
    if name in OF_THE_ROWS:
        return StoreRefusedError(words)
    if name in OF_MEMORY:
        full = StoreUnavailableError(words)
        full.too_many = True
        return full
    if name in OF_THE_STORE or isinstance(error, OperationalError | OSError):
        return StoreUnavailableError(words)
    return StoreError(words)
