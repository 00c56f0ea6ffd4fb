"""Spoils a good tool call in one of the ways in which models do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from farebox_demo.providers._dice import Dice
from farebox_demo.providers._terms import Tool, ToolCall

__all__ = ["malformed"]

# Ways that only arguments sent as text can take.
AS_TEXT = ("invalid_json", "truncated", "not_object")


def malformed(tool: Tool, call: ToolCall, dice: Dice, throw: str, *, as_text: bool) -> tuple[str, ToolCall]:
    """Return in which way, and the spoilt call; `as_text`: the arguments travel as text, so may be no JSON at all."""
    kind = dice.pick(throw, _kinds(tool.schema, as_text=as_text))
    return kind, _spoilt(kind, tool.schema, call, dice)


def _kinds(schema: Mapping[str, Any], *, as_text: bool) -> list[str]:
    properties = schema.get("properties") or {}
    kinds = ["unknown_tool", *(AS_TEXT if as_text else ())]
    if properties:
        kinds.append("type")
    if schema.get("required"):
        kinds.append("missing_required")
    if any("enum" in each for each in properties.values()):
        kinds.append("enum")
    if schema.get("additionalProperties") is False:
        kinds.append("unexpected_arg")
    return kinds


def _spoilt(kind: str, schema: Mapping[str, Any], call: ToolCall, dice: Dice) -> ToolCall:
    value = json.loads(call.arguments)
    properties = schema.get("properties") or {}
    match kind:
        case "unknown_tool":
            return ToolCall(f"{call.name}_v2", call.arguments)
        case "invalid_json":  # a value without its quotation marks
            spoilt = _dump(value[dice.pick("spoilt argument", list(value))]) if value else "}"
            return ToolCall(call.name, call.arguments.replace(spoilt, "<value>", 1))
        case "truncated":
            return ToolCall(call.name, call.arguments[: len(call.arguments) * 2 // 3])
        case "not_object":
            value = list(value.values())
        case "missing_required":
            del value[dice.pick("spoilt argument", schema["required"])]
        case "type":
            value[dice.pick("spoilt argument", list(properties))] = {"value": None}
        case "enum":
            value[next(name for name, each in properties.items() if "enum" in each)] = "something else"
        case "unexpected_arg":
            value["confidence"] = dice.between("confidence", 1, 100)
    return ToolCall(call.name, _dump(value))


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
