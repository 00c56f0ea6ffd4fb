"""Expands a panel's SQL as Grafana and its ClickHouse plugin would: variables first, then comments go, then macros.

Tests run every query through it, and so does whatever shows the dashboards without a Grafana.
Macros are written out inside quotes too, so a value that holds `$__fromTime` is garbled; it cannot become a statement.
Source: grafana/clickhouse-datasource 4.20.0, pkg/macros/macros.go and src/data/CHDatasource.ts; grafana/macropro 1.0.1;
@grafana/data's url.ts; @grafana/scenes' formatRegistry.ts; read 2026-11-23.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from farebox_dashboards.errors import MacroError

__all__ = ["ALL", "Range", "arguments", "expand", "strip_comments"]

# The value of a variable of which everything is chosen.
ALL = "$__all"

Values = Mapping[str, str | Sequence[str]]

VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)|\$(__(?:from|to|interval|interval_ms))\b")
MACRO = re.compile(r"\$__(\w+)")
# Strings, quoted names and comments; of a statement only the last are taken out.
LEXEME = re.compile(r"'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
# What encodeURIComponent leaves as it is, less !'()*, which Grafana escapes too, and more what it puts back.
URL_SAFE = "-_.~@:$,;"
QUOTED = re.compile(r"'(?:[^'\\]|\\.|'')*'")


@dataclass(frozen=True)
class Range:
    """A dashboard's time range and a panel's interval, in milliseconds (since 1970)."""

    since_ms: int
    until_ms: int
    interval_ms: int = 60_000

    @classmethod
    def of(cls, since: datetime, until: datetime, interval_s: int = 60) -> Range:
        """Make it of two moments, both aware."""
        return cls(_milliseconds(since), _milliseconds(until), interval_s * 1000)

    @property
    def interval_s(self) -> int:
        """Whole seconds of the interval, 1 at least, as the plugin counts them."""
        return max(self.interval_ms // 1000, 1)


def expand(sql: str, values: Values, period: Range) -> str:
    """Write out variables and macros; `values` holds what is chosen of each variable, ALL or a list.

    Raises:
        MacroError: a variable has no value, a format is unknown, or a macro has the wrong number of arguments.
    """
    return _macros(strip_comments(_variables(sql, values, period)), period)


def strip_comments(sql: str) -> str:
    """Take comments out of a statement; what looks like one inside quotes stays."""
    return LEXEME.sub(lambda found: " " if found[0].startswith(("--", "/*")) else found[0], sql).strip()


def arguments(sql: str, opening: int) -> tuple[list[str], int]:
    """Read the arguments between the parenthesis at `opening` and its match, and where the match is.

    Raises:
        MacroError: the parenthesis is never closed.
    """
    found: list[str] = []
    depth, start, position = 0, opening + 1, opening
    while position < len(sql):
        quoted = QUOTED.match(sql, position)
        if quoted is not None:
            position = quoted.end()
            continue
        letter = sql[position]
        depth += (letter in "([") - (letter in ")]")
        if (letter == "," and depth == 1) or depth == 0:
            found.append(sql[start:position].strip())
            start = position + 1
        if depth == 0:
            return [each for each in found if each], position
        position += 1
    raise MacroError(f"a parenthesis is never closed: {sql[opening : opening + 60]!r}")


def _variables(sql: str, values: Values, period: Range) -> str:
    known: Values = {
        **values,
        "__from": str(period.since_ms),
        "__to": str(period.until_ms),
        "__interval": f"{period.interval_s}s",
        "__interval_ms": str(period.interval_ms),
    }

    def replaced(found: re.Match[str]) -> str:
        name = found[1] or found[3] or found[4]
        if name not in known:
            if found[1] is None:  # a $word that is no variable stays, as in Grafana
                return found[0]
            raise MacroError(f"the variable {name} has no value")
        return _formatted(name, known[name], found[2] or "")

    return VARIABLE.sub(replaced, sql)


def _formatted(name: str, value: str | Sequence[str], form: str) -> str:
    chosen = [value] if isinstance(value, str) else list(value)
    match form:
        case "queryparam":
            return "&".join(f"var-{name}={quote(each, safe=URL_SAFE)}" for each in chosen)
        case "singlequote":
            return ",".join("'" + each.replace("'", "\\'") + "'" for each in chosen)
        case "sqlstring":
            return ",".join("'" + each.replace("'", "''") + "'" for each in chosen)
        case "csv" | "raw":
            return ",".join(chosen)
        case "":
            return value if isinstance(value, str) else "'" + "','".join(chosen) + "'"
    raise MacroError(f"the format {form} of the variable {name} is not one that farebox knows")


def _macros(sql: str, period: Range) -> str:
    known = _known_macros(period)
    position = 0
    while (found := MACRO.search(sql, position)) is not None:
        if found[1] not in known:  # left alone by the plugin too; among them $__all, the value
            position = found.end()
            continue
        given: list[str] = []
        end = found.end()
        if sql[end : end + 1] == "(":
            given, closing = arguments(sql, end)
            end = closing + 1
        try:
            written = known[found[1]](*given)
        except TypeError:
            raise MacroError(f"{found[0]} has {len(given)} arguments, which is not what it takes") from None
        sql = sql[: found.start()] + written + sql[end:]
        position = found.start() + len(written)
    return sql


def _known_macros(period: Range) -> Mapping[str, Callable[..., str]]:
    since, until = f"toDateTime({period.since_ms // 1000})", f"toDateTime({period.until_ms // 1000})"
    since_ms = f"fromUnixTimestamp64Milli({period.since_ms})"
    until_ms = f"fromUnixTimestamp64Milli({period.until_ms})"
    first, last = _date(period.since_ms), _date(period.until_ms)
    return {
        "fromTime": lambda: since,
        "toTime": lambda: until,
        "fromTime_ms": lambda: since_ms,
        "toTime_ms": lambda: until_ms,
        "timeFilter": lambda column: f"{column} >= {since} AND {column} <= {until}",
        "timeFilter_ms": lambda column: f"{column} >= {since_ms} AND {column} <= {until_ms}",
        "dateFilter": lambda column: f"{column} >= {first} AND {column} <= {last}",
        "timeInterval": lambda column: f"toStartOfInterval(toDateTime({column}), INTERVAL {period.interval_s} second)",
        "timeInterval_ms": lambda column: (
            f"toStartOfInterval(toDateTime64({column}, 3), INTERVAL {max(period.interval_ms, 1)} millisecond)"
        ),
        "interval_s": lambda: str(period.interval_s),
    }


def _date(moment_ms: int) -> str:
    return f"toDate('{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%d}')"


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
