"""Short ways to build the answers that detectors judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from farebox.detectors import Answer, Call, Choice, examine

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "minimum": 1},
        "unit": {"enum": ["celsius", "fahrenheit"]},
        "near": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["city"],
    "additionalProperties": False,
}


def tool(name: str = "get_weather", schema: Mapping[str, Any] | None = WEATHER) -> dict[str, Any]:
    """A tool as OpenAI's chat completions take it."""
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def request(prompt: str = "Hello", *, system: str = "", **fields: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": system}] if system else []
    return {"model": "m", "messages": [*messages, {"role": "user", "content": prompt}], **fields}


def answer(text: str = "", prompt: str = "Hello", *, stop: str = "stop", **fields: Any) -> Answer:
    """A chat completion with one choice of text."""
    return Answer(request(prompt, **fields), (Choice(text, stop_reason=stop),))


def calling(*calls: tuple[str, str], tools: Sequence[Mapping[str, Any]] | None = None, **fields: Any) -> Answer:
    """A chat completion that calls tools, with raw arguments."""
    offered = [tool()] if tools is None else list(tools)
    made = tuple(Call(name, arguments) for name, arguments in calls)
    return Answer(request(tools=offered, **fields), (Choice(calls=made, stop_reason="tool_calls"),))


def flags(judged: Answer) -> list[str]:
    """The flags that all detectors together give."""
    return list(examine(judged)["farebox.flags"] or [])


def checked(judged: Answer) -> list[str]:
    """The detectors that applied."""
    return list(examine(judged)["farebox.checked"] or [])
