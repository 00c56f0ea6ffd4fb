"""Bill a background response once: by what its terminal state says, whichever call shows it.

`create(background=True)` answers before there is any usage, and each `retrieve` repeats it. So neither is billed; the
response itself is, under ids and times that derive from its own.
Source: openai 3.54 types/responses/response.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from farebox._billed import Billed, Order, note_order, order_of
from farebox._reading import Reading

__all__ = ["background_result", "note_background"]

_OUTCOMES = {"completed": "ok", "incomplete": "ok", "cancelled": "cancelled", "failed": "server_error"}
_ERRORS = {"rate_limit_exceeded": "rate_limited", "invalid_prompt": "client_error"}


def note_background(reading: Reading, tags: Mapping[str, str]) -> None:
    """Remember the tags of the call that ordered a background response, for when it is read."""
    if reading.background is not None and reading.response_id is not None:
        note_order(reading.response_id, Order(tags=tags))


def background_result(reading: Reading, *, whole: bool = True) -> Billed | None:
    """Return what a response bills that was made in the background and has come to its end, None of any other.

    One that failed or was cancelled without telling its usage may have been billed: its usage is missing.
    """
    background = reading.background
    if background is None or background.status not in _OUTCOMES or reading.response_id is None:
        return None
    outcome = _OUTCOMES[background.status]
    if background.status == "failed":
        outcome = _ERRORS.get(str((reading.error or {}).get("code")), outcome)
    return Billed(
        kind="background_result",
        trace=reading.response_id,
        span=reading.response_id,
        reading=replace(reading, first_token=None),  # of the call that shows it
        state="reported" if reading.usage is not None and reading.usage.leaves else "missing",
        outcome=outcome,
        started_ns=background.created_ns,
        ended_ns=background.completed_ns,
        whole=whole,
        tags=order_of(reading.response_id).tags,
    )
