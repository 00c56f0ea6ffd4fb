"""What calls are made of, as content: files named without their bytes, tools, results and definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from farebox import _content_parts
from farebox._content_texts import Texts
from farebox.testing import Captured
from instrumentation.content_calls import (
    PNG,
    USER,
    Attributes,
    _as_before,
    call,
    claude,
    gpt,
    on,
    text,
    user,
)
from instrumentation.provider import Provider

__all__ = ["_as_before", "on"]


def blob(modality: str, mime: str | None, size: int) -> Attributes:
    named = {} if mime is None else {"mime_type": mime}
    return {"type": "blob", "modality": modality, **named, "content": "", "bytes": size}


SIZE = len(PNG) * 3 // 4
BINARY: dict[str, tuple[Callable[[Provider], Any], list[Attributes]]] = {
    "anthropic": (
        lambda p: claude(p).messages.create(
            model="m",
            max_tokens=1,
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                        {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
                        {
                            "type": "document",
                            "title": "t",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": PNG},
                        },
                        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
                    ],
                }
            ],
        ),
        [
            blob("image", "image/png", SIZE),
            {"type": "uri", "modality": "image", "uri": "https://a.example/b.png"},
            {**blob("document", "application/pdf", SIZE), "title": "t"},
            text("words"),
        ],
    ),
    "chat": (
        lambda p: gpt(p).chat.completions.create(
            model="m",
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                        {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
                        {
                            "type": "file",
                            "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PNG}"},
                        },
                        {"type": "file", "file": {"file_id": "file_1"}},
                    ],
                }
            ],
        ),
        [
            blob("image", "image/png", SIZE),
            blob("audio", "audio/wav", SIZE),
            {**blob("document", "application/pdf", SIZE), "filename": "a.pdf"},
            {"type": "file", "modality": "document", "file_id": "file_1"},
        ],
    ),
    "response": (
        lambda p: gpt(p).responses.create(
            model="m",
            input=[
                {
                    "role": "user",
                    "content": [
                        {"type": "input_image", "image_url": f"data:image/jpeg;base64,{PNG}", "detail": "auto"},
                        {"type": "input_image", "file_id": "file_2", "detail": "auto"},
                        {"type": "input_text", "text": f"see ![it](data:image/gif;base64,{PNG})"},
                    ],
                }
            ],
        ),
        [
            blob("image", "image/jpeg", SIZE),
            {"type": "file", "modality": "image", "file_id": "file_2"},
            text(f"see ![it]([image/gif, {SIZE} bytes])"),
        ],
    ),
}


@pytest.mark.parametrize("name", BINARY)
def test_what_is_binary_is_named_without_its_bytes(name: str, provider: Provider, captured: Captured, on: None) -> None:
    """Images, sound and files are parts with media type and size, wherever they hide; none of their bytes is there."""
    call, parts = BINARY[name]
    call(provider)

    (record,) = captured.contents()
    assert record["gen_ai.input.messages"] == [{"role": "user", "parts": parts}]
    assert PNG[:64] not in repr(record)


@pytest.mark.parametrize(
    ("piece", "part"),
    [
        ({"type": "video_url", "video_url": {"url": "https://a/b.mp4"}}, ("uri", "video")),
        ({"type": "document_url", "document_url": "https://a/b.pdf"}, ("uri", "document")),
        ({"type": "file_url", "file_url": {"url": PNG}}, ("blob", "document")),
        ({"type": "image_url", "image_url": {"url": PNG}}, ("blob", "image")),
    ],
)
def test_other_hosts_spellings_of_media(piece: Attributes, part: tuple[str, str]) -> None:
    """What compatible hosts add is told apart too; some take the bytes in the place of an address."""
    (found,) = _content_parts.parts_of([piece], Texts(None, 1000))

    assert (found["type"], found["modality"]) == part
    assert PNG not in repr(found)


def result(call_id: str, response: Any) -> Attributes:
    return {"type": "tool_call_response", "id": call_id, "response": response}


TOOLS: dict[str, tuple[Callable[[Provider], Any], list[Attributes]]] = {
    "anthropic": (
        lambda p: claude(p).messages.create(
            model="m",
            max_tokens=1,
            messages=[
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "sig" * 99},
                        {"type": "redacted_thinking", "data": PNG},
                        {"type": "tool_use", "id": "t1", "name": "look_up", "input": {"q": "rain", "n": 2.5}},
                        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "rain"}},
                        {
                            "type": "web_search_tool_result",
                            "tool_use_id": "s1",
                            "content": [
                                {"type": "web_search_result", "title": "Rain", "url": "u", "encrypted_content": PNG}
                            ],
                        },
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "t1", "content": "wet"},
                        {
                            "type": "tool_result",
                            "tool_use_id": "t2",
                            "content": [
                                {"type": "text", "text": "see"},
                                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                            ],
                        },
                    ],
                },
            ],
        ),
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "hm"},
                    {"type": "redacted_thinking"},
                    call("t1", "look_up", {"q": "rain", "n": 2.5}),
                    {
                        "type": "server_tool_call",
                        "id": "s1",
                        "name": "web_search",
                        "server_tool_call": {"type": "web_search", "input": {"query": "rain"}},
                    },
                    {
                        "type": "server_tool_call_response",
                        "id": "s1",
                        "server_tool_call_response": {
                            "type": "web_search_tool_result",
                            "content": [{"type": "web_search_result", "title": "Rain", "url": "u"}],
                        },
                    },
                ],
            },
            {
                "role": "user",
                "parts": [result("t1", "wet"), result("t2", [text("see"), blob("image", "image/png", SIZE)])],
            },
        ],
    ),
    "chat": (
        lambda p: gpt(p).chat.completions.create(
            model="m",
            messages=[
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": [1, null]}'}},
                        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": '{"a": '}},
                        {"id": "c3", "type": "custom", "custom": {"name": "h", "input": "free"}},
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "42"},
            ],
        ),
        [
            {
                "role": "assistant",
                "parts": [call("c1", "f", {"a": [1, None]}), call("c2", "g", '{"a": '), call("c3", "h", "free")],
            },
            {"role": "tool", "parts": [result("c1", "42")]},
        ],
    ),
    "response": (
        lambda p: gpt(p).responses.create(
            model="m",
            input=[
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                {"type": "reasoning", "id": "r1", "summary": [{"type": "summary_text", "text": "hm"}]},
                {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c1", "output": "42"},
                {
                    "type": "web_search_call",
                    "id": "w1",
                    "status": "completed",
                    "action": {"type": "search", "query": "x"},
                },
            ],
        ),
        [
            user("hi"),
            {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}]},
            {"role": "assistant", "parts": [call("c1", "f", {})]},
            {"role": "tool", "parts": [result("c1", "42")]},
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "server_tool_call",
                        "id": "w1",
                        "name": "web_search_call",
                        "server_tool_call": {"type": "web_search_call", "action": {"type": "search", "query": "x"}},
                    }
                ],
            },
        ],
    ),
}


@pytest.mark.parametrize("name", TOOLS)
def test_tools_are_called_and_answer(name: str, provider: Provider, captured: Captured, on: None) -> None:
    """Calls have arguments as structure where they are JSON; results, thoughts and the provider's own tools follow."""
    make, messages = TOOLS[name]
    make(provider)

    (record,) = captured.contents()
    assert record["gen_ai.input.messages"] == messages
    assert PNG[:64] not in repr(record)


def test_definitions_of_tools(provider: Provider, captured: Captured, on: None) -> None:
    """Functions have the conventions' form in every spelling; the provider's own tools keep their type and settings."""
    schema = {"type": "object", "properties": {"q": {"type": "string"}}}
    gpt(provider).chat.completions.create(
        model="m",
        messages=[USER],
        tools=[
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema, "strict": True}}
        ],
    )
    gpt(provider).responses.create(
        model="m", input="hi", tools=[{"type": "function", "name": "f", "parameters": schema}, {"type": "web_search"}]
    )
    claude(provider).messages.create(
        model="m",
        max_tokens=1,
        messages=[USER],
        tools=[
            {"type": "custom", "name": "f", "input_schema": schema},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
        ],
    )
    function = {"type": "function", "name": "f", "parameters": schema}

    assert [record["gen_ai.tool.definitions"] for record in captured.contents()] == [
        [{**function, "description": "d"}],
        [function, {"type": "web_search", "name": "web_search"}],
        [function, {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}],
    ]
