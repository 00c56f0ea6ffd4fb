"""Tell whether a request speaks of languages or of translating: then any language may be the right one to answer in."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from functools import lru_cache
from importlib.resources import files

__all__ = ["speaks_of_languages"]

_PREFIX = 3
_WORD = re.compile(r"[^\W\d_]{3,}")


@lru_cache(maxsize=64)  # system prompts come again and again
def speaks_of_languages(text: str) -> bool:
    """Tell whether text names a language or asks for a translation."""
    by_prefix, others = _names()
    lowered = text.lower()
    for word in set(_WORD.findall(lowered)):
        for stem in by_prefix.get(word[:_PREFIX], ()):
            if word.startswith(stem) or word == stem[:-1]:
                return True
    return not text.isascii() and others.search(lowered) is not None


@lru_cache(maxsize=1)
def _names() -> tuple[dict[str, list[str]], re.Pattern[str]]:
    lists = tomllib.loads(files("farebox.detectors").joinpath("wording/languages.toml").read_text(encoding="utf-8"))
    by_prefix = defaultdict[str, list[str]](list)
    for stem in lists["latin"].split():
        by_prefix[stem[:_PREFIX]].append(stem)
    return by_prefix, re.compile("|".join(lists["others"].split()))
