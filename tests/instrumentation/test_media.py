"""Images, speech and transcripts: the caller cannot tell, and each answer gives the leaves that its price needs."""

from __future__ import annotations

import asyncio
import base64
import io
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import openai
import pytest

import farebox
from farebox.testing import Captured
from instrumentation.provider import Provider
from instrumentation.test_differential import acting, adrained, araised, drained, plain, raised

# The SDK deprecates what it still sends.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PICTURE = base64.b64encode(os.urandom(60_000)).decode()
SOUND = os.urandom(100_000)
IMAGE_USAGE = {
    "input_tokens": 350,
    "input_tokens_details": {"text_tokens": 27, "image_tokens": 323},
    "output_tokens": 4160,
    "output_tokens_details": {"image_tokens": 4100, "text_tokens": 60},
    "total_tokens": 4510,
}
EVENT_USAGE = {**IMAGE_USAGE, "output_tokens_details": None}
IMAGES = {"created": 1, "data": [{"b64_json": PICTURE}], "size": "1024x1024", "quality": "high", "usage": IMAGE_USAGE}
URLS = {"created": 1, "data": [{"url": "https://x/1.png"}, {"url": "https://x/2.png"}]}
TOKENS = {
    "type": "tokens",
    "input_tokens": 114,
    "input_token_details": {"text_tokens": 14, "audio_tokens": 100},
    "output_tokens": 45,
    "total_tokens": 159,
}
SECONDS = {"type": "duration", "seconds": 9}
SPEECH_USAGE = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}


def picture(kind: str, **fields: Any) -> dict[str, Any]:
    head = {"created_at": 1, "size": "1024x1024", "quality": "high", "background": "opaque", "output_format": "png"}
    return {"type": kind, "b64_json": PICTURE, **head, **fields}


PICTURES = [
    picture("image_generation.partial_image", partial_image_index=0),
    picture("image_generation.partial_image", partial_image_index=1),
    picture("image_generation.completed", usage=EVENT_USAGE),
]
WORDS = [
    {"type": "transcript.text.delta", "delta": "Hello"},
    {"type": "transcript.text.done", "text": "Hello", "usage": TOKENS},
]
SPOKEN = [
    {"type": "speech.audio.delta", "audio": PICTURE},
    {"type": "speech.audio.done", "usage": SPEECH_USAGE},
]
DECISION = {
    "answers": [{"type": "predicate", "probability": 0.9}],
    "model": "gpt-6-luna",
    "usage": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 0},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 103,
    },
}
COMPACTED = {
    "id": "resp_c",
    "object": "response.compaction",
    "created_at": 1,
    "output": [],
    "usage": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 64},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 120,
    },
}
MODERATED = {"id": "modr_1", "model": "omni-moderation-latest", "results": []}
VIDEO = {"id": "video_1", "object": "video", "model": "sora-2", "status": "queued", "created_at": 1, "seconds": "4"}


def file(name: str = "a.png") -> io.BytesIO:
    found = io.BytesIO(SOUND)
    found.name = name
    return found


DRAW: dict[str, Any] = {"model": "gpt-image-1.5", "prompt": "a cat"}
SAY: dict[str, Any] = {"model": "tts-1", "input": "Hello wörld", "voice": "alloy"}
HEAR: dict[str, Any] = {"model": "gpt-4o-transcribe"}

# name → (what the provider answers to which path, what the caller does, the usage attributes that are recorded)
ANSWERS: dict[str, tuple[str, Any, Callable[[Any], Any], Mapping[str, Any]]] = {
    "image": (
        "images/generations",
        IMAGES,
        lambda c: c.images.generate(**DRAW),
        {
            "state": "reported",
            "uncached_input_tokens": 27,
            "image_input_tokens": 323,
            "output_tokens": 60,
            "image_output_tokens": 4100,
            "cache_read_tokens": None,
        },
    ),
    "image edit": (
        "images/edits",
        IMAGES,
        lambda c: c.images.edit(image=[file("a.png"), file("b.png")], **DRAW),
        {"state": "reported", "uncached_input_tokens": 27, "image_input_tokens": 323, "image_output_tokens": 4100},
    ),
    "image variation by the piece": (
        "images/variations",
        URLS,
        lambda c: c.images.create_variation(image=file(), model="dall-e-2", n=2),
        {"state": "reported", "images": 2, "uncached_input_tokens": 0, "output_tokens": 0},
    ),
    "image of a token model without usage": (
        "images/generations",
        URLS,
        lambda c: c.images.generate(**DRAW),
        {"state": "missing", "images": None, "output_tokens": None},
    ),
    "speech by the character": (
        "audio/speech",
        SOUND,
        lambda c: c.audio.speech.create(**SAY),
        {"state": "reported", "input_characters": 11, "uncached_input_tokens": 0, "output_tokens": 0},
    ),
    "speech by the token": (
        "audio/speech",
        SOUND,
        lambda c: c.audio.speech.create(**{**SAY, "model": "gpt-4o-mini-tts"}),
        {"state": "missing", "input_characters": None, "output_tokens": None},
    ),
    "transcript": (
        "audio/transcriptions",
        {"text": "Hello", "usage": TOKENS},
        lambda c: c.audio.transcriptions.create(file=file("a.mp3"), **HEAR),
        {
            "state": "reported",
            "uncached_input_tokens": 14,
            "audio_input_tokens": 100,
            "output_tokens": 45,
            "audio_output_tokens": None,
        },
    ),
    "transcript by the second": (
        "audio/transcriptions",
        {"text": "Hello", "duration": 8.47, "language": "en", "usage": SECONDS},
        lambda c: c.audio.transcriptions.create(file=file("a.mp3"), model="whisper-1", response_format="verbose_json"),
        {"state": "reported", "audio_input_seconds": 9, "uncached_input_tokens": 0, "output_tokens": 0},
    ),
    "translation without usage": (
        "audio/translations",
        {"text": "Hello"},
        lambda c: c.audio.translations.create(file=file("a.mp3"), model="whisper-1"),
        {"state": "missing", "audio_input_seconds": None},
    ),
    "decision": (
        "decisions",
        DECISION,
        lambda c: c.decisions.create(model="gpt-6-luna", input="x", questions=[{"type": "predicate", "question": "?"}]),
        {"state": "reported", "uncached_input_tokens": 36, "cache_read_tokens": 64, "output_tokens": 3},
    ),
    "compaction": (
        "responses/compact",
        COMPACTED,
        lambda c: c.responses.compact(model="gpt-5.4-mini", input="x"),
        {"state": "reported", "uncached_input_tokens": 36, "cache_read_tokens": 64, "output_tokens": 20},
    ),
}
STREAMS: dict[str, tuple[str, Any, Callable[[Any], Any], Mapping[str, Any]]] = {
    "image": (
        "images/generations",
        PICTURES,
        lambda c: c.images.generate(**DRAW, stream=True, partial_images=2),
        {
            "state": "reported",
            "uncached_input_tokens": 27,
            "image_input_tokens": 323,
            "output_tokens": 0,
            "image_output_tokens": 4160,
        },
    ),
    "image edit": (
        "images/edits",
        [{**event, "type": event["type"].replace("generation", "edit")} for event in PICTURES],
        lambda c: c.images.edit(image=file(), **DRAW, stream=True),
        {"state": "reported", "image_input_tokens": 323, "image_output_tokens": 4160},
    ),
    "transcript": (
        "audio/transcriptions",
        WORDS,
        lambda c: c.audio.transcriptions.create(file=file("a.mp3"), **HEAR, stream=True),
        {"state": "reported", "uncached_input_tokens": 14, "audio_input_tokens": 100, "output_tokens": 45},
    ),
}


def seen(value: Any) -> Any:
    """What a caller can tell of an answer."""
    if isinstance(value, str):
        return value
    if hasattr(value, "to_dict"):
        return plain(value)
    return type(value).__qualname__, value.content


def usage_of(attempt: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    return {name: attempt.get(f"farebox.usage.{name}") for name in expected}


def client(provider: Provider, *, wrapped: bool) -> openai.OpenAI:
    made = openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1", max_retries=1)
    return farebox.wrap(made, provider="openai") if wrapped else made


def async_client(provider: Provider, *, wrapped: bool) -> openai.AsyncOpenAI:
    made = openai.AsyncOpenAI(api_key="k", base_url=f"{provider.base}/v1", max_retries=1)
    return farebox.wrap(made, provider="openai") if wrapped else made


def compared(
    provider: Provider, does: Callable[[Any], Any], adoes: Callable[[Any], Awaitable[Any]], captured: Captured
) -> list[Mapping[str, Any]]:
    """Hold bare against wrapped, sync and async; return the two attempts that were recorded."""

    def run(*, wrapped: bool) -> Any:
        with client(provider, wrapped=wrapped) as c:
            return does(c)

    async def arun(*, wrapped: bool) -> Any:
        async with async_client(provider, wrapped=wrapped) as c:
            return await adoes(c)

    assert run(wrapped=True) == run(wrapped=False)
    assert asyncio.run(arun(wrapped=True)) == asyncio.run(arun(wrapped=False))
    attempts = captured.attempts()
    assert len(attempts) == 2
    return attempts


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_the_same_and_its_leaves_are_recorded(name: str, provider: Provider, captured: Captured) -> None:
    """Callers get the same, sync and async, and both attempts name the model and every leaf that has a price."""
    path, answer, does, expected = ANSWERS[name]
    if not hasattr(openai.OpenAI, path.partition("/")[0]):
        pytest.skip("this release of the SDK has no such method")
    provider.files[f"POST /v1/{path}"] = answer

    async def adoes(c: Any) -> Any:
        return seen(await does(c))

    attempts = compared(provider, lambda c: seen(does(c)), adoes, captured)

    for attempt in attempts:
        assert usage_of(attempt, expected) == expected
        assert attempt["farebox.outcome"] == "ok"
        assert attempt["gen_ai.request.model"]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_the_same_and_its_leaves_are_recorded(name: str, provider: Provider, captured: Captured) -> None:
    """Partial images and pieces of text reach the caller unchanged; the last event's usage is recorded."""
    path, events, does, expected = STREAMS[name]
    provider.files[f"POST /v1/{path}"] = events

    async def adoes(c: Any) -> Any:
        return await adrained(await does(c))

    attempts = compared(provider, lambda c: drained(does(c)), adoes, captured)

    for attempt in attempts:
        assert usage_of(attempt, expected) == expected
        assert attempt["farebox.outcome"] == "ok"
        assert attempt["gen_ai.request.stream"] is True
        assert attempt["farebox.time_to_first_token_ms"] > 0


def test_a_stream_that_is_cut_is_missing_its_usage(provider: Provider, captured: Captured) -> None:
    """Partial images without the last event may have been billed: nothing is recorded as their usage."""
    provider.files["POST /v1/images/generations"] = PICTURES

    async def adoes(c: Any) -> Any:
        return await araised(adrained(await c.images.generate(**DRAW, stream=True, **acting("cut:2"))))

    def does(c: Any) -> Any:
        return raised(lambda: list(c.images.generate(**DRAW, stream=True, **acting("cut:2"))))

    for attempt in compared(provider, does, adoes, captured):
        assert (attempt["farebox.outcome"], attempt["farebox.usage.state"]) == ("stream_error", "missing")


def test_speech_that_is_streamed_to_a_file_is_recorded(provider: Provider, captured: Captured, tmp_path: Any) -> None:
    """Sound read piece by piece, or as events, is recorded like sound read at once; sound left unread is partial."""
    provider.files["POST /v1/audio/speech"] = SOUND
    with client(provider, wrapped=True) as c:
        with c.audio.speech.with_streaming_response.create(**SAY) as response:
            response.stream_to_file(tmp_path / "a.mp3")
        with c.audio.speech.with_streaming_response.create(**SAY) as response:
            pass
        provider.files["POST /v1/audio/speech"] = SPOKEN
        with c.audio.speech.with_streaming_response.create(**{**SAY, "model": "gpt-4o-mini-tts"}) as response:
            events = response.read()

    read, unread, streamed = captured.attempts()

    assert (tmp_path / "a.mp3").read_bytes() == SOUND
    assert b"speech.audio.done" in events
    assert (read["farebox.usage.state"], read["farebox.usage.input_characters"]) == ("reported", 11)
    assert (unread["farebox.outcome"], unread["farebox.usage.state"]) == ("abandoned", "partial")
    expected = {"state": "reported", "uncached_input_tokens": 14, "audio_output_tokens": 101, "output_tokens": 0}
    assert usage_of(streamed, expected) == expected


def test_moderations_are_free_and_leave_no_span(provider: Provider, captured: Captured) -> None:
    """What never costs anything is not recorded."""
    provider.files["POST /v1/moderations"] = MODERATED
    with client(provider, wrapped=True) as c:
        c.moderations.create(input="x")

    assert captured.attempts() == []


def test_a_video_is_missing_its_usage(provider: Provider, captured: Captured) -> None:
    """A video is billed by its length when it is done, which the order does not say."""
    provider.files["POST /v1/videos"] = VIDEO
    with client(provider, wrapped=True) as c:
        c.videos.create(prompt="a cat", model="sora-2", seconds="4", input_reference=file())

    (attempt,) = captured.attempts()
    assert (attempt["farebox.usage.state"], attempt["gen_ai.request.model"]) == ("missing", "sora-2")


def test_a_refused_upload_is_retried_and_costs_nothing(provider: Provider, captured: Captured) -> None:
    """A form is read for each attempt, and its file is still whole for the next one."""
    provider.files["POST /v1/audio/transcriptions"] = {"text": "Hello", "usage": TOKENS}
    with client(provider, wrapped=True) as c:
        c.audio.transcriptions.create(file=file("a.mp3"), **HEAR, **acting("fail:1,503"))

    refused, heard = captured.attempts()
    assert (refused["farebox.usage.state"], heard["farebox.usage.state"]) == ("none", "reported")
    assert refused["gen_ai.request.model"] == heard["gen_ai.request.model"] == "gpt-4o-transcribe"
