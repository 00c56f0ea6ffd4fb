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
# Of what messages vary, this part must not go with bytes, for both to be told apart.
APART_MIN = 0.01
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
    """Tokens per byte of prompt and its standard error, tokens that each message adds, and how many prompts tell it."""

    value: float
    error: float
    prompts: int
    message: float = 0.0


def slope_of(attempts: Iterable[Attempt]) -> Slope | None:
    """Measure tokens per further byte, and per further message; None if too few prompts differ in length.

    Least squares among prompts that begin alike, so that what tools and templates add drops out.
    """
    groups: dict[tuple[str, str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for each in attempts:
        if each.input_tokens and each.size:
            point = (float(each.size), float(len(each.sizes)), float(each.input_tokens))
            groups[each.route, each.provider, each.hashes[0]].append(point)
    points: list[tuple[float, float, float]] = []
    for group in groups.values():
        means = [sum(each) / len(group) for each in zip(*group, strict=True)]
        points += [(size - means[0], count - means[1], tokens - means[2]) for size, count, tokens in group]
    prompts = len(points) - len(groups)
    if prompts < PROMPTS_MIN:
        return None
    slope = _fit(points, prompts)
    return slope if slope is not None and 0 < slope.error < ERROR_MAX * slope.value else None


def _fit(points: Sequence[tuple[float, float, float]], prompts: int) -> Slope | None:
    """Fit tokens to bytes and messages, or to bytes alone where the messages do not vary by themselves."""
    bytes2 = sum(size * size for size, _, _ in points)
    messages2 = sum(count * count for _, count, _ in points)
    both = sum(size * count for size, count, _ in points)
    by_bytes = sum(size * tokens for size, _, tokens in points)
    by_messages = sum(count * tokens for _, count, tokens in points)
    if not bytes2:
        return None
    apart = bytes2 * messages2 - both * both
    if apart > APART_MIN * bytes2 * messages2:
        value = (by_bytes * messages2 - by_messages * both) / apart
        message, weight, known = (by_messages * bytes2 - by_bytes * both) / apart, apart / messages2, 2
    else:
        value, message, weight, known = by_bytes / bytes2, 0.0, bytes2, 1
    remainder = sum((tokens - value * size - message * count) ** 2 for size, count, tokens in points)
    # Tokens are whole: what is known of a slope is never quite exact.
    error = math.sqrt(max(remainder, 1 / 12) / max(prompts - known, 1) / weight)
    return Slope(value, error, prompts, message)


def boundaries(attempt: Attempt, slope: Slope | None) -> list[float]:
    """Tell the tokens up to each boundary of a prompt, as its own model counts; the last is its reported total."""
    total = float(attempt.input_tokens or 0)
    if not attempt.size:
        return []
    if slope is None:
        return [total * size / attempt.size for size in attempt.sizes]
    last = len(attempt.sizes) - 1
    return [
        max(0.0, total - slope.value * (attempt.size - size) - slope.message * (last - number))
        for number, size in enumerate(attempt.sizes)
    ]


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
