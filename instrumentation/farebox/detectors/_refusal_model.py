"""Recognise refusals that moralise or contradict instead of saying no, by a small model of their wording.

A logistic regression with an L1 penalty over the presence of words, pairs and triples of words among the first
characters of an English answer; only words of discourse and judgement may take part, so that topics do not. Its
weights lie in data/refusal_english.json, made by tests/evaluation/train_refusal.py.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

__all__ = ["MODEL_CHARACTERS", "grams_of", "likely"]

MODEL_CHARACTERS = 300
_WORD = re.compile(r"[a-z']+")


@dataclass(frozen=True, slots=True)
class _Model:
    bias: float
    threshold: float
    weights: dict[str, float]


@lru_cache(maxsize=1)
def _model() -> _Model:
    raw = json.loads(files("farebox.detectors").joinpath("data/refusal_english.json").read_text(encoding="utf-8"))
    return _Model(raw["bias"], raw["threshold"], raw["weights"])


def grams_of(head: str) -> Iterator[str]:
    """Yield the words, pairs and triples of the beginning of lower-cased text; `^` stands for its start."""
    words = ["^", *_WORD.findall(head[:MODEL_CHARACTERS])]
    yield from words
    yield from map(" ".join, pairwise(words))
    yield from map(" ".join, zip(words, words[1:], words[2:], strict=False))


def likely(head: str) -> bool:
    """Tell whether the lower-cased beginning of an English answer reads like a refusal."""
    model = _model()
    weights = model.weights
    total = model.bias + sum(weights[gram] for gram in set(grams_of(head)) if gram in weights)
    return 1 / (1 + math.exp(-total)) > model.threshold
