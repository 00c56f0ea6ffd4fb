"""What is asked, answered and counted, in words both API dialects share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Protocol

from farebox_demo.providers._caches import Block
from farebox_demo.providers._hosts import Host, Model

__all__ = ["Answer", "Ask", "Dialect", "Event", "RefusedError", "Reply", "Stop", "Tool", "ToolCall", "Usage"]

Stop = Literal["end", "max_tokens", "tool", "refusal"]


class RefusedError(Exception):
    """The provider turns the request down; `kind` None stands for the error type usual for the status."""

    def __init__(self, status: int, kind: str | None, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.kind = kind


@dataclass(frozen=True)
class Tool:
    """A tool the caller offers: its name and the JSON Schema of its arguments."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Ask:
    """One request, understood; `content` is a digest of all that shapes the answer.

    `arguments_are_text` is False where tool arguments travel parsed, so that they cannot be invalid JSON.
    """

    model: Model
    content: str
    question: str
    tools: tuple[Tool, ...]
    after_tool: bool
    arguments_are_text: bool
    json_schema: Mapping[str, Any] | None
    max_tokens: int
    stream: bool
    usage_in_stream: bool
    blocks: tuple[Block, ...]

    @property
    def input_tokens(self) -> int:
        """Count the prompt's tokens."""
        return sum(block.tokens for block in self.blocks)


@dataclass(frozen=True)
class ToolCall:
    """A tool call as the model wrote it: the arguments are text and may be broken."""

    name: str
    arguments: str


@dataclass
class Reply:
    """What the model answers, and the names of the bad habits it showed, and of those it had the chance to show.

    A habit that is per tool call stands among the chances once for each call.
    """

    text: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list)
    stop: Stop = "end"
    reasoning_tokens: int = 0
    habits: list[str] = field(default_factory=list)
    chances: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Usage:
    """Tokens by the class they are billed in; no token is in two classes, and reasoning is part of output."""

    uncached_input: int
    output: int
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0

    @property
    def input_total(self) -> int:
        """Count all input tokens, cached or not."""
        return self.uncached_input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    def billed(self) -> dict[str, int]:
        """List the classes that have a price of their own."""
        return {
            "uncached_input": self.uncached_input,
            "cache_read": self.cache_read,
            "cache_write_5m": self.cache_write_5m,
            "cache_write_1h": self.cache_write_1h,
            "output": self.output,
        }


class Event(NamedTuple):
    """A piece of a stream as it goes over the wire, and whether the usage is in it."""

    data: bytes
    has_usage: bool = False


@dataclass(frozen=True)
class Answer:
    """A reply with all that a dialect needs to write it down; `created` is in seconds since 1970."""

    host: Host
    ask: Ask
    reply: Reply
    usage: Usage
    amount: Decimal
    reply_id: str
    created: int


class Dialect(Protocol):
    """How one family of APIs reads requests and writes answers; the dialects are modules."""

    def parse(self, host: Host, body: Mapping[str, Any]) -> Ask:
        """Understand a request.

        Raises:
            RefusedError: the provider would turn it down.
        """

    def whole(self, answer: Answer) -> bytes:
        """Write the answer as one JSON body."""

    def events(self, answer: Answer) -> list[Event]:
        """Write the answer as server-sent events."""

    def error(self, status: int, kind: str | None, sentence: str, request_id: str) -> bytes:
        """Write an error; `kind` None takes the one the dialect has for the status."""

    def headers(self, request_id: str) -> dict[str, str]:
        """Name the headers that every response carries."""
