"""Read answers that are images, speech or transcripts: their usage, and which unit bills them where it is no token.

Images and audio come as base64 inside JSON, megabytes of it; they are cut out before anything is parsed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

from farebox._body import parse_json, sse_events
from farebox._media_usage import billed_by, duration_usage, media_usage
from farebox._reading import BilledApart, Reader, Reading, mapping, sequence, text
from farebox._usage import TokenUsage, openai_usage

__all__ = ["MEDIA", "read_media"]

# Models that cost by the character of what they are given to speak, whatever the answer says.
# Source: developers.openai.com pricing and text-to-speech pages, read 2026-11-23.
_BY_CHARACTER = re.compile(r"tts-1(-hd)?(-\d+)?$")
# Models that cost by the token, so that an answer without usage leaves it unknown; others cost by the image.
_IMAGES_BY_TOKEN = re.compile(r"(chat)?gpt-(\d[\w.]*-)?image")
_LARGE = (b'"b64_json"', b'"audio"')


def read_media(shape: str, chunks: list[bytes], request: Mapping[str, Any], *, stream: bool, whole: bool) -> Reading:
    """Read an answer that is no error; `whole`: the caller read it to its end."""
    reader = _READERS[shape](request)
    if stream:
        for event, chunk in _events(chunks):
            reader.event(event, chunk)
        return reader.finish()
    body = parse_json(_without_large(b"".join(chunks)))
    if isinstance(body, Mapping):
        reader.body(body)
    else:
        reader.no_json(whole=whole)
    return reader.finish()


class _MediaReader(Reader):
    """Reads one shape with what was asked at hand: these answers leave out which model gave them."""

    ending: str | tuple[str, ...] = ""  # how the type of the event ends that carries the usage

    def __init__(self, request: Mapping[str, Any]) -> None:
        super().__init__("")
        self.request = request
        self.model = text(request.get("model")) or ""

    def body(self, body: Mapping[str, Any]) -> None:
        if body.get("error"):
            self.reading.error = mapping(body["error"]) or {"message": str(body["error"])}
            return
        self.take(body)
        self.reading.complete = True

    def event(self, event: Mapping[str, Any], chunk: int) -> None:
        kind = text(event.get("type")) or ""
        if kind == "error" or event.get("error"):
            self.reading.error = mapping(event.get("error")) or event
        elif kind.endswith(self.ending):
            self.take(event)
            self.reading.complete = True
        elif self.reading.first_token is None:
            self.reading.first_token = chunk

    def done(self) -> None:
        """The last event has already said what counts."""

    def no_json(self, *, whole: bool) -> None:
        """Take an answer that is text or sound: nothing in it tells its usage."""
        self.reading.complete = whole

    def take(self, part: Mapping[str, Any]) -> None:
        """Take the usage out of a whole answer, or out of the last event."""
        raise NotImplementedError


class _ImageReader(_MediaReader):
    ending = ".completed"

    def take(self, part: Mapping[str, Any]) -> None:
        reading, usage = self.reading, mapping(part.get("usage"))
        images = 1 if part.get("type") else len([*sequence(part.get("data"))])
        if reading.complete:  # whether the usage of a stream's second image holds the first one's, nobody says
            reading.usage = TokenUsage(contradiction="several images of one stream came with a usage each")
        elif usage:
            reading.usage = media_usage(usage, outputs="image")
        elif images and not _IMAGES_BY_TOKEN.match(self.model):
            reading.usage = billed_by("images", images)
        drawing = mapping(part.get("svg_usage"))
        if drawing:
            model = text(drawing.get("model"))
            reading.apart.append(BilledApart(len(reading.apart), "svg_authoring", model, openai_usage(drawing)))


class _TranscriptReader(_MediaReader):
    ending = ("transcript.text.done", "input_audio_transcription.completed")  # the other is of a realtime session

    def take(self, part: Mapping[str, Any]) -> None:
        usage = mapping(part.get("usage"))
        if usage.get("type") == "duration":
            self.reading.usage = duration_usage(usage)
        elif usage:
            self.reading.usage = media_usage(usage, outputs="text")


class _SpeechReader(_MediaReader):
    ending = "speech.audio.done"

    def no_json(self, *, whole: bool) -> None:
        super().no_json(whole=whole)
        self.take({})

    def take(self, part: Mapping[str, Any]) -> None:
        usage, spoken = mapping(part.get("usage")), self.request.get("input")
        if usage:
            self.reading.usage = media_usage(usage, inputs="text", outputs="audio")
        elif isinstance(spoken, str) and _BY_CHARACTER.match(self.model):
            self.reading.usage = billed_by("input_characters", len(spoken))


_READERS = {"image": _ImageReader, "speech": _SpeechReader, "transcript": _TranscriptReader}
# Shapes of `Endpoint` that are read here.
MEDIA = frozenset(_READERS)


def _events(chunks: list[bytes]) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Yield the events, each with the index of the chunk that completed it, or that completed the first large one.

    What is large goes before the events are told apart, which takes a hundredth of the time.
    """
    whole = b"".join(chunks)
    small = _without_large(whole)
    first = None
    if len(small) < len(whole):
        large = min(at for name in _LARGE if (at := whole.find(name)) >= 0)
        first = bisect_right(list(accumulate(map(len, chunks))), whole.find(b"\n\n", large))
    for data, chunk in sse_events(chunks if first is None else [small]):
        event = parse_json(data)
        if isinstance(event, Mapping):
            yield event, chunk if first is None else first


def _without_large(raw: bytes) -> bytes:
    """Empty the strings that hold an image or a sound: base64 has no quote in it, so the next one is their end."""
    for name in _LARGE:
        pieces, start = [], 0
        while (at := raw.find(name, start)) >= 0:
            opening = raw.find(b'"', at + len(name))
            closing = raw.find(b'"', opening + 1)
            if opening < 0 or closing < 0 or raw[at + len(name) : opening].strip() != b":":
                pieces.append(raw[start : at + len(name)])
                start = at + len(name)
                continue
            pieces.append(raw[start : opening + 1])
            start = closing
        if pieces:
            raw = b"".join((*pieces, raw[start:]))
    return raw
