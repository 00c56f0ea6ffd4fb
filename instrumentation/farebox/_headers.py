"""Pick what is read of an HTTP message's headers, so that an attempt which waits holds a few strings, not all of them.

What one thread makes and another frees travels between processor cores twice; a message's headers are some hundred
objects, and keeping them until the recorder comes cost more than picking here.
"""

from __future__ import annotations

from typing import Any

__all__ = ["REQUEST_IDS", "picked"]

REQUEST_IDS = ("request-id", "x-request-id", "apim-request-id", "x-amzn-requestid", "x-amzn-request-id")

_NAMES = {
    name.encode(): name
    for name in (
        *REQUEST_IDS,
        "anthropic-organization-id",
        "anthropic-workspace-id",
        "api-key",
        "authorization",
        "content-encoding",
        "content-type",
        "openai-organization",
        "openai-project",
        "retry-after",
        "retry-after-ms",
        "x-api-key",
        "x-client-request-id",
        "x-stainless-retry-count",
    )
}


def picked(headers: Any) -> dict[str, str]:
    """Return the headers that anything here reads, by lower-case name; of one that came twice, the last.

    Goes by the raw pairs: the HTTP library's own look-up decodes all of them each time.
    """
    found: dict[str, str] = {}
    for raw, value in headers.raw:
        key = raw.lower()
        name = _NAMES.get(key)
        if name is not None:
            text = value.decode("latin-1")
            found[name] = f"{found[name]}, {text}" if name == "content-encoding" and name in found else text
        elif b"ratelimit" in key or b"anthropic-priority-" in key:
            found[key.decode("latin-1")] = value.decode("latin-1")
    return found
