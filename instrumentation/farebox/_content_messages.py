"""Turns a request and its answer into messages as OpenTelemetry's conventions have them, whichever API they are of.

Requests and answers are told apart by their fields: `messages`, `input` or `prompt`; `choices`, `content` or `output`.
Source: github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-events.md, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from farebox._content_parts import Part, parts_of, tool_call
from farebox._content_texts import Texts
from farebox._reading import mapping, sequence, text

__all__ = ["Message", "asked_last_first", "output_messages", "system_instructions", "tool_definitions"]

Message = dict[str, Any]

_ROLES = frozenset({"assistant", "developer", "function", "model", "system", "tool", "user"})


def system_instructions(request: Mapping[str, Any], texts: Texts) -> list[Part]:
    """Return the instructions that stand beside the messages; those among them stay there."""
    return [part for name in ("system", "instructions") for part in parts_of(request.get(name), texts)]


def asked_last_first(request: Mapping[str, Any], texts: Texts) -> Iterator[Message | None]:
    """Yield the messages that were sent, the last one first, each made when it is asked for; None: an empty one."""
    messages = request.get("messages")
    if isinstance(messages, list):
        for each in reversed(messages):
            yield _message(mapping(each), texts)
        return
    asked = request.get("input", request.get("prompt"))
    if isinstance(asked, str | Mapping):
        asked = [asked]
    for each in reversed(list(_runs(asked))):
        yield _item(each, texts)


def tool_definitions(request: Mapping[str, Any], texts: Texts) -> list[Part]:
    """Return the tools that were offered, in the spelling of functions where they are any."""
    found = [*sequence(request.get("tools")), *sequence(request.get("functions"))]
    return [_definition(mapping(tool), texts) for tool in found]


def output_messages(answer: Mapping[str, Any], texts: Texts) -> list[Message]:
    """Return the messages that came back, one a choice; of a cut stream what was seen of them."""
    if isinstance(answer.get("choices"), list):
        made = [_choice(mapping(each), texts) for each in answer["choices"]]
    elif isinstance(answer.get("content"), list):
        made = [_answered(parts_of(answer["content"], texts), answer.get("stop_reason"))]
    elif isinstance(answer.get("output"), list):
        pieces = [part for item in answer["output"] for part in _item_parts(mapping(item), texts)]
        reason = mapping(answer.get("incomplete_details")).get("reason") or answer.get("status")
        made = [_answered(pieces, reason)]
    elif "embedding" not in mapping(next(iter(sequence(answer.get("data"))), None)):
        images = [{"type": "image_generation_call", **mapping(each)} for each in sequence(answer.get("data"))]
        made = [_answered(parts_of([*images, answer.get("text")], texts), None)]
    else:
        made = []
    return [message for message in made if message["parts"]]


def _message(message: Mapping[str, Any], texts: Texts) -> Message | None:
    role = _role(message, "user")
    if role in ("tool", "function") and "tool_calls" not in message:
        result = {
            "type": "function_call_output",
            "call_id": message.get("tool_call_id"),
            "output": message.get("content"),
        }
        parts = parts_of(result, texts)
    else:
        parts = _said(message, texts)
    name = text(message.get("name"))
    clean = texts.text(name) if name is not None else None
    made = {"role": role, "parts": parts, **({} if clean is None else {"name": clean})}
    return made if parts else None


def _said(message: Mapping[str, Any], texts: Texts) -> list[Part]:
    """Return the parts of a chat message: thinking, content and calls stand in fields of their own there."""
    thinking = text(message.get("reasoning_content")) or text(message.get("reasoning"))
    parts = parts_of({"type": "thinking", "thinking": thinking}, texts) if thinking else []
    parts += parts_of(message.get("content"), texts)
    parts += parts_of({"type": "refusal", "refusal": message.get("refusal")}, texts) if message.get("refusal") else []
    if mapping(message.get("audio")):
        parts += parts_of({**message["audio"], "type": "audio"}, texts)
    parts += parts_of(message.get("images"), texts)
    for call in map(mapping, sequence(message.get("tool_calls"))):
        called = mapping(call.get("function")) or mapping(call.get("custom"))
        parts.append(tool_call(call.get("id"), called.get("name"), called.get("arguments", called.get("input")), texts))
    legacy = mapping(message.get("function_call"))
    if legacy:
        parts.append(tool_call(None, legacy.get("name"), legacy.get("arguments"), texts))
    return parts


def _choice(choice: Mapping[str, Any], texts: Texts) -> Message:
    message = mapping(choice.get("message"))
    parts = _said(message, texts) if message else parts_of(choice.get("text"), texts)
    return _answered(parts, choice.get("finish_reason"))


def _answered(parts: list[Part], reason: Any) -> Message:
    return {"role": "assistant", "parts": parts, **({"finish_reason": reason} if text(reason) else {})}


def _runs(asked: Any) -> Iterator[Any]:
    """Yield the items of an input; tokens, which come as numbers, as one piece that says how many."""
    for numbers, run in groupby(sequence(asked), key=lambda each: isinstance(each, int)):
        if numbers:
            yield {"type": "tokens", "count": sum(1 for _ in run)}
        else:
            yield from ({"type": "tokens", "count": len(each)} if isinstance(each, list) else each for each in run)


def _item(item: Any, texts: Texts) -> Message | None:
    """Return an item of an input as a message: a text, a message, a call or its result, or the model's thoughts."""
    if isinstance(item, str):
        parts, role = parts_of(item, texts), "user"
    else:
        parts, role = _item_parts(mapping(item), texts), _role(mapping(item), "user")
    return {"role": role, "parts": parts} if parts else None


def _item_parts(item: Mapping[str, Any], texts: Texts) -> list[Part]:
    if item.get("type") in ("message", None) and "content" in item:
        return parts_of(item.get("content"), texts)
    return parts_of({"type": "prompt_template", **item}, texts)


def _role(item: Mapping[str, Any], default: str) -> str:
    role = item.get("role")
    if isinstance(role, str) and role in _ROLES:
        return role
    kind = text(item.get("type")) or ""
    if kind.endswith("_output"):
        return "tool"
    return "assistant" if kind.endswith("_call") or kind in ("reasoning", "compaction") else default


def _definition(tool: Mapping[str, Any], texts: Texts) -> Part:
    """Return a tool's definition; Anthropic's own tools and OpenAI's built-in ones keep their type and settings."""
    function = mapping(tool.get("function")) or mapping(tool.get("custom")) or tool
    kind = texts.name(tool.get("type"))
    schema = function.get("parameters", function.get("input_schema"))
    made: Part = {
        "type": "function" if kind in (None, "custom") and schema is not None else kind or "function",
        "name": texts.name(function.get("name")) or kind or "",
    }
    told = text(function.get("description"))
    if told is not None and (clean := texts.text(told)) is not None:
        made["description"] = clean
    if isinstance(schema, Mapping):
        made["parameters"] = texts.fields(schema)
    if function is tool and schema is None:
        rest = {key: value for key, value in tool.items() if key not in ("type", "name", "description")}
        made |= texts.fields(rest)
    return made
