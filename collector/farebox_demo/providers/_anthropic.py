"""Speaks Anthropic's Messages API: blocks with cache marks in, messages or typed events out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from farebox_demo.providers._caches import Block
from farebox_demo.providers._dice import digest
from farebox_demo.providers._hosts import Host, Model
from farebox_demo.providers._terms import Answer, Ask, Event, RefusedError, Tool, Usage
from farebox_demo.providers._wire import TOOL_RESULT_PREFIX, dump, model_of, pieces, sse

__all__ = ["error", "events", "headers", "parse", "whole"]

MARKS_MAX = 4
STOP_REASONS = {"end": "end_turn", "max_tokens": "max_tokens", "tool": "tool_use", "refusal": "refusal"}
ERROR_KINDS = {429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}
INVALID = "invalid_request_error"


# --- requests ----------------------------------------------------------------------------------------------


def parse(host: Host, body: Mapping[str, Any]) -> Ask:
    """Understand a request to /v1/messages."""
    model = model_of(host, body, "not_found_error")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RefusedError(400, INVALID, "messages: at least one message is required")
    if not isinstance(body.get("max_tokens"), int):
        raise RefusedError(400, INVALID, "max_tokens: Field required")
    blocks = tuple(_blocks(model, body))
    marks = sum(block.ttl is not None for block in blocks)
    if marks > MARKS_MAX:
        raise RefusedError(
            400,
            INVALID,
            f"A maximum of {MARKS_MAX} blocks with cache_control may be provided. Found {marks}.",
        )
    question, after_tool = _last_turn(messages[-1])
    stream = bool(body.get("stream"))
    return Ask(
        model=model,
        content=digest(host.name, model.served_as, body["max_tokens"], *(block.text for block in blocks)),
        question=question,
        tools=tuple(Tool(tool["name"], tool["input_schema"]) for tool in body.get("tools") or ()),
        after_tool=after_tool,
        arguments_are_text=stream,
        json_schema=_output_schema(body),
        max_tokens=body["max_tokens"],
        stream=stream,
        usage_in_stream=True,
        blocks=blocks,
    )


def _blocks(model: Model, body: Mapping[str, Any]) -> Iterator[Block]:
    """Lay the prompt out in the order in which prefixes are cached: tools, system, messages."""
    for tool in body.get("tools") or ():
        yield _block(model, "tool", tool)
    for part in _parts(body.get("system") or ()):
        yield _block(model, "system", part)
    for message in body["messages"]:
        for part in _parts(message["content"]):
            yield _block(model, message["role"], part)


def _parts(content: str | Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _block(model: Model, place: str, part: Mapping[str, Any]) -> Block:
    bare = {key: value for key, value in part.items() if key != "cache_control"}
    text = f"{place}\n{bare['text'] if bare.get('type') == 'text' else dump(bare)}"
    mark = part.get("cache_control")
    return Block(text, model.count(text), mark.get("ttl", "5m") if mark else None)


def _last_turn(message: Mapping[str, Any]) -> tuple[str, bool]:
    parts = _parts(message["content"])
    text = "\n".join(part.get("text", "") for part in parts)
    return text, text.startswith(TOOL_RESULT_PREFIX) or any(part.get("type") == "tool_result" for part in parts)


def _output_schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    wanted = (body.get("output_config") or {}).get("format") or {}
    schema: Mapping[str, Any] | None = wanted.get("schema")
    return schema


# --- answers -----------------------------------------------------------------------------------------------


def whole(answer: Answer) -> bytes:
    """Write a message."""
    content = [{"type": "text", "text": answer.reply.text}] if answer.reply.text else []
    for index, call in enumerate(answer.reply.tool_calls):
        content.append(_tool_use(answer, index, _parsed(call.arguments)))
    return dump(
        _message(answer, content, _usage(answer.usage, answer.usage.output), STOP_REASONS[answer.reply.stop])
    ).encode()


def events(answer: Answer) -> list[Event]:
    """Write the events of a stream; the first counts the input, the last but one the output too."""
    start = _message(answer, [], _usage(answer.usage, 1), None)
    written = [_event("message_start", message=start), _event("ping")]
    blocks: list[tuple[dict[str, Any], str, str, str]] = []
    if answer.reply.text:
        blocks.append(({"type": "text", "text": ""}, "text_delta", "text", answer.reply.text))
    for index, call in enumerate(answer.reply.tool_calls):
        blocks.append((_tool_use(answer, index, {}), "input_json_delta", "partial_json", call.arguments))
    for index, (opening, kind, key, text) in enumerate(blocks):
        written.append(_event("content_block_start", index=index, content_block=opening))
        written += [
            _event("content_block_delta", index=index, delta={"type": kind, key: piece}) for piece in pieces(text)
        ]
        written.append(_event("content_block_stop", index=index))
    usage = _usage(answer.usage, answer.usage.output)
    cumulative = {key: value for key, value in usage.items() if key.endswith("_tokens")}
    delta = {"stop_reason": STOP_REASONS[answer.reply.stop], "stop_sequence": None}
    written.append(_event("message_delta", has_usage=True, delta=delta, usage=cumulative))
    written.append(_event("message_stop"))
    return written


def _event(name: str, *, has_usage: bool = False, **fields: Any) -> Event:
    return Event(sse({"type": name, **fields}, name), has_usage)


def _message(answer: Answer, content: list[Any], usage: Mapping[str, Any], stop_reason: str | None) -> dict[str, Any]:
    return {
        "id": answer.reply_id,
        "type": "message",
        "role": "assistant",
        "model": answer.ask.model.served_as,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage,
    }


def _usage(usage: Usage, output_tokens: int) -> dict[str, Any]:
    return {
        "input_tokens": usage.uncached_input,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": output_tokens,
        "service_tier": "standard",
        "inference_geo": "global",
    }


def _tool_use(answer: Answer, index: int, value: Any) -> dict[str, Any]:
    call = answer.reply.tool_calls[index]
    return {
        "type": "tool_use",
        "id": f"toolu_{digest(answer.reply_id, index)[:24]}",
        "name": call.name,
        "input": value,
    }


def _parsed(arguments: str) -> Any:
    """Read the arguments back; what max_tokens cut off arrives as an empty object, as in the real API."""
    try:
        return json.loads(arguments)
    except ValueError:
        return {}


# --- errors and headers ------------------------------------------------------------------------------------


def error(status: int, kind: str | None, sentence: str, request_id: str) -> bytes:
    """Write an error envelope."""
    detail = {"type": kind or ERROR_KINDS[status], "message": sentence}
    return dump({"type": "error", "error": detail, "request_id": request_id}).encode()


def headers(request_id: str) -> dict[str, str]:
    """Name the request and the limits."""
    return {
        "request-id": request_id,
        "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
        "anthropic-ratelimit-requests-limit": "4000",
        "anthropic-ratelimit-requests-remaining": "3999",
        "anthropic-ratelimit-input-tokens-limit": "2000000",
        "anthropic-ratelimit-input-tokens-remaining": "1990000",
    }
