"""Decides what a simulated model answers: prose, code, JSON or tool calls, good or bad by its habits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from farebox_demo.providers._dice import Dice
from farebox_demo.providers._phrases import (
    CLARIFICATIONS,
    DISCLAIMERS,
    INVENTED_MODULES,
    REAL_MODULES,
    REFUSALS,
    SENTENCES,
)
from farebox_demo.providers._terms import Ask, Reply, Tool, ToolCall

__all__ = ["compose"]

TOOL_USE = 0.8
TOOL_USE_AGAIN = 0.25
PARALLEL_TOOL_USE = 0.2

SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
)
WORD_LIMIT = re.compile(r"at most (\d+) words")
MALFORMATIONS = ("invalid_json", "missing_required", "type", "unknown_tool")
PROSE_KEYS = {"message", "note", "reason", "summary"}
CODE = re.compile(r"\bPython\b")

CODE_TEMPLATE = """```python
import {module}


def summarise(rows):
    totals = {{}}
    for row in rows:
        totals[row["customer"]] = totals.get(row["customer"], 0) + row["amount"]
    return sorted(totals.items(), key=lambda pair: -pair[1])
```"""


def compose(ask: Ask, dice: Dice) -> Reply:
    """Answer one request; the same request and dice always give the same answer."""
    if dice.chance("refusal_by_api", ask.model.habits.refusal_by_api):
        return Reply(stop="refusal", habits=["refusal_by_api"])
    reply = _call_tools(ask, dice) if ask.tools and _wants_tool(ask, dice) else _say(ask, dice)
    if ask.model.reasoning_tokens_max:
        reply.reasoning_tokens = dice.between("reasoning", 8, ask.model.reasoning_tokens_max)
    return _within_limit(ask, reply)


def _wants_tool(ask: Ask, dice: Dice) -> bool:
    return dice.chance("tool_use", TOOL_USE_AGAIN if ask.after_tool else TOOL_USE)


def _within_limit(ask: Ask, reply: Reply) -> Reply:
    """Stop where max_tokens ends, in the middle of a word if need be; reasoning counts too."""
    room = max(ask.max_tokens - reply.reasoning_tokens, 1)
    kept: list[ToolCall] = []
    for index, piece in enumerate([reply.text, *(call.arguments for call in reply.tool_calls)]):
        used = ask.model.count(piece) if piece else 0
        cut = piece if used <= room else piece[: len(piece) * (room - 1) // used]
        if index == 0:
            reply.text = cut
        else:
            kept.append(ToolCall(reply.tool_calls[index - 1].name, cut))
        if used > room:
            reply.stop = "max_tokens"
            break
        room -= used
    reply.tool_calls = kept
    return reply


# --- prose, code and JSON ----------------------------------------------------------------------------------


def _say(ask: Ask, dice: Dice) -> Reply:
    habits = ask.model.habits
    if dice.chance("refusal_in_text", habits.refusal_in_text):
        return Reply(dice.pick("refusal", REFUSALS), habits=["refusal_in_text"])
    if ask.json_schema is not None:
        return _say_json(ask, ask.json_schema, dice)
    if CODE.search(ask.question):
        invented = dice.chance("invented_import", habits.invented_import)
        module = dice.pick("module", INVENTED_MODULES if invented else REAL_MODULES)
        return Reply(CODE_TEMPLATE.format(module=module), habits=["invented_import"] if invented else [])
    limit = WORD_LIMIT.search(ask.question)
    if limit:
        return _say_briefly(int(limit[1]), ask, dice)
    if dice.chance("clarifying_question", habits.clarifying_question):
        return Reply(dice.pick("clarification", CLARIFICATIONS), habits=["clarifying_question"])
    return _say_at_length(ask, dice)


def _say_at_length(ask: Ask, dice: Dice) -> Reply:
    shown = []
    language = _language(ask.question)
    if language != "en" and dice.chance("wrong_language", ask.model.habits.wrong_language):
        language = "en"
        shown.append("wrong_language")
    bank = SENTENCES[language]
    text = (" " if language in {"en", "ar"} else "").join(
        dice.pick(f"sentence{index}", bank) for index in range(dice.between("sentences", 2, 8))
    )
    if dice.chance("disclaimer", ask.model.habits.disclaimer):
        text = f"{text} {dice.pick('which disclaimer', DISCLAIMERS)}"
        shown.append("disclaimer")
    return Reply(text, habits=shown)


def _say_briefly(words_max: int, ask: Ask, dice: Dice) -> Reply:
    broken = dice.chance("broken_constraint", ask.model.habits.broken_constraint)
    words: list[str] = []
    while len(words) < 2 * words_max:
        words += dice.pick(f"sentence{len(words)}", SENTENCES["en"]).split()
    kept = words[: 2 * words_max if broken else max(words_max - dice.between("spare", 1, 5), 1)]
    return Reply(" ".join(kept).rstrip(".,:") + ".", habits=["broken_constraint"] if broken else [])


def _language(text: str) -> str:
    return next((name for name, script in SCRIPTS if script.search(text)), "en")


def _say_json(ask: Ask, schema: Mapping[str, Any], dice: Dice) -> Reply:
    value = _instance(schema, dice, "json")
    habits = ask.model.habits
    names = _required(schema)
    if names and dice.chance("incomplete_json", habits.incomplete_json):
        del value[dice.pick("missing key", names)]
        return Reply(_dump(value), habits=["incomplete_json"])
    text = _dump(value)
    if dice.chance("truncated_json", habits.truncated_json):
        return Reply(text[: len(text) * 2 // 3], habits=["truncated_json"])
    return Reply(text)


# --- tool calls --------------------------------------------------------------------------------------------


def _call_tools(ask: Ask, dice: Dice) -> Reply:
    count = 2 if dice.chance("parallel", PARALLEL_TOOL_USE) else 1
    reply = Reply(stop="tool")
    for index in range(count):
        tool = dice.pick(f"tool{index}", ask.tools)
        call = ToolCall(tool.name, _dump(_instance(tool.schema, dice, f"tool{index}")))
        if dice.chance(f"malformed{index}", ask.model.habits.malformed_tool_call):
            kinds = [kind for kind in MALFORMATIONS if ask.arguments_are_text or kind != "invalid_json"]
            kind = dice.pick(f"malformation{index}", kinds)
            call = _malformed(kind, tool, call, dice)
            reply.habits.append(f"malformed_tool_call.{kind}")
        reply.tool_calls.append(call)
    return reply


def _malformed(kind: str, tool: Tool, call: ToolCall, dice: Dice) -> ToolCall:
    """Spoil a good call in one of MALFORMATIONS' ways."""
    names = _required(tool.schema)
    if kind == "unknown_tool" or not names:
        return ToolCall(f"{call.name}_v2", call.arguments)
    value = json.loads(call.arguments)
    argument = dice.pick("spoilt argument", names)
    match kind:
        case "invalid_json":  # a value without its quotation marks
            return ToolCall(call.name, call.arguments.replace(_dump(value[argument]), "<value>", 1))
        case "missing_required":
            del value[argument]
        case "type":
            value[argument] = {"value": None}
    return ToolCall(call.name, _dump(value))


# --- values that fit a JSON Schema -------------------------------------------------------------------------


def _instance(schema: Mapping[str, Any], dice: Dice, name: str) -> Any:
    """Make up a value of the schema; knows objects, arrays, enums and the scalar types."""
    if "enum" in schema:
        return dice.pick(name, schema["enum"])
    match schema.get("type"):
        case "object":
            return {key: _instance(each, dice, f"{name}.{key}") for key, each in schema.get("properties", {}).items()}
        case "array":
            return [
                _instance(schema.get("items", {}), dice, f"{name}[{index}]")
                for index in range(dice.between(name, 1, 3))
            ]
        case "integer":
            return dice.between(name, 1, 500)
        case "number":
            return dice.between(name, 100, 90_000) / 100
        case "boolean":
            return dice.chance(name, 0.5)
    key = name.rpartition(".")[2]
    return dice.pick(name, SENTENCES["en"]) if key in PROSE_KEYS else f"{key}-{dice.between(name, 1000, 9999)}"


def _required(schema: Mapping[str, Any]) -> Sequence[str]:
    properties = schema.get("properties") or {}
    return [name for name in schema.get("required") or properties if name in properties]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
