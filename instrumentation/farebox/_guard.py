"""The one place where instrumentation errors end: swallowed, counted, logged once a cause.

Only `Exception` is ever swallowed: KeyboardInterrupt and CancelledError belong to the host.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

__all__ = ["on_swallow", "swallow", "swallowed_errors"]

_log = logging.getLogger("farebox")
_counts: Counter[str] = Counter()

# The test-suite puts a function here that keeps what was swallowed, to raise it at the end of the test.
on_swallow: list[Callable[[BaseException], None]] = []


def swallow(where: str, error: Exception) -> None:
    """Count an error of ours that the host must not see; log it the first time it happens at this place."""
    cause = f"{where}: {type(error).__name__}"
    _counts[cause] += 1
    for observer in on_swallow:
        observer(error)
    if _counts[cause] == 1:
        _log.warning(
            "farebox failed while %s (%s: %s); your call was not affected, its record may be missing",
            where,
            type(error).__name__,
            error,
            exc_info=_log.isEnabledFor(logging.DEBUG),
        )


def swallowed_errors() -> dict[str, int]:
    """Return how often each cause was swallowed in this process."""
    return dict(_counts)
