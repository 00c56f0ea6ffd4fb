"""Capture of content: what a redaction sees of prompts and answers before they may leave the process.

Content is captured only with `FAREBOX_CAPTURE_CONTENT`. Then each text of it passes the redaction: message text, system
text, arguments and results of tools, tool descriptions, addresses and names of files.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from farebox.settings import setting

__all__ = ["Redaction", "current_redaction", "redact_with"]

# Takes a text and returns what may be exported of it; None drops the text.
Redaction = Callable[[str], str | None]

_chosen: Redaction | None = None
# The value of the setting `redact`, and what it named; the error if it named nothing.
_named: tuple[str, Redaction | Exception] | None = None


def redact_with(redaction: Redaction | None) -> None:
    """Let a function see each text of content before it is exported; None goes back to the one that the settings name.

    It runs on farebox's own thread, on whole texts, before they are cut. It returns what may be exported, or None to
    drop the text. Of a call at which it raises, no content is exported.
    """
    global _chosen
    if redaction is not None and not callable(redaction):
        raise TypeError(f"redact_with() takes a function from text to text or None; got {type(redaction).__qualname__}")
    _chosen = redaction


def current_redaction() -> Redaction | None:
    """Return the redaction in force, None if there is none.

    Raises:
        Exception: the settings name one that cannot be imported; content must not leave without it.
    """
    global _named
    if _chosen is not None:
        return _chosen
    name: str = setting("redact")
    if not name:
        return None
    if _named is None or _named[0] != name:
        try:
            _named = name, _imported(name)
        except Exception as error:  # noqa: BLE001
            _named = name, error
    found = _named[1]
    if isinstance(found, Exception):
        raise found
    return found


def _imported(name: str) -> Redaction:
    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for step in path.split("."):
        found = getattr(found, step)
    if not callable(found):
        raise TypeError(f"{name} is no function")
    return found  # type: ignore[no-any-return]
