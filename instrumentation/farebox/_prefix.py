"""Hashes of a prompt's prefixes: what questions about caching need to know later, without any content.

A provider's cache matches a prompt from its start: tools, then system, then messages. For each such boundary stands one
keyed hash of everything before it, and its size; two prompts share a cached prefix exactly when they share a hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from farebox import semconv as name
from farebox._identity import hash_key

__all__ = ["BOUNDARIES_MAX", "prefix_of"]

# Tools and system, and the last boundaries of the messages: a conversation's next turn shares the latest ones.
BOUNDARIES_MAX = 16
HASH_DIGITS = 16


def prefix_of(request: Mapping[str, Any], *, marked: bool = True) -> dict[str, Any]:
    """Return the attributes `farebox.prefix.hashes` and `.bytes` (cumulative, of the parts' JSON or text).

    marked: whether cache_control may stand in the request; if not, nothing has to be taken out of it.
    """
    digest = hashlib.sha256(hash_key())  # half the time of blake2b where the processor knows SHA
    head: list[tuple[str, int]] = []
    turns: list[tuple[str, int]] = []
    size = 0
    for value, is_turn in _parts(request):
        for piece in _pieces(value, marked=marked):
            digest.update(piece)
            digest.update(b"\0")
            size += len(piece)
        (turns if is_turn else head).append((digest.hexdigest()[:HASH_DIGITS], size))
    kept = head + turns[-(BOUNDARIES_MAX - len(head)) :]
    if not kept:
        return {}
    return {name.PREFIX_HASHES: [each for each, _ in kept], name.PREFIX_BYTES: [each for _, each in kept]}


def _parts(request: Mapping[str, Any]) -> Iterator[tuple[Any, bool]]:
    """Yield the parts of a prompt in the order in which caches see them, and whether each is a message."""
    for field in ("tools", "system", "instructions"):
        if request.get(field):
            yield request[field], False
    messages = request.get("messages") or request.get("input") or request.get("prompt")
    if isinstance(messages, str):
        yield messages, True
    elif isinstance(messages, list):
        for message in messages:
            yield message, True


def _pieces(part: Any, *, marked: bool) -> tuple[bytes, ...]:
    """Return a part as bytes, the same for the same content wherever its cache markers stand."""
    if isinstance(part, str):
        return (part.encode(errors="surrogatepass"),)
    if type(part) is dict and len(part) == 2 and type(part.get("content")) is str:
        # The usual message: no JSON needed.
        return str(part.get("role")).encode(), part["content"].encode(errors="surrogatepass")
    return (json.dumps(_unmarked(part) if marked else part, sort_keys=True, default=str).encode(),)


def _unmarked(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {key: _unmarked(value) for key, value in part.items() if key != "cache_control"}
    if isinstance(part, list):
        return [_unmarked(each) for each in part]
    return part
