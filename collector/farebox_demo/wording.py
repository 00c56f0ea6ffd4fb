"""Words a question for each vendor's API and reads its answers, streamed or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from anthropic.types import Message
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from farebox_demo.questions import Answer, Question, ToolCall

__all__ = ["Pieces", "chat_request", "claude_request", "read_completion", "read_message"]

# By this header a provider finds a call whose answer, with its own request id, never came.
REQUEST_ID_HEADER = "X-Client-Request-Id"

TIMEOUT_S = 60.0
CACHE_AN_HOUR = {"type": "ephemeral", "ttl": "1h"}
CACHE_FIVE_MINUTES = {"type": "ephemeral", "ttl": "5m"}


def claude_request(model: str, question: Question, request_id: str) -> dict[str, Any]:
    """Word a question for Anthropic: system prompts are cached for an hour, conversations for five minutes."""
    *earlier, last = question.messages
    asked: dict[str, Any] = {"type": "text", "text": last["content"]}
    if question.goes_on:
        asked["cache_control"] = CACHE_FIVE_MINUTES
    request: dict[str, Any] = {
        "model": model,
        "max_tokens": question.max_tokens,
        "system": [{"type": "text", "text": question.system, "cache_control": CACHE_AN_HOUR}],
        "messages": [*earlier, {"role": "user", "content": [asked]}],
        "extra_headers": {REQUEST_ID_HEADER: request_id},
        "timeout": question.timeout_s or TIMEOUT_S,
    }
    if question.tools:
        request["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.schema} for tool in question.tools
        ]
    return request


def chat_request(model: str, question: Question, request_id: str) -> dict[str, Any]:
    """Word a question for OpenAI and the hosts that speak its language; they cache by themselves."""
    request: dict[str, Any] = {
        "model": model,
        "max_completion_tokens": question.max_tokens,
        "messages": [{"role": "system", "content": question.system}, *question.messages],
        "extra_headers": {REQUEST_ID_HEADER: request_id},
        "timeout": question.timeout_s or TIMEOUT_S,
    }
    if question.tools:
        request["tools"] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema},
            }
            for tool in question.tools
        ]
    if question.json_schema is not None:
        schema = {"name": "answer", "schema": question.json_schema}
        request["response_format"] = {"type": "json_schema", "json_schema": schema}
    return request


def read_message(message: Message, answer: Answer) -> None:
    """Read what Claude said."""
    answer.stop = message.stop_reason
    for block in message.content:
        if block.type == "text":
            answer.text += block.text
        elif block.type == "tool_use":
            answer.tool_calls.append(ToolCall(block.name, block.input))


def read_completion(completion: ChatCompletion, answer: Answer) -> None:
    """Read what a model behind a chat completion said."""
    choice = completion.choices[0]
    answer.stop = choice.finish_reason
    answer.text = choice.message.content or ""
    for call in choice.message.tool_calls or ():
        if call.type == "function":
            answer.tool_calls.append(ToolCall(call.function.name, _arguments(call.function.arguments)))


class Pieces:
    """The pieces of a streamed chat completion, until they are an answer."""

    def __init__(self) -> None:
        self._text = ""
        self._stop: str | None = None
        self._calls: dict[int, tuple[str, str]] = {}

    def add(self, chunk: ChatCompletionChunk, show: Callable[[str], bool]) -> bool:
        """Take a chunk and show its text; False when the reader has left."""
        for choice in chunk.choices:
            self._stop = choice.finish_reason or self._stop
            for call in choice.delta.tool_calls or ():
                name, arguments = self._calls.get(call.index, ("", ""))
                function = call.function
                if function is not None:
                    self._calls[call.index] = (name + (function.name or ""), arguments + (function.arguments or ""))
            if choice.delta.content:
                self._text += choice.delta.content
                if not show(choice.delta.content):
                    return False
        return True

    def read(self, answer: Answer) -> None:
        """Put the pieces together."""
        answer.text, answer.stop = self._text, self._stop
        answer.tool_calls = [ToolCall(name, _arguments(text)) for name, text in self._calls.values()]


def _arguments(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
