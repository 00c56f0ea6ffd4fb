"""Decides what a simulated model answers: prose, code, JSON or tool calls, good or bad by its habits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from farebox_demo.providers._dice import Dice
from farebox_demo.providers._malformed import malformed
from farebox_demo.providers._phrases import (
    CITATIONS,
    CLARIFICATIONS,
    DISCLAIMERS,
    INVENTED_FUNCTIONS,
    INVENTED_MODULES,
    REAL_FUNCTIONS,
    REFUSALS,
    SENTENCES,
)
from farebox_demo.providers._terms import Ask, Reply, ToolCall

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
PROSE_KEYS = {"message", "note", "reason", "summary"}
CODE = re.compile(r"\bPython\b")
LOOP_CHARACTERS = 700
# A caller who leaves less room than this cuts the answer short: nothing can be said of its habits.
ROOM_TOKENS_MIN = 100

CODE_TEMPLATE = """```python
import {module}
import {own}


def summarise(rows):
    totals = {{}}
    for row in {own}.{call}:
        totals[row["customer"]] = totals.get(row["customer"], 0) + row["amount"]
    return {module}, sorted(totals.items(), key=lambda pair: -pair[1])
```"""


class _Model:
    """The model at work on one answer: throws for its habits, and notes which had a chance and which showed."""

    def __init__(self, ask: Ask, dice: Dice) -> None:
        self.ask, self.dice = ask, dice
        self.chances: list[str] = []
        self.shown: list[str] = []

    def lapses(self, habit: str, throw: str = "") -> bool:
        """Tell whether a habit shows now; `throw` names the throw where there are several for one habit."""
        self.chances.append(habit)
        shows = self.dice.chance(throw or habit, getattr(self.ask.model.habits, habit))
        if shows:
            self.shown.append(habit)
        return shows


def compose(ask: Ask, dice: Dice) -> Reply:
    """Answer one request; the same request and dice always give the same answer."""
    model = _Model(ask, dice)
    reply = _answer(model)
    reply.habits = model.shown
    reply.chances = model.chances if ask.max_tokens >= ROOM_TOKENS_MIN else []
    if reply.stop != "refusal" and ask.model.reasoning_tokens_max:
        thought = dice.between("reasoning", 8, ask.model.reasoning_tokens_max)
        reply.reasoning_tokens = min(thought, max(ask.max_tokens - 1, 0))  # it is part of the output
    return _within_limit(ask, reply)


def _answer(model: _Model) -> Reply:
    if model.lapses("refusal_by_api"):
        return Reply(stop="refusal")
    if model.lapses("empty"):
        return Reply()
    if model.lapses("refusal_in_text"):
        return Reply(model.dice.pick("refusal", REFUSALS))
    return _call_tools(model) if model.ask.tools and _wants_tool(model.ask, model.dice) else _say(model)


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


def _say(model: _Model) -> Reply:
    ask = model.ask
    if ask.json_schema is not None:
        return Reply(_json(model, ask.json_schema))
    if CODE.search(ask.question):
        return Reply(_code(model))
    limit = WORD_LIMIT.search(ask.question)
    if limit:
        return Reply(_brief(model, int(limit[1])))
    if model.lapses("clarifying_question"):
        return Reply(model.dice.pick("clarification", CLARIFICATIONS))
    return Reply(_prose(model))


def _code(model: _Model) -> str:
    dice = model.dice
    module = dice.pick("module", INVENTED_MODULES) if model.lapses("invented_import") else "pathlib"
    functions = INVENTED_FUNCTIONS if model.lapses("invented_function") else REAL_FUNCTIONS
    own, call = dice.pick("function", functions)
    return CODE_TEMPLATE.format(module=module, own=own, call=call)


def _prose(model: _Model) -> str:
    dice = model.dice
    language = _language(model.ask.question)
    if language != "en" and model.lapses("wrong_language"):
        language = "en"
    space = " " if language in {"en", "ar"} else ""
    bank = SENTENCES[language]
    if model.lapses("loop"):
        sentence = dice.pick("sentence0", bank) + space
        return (sentence * (LOOP_CHARACTERS // len(sentence) + 1)).rstrip()
    if space and model.lapses("runs_on"):
        return _ramble(model, " ".join(bank).split())
    shuffled = sorted(bank, key=dice.throw)  # no sentence twice
    text = space.join(shuffled[: dice.between("sentences", 2, 8)])
    if model.lapses("disclaimer"):
        text = f"{text} {dice.pick('which disclaimer', DISCLAIMERS)}"
    if model.lapses("invented_citation"):
        text = f"{text} {dice.pick('citation', CITATIONS).format(n=dice.between('article', 100, 9999))}"
    return text


def _ramble(model: _Model, words: Sequence[str]) -> str:
    """Go on and on without repeating a sentence, past the last token that is allowed."""
    text = words[0]
    while model.ask.model.count(text) <= model.ask.max_tokens:
        text += " " + model.dice.pick(f"word{len(text)}", words)
    return text


def _brief(model: _Model, words_max: int) -> str:
    dice, broken = model.dice, model.lapses("broken_constraint")
    words: list[str] = []
    while len(words) < 2 * words_max:
        words += dice.pick(f"sentence{len(words)}", SENTENCES["en"]).split()
    kept = words[: 2 * words_max if broken else max(words_max - dice.between("spare", 1, 5), 1)]
    return " ".join(kept).rstrip(".,:") + "."


def _language(text: str) -> str:
    return next((name for name, script in SCRIPTS if script.search(text)), "en")


def _json(model: _Model, schema: Mapping[str, Any]) -> str:
    value = _instance(schema, model.dice, "json")
    names = _required(schema)
    if names and model.lapses("incomplete_json"):
        del value[model.dice.pick("missing key", names)]
        return _dump(value)
    text = _dump(value)
    return text[: len(text) * 2 // 3] if model.lapses("truncated_json") else text


# --- tool calls --------------------------------------------------------------------------------------------


def _call_tools(model: _Model) -> Reply:
    ask, dice = model.ask, model.dice
    tools = [dice.pick("tool0", ask.tools)]
    if model.lapses("tool_call_in_text"):
        arguments = _instance(tools[0].schema, dice, "tool0")
        return Reply(f"<tool_call>\n{_dump({'name': tools[0].name, 'arguments': arguments})}\n</tool_call>")
    if dice.chance("parallel", PARALLEL_TOOL_USE):
        tools.append(dice.pick("tool1", ask.tools))
    reply, padded = Reply(stop="tool"), False
    for index, tool in enumerate(tools):
        value = _instance(tool.schema, dice, f"tool{index}")
        call = ToolCall(tool.name, _dump(value))
        if model.lapses("malformed_tool_call", f"malformed{index}"):
            kind, call = malformed(tool, call, dice, f"malformation{index}", as_text=ask.arguments_are_text)
            model.shown[-1] = f"malformed_tool_call.{kind}"
        elif not padded and "additionalProperties" not in tool.schema:
            padded = True  # one chance an answer
            if model.lapses("extra_argument"):
                call = ToolCall(tool.name, _dump({**value, "confidence": dice.between("confidence", 1, 100)}))
        reply.tool_calls.append(call)
    return reply


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
