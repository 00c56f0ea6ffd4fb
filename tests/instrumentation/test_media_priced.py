"""From an SDK's call to its price: sound and pictures cost what the price list says, or say why they are unknown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import openai
import pytest

pytest.importorskip("clickhouse_connect", reason="prices are the ledger's, which is not installed")

from clickhouse_connect.driver.client import Client
from ledger.spans import Span, stored

import farebox
from farebox.testing import Captured
from instrumentation.provider import CHUNK, RESPONSE, Provider
from instrumentation.test_media import DRAW, IMAGE_USAGE, IMAGES, SAY, SECONDS, SOUND, SPOKEN, TOKENS, file

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

MILLION = Decimal(10) ** 6
AUDIO_CHAT = {
    **CHUNK,
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 130,
        "completion_tokens": 50,
        "total_tokens": 180,
        "prompt_tokens_details": {"text_tokens": 30, "audio_tokens": 100, "cached_tokens": 0},
        "completion_tokens_details": {"text_tokens": 10, "audio_tokens": 40, "reasoning_tokens": 0},
    },
}
ONLY_IMAGE = {**IMAGE_USAGE, "output_tokens_details": {"image_tokens": 4160, "text_tokens": 0}}


def chat(model: str) -> Callable[[openai.OpenAI], Any]:
    return lambda c: c.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])


def hear(model: str) -> Callable[[openai.OpenAI], Any]:
    return lambda c: c.audio.transcriptions.create(file=file("a.mp3"), model=model)


# name → (what the provider answers to which path, what the caller does, the charge in USD, its state and reason)
CASES: dict[str, tuple[str, Any, Callable[[openai.OpenAI], Any], Decimal | None, str, str]] = {
    "audio chat": (
        "chat/completions",
        {**AUDIO_CHAT, "model": "gpt-audio"},
        chat("gpt-audio"),
        (30 * Decimal("2.5") + 100 * 32 + 10 * 10 + 40 * 64) / MILLION,
        "priced",
        "",
    ),
    "audio chat without a price for audio": (
        "chat/completions",
        {**AUDIO_CHAT, "model": "gpt-4o-audio-preview"},
        chat("gpt-4o-audio-preview"),
        None,
        "no_price",
        "no price for audio_input_tokens, audio_output_tokens",
    ),
    "image": (
        "images/generations",
        IMAGES,
        lambda c: c.images.generate(**DRAW),
        Decimal(27 * 5 + 323 * 8 + 60 * 10 + 4100 * 32) / MILLION,
        "priced",
        "",
    ),
    "image of a model whose images are all its output": (
        "images/generations",
        {**IMAGES, "usage": {**ONLY_IMAGE, "output_tokens_details": None}},
        lambda c: c.images.generate(model="gpt-image-1", prompt="a cat"),
        Decimal(27 * 5 + 323 * 10 + 4160 * 40) / MILLION,
        "priced",
        "",
    ),
    "speech by the token": (
        "audio/speech",
        SPOKEN,
        lambda c: c.audio.speech.create(**{**SAY, "model": "gpt-4o-mini-tts"}, stream_format="sse"),
        (14 * Decimal("0.6") + 101 * 12) / MILLION,
        "priced",
        "",
    ),
    "transcript by the token": (
        "audio/transcriptions",
        {"text": "Hello", "usage": TOKENS},
        hear("gpt-4o-transcribe"),
        (14 * Decimal("2.5") + 100 * 6 + 45 * 10) / MILLION,
        "priced",
        "",
    ),
    "transcript by the second": (
        "audio/transcriptions",
        {"text": "Hello", "usage": SECONDS},
        hear("whisper-1"),
        SECONDS["seconds"] * Decimal("0.36") / 3600,
        "priced",
        "",
    ),
    "speech by the character": (
        "audio/speech",
        SOUND,
        lambda c: c.audio.speech.create(**SAY),
        len(SAY["input"]) * 15 / MILLION,
        "priced",
        "",
    ),
    "speech whose tokens nobody tells": (
        "audio/speech",
        SOUND,
        lambda c: c.audio.speech.create(**{**SAY, "model": "gpt-4o-mini-tts"}),
        None,
        "no_usage",
        "no usage came: ok",
    ),
    "image by the piece": (
        "images/generations",
        {"created": 1, "data": [{"url": "https://x/1.png"}]},
        lambda c: c.images.generate(model="dall-e-3", prompt="a cat"),
        None,
        "no_price",
        "no price for model dall-e-3 of openai",
    ),
    "image tokens nobody divides": (
        "images/generations",
        {**IMAGES, "usage": {**ONLY_IMAGE, "input_tokens_details": None}},
        lambda c: c.images.generate(**DRAW),
        None,
        "no_usage",
        "input of 350 tokens is not divided into text, audio and images",
    ),
}


def as_exported(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Lay attributes out as the collector stores them: all text, arrays as JSON."""
    return {
        name: json.dumps(list(value)) if isinstance(value, tuple | list) else str(value)
        for name, value in attributes.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_a_call_costs_what_the_price_list_says(
    name: str, provider: Provider, captured: Captured, ledger_client: Client
) -> None:
    """The charge is the product of exclusive leaves and prices; what has no price or usage is NULL, with the reason."""
    path, answer, does, cost, state, reason = CASES[name]
    provider.files[f"POST /v1/{path}"] = answer
    with farebox.wrap(openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1"), provider="openai") as client:
        does(client)
    (attempt,) = captured.attempts()

    row = stored(ledger_client, Span(as_exported(attempt)), "list_cost, price_state, price_reason")

    assert row == (cost, state, reason)


def test_a_unit_without_a_column_is_named(ledger_client: Client, provider: Provider, captured: Captured) -> None:
    """A priced model that is billed by a unit the ledger does not know yet says so."""
    provider.files["POST /v1/audio/transcriptions"] = {"text": "Hello", "usage": SECONDS}
    with farebox.wrap(openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1"), provider="openai") as client:
        hear("gpt-4o-transcribe")(client)
    (attempt,) = captured.attempts()

    row = stored(ledger_client, Span(as_exported(attempt)), "list_cost, price_state, price_reason")

    assert row == (None, "no_price", "no price for audio_input_seconds")


def test_images_inside_a_response_are_billed_at_their_own_model(
    ledger_client: Client, provider: Provider, captured: Captured
) -> None:
    """What a response's image tool used stands beside the response's tokens, and costs what its model costs."""
    tools = [{"type": "image_generation", "model": "gpt-image-1.5"}]
    used = {**IMAGE_USAGE, "cached_tokens": 20, "cached_tokens_details": {"cached_text_tokens": 20}}
    provider.files["POST /v1/responses"] = {
        **RESPONSE,
        "tools": tools,
        "tool_usage": {"image_gen": used, "web_search": {"num_requests": 0}},
    }
    with farebox.wrap(openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1"), provider="openai") as client:
        client.responses.create(model="gpt-5.4-mini", input="a cat", tools=tools)
    response, images = captured.attempts()

    row = stored(ledger_client, Span(as_exported(images)), "kind, model, list_cost, price_state")

    assert (response["farebox.usage.output_tokens"], response["farebox.usage.cache_read_tokens"]) == (20, 64)
    cost = (7 * 5 + 20 * Decimal("1.25") + 323 * 8 + 60 * 10 + 4100 * 32) / MILLION
    assert row == ("iteration", "gpt-image-1.5", cost, "priced")
