"""Periods are read as people write them, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from farebox_ledger._period import NO_END, Period, parse_moment, parse_period
from farebox_ledger.errors import LedgerError

NOW = datetime(2026, 11, 23, 13, 14, 15, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", datetime(2026, 11, 23, 11, 12, 45, tzinfo=UTC)),
        ("15m", datetime(2026, 11, 23, 10, 59, 15, tzinfo=UTC)),
        ("24h", datetime(2026, 11, 22, 11, 14, 15, tzinfo=UTC)),
        ("7d", datetime(2026, 11, 16, 11, 14, 15, tzinfo=UTC)),
        ("2w", datetime(2026, 11, 9, 11, 14, 15, tzinfo=UTC)),
        ("today", datetime(2026, 11, 23, tzinfo=UTC)),
        ("Yesterday", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T06:30", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("2026-11-01 06:30:01Z", datetime(2026, 11, 1, 6, 30, 1, tzinfo=UTC)),
        ("2026-11-01T06:30+02:00", datetime(2026, 11, 1, 4, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read(text: str, moment: datetime) -> None:
    """Spans back from now, days and moments; without a time zone they are UTC."""
    assert parse_moment("--since", text, NOW) == moment


@pytest.mark.parametrize("text", ["yesterdayish", "", "24", "-5h", "2026-13-01", "999999w"])
def test_no_moment_is_refused(text: str) -> None:
    """The sentence names the option, the value and what is allowed."""
    with pytest.raises(LedgerError) as refused:
        parse_moment("--since", text, NOW)

    assert str(refused.value) == (
        f"--since {text!r} is no time; write a span back from now (15m, 24h, 7d, 2w), today, yesterday, "
        "a day (2026-11-01) or a moment (2026-11-01T12:00)"
    )


def test_a_period_has_no_end_unless_told() -> None:
    """Without --until even attempts of a clock a little ahead are in."""
    assert parse_period("today", None, NOW) == Period(datetime(2026, 11, 23, tzinfo=UTC), NO_END)


def test_a_period_ends_after_it_begins() -> None:
    """An end before the beginning is a sentence."""
    with pytest.raises(LedgerError) as refused:
        parse_period("today", "yesterday", NOW)

    assert str(refused.value) == "--until yesterday is not after --since today; exchange or move them"
