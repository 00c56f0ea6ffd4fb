"""Let the copies that a client makes of itself (`copy`, `with_options`) be recorded as it is.

Most copies take the HTTP client along, and the seam with it. Those of Bedrock's clients do not before anthropic 2.6,
nor do those that are given an HTTP client of their own; and no copy takes along what is on the instance alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from farebox._guard import swallow

__all__ = ["unwatch_copies", "watch_copies"]

_NAMES = ("copy", "with_options")


def watch_copies(client: Any, record: Callable[[Any], None]) -> None:
    """Call `record` with each copy that this client makes, before its caller gets it."""
    for name in _NAMES:
        original = getattr(type(client), name, None)
        if original is not None:
            vars(client)[name] = _recording(original.__get__(client), record)


def unwatch_copies(client: Any) -> None:
    """Leave the client's copies alone; those it made stay recorded."""
    for name in _NAMES:
        vars(client).pop(name, None)


def _recording(original: Callable[..., Any], record: Callable[[Any], None]) -> Callable[..., Any]:
    @functools.wraps(original)
    def copy(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        try:
            record(made)
        except Exception as error:  # noqa: BLE001
            swallow("recording a copy", error)
        return made

    return copy
