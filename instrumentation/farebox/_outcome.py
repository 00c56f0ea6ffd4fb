"""`outcome`: what the application knows of a task later, sent as a span that the ledger reads."""

from __future__ import annotations

import logging
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from farebox import semconv
from farebox._guard import swallow
from farebox._identity import instance_id
from farebox._recorder import recorder
from farebox._reports import Report
from farebox._tag_limits import normalise
from farebox._tags import current_tags
from farebox._wrap import flush_at_exit

__all__ = ["outcome"]

_log = logging.getLogger("farebox")

# As the ledger keeps them: Decimal(18, 6).
MINUTES_MAX, MINUTES_STEP = Decimal(10) ** 9, Decimal("1e-6")

_told: set[str] = set()


def outcome(
    task: str | None = None,
    *,
    success: bool | None = None,
    human_minutes: float | Decimal | None = None,
    tracer_provider: Any = None,
) -> None:
    """Report how a task ended, from any process and as late as you like; of several reports the latest holds.

    task: as in `farebox.tags(task=...)`, whose value holds here if it is left out. success: whether the task achieved
    what it was for; None leaves it to its last call. human_minutes: minutes that people worked on it; None says
    nothing of them. tracer_provider: send the report there, as `wrap` does its spans. Never raises: what cannot be
    reported is logged.
    """
    try:
        named = normalise({"task": current_tags().get("task") if task is None else task}).get("task")
        said = _said(success, human_minutes)
        if not named or not said:
            why = "it was given neither success nor human_minutes" if named else "no task was given, and none is tagged"
            _tell("farebox.outcome() reported nothing: %s", why)
            return
        attributes = {semconv.TASK: named, **said, semconv.INSTANCE: instance_id()}
        from farebox._spans import output_to  # OpenTelemetry is loaded when the first thing is recorded

        report: Any = Report(semconv.OUTCOME_SPAN, attributes, output_to(tracer_provider))
        recorder().submit(report)
        flush_at_exit()
    except Exception as error:  # noqa: BLE001
        swallow("reporting an outcome", error)


def _said(success: object, human_minutes: object) -> dict[str, Any]:
    """Return the attributes for what a report says; what makes no sense is logged and left out."""
    said: dict[str, Any] = {}
    if isinstance(success, bool):
        said[semconv.SUCCESS] = success
    elif success is not None:
        _tell("farebox.outcome(success=%r) is neither True, False nor None; it is left out", success)
    if human_minutes is not None:
        minutes = _minutes(human_minutes)
        if minutes is None:
            _tell("farebox.outcome(human_minutes=%r) is no number from 0 to a billion; it is left out", human_minutes)
        else:
            said[semconv.HUMAN_MINUTES] = minutes
    return said


def _tell(sentence: str, value: object) -> None:
    """Log what a report lacks, the first time it does."""
    if sentence not in _told:
        _told.add(sentence)
        _log.warning(sentence, value)


def _minutes(value: object) -> str | None:
    """Write minutes as decimal text with at most six places; None for what is none."""
    try:
        minutes = Decimal(str(value))
    except InvalidOperation:
        return None
    if isinstance(value, bool) or not minutes.is_finite() or not 0 <= minutes < MINUTES_MAX:
        return None
    return format(minutes.quantize(MINUTES_STEP, ROUND_HALF_EVEN).normalize(), "f")
