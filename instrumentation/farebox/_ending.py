"""Say how an attempt ended and how much of its usage is known: the two words every figure rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farebox import _attempt as ends
from farebox._read import is_stream

if TYPE_CHECKING:
    from farebox._attempt import Attempt
    from farebox._reading import Reading

__all__ = ["error_type_of", "outcome_of", "outcome_of_status", "usage_state_of"]

# httpx exceptions raised before the request reached the provider: nothing can have been billed.
_NEVER_SENT = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "UnsupportedProtocol",
        "LocalProtocolError",
        "ProxyError",
        "InvalidURL",
    }
)


def outcome_of(attempt: Attempt, reading: Reading) -> str:
    """Return `farebox.outcome`: ok, or the class of failure."""
    # Only who was cancelled after the last word had the whole answer; whoever met an exception did not.
    if attempt.error is not None and not (attempt.ended == ends.CANCELLED and reading.complete):
        return _outcome_of_exception(attempt)
    if attempt.status is None:
        return "cancelled"
    if attempt.status >= 400:
        return outcome_of_status(attempt.status, reading)
    if reading.error is not None:
        return "stream_error" if is_stream(attempt) else outcome_of_status(_code(reading), reading)
    if reading.complete:
        return "ok"
    if attempt.ended == ends.CANCELLED:
        return "cancelled"
    if attempt.ended in (ends.CLOSED, ends.DROPPED):
        return "abandoned"
    return "stream_error" if is_stream(attempt) else "server_error"


def usage_state_of(attempt: Attempt, reading: Reading) -> str:
    """Return `farebox.usage.state`: reported, partial, missing or none.

    none: refused before work, free of charge, or billed as a background response of its own. missing: may have been
    billed, and nobody told us how much.
    """
    if attempt.endpoint.free or reading.background is not None:
        return "none"
    if attempt.status is None:
        names = _names(attempt.error)
        return "none" if names & _NEVER_SENT else "missing"
    if attempt.status >= 400:
        return "none"
    if reading.usage is None or not reading.usage.leaves:
        return "missing"
    return "reported" if reading.complete else "partial"


def error_type_of(attempt: Attempt, reading: Reading, outcome: str) -> str | None:
    """Return OTel's `error.type`: the provider's own word, else the status or the exception's name."""
    if outcome in ("ok", "abandoned"):
        return None
    if reading.error is not None:
        for key in ("type", "code"):
            word = reading.error.get(key)
            if isinstance(word, str) and word not in ("", "error"):
                return word
    if attempt.status is not None and attempt.status >= 400:
        return str(attempt.status)
    return attempt.error.__name__ if attempt.error is not None else outcome


def _outcome_of_exception(attempt: Attempt) -> str:
    names = _names(attempt.error)
    if "TimeoutException" in names or "TimeoutError" in names:
        return "timeout"
    if attempt.error is not None and not issubclass(attempt.error, Exception):  # CancelledError, KeyboardInterrupt
        return "cancelled"
    return "connection_error" if attempt.ended == ends.NOT_SENT else "stream_error"


def outcome_of_status(status: int, reading: Reading) -> str:
    """Return the class of failure that a status stands for, of 400 or more."""
    kind = (reading.error or {}).get("type")
    if status == 429 or kind == "rate_limit_error":
        return "rate_limited"
    if status == 529 or kind == "overloaded_error":
        return "overloaded"
    if status in (408, 504):
        return "timeout"
    return "client_error" if 400 <= status < 500 else "server_error"


def _code(reading: Reading) -> int:
    code = (reading.error or {}).get("code")
    return code if isinstance(code, int) else 500


def _names(error: type[BaseException] | None) -> frozenset[str]:
    return frozenset(base.__name__ for base in error.__mro__) if error is not None else frozenset()
