"""Read the times that providers write, in whichever spelling."""

from __future__ import annotations

from datetime import datetime

__all__ = ["epoch_ns"]


def epoch_ns(value: object) -> int | None:
    """Return a provider's time, RFC 3339 text or seconds since 1970, as nanoseconds; None for anything else."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            return None
        return round(moment.timestamp() * 1_000_000) * 1000
    if isinstance(value, bool) or not hasattr(value, "__int__"):
        return None
    return int(value * 1_000_000) * 1000  # type: ignore[operator]
