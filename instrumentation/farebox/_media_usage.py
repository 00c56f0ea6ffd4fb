"""Split the usage of images, speech and spoken conversation into exclusive leaves, by what the tokens stand for.

Text, audio and images have prices of their own, and so have the cached ones of each. Where a provider does not say how
a count divides among them, the count is not known: a sentence says so, and no leaf is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from farebox._reading import mapping
from farebox._usage import TokenUsage

__all__ = ["billed_by", "duration_usage", "media_usage"]

_KINDS = ("text", "audio", "image")
_INPUT = ("input_tokens_details", "input_token_details", "prompt_tokens_details")
_OUTPUT = ("output_tokens_details", "output_token_details", "completion_tokens_details")


@dataclass(frozen=True, slots=True)
class _Part:
    """Tokens by kind; None: there may be some of that kind, but nobody named it."""

    text: int | None = None
    audio: int | None = None
    image: int | None = None

    def __iter__(self) -> Iterator[int]:
        return iter((self.text or 0, self.audio or 0, self.image or 0))


def media_usage(usage: Mapping[str, Any], *, inputs: str = "", outputs: str = "") -> TokenUsage:
    """Split token counts; `inputs` and `outputs` are the kind of all tokens of a side that is not divided.

    "": the side holds several kinds, so undivided tokens are unknown. Counts of cached tokens are inside the input, as
    OpenAI counts them. Source: openai 3.54, types/images_response.py, types/audio/transcription.py,
    types/realtime/realtime_response_usage.py; the older API descriptions call undivided image output "the number of
    image tokens in the output image", read 2026-11-23.
    """
    out = TokenUsage()
    out.input_total, out.output_total = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    details, split = _first(usage, _INPUT), _first(usage, _OUTPUT)
    whole = _divide(out, "input", out.input_total, details, inputs)
    cached = None if whole is None else _cached(out, usage, details, whole)
    made = _divide(out, "output", out.output_total, split, outputs)
    if whole is not None and cached is not None:
        _put_input(out, whole, cached)
    if made is not None:
        _put(out, output_tokens=made.text, audio_output_tokens=made.audio, image_output_tokens=made.image)
    out.reasoning = _count(split, "reasoning_tokens")
    return out


def duration_usage(usage: Mapping[str, Any]) -> TokenUsage:
    """Return the usage of a transcription that is billed by the length of the audio, in whole seconds.

    Source: openai 3.54, types/audio/transcription.py, UsageDuration; the API gives whole seconds.
    """
    seconds = usage.get("seconds")
    if isinstance(seconds, Decimal) and seconds == seconds.to_integral_value():
        seconds = int(seconds)
    if type(seconds) is not int:
        return TokenUsage(contradiction=f"{seconds} seconds of audio are no whole number")
    return billed_by("audio_input_seconds", seconds)


def billed_by(unit: str, count: int) -> TokenUsage:
    """Return the usage of what is billed by another unit than tokens: of these it has none, which is 0, not unknown."""
    return TokenUsage(leaves={"uncached_input_tokens": 0, "output_tokens": 0, unit: count})


def _put_input(out: TokenUsage, whole: _Part, cached: _Part) -> None:
    text, audio, image = (each - read for each, read in zip(whole, cached, strict=True))
    if min(text, audio, image) < 0:
        out.contradiction = f"cached tokens of a kind, {(*cached,)}, are above those of the input, {(*whole,)}"
        return
    _put(
        out,
        uncached_input_tokens=text,
        cache_read_tokens=cached.text,
        cache_read_audio_tokens=cached.audio,
        cache_read_image_tokens=cached.image,
        audio_input_tokens=None if whole.audio is None else audio,
        image_input_tokens=None if whole.image is None else image,
    )


def _divide(out: TokenUsage, side: str, total: int | None, details: Mapping[str, Any], only: str) -> _Part | None:
    """Divide a side's total into kinds: what is not audio or image is text, as in a chat completion's usage."""
    if total is None:
        return None
    text, audio, image = (_count(details, f"{kind}_tokens") for kind in _KINDS)
    if text is audio is image is None:
        if only or not total:
            return _all_of(only or "text", total)
        out.contradiction = out.contradiction or f"{side} of {total} tokens is not divided into text, audio and images"
        return None
    parts = (audio or 0) + (image or 0)
    if parts > total:
        out.contradiction = f"parts of the {side} are {parts} tokens, above their total {total}"
        return None
    return _Part(total - parts, audio, image)


def _cached(out: TokenUsage, usage: Mapping[str, Any], details: Mapping[str, Any], whole: _Part) -> _Part | None:
    """Return the cached tokens by kind; where nothing divides them, they are of the one kind there is."""
    place = details if details.get("cached_tokens") is not None else usage
    total = _count(place, "cached_tokens")
    if total is None:
        return _Part()
    split = mapping(place.get("cached_tokens_details"))
    text, audio, image = (_either(split, f"{kind}_tokens", f"cached_{kind}_tokens") for kind in _KINDS)
    if (text or 0) + (audio or 0) + (image or 0) == total:
        return _Part(text or 0, audio, image)
    kinds = [kind for kind, count in zip(_KINDS, whole, strict=True) if count]
    if text is audio is image is None and len(kinds) == 1:
        return _all_of(kinds[0], total)
    out.contradiction = out.contradiction or f"{total} cached tokens are not divided into text, audio and images"
    return None


def _all_of(kind: str, count: int) -> _Part:
    return _Part(**{"text": 0, kind: count})


def _first(usage: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    return next((found for name in names if (found := mapping(usage.get(name)))), {})


def _either(usage: Mapping[str, Any], name: str, other: str) -> int | None:
    found = _count(usage, name)
    return _count(usage, other) if found is None else found


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if type(value) is int else None


def _put(out: TokenUsage, **counts: int | None) -> None:
    out.leaves.update({name: count for name, count in counts.items() if count is not None})
