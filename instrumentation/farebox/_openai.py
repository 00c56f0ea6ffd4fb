"""Read OpenAI's chat completions, completions, embeddings and responses, and those of compatible hosts.

Hosts differ in where usage stands in a stream: in a last chunk without choices, in the last one with, in every chunk
(cumulative), or twice; the last one seen counts and nothing is summed. Source: recorded traffic, November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farebox._reading import Background, Choice, Reader, Reading, mapping, sequence, text
from farebox._times import epoch_ns
from farebox._tool_usage import images_apart
from farebox._usage import openai_usage

__all__ = ["ChatReader", "EmbeddingsReader", "ResponsesReader"]


class ChatReader(Reader):
    """Reads chat completions and the older text completions."""

    def __init__(self, provider: str) -> None:
        super().__init__(provider)
        self._usage: dict[str, Any] = {}

    def body(self, body: Mapping[str, Any]) -> None:
        self._head(body)
        for position, choice in enumerate(sequence(body.get("choices"))):
            self._choice(mapping(choice), position, "message", 0)
        self.reading.complete = bool(self._usage) or bool(self.reading.choices)

    def event(self, event: Mapping[str, Any], chunk: int) -> None:
        self._head(event)
        for choice in sequence(event.get("choices")):
            self._choice(mapping(choice), 0, "delta", chunk)

    def done(self) -> None:
        # A host that fails inside a stream may still say [DONE].
        self.reading.complete = self.reading.error is None

    def finish(self) -> Reading:
        reading = self.reading
        if self._usage:
            reading.usage = openai_usage(self._usage, provider=self.provider)
        if reading.choices and reading.error is None and all(each.stop_reason for each in reading.choices.values()):
            reading.complete = True
        return reading

    def _head(self, part: Mapping[str, Any]) -> None:
        reading = self.reading
        reading.response_id = text(part.get("id")) or reading.response_id
        reading.model = text(part.get("model")) or reading.model
        reading.service_tier = text(part.get("service_tier")) or reading.service_tier
        usage = mapping(part.get("usage")) or mapping(mapping(part.get("x_groq")).get("usage"))
        if usage:
            self._usage.update({name: value for name, value in usage.items() if value is not None})
            reading.service_tier = text(usage.get("service_tier")) or reading.service_tier
        if part.get("error"):
            reading.error = mapping(part["error"]) or {"message": str(part["error"])}

    def _choice(self, choice: Mapping[str, Any], position: int, where: str, chunk: int) -> None:
        index = choice.get("index")
        found = self.reading.choice(index if isinstance(index, int) else position)
        reason = text(choice.get("finish_reason"))
        if reason:
            found.stop_reason = reason
        message = mapping(choice.get(where))
        if self._take(found, message, choice) and self.reading.first_token is None:
            self.reading.first_token = chunk

    def _take(self, found: Choice, message: Mapping[str, Any], choice: Mapping[str, Any]) -> bool:
        """Take text, refusal and tool calls over; tell whether any token came with them."""
        came = False
        for piece in _pieces(message.get("content")) or _pieces(choice.get("text")):
            found.pieces.append(piece)
            came = True
        if text(message.get("refusal")):
            found.refusal.append(message["refusal"])
            came = True
        for name in ("reasoning_content", "reasoning"):
            thinking = text(message.get(name))
            if thinking:
                self.reading.thinking_characters += len(thinking)
                came = True
                break
        for position, call in enumerate(sequence(message.get("tool_calls"))):
            self._tool(found, mapping(call), position)
            came = True
        found.other = found.other or bool(message.get("audio") or message.get("images"))
        legacy = mapping(message.get("function_call"))
        if legacy:
            self._tool(found, {"index": "function_call", "function": legacy}, 0)
            came = True
        return came

    @staticmethod
    def _tool(found: Choice, call: Mapping[str, Any], position: int) -> None:
        key = call.get("index")
        tool = found.tool(position if key is None else key)
        function = mapping(call.get("function")) or mapping(call.get("custom"))
        tool.name = tool.name or text(function.get("name")) or ""
        tool.json = tool.json and not call.get("custom")
        arguments = text(function.get("arguments")) or text(function.get("input"))
        if arguments:
            tool.arguments.append(arguments)


class EmbeddingsReader(Reader):
    """Reads embeddings: usage has an input side alone. The vectors are not kept."""

    def body(self, body: Mapping[str, Any]) -> None:
        reading = self.reading
        reading.response_id = text(body.get("id"))
        reading.model = text(body.get("model"))
        usage = mapping(body.get("usage"))
        if usage:
            reading.usage = openai_usage(usage, provider=self.provider, embeddings=True)
            reading.complete = True
        if body.get("error"):
            reading.error = mapping(body["error"])

    def event(self, event: Mapping[str, Any], chunk: int) -> None:
        """Embeddings are not streamed."""


# Items of a response that the caller is asked to run.
_CLIENT_CALLS = frozenset(
    {
        "function_call",
        "custom_tool_call",
        "local_shell_call",
        "shell_call",
        "apply_patch_call",
        "computer_call",
    }
)
_BEGUN = frozenset({"queued", "in_progress"})
_FINAL = frozenset({"completed", "incomplete", "failed", "cancelled"})


class ResponsesReader(Reader):
    """Reads the Responses API; its terminal event repeats the whole response."""

    def body(self, body: Mapping[str, Any]) -> None:
        self._response(body)
        if text(body.get("status")) in _BEGUN:  # a whole answer, which says that it comes later
            self.reading.complete = True

    def event(self, event: Mapping[str, Any], chunk: int) -> None:
        kind = text(event.get("type")) or ""
        if kind.endswith(".delta"):
            if self.reading.first_token is None:
                self.reading.first_token = chunk
            if kind in ("response.output_text.delta", "response.refusal.delta"):
                choice = self.reading.choice()
                pieces = choice.pieces if "text" in kind else choice.refusal
                pieces.append(text(event.get("delta")) or "")
        elif kind == "error":
            self.reading.error = mapping(event.get("error")) or event
        elif isinstance(event.get("response"), Mapping):
            self._response(event["response"])

    def done(self) -> None:
        """Some hosts close with [DONE]; the terminal event has already said what counts."""

    def _response(self, response: Mapping[str, Any]) -> None:
        reading = self.reading
        reading.response_id = text(response.get("id")) or reading.response_id
        reading.model = text(response.get("model")) or reading.model
        reading.service_tier = text(response.get("service_tier")) or reading.service_tier
        if response.get("error"):
            reading.error = mapping(response["error"])
        if response.get("background") is True:
            times = (epoch_ns(response.get(name)) for name in ("created_at", "completed_at"))
            reading.background = Background(text(response.get("status")) or "", *times)
        usage = mapping(response.get("usage"))
        if usage:
            reading.usage = openai_usage(usage, provider=self.provider)
            searches = mapping(mapping(response.get("tool_usage")).get("web_search")).get("num_requests")
            if isinstance(searches, int):
                reading.usage.leaves.setdefault("web_search_requests", searches)
        reading.apart = images_apart(response)
        status = text(response.get("status"))
        reading.complete = status in _FINAL or (bool(usage) and status is None)
        if reading.complete:
            self._final(response, status)

    def _final(self, response: Mapping[str, Any], status: str | None) -> None:
        choice = self.reading.choice()
        choice.stop_reason = text(mapping(response.get("incomplete_details")).get("reason")) or status
        output = list(sequence(response.get("output")))
        if output:
            choice.pieces.clear()
            choice.refusal.clear()
            choice.tools.clear()
        for position, item in enumerate(map(mapping, output)):
            kind = item.get("type")
            if kind in _CLIENT_CALLS:
                tool = choice.tool(position)
                tool.name = text(item.get("name")) or str(kind)
                tool.json = kind == "function_call"
                tool.arguments = [text(item.get("arguments")) or text(item.get("input")) or ""]
            elif kind == "message":
                for part in map(mapping, sequence(item.get("content"))):
                    choice.pieces.extend(_pieces(part.get("text")))
                    choice.refusal.extend(_pieces(part.get("refusal")))
            elif kind != "reasoning":
                choice.other = True


def _pieces(content: Any) -> list[str]:
    """Return the pieces of text in a content field: a string, or a list of parts."""
    if isinstance(content, str):
        return [content] if content else []
    return [part for each in sequence(content) for part in _pieces(mapping(each).get("text"))]
