"""Bodies and usage of media, read piece by piece: forms, pictures, kinds of tokens."""

from __future__ import annotations

import io
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox._form import form_of
from farebox._media import read_media
from farebox._media_usage import duration_usage, media_usage
from instrumentation.provider import sse
from instrumentation.socket_provider import SPOKEN_USAGE
from instrumentation.test_media import PICTURES, pytestmark

__all__ = ["pytestmark"]


class Unreadable(io.RawIOBase):
    """A file that nobody but the HTTP library may touch."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the file was read")


def test_a_form_is_read_without_its_files() -> None:
    """Of a form only short fields with known names are taken; files, prompts and long values are not."""
    request = openai.DefaultHttpxClient().build_request(
        "POST",
        "http://x/v1/images/edits",
        data={"model": "m", "n": "2", "stream": "true", "prompt": "secret", "size": "x" * 300},
        files={"image": Unreadable()},
    )

    assert form_of(request) == b'{"model": "m", "n": 2, "stream": true}'
    assert form_of(openai.DefaultHttpxClient().build_request("POST", "http://x", json={"model": "m"})) == b""


@pytest.mark.parametrize("step", [1000, 100_000, 10_000_000])
def test_a_picture_is_cut_out_wherever_chunks_break(step: int) -> None:
    """The first token is timed by the chunk that completed the first picture, and usage stands after megabytes."""
    raw = b"".join(sse(event, event["type"]) for event in PICTURES)
    chunks = [raw[start : start + step] for start in range(0, len(raw), step)]

    reading = read_media("image", chunks, {"model": "gpt-image-1.5"}, stream=True, whole=True)

    first = len(sse(PICTURES[0], PICTURES[0]["type"]))
    assert reading.first_token == (first - 2) // step
    assert reading.complete
    assert reading.usage is not None
    assert reading.usage.leaves["image_output_tokens"] == 4160


def test_two_images_of_one_stream_are_not_added_up() -> None:
    """Whether a second usage holds the first one is not known, so neither is recorded."""
    raw = b"".join(sse(event) for event in (PICTURES[-1], PICTURES[-1]))

    reading = read_media("image", [raw], {"model": "gpt-image-1.5"}, stream=True, whole=True)

    assert reading.usage is not None
    assert reading.usage.leaves == {}
    assert reading.usage.contradiction == "several images of one stream came with a usage each"


def test_drawing_by_another_model_is_billed_apart() -> None:
    """The tokens of a model that authors an SVG stand beside the image's, at their own model."""
    drawing = {"model": "gpt-5.4", "input_tokens": 9, "output_tokens": 8, "reasoning_tokens": 2, "total_tokens": 17}
    body = b'{"created":1,"data":[{}],"svg_usage":' + str(drawing).replace("'", '"').encode() + b"}"

    (apart,) = read_media("image", [body], {"model": "gpt-image-2"}, stream=False, whole=True).apart

    assert (apart.kind, apart.model) == ("svg_authoring", "gpt-5.4")
    assert apart.usage.leaves == {"uncached_input_tokens": 9, "output_tokens": 8}


def test_cached_tokens_leave_the_kind_they_are_of() -> None:
    """Cached audio has a price of its own: it is no audio input, and no cached text."""
    usage = media_usage(SPOKEN_USAGE)

    assert usage.leaves == {
        "uncached_input_tokens": 10,
        "cache_read_tokens": 40,
        "cache_read_audio_tokens": 50,
        "cache_read_image_tokens": 0,
        "audio_input_tokens": 70,
        "image_input_tokens": 30,
        "output_tokens": 20,
        "audio_output_tokens": 40,
    }
    assert (usage.input_total, usage.output_total, usage.contradiction) == (200, 60, None)


@pytest.mark.parametrize(
    ("usage", "sentence"),
    [
        ({"input_tokens": 9, "output_tokens": 0}, "input of 9 tokens is not divided into text, audio and images"),
        (
            {"input_tokens": 9, "input_tokens_details": {"image_tokens": 10}},
            "parts of the input are 10 tokens, above their total 9",
        ),
        (
            {"input_tokens": 9, "input_tokens_details": {"text_tokens": 4, "audio_tokens": 5, "cached_tokens": 3}},
            "3 cached tokens are not divided into text, audio and images",
        ),
        (
            {
                "input_tokens": 9,
                "input_tokens_details": {
                    "text_tokens": 9,
                    "cached_tokens": 3,
                    "cached_tokens_details": {"audio_tokens": 3},
                },
            },
            "cached tokens of a kind, (0, 3, 0), are above those of the input, (9, 0, 0)",
        ),
    ],
)
def test_what_is_not_divided_is_not_known(usage: dict[str, Any], sentence: str) -> None:
    """Kinds have prices of their own, so an undivided count gives no leaf but a sentence."""
    found = media_usage(usage)

    assert found.contradiction == sentence
    assert "uncached_input_tokens" not in found.leaves


def test_seconds_with_a_fraction_are_not_rounded() -> None:
    """The provider bills whole seconds; what is none is said, not rounded."""
    assert duration_usage({"seconds": 9}).leaves["audio_input_seconds"] == 9
    assert duration_usage({"seconds": "9.5"}).contradiction == "9.5 seconds of audio are no whole number"


KINDS = st.tuples(*[st.integers(0, 10**6)] * 3)


@given(KINDS, KINDS, KINDS)
def test_leaves_add_up_to_the_totals(fresh: Any, cached: Any, made: Any) -> None:
    """Whatever the parts, input leaves add up to the input and output leaves to the output."""

    def parts(counts: Any) -> dict[str, int]:
        return dict(zip(("text_tokens", "audio_tokens", "image_tokens"), counts, strict=True))

    whole = [a + b for a, b in zip(fresh, cached, strict=True)]
    details = {**parts(whole), "cached_tokens": sum(cached), "cached_tokens_details": parts(cached)}
    usage = {
        "input_tokens": sum(whole),
        "input_token_details": details,
        "output_tokens": sum(made),
        "output_token_details": parts(made),
    }

    leaves = media_usage(usage).leaves

    outputs = {name: count for name, count in leaves.items() if "output" in name}
    assert sum(outputs.values()) == sum(made)
    assert sum(leaves.values()) - sum(outputs.values()) == sum(whole)
