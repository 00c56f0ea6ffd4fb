"""Decides whether a statement only reads the ledger: one statement, no way to files, networks or programs.

chDB's read-only mode is no sandbox: it writes INTO OUTFILE, kills queries and reads any file. Four layers stand
in the way, and each statement passes all: ClickHouse's own classification (READ_ONLY, a single statement); the
functions it names; the settings it changes; and, in the engine, a user without rights to sources (users.xml).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Checked", "Guard", "RefusedError", "is_allowed_setting"]

READONLY = 164
SYNTAX_ERROR = 62

# Table functions that make rows out of nothing or out of the ledger; ClickHouse has some eighty that reach out.
TABLE_FUNCTIONS = frozenset(
    {
        "dictionary",
        "format",
        "generate_series",
        "generaterandom",
        "generateseries",
        "null",
        "numbers",
        "numbers_mt",
        "primes",
        "sqlstandardvalues",
        "values",
        "view",
        "zeros",
        "zeros_mt",
    }
)
# Plain functions that reach out. They are refused even without parentheses: `* APPLY file`, `arrayMap(file, …)`.
FUNCTIONS = frozenset({"catboostevaluate", "file", "generateserialid"})

SETTINGS = frozenset(
    {
        "aggregate_functions_null_for_empty",
        "cancel_http_readonly_queries_on_client_close",
        "cast_string_to_dynamic_use_inference",
        "date_time_input_format",
        "date_time_output_format",
        "extremes",
        "final",
        "group_by_use_nulls",
        "join_algorithm",
        "join_use_nulls",
        "limit",
        "max_block_size",
        "max_bytes_to_read",
        "max_execution_time",
        "max_result_bytes",
        "max_result_rows",
        "max_rows_to_read",
        "max_threads",
        "offset",
        "read_overflow_mode",
        "result_overflow_mode",
        "session_timezone",
        "timeout_overflow_mode",
        "transform_null_in",
    }
)
# Not all of output_format_*: output_format_schema names a file to write.
FORMAT_SETTING = re.compile(r"output_format_(arrow|csv|decimal|json|native|orc|parquet|pretty|tsv|values|xml)_\w+")

# Tokens of a formatted statement. formatQuery drops comments, quotes names only where it must, and writes every
# string in single quotes with backslashes, so that these five kinds are all there are.
TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\{\w+:[^}]*\}|\w+|[^\w\s]", re.DOTALL)

# What may follow a setting's name, as tokens between spaces: a string, a parameter, a number or a word; no call.
SETTING_VALUE = re.compile(r"= (?:'(?:[^'\\]|\\.)*'|\{\w+:[^}]*\}|(?:- )?\w+(?: \. \w+)?)(?= |\Z)(?! \()", re.DOTALL)


# A line of its own in the canonical form, where strings have no line breaks.
FORMAT_CLAUSE = re.compile(r"^FORMAT (\w+)$", re.MULTILINE)


class RefusedError(Exception):
    """The statement is not one to be asked here; `code` is ClickHouse's."""

    def __init__(self, words: str, code: int = READONLY) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {words}")
        self.code = code


@dataclass(frozen=True)
class Checked:
    """A statement that passed, in canonical form without its FORMAT, and the format it named, if it did."""

    sql: str
    format: str | None


class Guard:
    """Checks statements; learns the names of functions from the ClickHouse it guards."""

    def __init__(self, connection: Any) -> None:
        reaching = _names(connection, "SELECT name FROM system.table_functions")
        self._calls = (reaching - TABLE_FUNCTIONS) | FUNCTIONS
        self._words = FUNCTIONS | _names(connection, "SELECT name FROM system.functions WHERE categories = 'AI'")

    def check(self, connection: Any, sql: str, parameters: Mapping[str, str]) -> Checked:
        """Pass a statement that only reads, and return what is known of it.

        Raises:
            RefusedError: it does not, or cannot be parsed.
        """
        found = connection._conn.classify_query(sql, "")
        if found["statement_count"] > 1:
            raise RefusedError("this endpoint takes one statement at a time")
        formatted = _formatted(connection, sql)
        if found["query_class"].name != "READ_ONLY":
            raise RefusedError("this endpoint only reads; the ledger is written by `farebox up` over OTLP")
        tokens = TOKEN.findall(formatted)
        self._check_functions(tokens, parameters)
        _check_settings(tokens)
        named = FORMAT_CLAUSE.search(formatted)
        return Checked(FORMAT_CLAUSE.sub("", formatted), named[1] if named else None)

    def _check_functions(self, tokens: list[str], parameters: Mapping[str, str]) -> None:
        for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
            name = _name(token, parameters)
            if name in self._words or (following == "(" and name in self._calls):
                raise RefusedError(f"the function {name} reaches out of the ledger and is not available here")


def is_allowed_setting(name: str) -> bool:
    """Say whether a reader may change a setting of ClickHouse."""
    return name in SETTINGS or FORMAT_SETTING.fullmatch(name) is not None


def _names(connection: Any, sql: str) -> frozenset[str]:
    return frozenset((connection.query(sql, "TabSeparated").bytes() or b"").decode().lower().split())


def _formatted(connection: Any, sql: str) -> str:
    """Let ClickHouse write the statement in its one canonical form."""
    try:
        result = connection.query("SELECT formatQuery({sql:String})", "RawBLOB", params={"sql": _escaped(sql)})
    except RuntimeError as error:
        words = re.sub(r"\A.*?DB::Exception: ", "", str(error), count=1, flags=re.DOTALL)
        raise RefusedError(words.partition(": In scope SELECT formatQuery")[0], SYNTAX_ERROR) from None
    return (result.bytes() or b"").decode("utf-8", "replace")


def _escaped(text: str) -> str:
    """Write a string as the value of a query parameter, which ClickHouse reads as a field of TabSeparated."""
    return (
        text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r").replace("\0", "\\0")
    )


def _name(token: str, parameters: Mapping[str, str]) -> str:
    """Give the name that a token stands for, in lower case; nothing for a string."""
    if token.startswith("'"):
        return ""
    if token.startswith("{"):
        parameter, _, kind = token[1:-1].partition(":")
        return parameters.get(parameter, "").strip("`\"' ").lower() if kind.strip() == "Identifier" else ""
    return token.strip("`").lower()


def _check_settings(tokens: list[str]) -> None:
    """Refuse settings that are not on the list, in any SETTINGS clause of the statement."""
    for position, token in enumerate(tokens):
        if token == "SETTINGS":  # noqa: S105 -- a keyword of SQL
            _check_clause(" ".join(tokens[position + 1 :]))


def _check_clause(clause: str) -> None:
    """Walk through `name = value, name = value` up to where the clause ends; each value is one literal."""
    while True:
        name, _, rest = clause.partition(" ")
        if not is_allowed_setting(name.strip("`")):
            raise RefusedError(f"the setting {name[:100]} cannot be changed here")
        item = SETTING_VALUE.match(rest)
        if item is None:
            raise RefusedError(f"the setting {name[:100]} must be given one plain value")
        clause = rest[item.end() :]
        if not clause.startswith(" , "):
            return
        clause = clause.removeprefix(" , ")
