"""Hashes of a prompt's prefixes: what questions about caching need to know later, without any content.

A provider's cache matches a prompt from its start: tools, then system, then messages. For each such boundary stands one
keyed hash of everything before it, and its size; two prompts share a cached prefix exactly when they share a hash.
Agents send the same tools and the same long beginning again and again, so the digests of long parts are remembered.
"""

from __future__ import annotations

import hashlib
import json
import marshal
from collections.abc import Iterator, Mapping
from typing import Any

from farebox import semconv as name
from farebox._identity import hash_key

__all__ = ["BOUNDARIES_MAX", "prefix_of"]

# Tools and system, and the last boundaries of the messages: a conversation's next turn shares the latest ones.
BOUNDARIES_MAX = 16
HASH_BYTES = 8

REMEMBERED_FROM = 1024
REMEMBERED_BYTES_MAX = 4 * 1024 * 1024
# How much of both ends of a part finds it among those remembered; then the whole is compared.
ENDS = 64
# Of this version equal values have equal bytes, whatever refers to them; keys keep the order in which they were sent.
MARSHAL_VERSION = 2


def prefix_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes `farebox.prefix.hashes` and `.bytes`.

    Sizes are cumulative bytes: of text its UTF-8, of structure about what its JSON takes.
    """
    state = hash_key()
    head: list[tuple[str, int]] = []
    turns: list[tuple[str, int]] = []
    size = 0
    for value, is_turn in _parts(request):
        role, piece = _piece(value)
        digest, length = _parts_seen.digest(piece)
        state = hashlib.sha256(state + role + digest).digest()
        size += len(role) + length
        (turns if is_turn else head).append((state[:HASH_BYTES].hex(), size))
    kept = head + turns[-(BOUNDARIES_MAX - len(head)) :]
    if not kept:
        return {}
    return {name.PREFIX_HASHES: [each for each, _ in kept], name.PREFIX_BYTES: [each for _, each in kept]}


class _PartsSeen:
    """The digests of long parts, and the parts themselves to compare with; those seen first are forgotten first."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[str | bytes, bytes, int]] = {}
        self._bytes = 0

    def digest(self, part: str | bytes) -> tuple[bytes, int]:
        """Return the SHA-256 of a part, and its size in bytes."""
        if len(part) < REMEMBERED_FROM:
            return _digest(part)
        ends = (len(part), part[:ENDS], part[-ENDS:])
        known = self._known.get(ends)
        if known is not None and known[0] == part:
            return known[1], known[2]
        digest, size = _digest(part)
        if size <= REMEMBERED_BYTES_MAX // 4:
            self._bytes += size - (known[2] if known is not None else 0)
            self._known[ends] = (part, digest, size)
            while self._bytes > REMEMBERED_BYTES_MAX:
                self._bytes -= self._known.pop(next(iter(self._known)))[2]
        return digest, size


_parts_seen = _PartsSeen()


def _digest(part: str | bytes) -> tuple[bytes, int]:
    raw = part.encode(errors="surrogatepass") if isinstance(part, str) else part
    return hashlib.sha256(raw).digest(), len(raw)  # half the time of blake2b where the processor knows SHA


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


def _piece(part: Any) -> tuple[bytes, str | bytes]:
    """Return a part as a role and text or bytes, the same for the same content wherever its cache markers stand.

    A text alone is the same with and without a block around it: callers put one there to mark it.
    """
    text = _sole_text(part)
    if text is not None:
        return b"", text
    if type(part) is dict and len(part) == 2 and "content" in part:
        text = _sole_text(part["content"])
        if text is not None:  # the usual message: nothing to serialise
            return str(part.get("role")).encode(errors="replace"), text
    raw = _serialised(part)
    return b"", _serialised(_unmarked(part)) if b"cache_control" in raw else raw


def _sole_text(content: Any) -> str | None:
    """Return the text that is all of some content, None if there is more to it."""
    if type(content) is str:
        return content
    if type(content) is not list or len(content) != 1 or type(content[0]) is not dict:
        return None
    block = content[0]
    text = block.get("text")
    others = len(block) - ("type" in block) - ("text" in block) - ("cache_control" in block)
    return text if block.get("type") == "text" and type(text) is str and not others else None


def _serialised(part: Any) -> bytes:
    try:
        return marshal.dumps(part, MARSHAL_VERSION)  # a quarter of the time of JSON
    except ValueError:  # numbers with a fraction are Decimal
        return json.dumps(part, default=str).encode()


def _unmarked(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {key: _unmarked(value) for key, value in part.items() if key != "cache_control"}
    if isinstance(part, list):
        return [_unmarked(each) for each in part]
    return part
