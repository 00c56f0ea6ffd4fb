"""How often each simulated model misbehaves and each simulated host fails."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Habits", "Troubles"]


@dataclass(frozen=True)
class Habits:
    """Rates (0 to 1) of a model's bad answers; each is over the answers in which it could happen.

    `malformed_tool_call` is per tool call, as the article counts; the rest are per answer.
    """

    malformed_tool_call: float = 0.0
    extra_argument: float = 0.0
    tool_call_in_text: float = 0.0
    refusal_by_api: float = 0.0
    refusal_in_text: float = 0.0
    clarifying_question: float = 0.0
    disclaimer: float = 0.0
    invented_import: float = 0.0
    invented_function: float = 0.0
    invented_citation: float = 0.0
    broken_constraint: float = 0.0
    incomplete_json: float = 0.0
    truncated_json: float = 0.0
    wrong_language: float = 0.0
    loop: float = 0.0
    runs_on: float = 0.0
    empty: float = 0.0


@dataclass(frozen=True)
class Troubles:
    """Rates (0 to 1) of a host's failures, per attempt."""

    rate_limited: float = 0.012
    overloaded: float = 0.007
    server_error: float = 0.005
    slow: float = 0.001
    slow_when_long: float = 0.25
    cut: float = 0.008
