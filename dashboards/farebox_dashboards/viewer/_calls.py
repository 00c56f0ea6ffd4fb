"""Single calls: those that landed last, and one with all its attempts, money to the last digit."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from farebox_dashboards.viewer._answers import Answers
from farebox_dashboards.viewer.errors import MalformedError, UnknownError
from farebox_ledger._query import query_text

__all__ = ["one_call", "read_moment", "the_latest"]

# The last calls are looked for in ever wider stretches: a busy ledger reads a minute, a quiet one a day.
STRETCHES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(days=1))
ENOUGH = 50
# Attempts of a call lie within this of its beginning; the ledger finds them by their hour.
NEAR = timedelta(days=1)
TRACE = re.compile(r"[0-9a-f]{32}")
CALL = re.compile(r"[0-9a-zA-Z_.:-]{1,128}")
MOMENT_MS_MAX = 4_102_444_800_000


async def the_latest(answers: Answers) -> list[dict[str, Any]]:
    """Give the calls that landed last, the latest first.

    Raises:
        AnswerError: ClickHouse does not answer.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    found: list[dict[str, Any]] = []
    for stretch in STRETCHES:
        table = await answers.table(query_text("viewer/calls_lately"), {"since": _written(now - stretch)}, exact=True)
        found = table.records()
        if len(found) >= ENOUGH:
            break
    return found


async def one_call(answers: Answers, trace: str, call: str, moment: datetime | None) -> list[dict[str, Any]]:
    """Give the attempts of a call, in their order; `moment` is about when it began, None: nobody knows.

    Raises:
        UnknownError: there is no such call.
        AnswerError: ClickHouse does not answer.
    """
    if not TRACE.fullmatch(trace) or not CALL.fullmatch(call):
        raise UnknownError("a call is named by its trace id, 32 hexadecimal digits, and its own id")
    since = moment - NEAR if moment else datetime(2020, 1, 1, tzinfo=UTC)
    until = moment + NEAR if moment else datetime(2100, 1, 1, tzinfo=UTC)
    named = {"trace": trace, "call": call, "since": _written(since), "until": _written(until)}
    table = await answers.table(query_text("viewer/call"), named, exact=True)
    if not table.rows:
        raise UnknownError(f"the ledger has no call {call} in the trace {trace}")
    return table.records()


def read_moment(text: str) -> datetime | None:
    """Read milliseconds since 1970; None where there are none.

    Raises:
        MalformedError: it is no such number, or one that no call can have begun at.
    """
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 13 or int(text) > MOMENT_MS_MAX:
        raise MalformedError("`at` must be milliseconds since 1970")
    return max(datetime.fromtimestamp(int(text) / 1000, UTC), datetime(1970, 1, 2, tzinfo=UTC))


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"
