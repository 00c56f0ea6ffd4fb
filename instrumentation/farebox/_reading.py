"""What a response says, in plain data, whichever provider and shape it came in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from farebox._usage import TokenUsage

__all__ = ["Background", "BilledApart", "Choice", "Reader", "Reading", "ToolCall", "mapping", "sequence", "text"]


@dataclass(slots=True)
class ToolCall:
    """A call the model asks the caller to run; `arguments` is the raw JSON text, or free text where `json` is False."""

    name: str = ""
    arguments: list[str] = field(default_factory=list)
    json: bool = True


@dataclass(slots=True)
class Choice:
    """One alternative answer: pieces of its text, its tool calls, why it stopped (None: not yet).

    other: it holds something besides text, thinking and calls, such as an image or what the provider's own tools did.
    """

    pieces: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    tools: dict[Any, ToolCall] = field(default_factory=dict)
    stop_reason: str | None = None
    other: bool = False

    def tool(self, key: Any) -> ToolCall:
        return self.tools.setdefault(key, ToolCall())


@dataclass(frozen=True, slots=True)
class BilledApart:
    """A pass that is billed beside the answer: its place among the passes, its kind, its own model and usage."""

    index: int
    kind: str
    model: str | None
    usage: TokenUsage


@dataclass(frozen=True, slots=True)
class Background:
    """That a response was made in the background, by its own word: how far it is, and its times in ns since 1970."""

    status: str
    created_ns: int | None
    completed_ns: int | None


@dataclass(slots=True)
class Reading:
    """One response read.

    complete: the provider said that it was done, so usage is final.
    first_token: index of the chunk that brought the first token of a stream, None if none came.
    error: the provider's error object, in the body or in the stream.
    background: it is billed as a response of its own, whoever reads it.
    """

    response_id: str | None = None
    model: str | None = None
    usage: TokenUsage | None = None
    choices: dict[int, Choice] = field(default_factory=dict)
    complete: bool = False
    error: Mapping[str, Any] | None = None
    first_token: int | None = None
    service_tier: str | None = None
    speed: str | None = None
    region: str | None = None
    thinking_characters: int = 0
    apart: list[BilledApart] = field(default_factory=list)
    background: Background | None = None

    def choice(self, index: int = 0) -> Choice:
        found = self.choices.get(index)
        if found is None:
            found = self.choices[index] = Choice()
        return found

    @property
    def stop_reasons(self) -> list[str]:
        return [each.stop_reason for each in self.choices.values() if each.stop_reason]

    @property
    def tools(self) -> list[ToolCall]:
        return [call for each in self.choices.values() for call in each.tools.values()]

    @property
    def characters(self) -> int:
        """Characters of answer, tool arguments and visible thinking."""
        answer = sum(len(piece) for each in self.choices.values() for piece in (*each.pieces, *each.refusal))
        arguments = sum(len(piece) for call in self.tools for piece in call.arguments)
        return answer + arguments + self.thinking_characters


class Reader:
    """Reads one shape: a whole body, or a stream event by event; `finish` returns the Reading."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.reading = Reading()

    def body(self, body: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def event(self, event: Mapping[str, Any], chunk: int) -> None:
        raise NotImplementedError

    def done(self) -> None:
        """The stream said `[DONE]`."""
        self.reading.complete = True

    def finish(self) -> Reading:
        return self.reading


ReaderFactory = Callable[[str], Reader]


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, or an empty one in place of anything else: hosts send null, text and lists."""
    # Nearly all are one of these two; asking the abstract class takes ten times as long.
    if value is None:
        return {}
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def sequence(value: Any) -> Iterable[Any]:
    """Return a JSON array, or an empty one in place of anything else."""
    return value if isinstance(value, list) else ()


def text(value: Any) -> str | None:
    """Return non-empty text, None in place of anything else."""
    return value if isinstance(value, str) and value else None
