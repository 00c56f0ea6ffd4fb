"""Converts tokens of one model into another's: by what the ledger measured of both, else by a documented default.

The measure is tokens per further byte of prompt, among prompts with the same beginning: what tools and templates add by
themselves is the same in all of them and drops out.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from farebox_ledger._whatif_traffic import Attempt

__all__ = ["Estimate", "Slope", "boundaries", "slope_of", "token_ratio"]

PROMPTS_MIN = 10
# A slope that is known worse than this is not used.
ERROR_MAX = 0.05
Z = 1.959963984540054
# How far a measured ratio may be off on other text: of the same script, and of another.
SAME_SCRIPT, OTHER_SCRIPT = 0.03, 0.12


@dataclass(frozen=True)
class Estimate:
    """A number with the range it is in, and where it is from."""

    value: float
    low: float
    high: float
    basis: str

    @property
    def spread(self) -> float:
        """Half the range as a share of the value."""
        return (self.high - self.low) / 2 / self.value if self.value else 0.0


@dataclass(frozen=True)
class Slope:
    """Tokens per byte of prompt, its standard error, and how many prompts tell it."""

    value: float
    error: float
    prompts: int


def slope_of(attempts: Iterable[Attempt]) -> Slope | None:
    """Measure tokens per further byte; None if too few prompts differ in length."""
    groups: dict[tuple[str, str, str], list[tuple[float, float]]] = defaultdict(list)
    for each in attempts:
        if each.input_tokens and each.size:
            groups[each.route, each.provider, each.hashes[0]].append((float(each.size), float(each.input_tokens)))
    squares = products = remainder = 0.0
    prompts = 0
    centred: list[tuple[float, float]] = []
    for pairs in groups.values():
        mean_x, mean_y = (sum(each) / len(pairs) for each in zip(*pairs, strict=True))
        centred += [(x - mean_x, y - mean_y) for x, y in pairs]
        prompts += len(pairs) - 1
    squares, products = sum(x * x for x, _ in centred), sum(x * y for x, y in centred)
    if prompts < PROMPTS_MIN or not squares or products <= 0:
        return None
    value = products / squares
    remainder = sum((y - value * x) ** 2 for x, y in centred)
    error = math.sqrt(remainder / max(prompts - 1, 1) / squares)
    return Slope(value, error, prompts) if error < ERROR_MAX * value else None


def boundaries(attempt: Attempt, slope: Slope | None) -> list[float]:
    """Tell the tokens up to each boundary of a prompt, as its own model counts; the last is its reported total."""
    total = float(attempt.input_tokens or 0)
    if not attempt.size:
        return []
    if slope is None:
        return [total * size / attempt.size for size in attempt.sizes]
    return [max(0.0, total - slope.value * (attempt.size - size)) for size in attempt.sizes]


def token_ratio(current: Sequence[Attempt], target: Sequence[Attempt], model_from: str, model_to: str) -> Estimate:
    """Tell how many tokens of one model a token of another becomes on this traffic."""
    if model_from == model_to:
        return Estimate(1.0, 1.0, 1.0, "the same model")
    scripts = {each.script for each in current}
    alike = [each for each in target if each.script in scripts]
    ours, theirs, reach = slope_of(current), slope_of(alike), SAME_SCRIPT
    if theirs is None:
        theirs, reach = slope_of(target), OTHER_SCRIPT
    if ours is not None and theirs is not None:
        value = theirs.value / ours.value
        chance = Z * math.hypot(ours.error / ours.value, theirs.error / theirs.value)
        half = value * math.hypot(chance, reach)
        words = f"measured on {ours.prompts:,} and {theirs.prompts:,} prompts"
        return Estimate(
            value, value - half, value + half, words + (", of other writing" if reach > SAME_SCRIPT else "")
        )
    (of, of_low, of_high), (to, to_low, to_high) = _default(model_from), _default(model_to)
    return Estimate(to / of, to_low / of_high, to_high / of_low, "not measured: a default by model family")


def _default(model: str) -> tuple[float, float, float]:
    name = model.rpartition("/")[2]
    line = max((each for each in _families() if name.startswith(each["model"])), key=lambda each: len(each["model"]))
    return float(line["tokens"]), float(line["low"]), float(line["high"])


@cache
def _families() -> list[dict[str, str]]:
    text = files("farebox_ledger").joinpath("whatif", "tokenizers.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
