"""Speaks OpenAI's chat completions, in the accent of each host that offers them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from farebox_demo.providers._caches import Block
from farebox_demo.providers._dice import digest
from farebox_demo.providers._hosts import Host
from farebox_demo.providers._terms import Answer, Ask, Event, RefusedError, Tool
from farebox_demo.providers._wire import TOOL_RESULT_PREFIX, dump, model_of, pieces, sse

__all__ = ["error", "events", "headers", "parse", "whole"]

OUTPUT_TOKENS_DEFAULT = 4096
FINISH_REASONS = {"end": "stop", "max_tokens": "length", "tool": "tool_calls", "refusal": "content_filter"}
ERROR_KINDS = {
    429: ("tokens", "rate_limit_exceeded"),
    500: ("server_error", None),
    503: ("service_unavailable_error", None),
}
DONE = Event(b"data: [DONE]\n\n")
INVALID = "invalid_request_error"


# --- requests ----------------------------------------------------------------------------------------------


def parse(host: Host, body: Mapping[str, Any]) -> Ask:
    """Understand a request to …/chat/completions."""
    model = model_of(host, body, INVALID)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RefusedError(400, INVALID, "'messages' must be a non-empty array")
    tools = [tool["function"] for tool in body.get("tools") or ()]
    prompt = "\n".join([*map(dump, tools), *(f"{message['role']}\n{_text(message)}" for message in messages)])
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or OUTPUT_TOKENS_DEFAULT
    question = _text(messages[-1])
    wanted = body.get("response_format") or {}
    asked = bool((body.get("stream_options") or {}).get("include_usage"))
    return Ask(
        model=model,
        content=digest(host.name, model.served_as, limit, dump(wanted), prompt),
        question=question,
        tools=tuple(Tool(tool["name"], tool.get("parameters") or {}) for tool in tools),
        after_tool=messages[-1]["role"] == "tool" or question.startswith(TOOL_RESULT_PREFIX),
        arguments_are_text=True,
        json_schema=(wanted.get("json_schema") or {}).get("schema"),
        max_tokens=limit,
        stream=bool(body.get("stream")),
        usage_in_stream=asked or host.stream_usage == "always",
        blocks=(Block(prompt, model.count(prompt)),),
    )


def _text(message: Mapping[str, Any]) -> str:
    content: str | Sequence[Mapping[str, Any]] = message.get("content") or ""
    text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
    calls = message.get("tool_calls")
    return f"{text}\n{dump(calls)}" if calls else text


# --- answers -----------------------------------------------------------------------------------------------


def whole(answer: Answer) -> bytes:
    """Write a completion."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.reply.text or None, "refusal": None}
    if answer.reply.tool_calls:
        message["tool_calls"] = [
            {
                "id": _call_id(answer, index),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for index, call in enumerate(answer.reply.tool_calls)
        ]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": FINISH_REASONS[answer.reply.stop],
    }
    return dump({**_envelope(answer, "chat.completion"), "choices": [choice], "usage": _usage(answer)}).encode()


def events(answer: Answer) -> list[Event]:
    """Write the chunks of a stream, with usage where the host puts it, or nowhere if nobody asked."""
    envelope = _envelope(answer, "chat.completion.chunk")
    in_own_chunk = answer.ask.usage_in_stream and answer.host.stream_usage == "asked"
    if in_own_chunk:
        envelope["usage"] = None
    written = [Event(b": OPENROUTER PROCESSING\n\n")] if answer.host.reports_cost else []
    written += [Event(sse({**envelope, "choices": [_choice(delta, None)]})) for delta in _deltas(answer)]
    last = {**envelope, "choices": [_choice({}, FINISH_REASONS[answer.reply.stop])]}
    if in_own_chunk:
        written.append(Event(sse(last)))
        written.append(Event(sse({**envelope, "choices": [], "usage": _usage(answer)}), has_usage=True))
    elif answer.ask.usage_in_stream:
        written.append(Event(sse({**last, "usage": _usage(answer)}), has_usage=True))
    else:
        written.append(Event(sse(last)))
    return [*written, DONE]


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": "" if answer.reply.text else None}
    for piece in pieces(answer.reply.text):
        yield {"content": piece}
    for index, call in enumerate(answer.reply.tool_calls):
        opening = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [{"index": index, "id": _call_id(answer, index), "type": "function", "function": opening}]}
        for piece in pieces(call.arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _choice(delta: Mapping[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _envelope(answer: Answer, kind: str) -> dict[str, Any]:
    envelope = {
        "id": answer.reply_id,
        "object": kind,
        "created": answer.created,
        "model": answer.ask.model.served_as,
        "system_fingerprint": f"fp_{digest(answer.ask.model.served_as)[:10]}",
    }
    if answer.host.name == "openai":
        envelope["service_tier"] = "default"
    return envelope


def _usage(answer: Answer) -> dict[str, Any]:
    """Count as OpenAI does: input includes what was read from the cache, output includes reasoning."""
    usage = answer.usage
    counted: dict[str, Any] = {
        "prompt_tokens": usage.input_total,
        "completion_tokens": usage.output,
        "total_tokens": usage.input_total + usage.output,
    }
    if answer.host.cached_tokens == "details":
        counted["prompt_tokens_details"] = {"cached_tokens": usage.cache_read}
    elif answer.host.cached_tokens == "top_level":
        counted["cached_tokens"] = usage.cache_read
    if answer.ask.model.reasoning_tokens_max:
        counted["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    if answer.host.reports_cost:
        counted["cost"] = float(answer.amount)  # JSON has no decimals; the shortest text of this float is the amount
    return counted


def _call_id(answer: Answer, index: int) -> str:
    return f"call_{digest(answer.reply_id, index)[:24]}"


# --- errors and headers ------------------------------------------------------------------------------------


def error(status: int, kind: str | None, sentence: str, request_id: str) -> bytes:
    """Write an error envelope; the request id stands in its sentence."""
    known, code = ERROR_KINDS.get(status, (INVALID, None))
    message = f"{sentence} (request ID {request_id})"
    return dump({"error": {"message": message, "type": kind or known, "param": None, "code": code}}).encode()


def headers(request_id: str) -> dict[str, str]:
    """Name the request and the limits."""
    return {
        "x-request-id": request_id,
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-remaining-requests": "9999",
    }
