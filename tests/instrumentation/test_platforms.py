"""Cloud platforms' clients: recorded with model, provider and region, and nothing the caller can notice."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from openai.lib.bedrock import AsyncBedrockOpenAI, BedrockOpenAI

import farebox
from farebox._aws_events import aws_events
from farebox._endpoints import provider_of
from farebox.testing import Captured
from instrumentation.provider import Provider, aws_chunk, aws_frame, message_events
from instrumentation.test_differential import ASK, CHAT, RESPOND, acting, adrained, araised, drained, plain, raised

AWS = {"aws_access_key": "AKIAEXAMPLE", "aws_secret_key": "secret", "aws_region": "eu-central-1"}
BEDROCK_OPENAI = {"aws_region": "us-west-2", "api_key": "k"}
AZURE = {"api_key": "k", "api_version": "2026-01-01"}

# name → (class, async class, arguments besides the address)
ANTHROPIC: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "Bedrock": (anthropic.AnthropicBedrock, anthropic.AsyncAnthropicBedrock, AWS),
    "Bedrock with a key": (
        anthropic.AnthropicBedrock,
        anthropic.AsyncAnthropicBedrock,
        {"api_key": "k", "aws_region": "us-east-1"},
    ),
    "BedrockMantle": (anthropic.AnthropicBedrockMantle, anthropic.AsyncAnthropicBedrockMantle, AWS),
    "Vertex": (
        anthropic.AnthropicVertex,
        anthropic.AsyncAnthropicVertex,
        {"region": "us-east5", "project_id": "p1", "access_token": "t"},
    ),
    "GoogleCloud": (
        anthropic.AnthropicGoogleCloud,
        anthropic.AsyncAnthropicGoogleCloud,
        {"project": "p1", "workspace_id": "w1", "token_provider": lambda: "t"},
    ),
    "AWS": (anthropic.AnthropicAWS, anthropic.AsyncAnthropicAWS, {**AWS, "workspace_id": "w1"}),
    "Foundry": (anthropic.AnthropicFoundry, anthropic.AsyncAnthropicFoundry, {"api_key": "k"}),
}
OPENAI: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "Azure": (openai.AzureOpenAI, openai.AsyncAzureOpenAI, AZURE, "/openai"),
    "Azure deployment": (openai.AzureOpenAI, openai.AsyncAzureOpenAI, AZURE, "/openai/deployments/mine"),
    "Bedrock": (BedrockOpenAI, AsyncBedrockOpenAI, BEDROCK_OPENAI, "/openai/v1"),
}


def maybe_wrapped(client: Any, *, wrapped: bool) -> Any:
    return farebox.wrap(client, provider="azure") if wrapped else client


def copied(c: Any) -> Any:
    with c.with_options(timeout=5) as copy:  # before anthropic 2.6 a copy for Bedrock has an HTTP client of its own
        return plain(copy.messages.create(**ASK))


# What a caller does, and how many attempts it makes.
MESSAGES: dict[str, tuple[Callable[[Any], Any], int]] = {
    "whole": (lambda c: plain(c.messages.create(**ASK)), 1),
    "beta": (lambda c: type(c.beta.messages.create(**ASK)).__qualname__, 1),
    "stream": (lambda c: drained(c.messages.create(**ASK, stream=True)), 1),
    "stream split": (lambda c: drained(c.messages.create(**ASK, stream=True, **acting("split"))), 1),
    "stream cut": (lambda c: raised(lambda: list(c.messages.create(**ASK, stream=True, **acting("cut")))), 1),
    "stream error": (lambda c: raised(lambda: list(c.messages.create(**ASK, stream=True, **acting("error")))), 1),
    "retried": (lambda c: plain(c.messages.create(**ASK, **acting("fail:1,429"))), 2),
    "copy": (copied, 1),
}
CHATS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "whole": (lambda c: plain(c.chat.completions.create(**CHAT)), 1),
    "stream": (lambda c: drained(c.chat.completions.create(**CHAT, stream=True)), 1),
    "responses": (lambda c: plain(c.responses.create(**RESPOND)), 1),
    "retried": (lambda c: plain(c.chat.completions.create(**CHAT, **acting("fail:1,503"))), 2),
    "copy": (lambda c: plain(c.with_options(timeout=5).chat.completions.create(**CHAT)), 1),
}


@pytest.mark.parametrize("scenario", MESSAGES)
@pytest.mark.parametrize("platform", ANTHROPIC)
def test_callers_of_anthropics_platforms_cannot_tell(
    platform: str, scenario: str, provider: Provider, captured: Captured
) -> None:
    """Every platform's client behaves as a bare one, and each HTTP attempt is recorded once."""
    make, _, arguments = ANTHROPIC[platform]
    does, attempts = MESSAGES[scenario]

    def run(*, wrapped: bool) -> Any:
        client = maybe_wrapped(make(**arguments, base_url=provider.base), wrapped=wrapped)
        with client:
            return does(client)

    assert run(wrapped=True) == run(wrapped=False)
    assert len(captured.attempts()) == attempts


@pytest.mark.parametrize("scenario", CHATS)
@pytest.mark.parametrize("platform", OPENAI)
def test_callers_of_openais_platforms_cannot_tell(
    platform: str, scenario: str, provider: Provider, captured: Captured
) -> None:
    """The same for OpenAI's clients of Azure and Bedrock."""
    make, _, arguments, path = OPENAI[platform]
    does, attempts = CHATS[scenario]

    def run(*, wrapped: bool) -> Any:
        client = maybe_wrapped(make(**arguments, base_url=provider.base + path), wrapped=wrapped)
        with client:
            return does(client)

    assert run(wrapped=True) == run(wrapped=False)
    assert len(captured.attempts()) == attempts


@pytest.mark.parametrize("platform", [*ANTHROPIC, *(f"OpenAI on {name}" for name in OPENAI)])
def test_async_callers_cannot_tell(platform: str, provider: Provider, captured: Captured) -> None:
    """The async client of every platform gives the same answer, stream and error, bare and wrapped."""
    own, _, other = platform.partition("OpenAI on ")
    _, make, arguments = ANTHROPIC[own] if own else OPENAI[other][:3]
    path = "" if own else OPENAI[other][3]

    async def run(*, wrapped: bool) -> Any:
        async with maybe_wrapped(make(**arguments, base_url=provider.base + path), wrapped=wrapped) as client:
            create, ask = (client.messages.create, ASK) if own else (client.chat.completions.create, CHAT)
            whole = plain(await create(**ask))
            stream = await adrained(await create(**ask, stream=True))

            async def broken() -> None:
                await adrained(await create(**ask, stream=True, **acting("error")))

            return whole, stream, await araised(broken())

    assert asyncio.run(run(wrapped=True)) == asyncio.run(run(wrapped=False))
    assert [attempt["farebox.outcome"] for attempt in captured.attempts()] == ["ok", "ok", "stream_error"]


class Fixed(httpx2.BaseTransport):
    """Answers every request alike and keeps it."""

    def __init__(self, body: Any) -> None:
        self.body = body
        self.requests: list[httpx2.Request] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return httpx2.Response(200, json=self.body)


USAGE = {"input_tokens": 3, "output_tokens": 4}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5-20251001",
    "content": [],
    "stop_reason": "end_turn",
    "usage": USAGE,
}
HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
GLOBAL = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.{HAIKU}"
GOOGLE = "claude-haiku-4-5@20251001"


@pytest.mark.parametrize(
    ("platform", "arguments", "model", "recorded"),
    [
        ("Bedrock", {}, f"eu.{HAIKU}", ("bedrock", "eu-central-1", f"eu.{HAIKU}")),
        ("Bedrock", {}, f"global.{HAIKU}", ("bedrock", "global", f"global.{HAIKU}")),
        ("Bedrock", {}, PROFILE, ("bedrock", "eu-central-1", PROFILE)),
        ("Bedrock", {}, GLOBAL, ("bedrock", "global", GLOBAL)),
        ("BedrockMantle", {}, f"eu.{HAIKU}", ("bedrock", "eu-central-1", f"eu.{HAIKU}")),
        ("Vertex", {}, GOOGLE, ("vertex", "us-east5", GOOGLE)),
        ("Vertex", {"region": "global"}, GOOGLE, ("vertex", "global", GOOGLE)),
        ("Vertex", {"region": "eu"}, GOOGLE, ("vertex", "eu", GOOGLE)),
        ("GoogleCloud", {}, "claude-haiku-4-5", ("anthropic", None, "claude-haiku-4-5")),
        ("AWS", {}, "claude-haiku-4-5", ("anthropic", None, "claude-haiku-4-5")),
        ("Foundry", {"resource": "mine"}, "claude-haiku-4-5", ("azure", None, "claude-haiku-4-5")),
    ],
)
def test_model_provider_and_region_come_from_the_address(
    platform: str,
    arguments: dict[str, Any],
    model: str,
    recorded: tuple[str, str | None, str],
    captured: Captured,
) -> None:
    """What a platform puts into the address instead of the request is read there, on its own host."""
    transport = Fixed(MESSAGE)
    make, _, usual = ANTHROPIC[platform]
    client = farebox.wrap(make(**{**usual, **arguments}, http_client=httpx2.Client(transport=transport)))

    client.messages.create(**{**ASK, "model": model})

    (attempt,) = captured.attempts()
    assert (attempt["farebox.provider"], attempt.get("farebox.region"), attempt["gen_ai.request.model"]) == recorded
    assert attempt["gen_ai.response.model"] == "claude-haiku-4-5-20251001"
    assert attempt["farebox.usage.output_tokens"] == 4
    assert attempt.get("farebox.project") == ("p1" if platform in ("Vertex", "GoogleCloud") else None)


def test_an_azure_deployment_is_the_model_asked_for(captured: Captured) -> None:
    """Azure goes by the deployment in the address, whatever model the body names; the answer names the real one."""
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-5.4-mini-2026-03-17", "choices": []}
    transport = Fixed({**body, "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}})
    client = farebox.wrap(
        openai.AzureOpenAI(
            **AZURE,
            azure_endpoint="https://mine.openai.azure.com",
            azure_deployment="cheap one",
            http_client=httpx2.Client(transport=transport),
        )
    )

    client.chat.completions.create(**CHAT)

    (attempt,) = captured.attempts()
    assert attempt["farebox.provider"] == "azure"
    assert attempt["gen_ai.request.model"] == "cheap one"
    assert attempt["gen_ai.response.model"] == "gpt-5.4-mini-2026-03-17"


def test_counting_tokens_on_vertex_is_free(captured: Captured) -> None:
    """Vertex counts tokens at an address that looks like a model's."""
    make, _, arguments = ANTHROPIC["Vertex"]
    http_client = httpx2.Client(transport=Fixed({"input_tokens": 5}))
    client = farebox.wrap(make(**arguments, http_client=http_client))

    client.messages.count_tokens(model=GOOGLE, messages=ASK["messages"])

    (attempt,) = captured.attempts()
    assert attempt["gen_ai.operation.name"] == "count_tokens"
    assert attempt["farebox.usage.state"] == "none"


def test_signatures_hold_and_fingerprints_do_not_change(captured: Captured) -> None:
    """A signed request leaves as the SDK signed it, usage unasked, and its fingerprint is the access key's."""
    transport = Fixed({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": []})
    client = farebox.wrap(
        BedrockOpenAI(
            aws_region="us-west-2",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="secret",
            http_client=httpx2.Client(transport=transport),
        ),
        provider="openai",  # a provider that would be asked for the usage of streams
    )
    for _ in range(2):
        client.chat.completions.create(**CHAT, stream=True, temperature=0).close()

    first, second = captured.attempts()

    assert b"stream_options" not in transport.requests[0].content
    assert transport.requests[0].headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    assert first["farebox.key_fingerprint"] == second["farebox.key_fingerprint"]


def test_a_bedrock_stream_is_read_like_any_other(provider: Provider, captured: Captured) -> None:
    """AWS's frames give the leaves, the first token and the stop reason that server-sent events give."""
    for make, arguments in ((anthropic.AnthropicBedrock, AWS), (anthropic.Anthropic, {"api_key": "k"})):
        with farebox.wrap(make(**arguments, base_url=provider.base)) as client:
            drained(client.messages.create(**ASK, stream=True))

    framed, plainly = captured.attempts()

    same = [key for key in plainly if key.startswith(("farebox.usage.", "gen_ai.usage.", "gen_ai.response."))]
    own = "gen_ai.response.time_to_first_chunk"
    assert {key: framed[key] for key in same if key != own} == {key: plainly[key] for key in same if key != own}
    assert framed["farebox.time_to_first_token_ms"] > 0
    assert framed["gen_ai.request.stream"] is True
    assert framed["farebox.usage.cache_write_1h_tokens"] == 200


def test_a_bedrock_stream_that_fails_is_a_stream_error(provider: Provider, captured: Captured) -> None:
    """An exception frame ends the stream, and its usage is what was seen."""
    with farebox.wrap(anthropic.AnthropicBedrock(**AWS, base_url=provider.base)) as client:
        raised(lambda: list(client.messages.create(**ASK, stream=True, **acting("error"))))

    (attempt,) = captured.attempts()
    assert attempt["farebox.outcome"] == "stream_error"
    assert attempt["error.type"] == "throttlingException"
    assert attempt["farebox.usage.state"] == "partial"


FRAMES = [aws_chunk(event) for event in message_events()]


@pytest.mark.parametrize("step", [1, 7, 100, 100_000])
def test_frames_are_taken_apart_wherever_chunks_break(step: int) -> None:
    """Each event comes once, in order, with the chunk that completed it."""
    whole = b"".join(FRAMES)
    chunks = [whole[start : start + step] for start in range(0, len(whole), step)]
    ends = itertools.accumulate(map(len, FRAMES))

    found = list(aws_events(chunks))

    assert found == [
        (event.partition(b"data: ")[2].strip(), (end - 1) // step)
        for event, end in zip(message_events(), ends, strict=True)
    ]


def test_a_cut_frame_is_left_out_and_a_gap_is_skipped() -> None:
    """What the connection cut is not guessed at, and after a gap the next whole frame counts."""
    assert len(list(aws_events([b"".join(FRAMES)[:-1]]))) == len(FRAMES) - 1
    assert len(list(aws_events([FRAMES[0], FRAMES[1][:20], FRAMES[2][30:], FRAMES[3]]))) == 2
    assert list(aws_events([b"no frame at all, only text " * 10])) == []
    assert list(aws_events([])) == []


def test_frames_with_other_headers_and_payloads_are_survived() -> None:
    """Frames without a chunk give no event; headers of every type are passed over."""
    assert list(aws_events([aws_frame({"unknown": 1}, event_type="other")])) == []
    assert list(aws_events([aws_frame({"bytes": "%%%"}, event_type="chunk")])) == []
    ((event, _),) = aws_events([aws_frame({}, message_type="error", error_code="Internal", error_message="no")])
    assert event == b'{"type": "error", "error": {"type": "Internal", "message": "no"}}'


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", "bedrock"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "bedrock"),
        ("vpce-0a1-b2.bedrock-runtime.us-east-1.vpce.amazonaws.com", "bedrock"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "bedrock"),
        ("bedrock-mantle.us-east-1.api.aws", "bedrock"),
        ("aws-external-anthropic.us-east-1.api.aws", "anthropic"),
        ("my-gateway.execute-api.us-east-1.amazonaws.com", "unknown"),
        ("us-east5-aiplatform.googleapis.com", "vertex"),
        ("aiplatform.googleapis.com", "vertex"),
        ("aiplatform.eu.rep.googleapis.com", "vertex"),
        ("claude.googleapis.com", "anthropic"),
        ("generativelanguage.googleapis.com", "google"),
        ("mine.services.ai.azure.com", "azure"),
        ("mine.openai.azure.com", "azure"),
        ("eu.api.openai.com", "openai"),
    ],
)
def test_a_platforms_host_names_who_bills(host: str, provider: str) -> None:
    """Hosts with a region in them are known by what stands around it."""
    assert provider_of(host) == provider
