"""What a detector sees: one request and the answers to it, in plain data, whichever provider they belong to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from farebox.detectors._code import Block, blocks_of, without_code
from farebox.detectors._json import Parsed, parse
from farebox.detectors._python import PythonCode, read_python
from farebox.detectors._request import Output, Prompt, Toolbox, output_of, prompt_of, tools_of

__all__ = ["Answer", "Call", "Choice"]

_CUT_SHORT = frozenset({"max_tokens", "length", "max_output_tokens", "model_context_window_exceeded"})
_REFUSED = frozenset({"refusal", "content_filter"})
# Some hosts leave a model's reasoning in the text, before the answer.
_REASONING = re.compile(r"\s*<(think|thinking|reasoning)>.*?</\1>\s*", re.DOTALL)


@dataclass(frozen=True)
class Call:
    """A tool call; `arguments` is the text as it came, `json` tells whether it is meant to be a JSON object."""

    name: str
    arguments: str = ""
    json: bool = True

    @cached_property
    def parsed(self) -> Parsed:
        """The arguments as JSON; no text at all is how hosts spell a call without arguments."""
        return parse(self.arguments if self.arguments.strip() else "{}")


@dataclass(frozen=True)
class Choice:
    """One of the alternative answers; reasoning that a host left before its text is taken off.

    refusal: the text of the API's own refusal field. other: there is content besides text and calls, such as an image.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    stop_reason: str | None = None
    refusal: str = ""
    other: bool = False

    def __post_init__(self) -> None:
        if "<" in self.text[:64] and (reasoning := _REASONING.match(self.text)) is not None:
            object.__setattr__(self, "text", self.text[reasoning.end() :])

    @property
    def cut_short(self) -> bool:
        """The provider says that a token limit ended the answer."""
        return self.stop_reason in _CUT_SHORT

    @property
    def refused(self) -> bool:
        """The provider itself says that the answer was refused or filtered."""
        return bool(self.refusal) or self.stop_reason in _REFUSED

    @cached_property
    def prose(self) -> str:
        """The text without its code blocks and inline code."""
        return without_code(self.text)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The fenced code blocks of the text."""
        return blocks_of(self.text)

    @cached_property
    def python(self) -> PythonCode | None:
        """What the Python code in the text imports and uses; a text that is nothing but code counts as one block."""
        return read_python(self.blocks or (Block("", self.text),))


@dataclass(frozen=True)
class Answer:
    """One request (the JSON object that was sent; empty: unknown) and what came back.

    Token counts are None where the provider reported none. searched: the provider looked things up on the web.
    """

    request: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    route: str = "default"
    input_tokens: int | None = None
    output_tokens: int | None = None
    searched: bool = False

    @property
    def text(self) -> str:
        """The text of all choices."""
        return "\n".join(choice.text for choice in self.choices if choice.text)

    @property
    def texts(self) -> list[Choice]:
        """The choices that have text, code aside or not."""
        return [choice for choice in self.choices if choice.text.strip()]

    @property
    def calls(self) -> list[Call]:
        """The tool calls of all choices."""
        return [call for choice in self.choices for call in choice.calls]

    @cached_property
    def tools(self) -> Toolbox:
        """The tools that the request offered."""
        return tools_of(self.request)

    @cached_property
    def prompt(self) -> Prompt:
        """What the request said in words."""
        return prompt_of(self.request)

    @cached_property
    def output(self) -> Output:
        """The form of answer that the request asked for by parameter."""
        return output_of(self.request)
