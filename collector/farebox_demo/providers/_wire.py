"""What both dialects need to write JSON and server-sent events and to read a request's model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from farebox_demo.providers._hosts import Host, Model
from farebox_demo.providers._terms import RefusedError

__all__ = ["TOOL_RESULT_PREFIX", "dump", "model_of", "pieces", "sse"]

# How a caller that keeps a plain-text history hands back what a tool said.
TOOL_RESULT_PREFIX = "Tool result"

PIECE_CHARACTERS = 48
PIECES_MAX = 16


def dump(value: Any) -> str:
    """Write compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sse(value: Any, name: str | None = None) -> bytes:
    """Write one server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {dump(value)}\n\n".encode()


def pieces(text: str) -> Iterator[str]:
    """Cut a text into the pieces of a stream, few enough to be quick."""
    size = max(PIECE_CHARACTERS, -(-len(text) // PIECES_MAX))
    for start in range(0, len(text), size):
        yield text[start : start + size]


def model_of(host: Host, body: Mapping[str, Any], kind: str) -> Model:
    """Find the model asked for.

    Raises:
        RefusedError: the host does not serve it; `kind` is the error type that the host answers with.
    """
    name = body.get("model")
    model = host.models.get(name) if isinstance(name, str) else None
    if model is None:
        raise RefusedError(404, kind, f"model: {name}")
    return model
