"""Read Anthropic messages, whole and streamed.

Counts in `message_delta` are cumulative and lack the 5m/1h split, so they are laid over those of `message_start`.
Source: anthropic 2.12 types/usage.py and types/message_delta_usage.py; recorded traffic, November 2026.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from farebox._iterations import billed_apart
from farebox._reading import Choice, Reader, Reading, mapping, sequence, text
from farebox._usage import anthropic_usage

__all__ = ["AnthropicReader"]

_NOT_A_REGION = frozenset({"not_available", "global"})
_NO_CONTENT = frozenset({"redacted_thinking", "compaction", "fallback", None})


class AnthropicReader(Reader):
    """Reads one Messages response; content blocks of one message are one choice."""

    def __init__(self, provider: str) -> None:
        super().__init__(provider)
        self._usage: dict[str, Any] = {}

    def body(self, body: Mapping[str, Any]) -> None:
        self._message(body)
        self._stop(body)
        self.reading.complete = body.get("type") != "error" and "usage" in body

    def event(self, event: Mapping[str, Any], chunk: int) -> None:
        match event.get("type"):
            case "content_block_delta":
                self._delta(event.get("index"), mapping(event.get("delta")), chunk)
            case "content_block_start":
                self._block(event.get("index"), mapping(event.get("content_block")))
            case "message_start":
                self._message(mapping(event.get("message")))
            case "message_delta":
                self._lay(mapping(event.get("usage")))
                self._stop(mapping(event.get("delta")))
                self.reading.complete = self.reading.complete or bool(self.reading.choice().stop_reason)
            case "message_stop":
                self.reading.complete = True
            case "error":
                self.reading.error = mapping(event.get("error"))

    def finish(self) -> Reading:
        if self._usage:
            self.reading.usage = anthropic_usage(self._usage)
            self.reading.service_tier = text(self._usage.get("service_tier"))
            self.reading.speed = text(self._usage.get("speed"))
            region = text(self._usage.get("inference_geo"))
            self.reading.region = None if region in _NOT_A_REGION else region
            self.reading.apart = billed_apart(sequence(self._usage.get("iterations")), self._usage, self.reading.model)
        return self.reading

    def _message(self, message: Mapping[str, Any]) -> None:
        reading = self.reading
        reading.response_id = text(message.get("id")) or reading.response_id
        reading.model = text(message.get("model")) or reading.model
        if message.get("type") == "error":
            reading.error = mapping(message.get("error"))
        self._lay(mapping(message.get("usage")))
        for index, block in enumerate(sequence(message.get("content"))):
            self._block(index, mapping(block))

    def _lay(self, usage: Mapping[str, Any]) -> None:
        """Lay later counts over earlier ones; an absent or null field leaves what was known."""
        self._usage.update({name: value for name, value in usage.items() if value is not None})

    def _stop(self, where: Mapping[str, Any]) -> None:
        reason = text(where.get("stop_reason"))
        if reason:
            self.reading.choice().stop_reason = reason

    def _block(self, index: Any, block: Mapping[str, Any]) -> None:
        choice: Choice = self.reading.choice()
        match block.get("type"):
            case "text":
                if block.get("text"):
                    choice.pieces.append(str(block["text"]))
            case "thinking":
                self.reading.thinking_characters += len(text(block.get("thinking")) or "")
            case "tool_use":
                call = choice.tool(index)
                call.name = text(block.get("name")) or ""
                if block.get("input") not in (None, "", {}):  # a stream begins with an empty one
                    call.arguments.append(json.dumps(block["input"], default=float, ensure_ascii=False))
            case kind if kind not in _NO_CONTENT:
                choice.other = True

    def _delta(self, index: Any, delta: Mapping[str, Any], chunk: int) -> None:
        if self.reading.first_token is None:
            self.reading.first_token = chunk
        match delta.get("type"):
            case "text_delta":
                self.reading.choice().pieces.append(text(delta.get("text")) or "")
            case "input_json_delta":
                tools = self.reading.choice().tools
                if index in tools:  # server tools stream their input too; the caller does not run those
                    tools[index].arguments.append(text(delta.get("partial_json")) or "")
            case "thinking_delta":
                self.reading.thinking_characters += len(text(delta.get("thinking")) or "")
