"""What callers ask of the router, what they get back, and how to tell a bad answer from a good one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Answer", "Problem", "Question", "Tool", "ToolCall", "problem_of"]

Problem = Literal["malformed", "refused", "truncated", "broken"]

REFUSAL_STOPS = {"refusal", "content_filter"}
TRUNCATION_STOPS = {"max_tokens", "length"}
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
REFUSAL = re.compile(r"I('m sorry, but I can't|'m not able to assist|can't provide| can't (help|provide))")


@dataclass(frozen=True)
class Tool:
    """A tool with the JSON Schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class ToolCall:
    """A tool call as the model wrote it; `arguments` None means that they were no JSON."""

    name: str
    arguments: Any


@dataclass(frozen=True)
class Question:
    """One turn of a conversation, with what the router needs to choose a model.

    `messages` are plain `{"role": ..., "content": ...}`, which all providers take. `show` makes the answer a stream:
    it gets each piece of text and says False when the reader has left. `timeout_s` is the caller's patience.
    `goes_on` says that another turn is likely, so that the conversation so far is worth caching.
    """

    route: str
    task: str
    user: str
    tenant: str
    system: str
    messages: tuple[Mapping[str, str], ...]
    tools: tuple[Tool, ...] = ()
    json_schema: Mapping[str, Any] | None = None
    goes_on: bool = False
    max_tokens: int = 600
    show: Callable[[str], bool] | None = None
    timeout_s: float | None = None

    @property
    def text(self) -> str:
        """The last message, which is the question proper."""
        return self.messages[-1]["content"]


@dataclass
class Answer:
    """What one model said; `left` says that we stopped listening before it was done, or never heard from it.

    `request_id` is the id we sent along, by which the provider's support finds a call that never answered.
    """

    model: str
    request_id: str
    text: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list)
    stop: str | None = None
    left: bool = False
    problem: Problem | None = None
    seconds: float = 0.0


def problem_of(question: Question, answer: Answer) -> Problem | None:
    """Tell what is bad about an answer, as far as code can tell: a refusal, a truncation, a broken promise of form."""
    if answer.problem is not None or answer.left:
        return answer.problem
    if answer.stop in REFUSAL_STOPS or REFUSAL.match(answer.text):
        return "refused"
    if answer.stop in TRUNCATION_STOPS:
        return "truncated"
    tools = {tool.name: tool for tool in question.tools}
    for call in answer.tool_calls:
        if call.name not in tools or not _fits(tools[call.name].schema, call.arguments):
            return "malformed"
    if question.json_schema is not None and not _fits(question.json_schema, _json(answer.text)):
        return "malformed"
    return None


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    """Check types and required names; whether the values make sense is the tool's own business."""
    kind = TYPES.get(schema.get("type", ""))
    if kind is not None and not isinstance(value, kind):
        return False
    if not isinstance(value, dict):
        return True
    properties = schema.get("properties", {})
    return all(name in value for name in schema.get("required", ())) and all(
        _fits(properties[name], each) for name, each in value.items() if name in properties
    )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
