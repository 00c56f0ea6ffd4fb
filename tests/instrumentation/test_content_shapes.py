"""Content has the form of OpenTelemetry's conventions, whatever the API and however the answer came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import openai
import pytest

import farebox
from farebox.testing import Captured
from instrumentation.content_calls import (
    USER,
    Attributes,
    _as_before,
    assistant,
    claude,
    gpt,
    on,
    only_content,
    text,
    user,
)
from instrumentation.provider import Provider

__all__ = ["_as_before", "on"]


def test_a_message_of_anthropic(provider: Provider, captured: Captured, on: None) -> None:
    """System, tools, question and answer are in the conventions' form, beside the attributes that name the call."""
    with farebox.tags(route="hard", user="u1"):
        claude(provider).messages.create(
            model="claude-haiku-4-5",
            max_tokens=10,
            system=[{"type": "text", "text": "be nice", "cache_control": {"type": "ephemeral"}}],
            messages=[{"role": "user", "content": "hi"}],
            tools=[{"name": "look_up", "description": "looks", "input_schema": {"type": "object"}}],
        )
    (record,) = captured.contents()
    (span,) = captured.attempts()

    assert only_content(record) == {
        "gen_ai.system_instructions": [text("be nice")],
        "gen_ai.input.messages": [user("hi")],
        "gen_ai.output.messages": [
            assistant(
                "tool_use",
                text("Hello wörld"),
                {"type": "tool_call", "id": "tu_1", "name": "look_up", "arguments": {"a": 1}},
            )
        ],
        "gen_ai.tool.definitions": [
            {"type": "function", "name": "look_up", "description": "looks", "parameters": {"type": "object"}}
        ],
    }
    for name in ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"):
        assert record[name] == span[name]
    assert record["gen_ai.response.id"] == "msg_1"
    assert (record["farebox.route"], record["farebox.user"]) == ("hard", "u1")


HELLO = [assistant("stop", text("Hello"))]
SHAPES: dict[str, tuple[Callable[[Any], Any], Attributes]] = {
    "chat": (
        lambda c: c.chat.completions.create(
            model="m",
            messages=[
                {"role": "system", "content": "s"},
                {"role": "user", "content": [{"type": "text", "text": "hi"}], "name": "ann"},
            ],
        ),
        {
            "gen_ai.input.messages": [{"role": "system", "parts": [text("s")]}, {**user("hi"), "name": "ann"}],
            "gen_ai.output.messages": HELLO,
        },
    ),
    "two choices": (
        lambda c: c.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], n=2),
        {"gen_ai.input.messages": [user("hi")], "gen_ai.output.messages": HELLO * 2},
    ),
    "completion": (
        lambda c: c.completions.create(model="m", prompt=["one", "two"]),
        {
            "gen_ai.input.messages": [user("one"), user("two")],
            "gen_ai.output.messages": HELLO,
        },
    ),
    "response": (
        lambda c: c.responses.create(model="m", instructions="be nice", input="hi"),
        {
            "gen_ai.system_instructions": [text("be nice")],
            "gen_ai.input.messages": [user("hi")],
            "gen_ai.output.messages": [assistant("completed", text("Hello"))],
        },
    ),
    "embeddings": (
        lambda c: c.embeddings.create(model="m", input=["one", "two"]),
        {"gen_ai.input.messages": [user("one"), user("two")]},
    ),
    "embeddings of tokens": (
        lambda c: c.embeddings.create(model="m", input=[[1, 2], [3, 4, 5]]),
        {
            "gen_ai.input.messages": [
                {"role": "user", "parts": [{"type": "tokens", "count": count}]} for count in (2, 3)
            ]
        },
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_of_openai(name: str, provider: Provider, captured: Captured, on: None) -> None:
    """Each API of OpenAI gives its question and its answer in the same form; vectors are not kept."""
    call, expected = SHAPES[name]
    call(gpt(provider))

    (record,) = captured.contents()
    assert only_content(record) == expected


STREAMS: dict[str, tuple[Any, Callable[[Any], Any], list[Attributes]]] = {
    "anthropic": (
        claude,
        lambda c: list(c.messages.create(model="m", max_tokens=1, messages=[USER], stream=True)),
        [
            assistant(
                "tool_use",
                text("Hello wörld"),
                {"type": "tool_call", "id": "tu_1", "name": "look_up", "arguments": {"a": 1}},
            )
        ],
    ),
    "chat": (
        gpt,
        lambda c: list(c.chat.completions.create(model="m", messages=[USER], n=2, stream=True)),
        [assistant("stop", text("Hello wörld"))] * 2,
    ),
    "response": (
        gpt,
        lambda c: list(c.responses.create(model="m", input=[USER], stream=True)),
        [assistant("completed", text("Hello"))],
    ),
}


@pytest.mark.parametrize("scenario", ["", "gzip", "split"])
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_gives_what_the_whole_answer_would(
    name: str, scenario: str, provider: Provider, captured: Captured, on: None
) -> None:
    """The pieces of a stream are put together again, however its bytes were cut or packed."""
    make, call, expected = STREAMS[name]
    call(make(provider, **{"x-scenario": scenario}))

    (record,) = captured.contents()
    assert only_content(record) == {"gen_ai.input.messages": [user("hi")], "gen_ai.output.messages": expected}


def test_a_cut_stream_keeps_what_was_seen(provider: Provider, captured: Captured, on: None) -> None:
    """Of an answer that broke off, what came is content, without a reason for its end."""
    with pytest.raises(httpx2.RemoteProtocolError):
        list(
            claude(provider, **{"x-scenario": "cut:5"}).messages.create(
                model="m", max_tokens=1, messages=[USER], stream=True
            )
        )
    (record,) = captured.contents()

    assert record["gen_ai.output.messages"] == [{"role": "assistant", "parts": [text("Hello ")]}]
    assert record["error.type"]


def test_a_cut_response_keeps_what_was_seen(provider: Provider, captured: Captured, on: None) -> None:
    """The same of the Responses API, whose last event repeats all and did not come."""
    with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError)):  # the former in newer releases
        list(gpt(provider, **{"x-scenario": "cut:4"}).responses.create(model="m", input="hi", stream=True))
    (record,) = captured.contents()

    assert record["gen_ai.output.messages"] == [{"role": "assistant", "parts": [text("Hello")]}]


def test_a_refused_call_has_its_question(provider: Provider, captured: Captured, on: None) -> None:
    """Each attempt has its record: of one that the provider refused it holds what was asked."""
    with pytest.raises(anthropic.BadRequestError):
        claude(provider, **{"x-scenario": "fail:1,400"}).messages.create(model="m", max_tokens=1, messages=[USER])
    (record,) = captured.contents()

    assert only_content(record) == {"gen_ai.input.messages": [user("hi")]}
