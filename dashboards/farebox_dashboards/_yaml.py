"""Writes plain data as YAML that people can read: strings quoted as in JSON, long ones in blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

__all__ = ["as_yaml"]


def as_yaml(data: dict[str, Any]) -> str:
    """Write dicts, lists, texts, numbers and truths; order is kept."""
    return "\n".join(_lines(data, 0)) + "\n"


def _lines(value: Any, depth: int) -> Iterator[str]:
    pad = "  " * depth
    entries = value.items() if isinstance(value, dict) else (("-", each) for each in value)
    for key, each in entries:
        begin = f"{pad}-" if isinstance(value, list) else f"{pad}{key}:"
        if isinstance(each, dict | list) and each:
            nested = list(_lines(each, depth + 1))
            if isinstance(value, list):  # the first entry goes on the dash's own line
                yield f"{begin} {nested[0].lstrip()}"
                yield from nested[1:]
            else:
                yield begin
                yield from nested
        elif isinstance(each, str) and "\n" in each:
            yield f"{begin} |-"
            yield from (f"{pad}  {line}".rstrip() for line in each.splitlines())
        else:
            yield f"{begin} {json.dumps(each, ensure_ascii=False)}"
