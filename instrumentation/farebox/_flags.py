"""Flags: how an answer failed, as far as the provider itself says so."""

from __future__ import annotations

from typing import Any

from farebox import semconv as name
from farebox._attempt import Attempt
from farebox._reading import Reading

__all__ = ["flags_of"]

_CUT_SHORT = frozenset({"max_tokens", "length", "max_output_tokens", "model_context_window_exceeded"})
_REFUSED = frozenset({"refusal", "content_filter"})
_NO_TEXT = frozenset({"embeddings", "count_tokens"})


def flags_of(attempt: Attempt, reading: Reading, outcome: str) -> dict[str, Any]:
    """Return the attributes `farebox.flags` and `farebox.checked` of an answer that came whole; none otherwise."""
    if outcome != "ok" or attempt.endpoint.operation in _NO_TEXT or not reading.choices:
        return {}
    reasons = set(reading.stop_reasons)
    flags = []
    if reasons & _CUT_SHORT:
        flags.append("truncated.stop_reason")
    if reasons & _REFUSED or any(choice.refusal for choice in reading.choices.values()):
        flags.append("refusal.api")
    if not reading.characters and not reading.tools:
        flags.append("empty")
    return {name.FLAGS: flags or None, name.CHECKED: ["truncated", "refusal", "empty"]}
