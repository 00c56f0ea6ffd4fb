"""Reads what the page asks: small JSON bodies that name a dashboard, a time range and values of variables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request

from farebox_dashboards._macros import Range
from farebox_dashboards.viewer.errors import MalformedError, OversizeError

__all__ = ["Asked", "read_asked"]

BODY_BYTES_MAX = 128 * 1024
VALUES_MAX = 1000
VALUE_CHARACTERS_MAX = 4096
POINTS_MAX = 5000
# 1970 to 2200, in milliseconds.
MOMENT_MAX = 7_258_118_400_000

Values = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Asked:
    """What one request asks for; `panel` is -1 and `variable` empty where it names none.

    waits: somebody wants to see it as it is now; else the page asks again by itself, and an answer of a moment ago is
    better than none.
    """

    dashboard: str
    period: Range
    values: Values
    panel: int = -1
    variable: str = ""
    waits: bool = True


async def read_asked(request: Request) -> Asked:
    """Read the body of a question.

    Raises:
        MalformedError: it is not JSON of the shape that the page sends.
        OversizeError: it is over BODY_BYTES_MAX.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise MalformedError("the body must be application/json")
    body = await _read(request)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedError("the body is not JSON") from None
    if not isinstance(found, dict):
        raise MalformedError("the body must be an object")
    dashboard, panel, variable = (found.get(key) for key in ("dashboard", "panel", "variable"))
    if not isinstance(dashboard, str):
        raise MalformedError("`dashboard` must be a uid")
    if panel is not None and _whole(panel) is None:
        raise MalformedError("`panel` must be a number")
    if variable is not None and not isinstance(variable, str):
        raise MalformedError("`variable` must be a name")
    values, again = _values(found.get("variables", {})), found.get("again") is True
    return Asked(dashboard, _period(found), values, panel or -1, variable or "", waits=not again)


async def _read(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                raise OversizeError(f"the body is over {BODY_BYTES_MAX} bytes")
    except ClientDisconnect:
        raise MalformedError("the body was cut") from None
    return bytes(body)


def _period(found: Mapping[str, Any]) -> Range:
    since, until = _whole(found.get("from")), _whole(found.get("to"))
    if since is None or until is None or not 0 <= since < until <= MOMENT_MAX:
        raise MalformedError("`from` and `to` must be milliseconds since 1970, the first below the second")
    if found.get("interval") is None:
        return Range(since, until)
    interval = _whole(found["interval"])
    if interval is None or interval < 1 or (until - since) / interval > POINTS_MAX:
        raise MalformedError(f"`interval` must be milliseconds, and cut the range into {POINTS_MAX} parts at most")
    return Range(since, until, interval)


def _values(found: Any) -> Values:
    if not isinstance(found, dict) or len(found) > VALUES_MAX:
        raise MalformedError("`variables` must be an object of names and values")
    return {name: _value(name, value) for name, value in found.items()}


def _value(name: str, value: Any) -> str | list[str]:
    chosen = value if isinstance(value, list) else [value]
    if len(chosen) > VALUES_MAX or not all(isinstance(one, str) for one in chosen):
        raise MalformedError(f"the variable {name[:100]} must be text, or a list of at most {VALUES_MAX} texts")
    if any(len(one) > VALUE_CHARACTERS_MAX for one in chosen):
        raise MalformedError(f"a value of the variable {name[:100]} has over {VALUE_CHARACTERS_MAX} characters")
    try:
        "".join(chosen).encode()
    except UnicodeEncodeError:
        raise MalformedError(f"a value of the variable {name[:100]} is not Unicode") from None
    return value if isinstance(value, str) else chosen


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
