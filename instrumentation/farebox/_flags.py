"""Flags: what the detectors say about an answer, as attributes of its span.

The detectors are imported when the first answer is judged, on the recorder thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from farebox import semconv as name
from farebox._reading import Choice as ChoiceRead
from farebox._reading import Reading

if TYPE_CHECKING:
    from farebox.detectors import Choice

__all__ = ["flags_of"]

_ANSWERING = frozenset({"chat", "text_completion"})


def flags_of(operation: str, reading: Reading, outcome: str, request: Mapping[str, Any], route: str) -> dict[str, Any]:
    """Return what detectors give: flags and checked of an answer that came whole, facts on any prompt.

    request: empty where the answer is read later than it was asked for; detectors that need it then do not apply.
    """
    if operation not in _ANSWERING:
        return {}
    from farebox.detectors import Answer, examine
    from farebox.detectors._language import prompt_language
    from farebox.detectors._registry import enabled

    judged = bool(enabled(route))
    usage = reading.usage
    answer = Answer(
        request=request,
        choices=tuple(map(_choice, reading.choices.values())) if judged else (),
        route=route,
        input_tokens=usage.input_total if usage is not None else None,
        output_tokens=usage.output_total if usage is not None else None,
        searched=usage is not None and bool(usage.leaves.get("web_search_requests")),
    )
    known = prompt_language(answer.prompt)
    facts = {
        name.SCRIPT: known.script,
        name.LANGUAGE: known.language,
        name.REQUEST_CHARACTERS: answer.prompt.characters if request else None,
        name.RESPONSE_CHARACTERS: reading.characters if reading.choices else None,
    }
    return {**facts, **examine(answer)} if judged and outcome == "ok" and reading.choices else facts


def _choice(read: ChoiceRead) -> Choice:
    from farebox.detectors import Call, Choice

    return Choice(
        text="".join(read.pieces),
        calls=tuple(Call(call.name, "".join(call.arguments), call.json) for call in read.tools.values()),
        stop_reason=read.stop_reason,
        refusal="".join(read.refusal),
        other=read.other,
    )
