"""Flags on the spans of real SDK calls, streamed or not, of both providers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest

import farebox
from detectors.asking import WEATHER, tool
from farebox.detectors import switch
from farebox.testing import Captured, capture

CUT = '{"city": "Ro'
USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}


@pytest.fixture
def captured() -> Iterator[Captured]:
    with capture() as sink:
        yield sink


def http(body: Any, events: list[tuple[str, Any]] | None = None, status: int = 200) -> httpx2.Client:
    """An HTTP client whose every answer is this body, or these events when a stream is asked for."""

    def respond(request: httpx2.Request) -> httpx2.Response:
        if events is not None and json.loads(request.content).get("stream"):
            text = "".join(f"event: {kind}\ndata: {json.dumps(data)}\n\n" for kind, data in events) + "data: [DONE]\n\n"
            return httpx2.Response(status, headers={"content-type": "text/event-stream"}, text=text)
        return httpx2.Response(status, json=body)

    return httpx2.Client(transport=httpx2.MockTransport(respond))


def claude(content: list[dict[str, Any]], stop: str = "end_turn") -> anthropic.Anthropic:
    usage = {"input_tokens": 9, "output_tokens": 5}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "stop_sequence": None}
    events: list[tuple[str, Any]] = [
        (
            "message_start",
            {"type": "message_start", "message": {**head, "content": [], "stop_reason": None, "usage": usage}},
        )
    ]
    for index, block in enumerate(content):
        empty = {**block, "input": {}} if block["type"] == "tool_use" else {**block, "text": ""}
        raw = block.get("raw") or json.dumps(block.get("input"))
        delta = (
            {"type": "input_json_delta", "partial_json": raw}
            if block["type"] == "tool_use"
            else {"type": "text_delta", "text": block["text"]}
        )
        empty.pop("raw", None)
        events += [
            ("content_block_start", {"type": "content_block_start", "index": index, "content_block": empty}),
            ("content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}),
            ("content_block_stop", {"type": "content_block_stop", "index": index}),
        ]
    last = {
        "type": "message_delta",
        "delta": {"stop_reason": stop, "stop_sequence": None},
        "usage": {"output_tokens": 5},
    }
    events += [("message_delta", last), ("message_stop", {"type": "message_stop"})]
    plain = [{name: value for name, value in block.items() if name != "raw"} for block in content]
    body = {**head, "content": plain, "stop_reason": stop, "usage": usage}
    return farebox.wrap(anthropic.Anthropic(api_key="k", http_client=http(body, events), max_retries=0))


def gpt(message: dict[str, Any], stop: str = "stop", status: int = 200) -> openai.OpenAI:
    head = {"id": "chatcmpl-1", "created": 1, "model": "gpt-5.4-mini"}
    body = {
        **head,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": stop}],
        "usage": USAGE,
    }
    delta = {**message, "tool_calls": [{"index": n, **call} for n, call in enumerate(message.get("tool_calls", []))]}
    chunk = {**head, "object": "chat.completion.chunk"}
    events = [
        (
            "message",
            {**chunk, "choices": [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": None}]},
        ),
        ("message", {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": stop}]}),
        ("message", {**chunk, "choices": [], "usage": USAGE}),
    ]
    return farebox.wrap(openai.OpenAI(api_key="k", http_client=http(body, events, status), max_retries=0))


def ask_claude(client: anthropic.Anthropic, stream: bool, **fields: Any) -> None:
    messages: Any = [{"role": "user", "content": "What is the weather in Rome?"}]
    answer = client.messages.create(model="claude-haiku-4-5", max_tokens=99, messages=messages, stream=stream, **fields)
    if stream:
        list(answer)  # type: ignore[call-overload]


def ask_gpt(client: openai.OpenAI, stream: bool, prompt: str = "What is the weather in Rome?", **fields: Any) -> None:
    messages: Any = [{"role": "user", "content": prompt}]
    answer = client.chat.completions.create(model="gpt-5.4-mini", messages=messages, stream=stream, **fields)
    if stream:
        list(answer)


def call(name: str, arguments: str) -> dict[str, Any]:
    return {"id": "call_" + name, "type": "function", "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize("stream", [False, True])
def test_a_malformed_call_of_claude_is_flagged(captured: Captured, stream: bool) -> None:
    """Arguments that break the request's schema, in a message or streamed piece by piece."""
    block = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"town": "Rome", "share": 0.5}}
    tools = [{"name": "get_weather", "input_schema": WEATHER}]

    ask_claude(claude([block], "tool_use"), stream, tools=tools)
    (span,) = captured.attempts()

    assert list(span["farebox.flags"]) == ["tool_call_malformed.missing_required", "tool_call_malformed.unexpected_arg"]
    assert (span["farebox.tool_calls"], span["farebox.tool_calls_malformed"]) == (1, 1)
    assert list(span["farebox.malformed_tools"]) == ["get_weather"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_fraction_in_the_arguments_stays_a_number(captured: Captured, stream: bool) -> None:
    """Decimals of our own parsing are not mistaken for text."""
    schema = {"type": "object", "properties": {"share": {"type": "number"}}, "required": ["share"]}
    block = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"share": 0.25}}

    ask_claude(claude([block], "tool_use"), stream, tools=[{"name": "f", "input_schema": schema}])
    (span,) = captured.attempts()

    assert "farebox.flags" not in span
    assert span["farebox.tool_calls_malformed"] == 0


def test_arguments_that_the_stream_cut_are_truncated(captured: Captured) -> None:
    """Partial JSON of a call that the token limit ended."""
    block = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}, "raw": CUT}

    ask_claude(claude([block], "max_tokens"), True, tools=[{"name": "get_weather", "input_schema": WEATHER}])
    (span,) = captured.attempts()

    assert list(span["farebox.flags"]) == ["tool_call_malformed.truncated", "truncated.stop_reason"]


@pytest.mark.parametrize("stream", [False, True])
def test_parallel_calls_of_gpt_are_judged_each(captured: Captured, stream: bool) -> None:
    """One broken call among two counts as one of two."""
    calls = [call("get_weather", '{"city": "Rome"}'), call("get_weather", CUT)]

    ask_gpt(gpt({"content": None, "tool_calls": calls}, "tool_calls"), stream, tools=[tool()])
    (span,) = captured.attempts()

    assert list(span["farebox.flags"]) == ["tool_call_malformed.truncated"]
    assert (span["farebox.tool_calls"], span["farebox.tool_calls_malformed"]) == (2, 1)


@pytest.mark.parametrize("stream", [False, True])
def test_text_is_judged_and_facts_on_the_prompt_are_told(captured: Captured, stream: bool) -> None:
    """A refusal in text, its kind, and the prompt's script and sizes."""
    client = gpt({"content": "I'm sorry, but I can't help with that."})

    ask_gpt(client, stream, "你能告诉我明天罗马的天气怎么样吗？谢谢你的帮助。")
    (span,) = captured.attempts()

    assert list(span["farebox.flags"]) == ["refusal.text", "language_mismatch"]
    assert span["farebox.refusal.kind"] == "policy"
    assert (span["farebox.script"], span["farebox.language"]) == ("Hani", "zh")
    assert (span["farebox.request.characters"], span["farebox.response.characters"]) == (24, 38)
    assert {"refusal", "truncated", "empty", "disclaimer"} <= set(span["farebox.checked"])


def test_a_refusal_of_the_api_is_flagged(captured: Captured) -> None:
    """Stop reason refusal with no content is a refusal, not an empty answer."""
    ask_claude(claude([], "refusal"), False)
    (span,) = captured.attempts()

    assert list(span["farebox.flags"]) == ["refusal.api"]


def test_detectors_follow_the_route(captured: Captured) -> None:
    """What is switched off for a route does not run on its calls."""
    switch("refusal", on=False, route="easy")
    client = gpt({"content": "I can't help with that."})

    with farebox.tags(route="easy"):
        ask_gpt(client, False)
    ask_gpt(client, False)
    easy, other = captured.attempts()

    assert "farebox.flags" not in easy
    assert list(other["farebox.flags"]) == ["refusal.text"]


def test_an_attempt_that_failed_has_no_flags(captured: Captured) -> None:
    """Nothing came, so nothing was checked; what was asked is known all the same."""
    with pytest.raises(openai.InternalServerError):
        ask_gpt(gpt({"content": "no"}, status=500), False)
    (span,) = captured.attempts()

    assert not {"farebox.flags", "farebox.checked", "farebox.tool_calls_malformed"} & set(span)
    assert span["farebox.script"] == "Latn"


def test_a_response_of_the_responses_api_is_judged(captured: Captured) -> None:
    """Function calls, text and format of the Responses API."""
    output = [
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "c1",
            "name": "get_weather",
            "arguments": "{}",
            "status": "completed",
        },
        {"type": "custom_tool_call", "id": "ct_1", "call_id": "c2", "name": "sql", "input": "SELECT 1"},
    ]
    body = {
        "id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5.4-mini", "status": "completed",
        "output": output, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "error": None, "incomplete_details": None,
        "usage": {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14},
    }  # fmt: skip
    client = farebox.wrap(openai.OpenAI(api_key="k", http_client=http(body), max_retries=0))
    tools: Any = [{"type": "function", "name": "get_weather", "parameters": WEATHER}, {"type": "custom", "name": "sql"}]

    client.responses.create(model="gpt-5.4-mini", input="Hi", tools=tools)
    (span,) = captured.attempts()

    assert list(span["farebox.flags"]) == ["tool_call_malformed.missing_required"]
    assert (span["farebox.tool_calls"], span["farebox.tool_calls_malformed"]) == (2, 1)


def test_nothing_of_the_content_is_on_the_span(captured: Captured) -> None:
    """Flags and counts leave the process; words of prompt, answer and arguments do not."""
    client = gpt(
        {"content": "I can't help with zanzibar.", "tool_calls": [call("get_weather", '{"zanzibar": 1}')]}, "tool_calls"
    )

    ask_gpt(client, False, "Tell me of zanzibar", tools=[tool()])
    (span,) = captured.attempts()

    assert "zanzibar" not in repr(dict(span))
