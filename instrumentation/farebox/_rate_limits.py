"""Read off a response's headers how much of its rate limits is left.

Names differ from host to host: `anthropic-ratelimit-tokens-remaining`, `anthropic-priority-output-tokens-limit`,
`x-ratelimit-remaining-tokens`, `X-RateLimit-Reset`. The word limit, remaining or reset is taken out of each,
and what is left of the name says what is limited.
Source: platform.claude.com/docs/en/api/rate-limits, developers.openai.com/api/docs/guides/rate-limits, read 2026-11-23.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from farebox import semconv as name

__all__ = ["rate_limits"]

LIMITS_MAX = 8

_PREFIX = re.compile(r"(?:anthropic-(?:ratelimit-)?|x-ratelimit-)")
_WORDS = frozenset({"limit", "remaining", "reset"})
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|h|m|s))")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
# A plain number above this is no duration but a time since 1970, in ms or in s.
_MS_FROM, _S_FROM = 1e11, 1e8


def rate_limits(headers: Mapping[str, str], *, limited: bool, now_s: float) -> dict[str, Any]:
    """Return `farebox.rate_limit.<what>.limit` and `.remaining`, ints; for one that was limited also `.reset_s`.

    headers: by lower-case name. now_s: when they came, seconds since 1970 UTC, against which a time of reset is taken.
    `retry_after_s` is what the host asked to wait. At most LIMITS_MAX kinds of limit are kept.
    """
    out: dict[str, Any] = {}
    kinds: set[str] = set()
    for key, value in headers.items():
        if "ratelimit" in key or "anthropic-priority-" in key:
            what, word = _split(key)
            kinds.add(what)
            if word is not None and len(kinds) <= LIMITS_MAX and (limited or word != "reset"):
                _put(out, f"{name.RATE_LIMIT_PREFIX}{what}.{word}", value, now_s)
        elif limited and key in ("retry-after", "retry-after-ms"):
            wait = _number(value)
            if wait is not None:
                out[name.RETRY_AFTER_S] = wait / 1000 if key.endswith("ms") else wait
    return out


def _split(header: str) -> tuple[str, str | None]:
    """Return what is limited, and which word about it the header gives."""
    parts = _PREFIX.sub("", header, count=1).split("-")
    word = next((part for part in parts if part in _WORDS), None)
    return "_".join(part for part in parts if part not in _WORDS) or "requests", word


def _put(out: dict[str, Any], attribute: str, value: str, now_s: float) -> None:
    if attribute.endswith(".reset"):
        seconds = _seconds_until(value, now_s)
        if seconds is not None:
            out[attribute + "_s"] = round(max(0.0, seconds), 3)
    elif (number := _number(value)) is not None and number.is_integer():
        out[attribute] = int(number)


def _seconds_until(value: str, now_s: float) -> float | None:
    """Read a duration (`6m0s`, `120ms`, `1.5`) or a moment (RFC 3339, or seconds or ms since 1970)."""
    number = _number(value)
    if number is not None:
        moment = number / 1000 if number > _MS_FROM else number
        return moment - now_s if moment > _S_FROM else number
    pieces = _DURATION.findall(value)
    if pieces and "".join(amount + unit for amount, unit in pieces) == value:
        return sum(float(amount) * _SECONDS[unit] for amount, unit in pieces)
    try:
        return datetime.fromisoformat(value).timestamp() - now_s
    except ValueError:
        return None


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
