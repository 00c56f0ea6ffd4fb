"""Put one answer before the detectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farebox import semconv as name
from farebox._reading import Choice as ChoiceRead
from farebox._reading import Reading
from farebox.detectors import Answer, Call, Choice, examine
from farebox.detectors._language import prompt_language
from farebox.detectors._registry import enabled
from farebox.detectors._request import prompt_of

__all__ = ["judge"]


def judge(reading: Reading, outcome: str, request: Mapping[str, Any], route: str) -> dict[str, Any]:
    """Return flags and checked of an answer that came whole, and the facts known of any prompt."""
    prompt = prompt_of(request)
    known = prompt_language(prompt)
    facts = {
        name.SCRIPT: known.script,
        name.LANGUAGE: known.language,
        name.REQUEST_CHARACTERS: prompt.characters if request else None,
        name.RESPONSE_CHARACTERS: reading.characters if reading.choices else None,
    }
    if outcome != "ok" or not reading.choices or not enabled(route):
        return facts
    usage = reading.usage
    answer = Answer(
        request=request,
        choices=tuple(map(_choice, reading.choices.values())),
        route=route,
        input_tokens=usage.input_total if usage is not None else None,
        output_tokens=usage.output_total if usage is not None else None,
        searched=usage is not None and bool(usage.leaves.get("web_search_requests")),
    )
    return {**facts, **examine(answer)}


def _choice(read: ChoiceRead) -> Choice:
    return Choice(
        text="".join(read.pieces),
        calls=tuple(Call(call.name, "".join(call.arguments), call.json) for call in read.tools.values()),
        stop_reason=read.stop_reason,
        refusal="".join(read.refusal),
        other=read.other,
    )
