"""Reads the questions of alerts from `queries/alerts`, with farebox's own @ words written out.

    @spike(step, level, floor)    how far each route spends above what is usual; `parts/spike.sql`
    @burn(long, short)            how fast budgets burn; `parts/burn.sql`
    @judged(least)                how often attempts failed lately and before, by kind of failure; `parts/judged.sql`

Each part's first comment says more. A question's text columns are its labels, `value` is what is held against the
rule's threshold, and all other columns are numbers for the message. `{until}` is the moment that is asked about.
"""

from __future__ import annotations

import re
from functools import cache

from farebox_ledger._query import query_text
from farebox_ledger.errors import QueryError

__all__ = ["UNTIL", "alert_sql"]

UNTIL = "{until:DateTime64(3, 'UTC')}"
WORD = re.compile(r"@(\w+)\(([^()]*)\)")
COMMENT = re.compile(r"^\s*--[^\n]*\n", re.MULTILINE)
PARTS = {
    "burn": ("long", "short"),
    "judged": ("least",),
    "spike": ("step", "level", "floor"),
}


@cache
def alert_sql(name: str) -> str:
    """Read `queries/alerts/<name>.sql` with its parts written out; the one parameter left is `until`.

    Raises:
        QueryError: it uses a word that is unknown, or gives it the wrong number of values.
    """
    return WORD.sub(_part, query_text(f"alerts/{name}")).strip()


def _part(found: re.Match[str]) -> str:
    name, given = found[1], [each.strip() for each in found[2].split(",") if each.strip()]
    names = PARTS.get(name)
    if names is None:
        raise QueryError(f"alerts know no word @{name}; they have {', '.join(sorted(PARTS))}")
    if len(given) != len(names):
        raise QueryError(f"@{name} takes {', '.join(names)}; it was given {len(given)} values")
    text = COMMENT.sub("", query_text(f"alerts/parts/{name}")).strip()
    for each, value in zip(names, given, strict=True):
        text = re.sub(rf"@{each}\b", value, text)
    return WORD.sub(_part, text)
