"""Reads the dashboards' questions from the ledger and writes out farebox's own @ words, so that Grafana's SQL is left.

    @attempts(since, until, fine)  attempts and their cost in a period; `parts/attempts.sql` says more
    @amounts(since, until, fine)   their money, tokens and counts alone; `parts/amounts.sql`
    @tasks(since, until)           calls and tasks that began in a period; `parts/tasks.sql`
    @stretches()                   sums of the range, and of what it is compared with; `parts/stretches.sql`
    @rows_of_stretches()           the same attempt by attempt; `parts/rows_of_stretches.sql`
    @judged(trait)                 answers that were checked, by a trait of theirs; `parts/judged.sql`
    @units(since, until, fine)     units used, by row of the price, and how late; `parts/units.sql`
    @traced()                      attempts of the task that is asked for; `parts/traced.sql`
    @lost()                        numbers missing in the counts of clients; `parts/lost.sql`
    @query(name, route, model)     the report's question `name`, over the dashboard's range, by route and model
    @chosen(table.column)          true where the dashboard's variable `column` lets the row through
    @all(variable)                 true if the variable lets everything through
    @text(variable)                what was typed into a variable that is a text
    @interval()                    the panel's interval in seconds; whole hours where the range is longer than two days

Grafana's formats for SQL strings leave backslashes alone, so a value could end its own quotes. `queryparam` escapes as
in a URL, quotes and backslashes among it, and ClickHouse undoes it: no value can change what a query means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from farebox_dashboards._macros import arguments
from farebox_dashboards.errors import MacroError
from farebox_ledger._query import query_text

__all__ = ["TEXTS", "VARIABLES", "panel_sql"]

# The variables of every dashboard that narrow what is counted.
VARIABLES = ("route", "provider", "model", "tenant")
# Those that a dashboard may have beside them, into which people type.
TEXTS = ("trace",)

WORD = re.compile(r"@(\w+)\(")
PARTS: Mapping[str, tuple[str, ...]] = {
    "attempts": ("since", "until", "fine"),
    "amounts": ("since", "until", "fine"),
    "tasks": ("since", "until"),
    "stretches": (),
    "rows_of_stretches": (),
    "judged": ("trait",),
    "units": ("since", "until", "fine"),
    "lost": (),
    "traced": (),
}
COMMENT = re.compile(r"^\s*--[^\n]*\n", re.MULTILINE)
# How the report narrows to one route and model; dashboards narrow by their variables instead.
REPORT_FILTER = re.compile(r"\(\{route:String\} = '' OR (\w+)\.route = \{route:String\}\)")
REPORT_MODEL_FILTER = re.compile(r"\(\{model:String\} = '' OR (\w+)\.model = \{model:String\}\)")
PARAMETER = re.compile(r"(?<!\$)\{")
# Attempts are read one by one within so long a range; a longer one is read from rollups by the hour.
FINE_S_MAX = 2 * 86400


@cache
def panel_sql(name: str) -> str:
    """Read `queries/dashboard/<name>.sql` with nothing but Grafana's own variables and macros left in it.

    Raises:
        MacroError: it uses a word that is unknown, or wrongly.
    """
    return _written_out(query_text(f"dashboard/{name}")).strip()


def _written_out(sql: str) -> str:
    """Replace words from the last to the first, so that those inside another's arguments come first."""
    while True:
        found = list(WORD.finditer(sql))
        if not found:
            return sql
        last = found[-1]
        given, closing = arguments(sql, last.end() - 1)
        if last[1] not in WORDS and last[1] not in PARTS:
            raise MacroError(f"farebox knows no word @{last[1]}; it has {', '.join(sorted({*WORDS, *PARTS}))}")
        written = _part(last[1], given) if last[1] in PARTS else WORDS[last[1]](*given)
        sql = sql[: last.start()] + written + sql[closing + 1 :]


def _part(name: str, given: list[str]) -> str:
    names = PARTS[name]
    if len(given) != len(names):
        raise MacroError(f"@{name} takes {', '.join(names)}; it was given {len(given)} arguments")
    text = COMMENT.sub("", query_text(f"dashboard/parts/{name}")).strip()
    for each, value in zip(names, given, strict=True):
        text = re.sub(rf"@{each}\b", lambda _, value=value: value, text)  # type: ignore[misc]
    return text


def _query(name: str, *by: str) -> str:
    """Take a question of `farebox report` as it stands, so that both count alike."""
    text = COMMENT.sub("", query_text(name)).strip()
    text = re.sub(r"\s*-- [^'\n]*$", "", text, flags=re.MULTILINE)
    if len(REPORT_FILTER.findall(text)) != 1 or len(REPORT_MODEL_FILTER.findall(text)) != 1:
        raise MacroError(f"the query {name} does not narrow to one route and model where dashboards expect it")
    text = REPORT_FILTER.sub(
        lambda found: " AND ".join(f"@chosen({found[1]}.{each})" for each in VARIABLES if each != "model"), text
    )
    text = REPORT_MODEL_FILTER.sub(lambda found: f"@chosen({found[1]}.model)", text)
    for parameter, value in {
        "since:DateTime64(6, 'UTC')": "$__fromTime_ms",
        "until:DateTime64(6, 'UTC')": "$__toTime_ms",
        "by_tenant:UInt8": f"if({_all('tenant')}, 0, 1)",
        "by:Array(String)": "[" + ", ".join(f"'{each}'" for each in by) + "]::Array(String)",
    }.items():
        text = text.replace("{" + parameter + "}", value)
    if PARAMETER.search(text):
        raise MacroError(f"the query {name} has a parameter that dashboards do not give")
    return f"(\n{text}\n)"


def _chosen(column: str) -> str:
    variable = _variable(column.rpartition(".")[2])
    shown = f"splitByChar('&', '${{{variable}:queryparam}}')"
    begin = len(f"var-{variable}=") + 1
    return (
        f"({_all(variable)} OR has(arrayMap(each -> decodeURLComponent(substring(each, {begin})), {shown}), {column}))"
    )


def _all(variable: str) -> str:
    """Nothing chosen lets everything through as well, as in the plugin's own macro."""
    name = _variable(variable)
    return f"'${{{name}:queryparam}}' IN ('', 'var-{name}=$__all', 'var-{name}=%24__all')"


def _text(variable: str) -> str:
    if variable not in TEXTS:
        raise MacroError(f"{variable} is no text of the dashboards; they have {', '.join(TEXTS)}")
    begin = len(f"var-{variable}=") + 1
    return f"decodeURLComponent(substring('${{{variable}:queryparam}}', {begin}))"


def _interval() -> str:
    long = f"dateDiff('second', $__fromTime_ms, $__toTime_ms) > {FINE_S_MAX}"
    return f"if({long}, toUInt32(ceil($__interval_s / 3600) * 3600), toUInt32($__interval_s))"


def _variable(name: str) -> str:
    if name not in VARIABLES:
        raise MacroError(f"{name} is no variable of the dashboards; they have {', '.join(VARIABLES)}")
    return name


WORDS: Mapping[str, Callable[..., str]] = {
    "query": _query,
    "chosen": _chosen,
    "all": _all,
    "interval": _interval,
    "text": _text,
}
