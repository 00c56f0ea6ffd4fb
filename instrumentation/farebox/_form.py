"""Read the short text fields of a multipart form, never its files: they may be large, or readable only once."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["form_of"]

# What is asked of a form; prompts and transcripts stay where they are.
_FIELDS = frozenset({"model", "n", "quality", "response_format", "seconds", "size", "stream"})
FIELDS_MAX = 100
VALUE_CHARACTERS_MAX = 256


def form_of(request: Any) -> bytes:
    """Return the fields of a request's form as a JSON object; nothing of what is no form or cannot be seen.

    The HTTP library lays a form out as a list of fields (httpx 0.28 and httpx2 2.16, `_multipart.py`); a file there has
    no `value`, and is not touched. A field that comes twice keeps its last value.
    """
    found: dict[str, Any] = {}
    for field in list(getattr(request.stream, "fields", ()))[:FIELDS_MAX]:
        name, value = getattr(field, "name", None), getattr(field, "value", None)
        if name not in _FIELDS or not isinstance(value, str | bytes) or len(value) > VALUE_CHARACTERS_MAX:
            continue
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        found[name] = _typed(name, text)
    return json.dumps(found).encode() if found else b""


def _typed(name: str, text: str) -> Any:
    """Return the value that JSON would have carried: forms know text alone."""
    if name == "stream":
        return text.lower() == "true"
    if name == "n" and text.isascii() and text.isdigit():
        return int(text)
    return text
