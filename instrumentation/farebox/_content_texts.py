"""Makes each text of captured content fit to leave the process: without binary data, redacted, and cut to its limit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from farebox.content import Redaction

__all__ = ["RedactionError", "Texts", "decoded_bytes"]

# OTLP's messages nest three deep for each level of JSON, and many readers take a hundred.
DEPTH_MAX = 16
# Values in all the structures of one record; what comes after them is left out.
VALUES_MAX = 10_000
# Names and ids are the developer's or the provider's own; only a broken one is long.
NAME_CHARACTERS_MAX = 256

_DATA_URL = re.compile(r"data:([\w.+/-]*)(?:;[\w=.+-]+)*;base64,([A-Za-z0-9+/=_-]{64,})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
BASE64_CHARACTERS_MIN = 128
# What only its provider can read, and settings of caches.
_OPAQUE = frozenset({"cache_control", "encrypted_content", "encrypted_index", "signature"})


class RedactionError(Exception):
    """A redaction failed; says how, and nothing of what it was given."""


class Texts:
    """Cleans the texts of one record; `cut` tells whether anything had to be cut or left out for its size."""

    def __init__(self, redaction: Redaction | None, characters_max: int) -> None:
        self._redaction, self._characters_max = redaction, characters_max
        self._values = 0
        self.cut = False

    def text(self, text: str) -> str | None:
        """Return what may be exported of a text, None for nothing.

        The whole text is redacted before it is cut: half of a secret would not be known for one.

        Raises:
            RedactionError: the redaction raised, or returned neither text nor None.
        """
        if ";base64," in text:
            text = _DATA_URL.sub(_data_named, text)
        clean = self._redacted(text)
        if clean is None or len(clean) <= self._characters_max:
            return clean
        self.cut = True
        return f"{clean[: self._characters_max]}… [{len(clean) - self._characters_max} characters more]"

    def name(self, value: Any) -> str | None:
        """Return a name or an id, which is not redacted; None in place of anything else."""
        return value[:NAME_CHARACTERS_MAX] if isinstance(value, str) and value else None

    def value(self, value: Any, depth: int = 0) -> Any:
        """Clean a JSON value: its texts, its keys, and its numbers if a redaction objects to them.

        What is nested deeper than DEPTH_MAX or comes after VALUES_MAX values is left out.
        """
        self._values += 1
        if self._values > VALUES_MAX or depth > DEPTH_MAX:
            self.cut = True
            return "…"
        match value:
            case str():
                return self._leaf(value)
            case bool() | None:
                return value
            case int() | float() | Decimal():
                return self._number(value)
            case Mapping():
                return self.fields(value, depth)
            case list() | tuple():
                cleaned = (self.value(each, depth + 1) for each in value)
                return [new for new, old in zip(cleaned, value, strict=True) if new is not None or old is None]
        return self.text(str(value))

    def fields(self, value: Mapping[Any, Any], depth: int = 0) -> dict[str, Any]:
        """Clean an object's keys and values; what the caller cannot read anyway is left out."""
        members: dict[str, Any] = {}
        for key, member in value.items():
            if key in _OPAQUE:
                continue
            name, cleaned = self.text(str(key)), self.value(member, depth + 1)
            if name is not None and (cleaned is not None or member is None):
                members[name] = cleaned
        return members

    def _leaf(self, text: str) -> str | None:
        if len(text) >= BASE64_CHARACTERS_MIN and _is_base64(text):
            return f"[binary, {decoded_bytes(text)} bytes]"
        return self.text(text)

    def _number(self, number: float | Decimal) -> int | float | str | None:
        text = str(number)
        clean = self._redacted(text)
        if clean != text:
            return clean
        if isinstance(number, int):
            return number if -(2**63) <= number < 2**63 else text
        return float(number)

    def _redacted(self, text: str) -> str | None:
        if self._redaction is None:
            return text
        try:
            clean = self._redaction(text)
        except Exception as error:  # noqa: BLE001
            raise RedactionError(f"it raised {type(error).__name__}") from None  # its message may quote the text
        if clean is not None and not isinstance(clean, str):
            raise RedactionError(f"it returned {type(clean).__name__} instead of text or None")
        return clean


def decoded_bytes(base64: str) -> int:
    """Return how many bytes a base64 text stands for, without decoding it."""
    return len(base64.rstrip("=")) * 3 // 4


def _data_named(found: re.Match[str]) -> str:
    return f"[{found[1] or 'binary'}, {decoded_bytes(found[2])} bytes]"


def _is_base64(text: str) -> bool:
    """Tell encoded bytes from words: one piece, of upper case, lower case and digits."""
    head = text[:BASE64_CHARACTERS_MIN]
    mixed = any(map(str.islower, head)) and any(map(str.isupper, head)) and any(map(str.isdigit, head))
    return mixed and _BASE64.fullmatch(text) is not None
