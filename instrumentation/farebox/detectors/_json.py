"""Tell whether text is whole JSON, cut-off JSON, or no JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import jiter

from farebox.detectors._limits import JSON_CHARACTERS_MAX, NotCheckedError

__all__ = ["Parsed", "parse"]

State = Literal["complete", "truncated", "invalid"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of parsing; `value` is None unless the state is `complete`."""

    state: State
    value: Any = None


_TRUNCATED, _INVALID = Parsed("truncated"), Parsed("invalid")


def parse(text: str) -> Parsed:
    """Parse JSON strictly (RFC 8259: no NaN, no trailing comma, no second value); cut off means it ends too early.

    Raises:
        NotCheckedError: longer than JSON_CHARACTERS_MAX, or nested deeper than the parser's 200 levels.
    """
    if len(text) > JSON_CHARACTERS_MAX:
        raise NotCheckedError("JSON_CHARACTERS_MAX")
    raw = text.encode("utf-8", "replace")
    try:
        return Parsed("complete", jiter.from_json(raw, allow_inf_nan=False))
    except ValueError as error:
        reason = str(error)
    if reason.startswith("EOF"):
        return _TRUNCATED
    if reason.startswith("recursion"):
        raise NotCheckedError("JSON nesting")
    return _lone_surrogates(raw) if "hex escape" in reason or "surrogate" in reason else _INVALID


def _lone_surrogates(raw: bytes) -> Parsed:
    """Accept half of a surrogate pair in an escape, as most parsers do; replaced, since UTF-8 cannot hold it."""
    try:
        value = json.loads(raw, parse_constant=_refuse)
        return Parsed("complete", json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")))
    except RecursionError:
        raise NotCheckedError("JSON nesting") from None
    except ValueError:
        return _INVALID


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
