"""Tell whether a model wrote a tool call into its answer instead of making it.

Definition: tools were on offer, the answer makes no call, and its text holds one: in a model's own call syntax
(`<tool_call>`, `<function=…>`, `[TOOL_CALLS]`, `Action:`/`Action Input:` and such), as a JSON object that names
an offered tool and gives it arguments, or as nothing but `tool(…)`. The caller runs none of it.
Source: the chat templates of Qwen, Llama, Mistral, DeepSeek, Hermes, Phi, Gemma and gpt-oss; ReAct prompts.
Measured: precision 1.000 (0.785-1.000), recall 1.000 (0.785-1.000), false positives 0.000 (0.000-0.259) on 25
labelled answers (ours).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from farebox.detectors._answer import Answer, Choice
from farebox.detectors._finding import Finding
from farebox.detectors._limits import TEXT_CHARACTERS_MAX, NotCheckedError
from farebox.detectors._request import Tool

__all__ = ["check"]

# The beginning of a call in some model's syntax; what follows within a little must name a tool.
_MARK = re.compile(
    r"<(?:tool_calls?|function_calls?|toolcalls?|tool_use|tool_code)>|<function=|<(?:\w{1,12}:)?invoke name=|"
    r"\[TOOL_(?:CALLS|REQUEST)\]|<\|(?:python_tag|tool_calls?(?:_section)?_begin|tool_call|plugin)\|?>|"
    r"<｜tool▁calls?▁begin｜>|\bto=functions\.|\bfunctools\[|^```tool_(?:code|calls?)|^Action:",
    re.MULTILINE,
)
# One of these is in every mark; looking for them takes a twentieth of the time.
_MARK_SIGNS = ("<", "[TOOL_", "functions.", "functools[", "```tool_", "Action:")
_NAME = re.compile(r"[\w-]{1,64}")
_AFTER_MARK = 400
_NAMED = re.compile(
    r"""^[ \t\[{]{0,8}[^\n]{0,40}?["'](?:name|tool|tool_name|function|function_name|recipient_name|action)["']"""
    r"""\s{0,8}:\s{0,8}["'](?:functions\.)?([\w.-]{1,64})["']""",
    re.MULTILINE,
)
_GIVEN = re.compile(r"""["'](?:arguments|parameters|args|input|tool_input|action_input|params)["']\s{0,8}:""")
_AFTER_NAME = 200
_ONLY_A_CALL = re.compile(r"\[?\s{0,8}(?:print\()?(?:functions\.|default_api\.)?([\w.-]{1,64})\(")
_CALL_END = re.compile(r"\)[\])\s]{0,8}$")


def check(answer: Answer) -> Finding | None:
    """Judge the answers that make no call; does not apply when no tool was on offer."""
    tools = answer.tools.tools
    if not tools or answer.request.get("tool_choice") == "none":
        return None
    texts = [choice for choice in answer.texts if not choice.calls]
    if any(len(choice.text) > TEXT_CHARACTERS_MAX for choice in texts):
        raise NotCheckedError("TEXT_CHARACTERS_MAX")
    return Finding.of(any(_written(choice, tools, answer.output.json) for choice in texts))


def _written(choice: Choice, tools: Mapping[str, Tool], wants_json: bool) -> bool:
    text = choice.text
    marks = _MARK.finditer(text) if any(sign in text for sign in _MARK_SIGNS) else ()
    for mark in marks:
        if not tools.keys().isdisjoint(_NAME.findall(text, mark.end(), mark.end() + _AFTER_MARK)):
            return True
    if not wants_json and _GIVEN.search(text):
        for named in _NAMED.finditer(text):
            if named.group(1) in tools and _GIVEN.search(
                text, max(0, named.start() - _AFTER_NAME), named.end() + _AFTER_NAME
            ):
                return True
    bare = choice.blocks[0].code.strip() if len(choice.blocks) == 1 and not choice.prose.strip() else text.strip()
    only = _ONLY_A_CALL.match(bare)
    return only is not None and only.group(1) in tools and _CALL_END.search(bare[-16:]) is not None
