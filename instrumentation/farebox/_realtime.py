"""Read the events of OpenAI's realtime API that tell what a spoken response was, and what it used.

Source: openai 3.54, types/realtime/realtime_response.py and realtime_response_usage.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farebox._media_usage import media_usage
from farebox._reading import Choice, Reader, mapping, sequence, text

__all__ = ["RealtimeReader", "transcription_model_in"]


class RealtimeReader(Reader):
    """Reads one response of a session: `response.done` says it all; of what comes before, only the times count."""

    def body(self, body: Mapping[str, Any]) -> None:
        """Realtime responses come as events alone."""

    def event(self, event: Mapping[str, Any], chunk: int) -> None:
        reading, kind = self.reading, text(event.get("type")) or ""
        response = mapping(event.get("response"))
        reading.response_id = text(response.get("id")) or reading.response_id
        if kind.endswith(".delta") and reading.first_token is None:
            reading.first_token = chunk
        if kind != "response.done":
            return
        usage = mapping(response.get("usage"))
        if usage:
            reading.usage = media_usage(usage)
        details = mapping(response.get("status_details"))
        if response.get("status") == "failed":
            reading.error = mapping(details.get("error")) or {"type": "failed"}
        reading.complete = reading.error is None
        choice = reading.choice()
        choice.stop_reason = text(details.get("reason")) or text(response.get("status"))
        for position, item in enumerate(map(mapping, sequence(response.get("output")))):
            _take(choice, item, position)


def transcription_model_in(session: Mapping[str, Any]) -> str | None:
    """Return the model that writes down what the user says, which is billed beside the responses; None if none does."""
    heard = mapping(mapping(mapping(session.get("audio")).get("input")).get("transcription"))
    return text(heard.get("model")) or text(mapping(session.get("input_audio_transcription")).get("model"))


def _take(choice: Choice, item: Mapping[str, Any], position: int) -> None:
    if item.get("type") == "function_call":
        tool = choice.tool(position)
        tool.name, tool.arguments = text(item.get("name")) or "", [text(item.get("arguments")) or ""]
        return
    for part in map(mapping, sequence(item.get("content"))):
        said = text(part.get("text")) or text(part.get("transcript"))
        if said:
            choice.pieces.append(said)
