"""What a provider bills that is no attempt of ours: a batch's result, a background response.

Anyone may read it any number of times; its ids and its time derive from the provider's own, so that every reader gives
the same and the ledger counts it once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from farebox._reading import Reading

__all__ = ["Billed", "derived_id", "epoch_ns"]


@dataclass(frozen=True, slots=True)
class Billed:
    """kind: `batch_result` or `background_result`. trace, span: text that the ids derive from.

    Times are nanoseconds since 1970, None where the provider named none. state: `farebox.usage.state`; outcome:
    `farebox.outcome`. whole: the answer itself is there too, not its counts alone. tags: those of the provider's own
    names, and of the call that ordered the thing if that was made in this process.
    """

    kind: str
    trace: str
    span: str
    reading: Reading
    state: str
    outcome: str
    operation: str = "chat"
    started_ns: int | None = None
    ended_ns: int | None = None
    whole: bool = True
    request_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def derived_id(text: str, size: int) -> int:
    """Return the id of so many bytes that everyone derives from this text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size).digest(), "big") or 1


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
