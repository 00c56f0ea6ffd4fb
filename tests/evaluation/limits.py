"""A second opinion on whether a text breaks stated limits, counted as IFEval counts.

Shares no code with the detector.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["breaks"]


def breaks(text: str, limits: Mapping[str, Any]) -> bool:
    """Tell whether a text breaks any of the limits."""
    words = len(re.findall(r"\w+", text))
    checks = {
        "words_min": lambda limit: words < limit,
        "words_max": lambda limit: words > limit,
        "characters_min": lambda limit: len(text) < limit,
        "characters_max": lambda limit: len(text) > limit,
        "no_comma": lambda marks: any(mark in text for mark in marks),
        "bullets": lambda number: len(re.findall(r"^\s*(?:\*[^\*]|-).*$", text, re.MULTILINE)) != number,
        "json": lambda _: not _is_json(text),
    }
    return any(checks[name](limit) for name, limit in limits.items())


def _is_json(text: str) -> bool:
    bare = text.strip()
    for fence in ("```json", "```Json", "```JSON", "```"):
        bare = bare.removeprefix(fence)
    try:
        json.loads(bare.removesuffix("```").strip())
    except ValueError:
        return False
    return True
