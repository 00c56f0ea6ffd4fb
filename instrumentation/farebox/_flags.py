"""Flags: what the detectors say about an answer, as attributes of its span.

The detectors are imported when the first answer is judged, on the recorder thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farebox._reading import Reading

__all__ = ["flags_of"]

_ANSWERING = frozenset({"chat", "text_completion"})


def flags_of(operation: str, reading: Reading, outcome: str, request: Mapping[str, Any], route: str) -> dict[str, Any]:
    """Return what detectors give: flags and checked of an answer that came whole, facts on any prompt.

    request: empty where the answer is read later than it was asked for; detectors that need it then do not apply.
    """
    if operation not in _ANSWERING:
        return {}
    from farebox._judging import judge

    return judge(reading, outcome, request, route)
