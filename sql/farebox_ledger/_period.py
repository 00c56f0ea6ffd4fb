"""Reads --since and --until: a span back from now, a day, or a moment; all of it UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from farebox_ledger.errors import LedgerError

__all__ = ["Period", "parse_moment", "parse_period"]

SPAN = re.compile(r"(\d{1,6})([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
ALLOWED = "a span back from now (15m, 24h, 7d, 2w), today, yesterday, a day (2026-11-01) or a moment (2026-11-01T12:00)"
NO_END = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Period:
    """From `since`, inclusive, to `until`, exclusive; both aware, in UTC."""

    since: datetime
    until: datetime

    def __str__(self) -> str:
        end = "now" if self.until == NO_END else f"{self.until:%Y-%m-%d %H:%M} UTC"
        return f"{self.since:%Y-%m-%d %H:%M} UTC to {end}"

    def before(self, now: datetime) -> Period:
        """Give the period of the same length that ended when this one begins; one without an end ends now."""
        length = min(self.until, max(now, self.since + timedelta(seconds=1))) - self.since
        return Period(self.since - length, self.since)


def parse_period(since: str, until: str | None, now: datetime) -> Period:
    """Read a period; without `until` it has no end, so that clocks a little ahead lose nothing.

    Raises:
        LedgerError: one of them is unreadable, or the end is not after the beginning.
    """
    period = Period(
        parse_moment("--since", since, now), NO_END if until is None else parse_moment("--until", until, now)
    )
    if period.until <= period.since:
        raise LedgerError(f"--until {until} is not after --since {since}; exchange or move them")
    return period


def parse_moment(option: str, text: str, now: datetime) -> datetime:
    """Read a moment as a person writes it; one without a time zone is UTC.

    Raises:
        LedgerError: unreadable; names the option, the value and what is allowed.
    """
    words = text.strip().lower()
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if words in ("today", "yesterday"):
        return midnight - timedelta(days=words == "yesterday")
    span = SPAN.fullmatch(words)
    try:
        if span is not None:
            return now.astimezone(UTC) - timedelta(**{UNITS[span[2]]: int(span[1])})
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise LedgerError(f"{option} {text!r} is no time; write {ALLOWED}") from None
