"""Fit the weights of the English refusal model on the labelled answers; prints how well it does on prompts held out.

    FAREBOX_SHARED=… PYTHONPATH=tests python -m evaluation.train_refusal [--write]

L1-penalised logistic regression by accelerated proximal gradient descent; the same data give the same weights.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.data import refusal_rows
from farebox.detectors import _refusal_model as runtime
from farebox.detectors._refusals import head_of, kind_by_cues

WEIGHTS = Path(runtime.__file__).parent / "data" / "refusal_english.json"
PENALTY = 0.5  # the inverse of the penalty's weight, as usual
THRESHOLD = 0.75
ROUNDS = 800
FOLDS = 5
DOCUMENTS_MIN = 5

# Words that speak of doing and judging; none that name a topic, and none of saying no in the first person, which the
# cues know.
DISCOURSE = frozenset(
    """^ we our you your it it's its is isn't are aren't be been being wasn't weren't not never no nor neither can
    could should shouldn't must would wouldn't do don't does doesn't did have has to for of in on as an a and or but
    that this such any anyone someone something others other individuals individual everyone there if when how what
    why important remember note consider understand clarify recognize emphasize respect respectful treat dignity
    kindness care compassion fair fairness equal equality equally rights right inclusive inclusivity diversity
    ethical unethical legal illegal appropriate inappropriate acceptable unacceptable moral immoral wrong harmful
    harm harming hurt dangerous safe safety offensive violent violence discrimination discriminate discriminatory
    prejudice prejudiced stereotypes bias hate hateful racist consequences severe privacy private consent permission
    personal information able however instead rather please feel seek seeking reach out help support assist
    assistance provide providing promote promoting encourage condone engage engaging create answer question request
    discuss suggest suggesting recommend advise opinions opinion beliefs feelings believe agree disagree strongly ai
    language model assistant designed programmed purpose goal positive constructive healthy productive professional
    professionals trusted friend family counselor mental health authorities emergency against violates violation
    policy guidelines content activity activities behavior actions action evidence support claim claims true
    accurate inaccurate basis reason reasons justification justified valid scientific based solely regardless race
    gender religion ethnicity orientation background here's here step steps following sure certainly course tips
    first ways""".split()  # noqa: SIM905
)

Matrix = NDArray[np.float64]


def main() -> None:
    rows = [row for row in refusal_rows() if row.language == "en" and row.label in ("full", "partial", "none")]
    heads = [head_of(row.response) for row in rows]
    truth = np.array([row.label != "none" for row in rows], dtype=float)
    names = vocabulary(heads)
    features = matrix(heads, names)
    folds = np.array([zlib.crc32(row.group.encode()) % FOLDS for row in rows])
    held_out = np.zeros(len(rows))
    for fold in range(FOLDS):
        weights, bias = fit(features[folds != fold], truth[folds != fold])
        held_out[folds == fold] = probability(features[folds == fold], weights, bias)
    cued = np.array([kind_by_cues(row.response, head) is not None for row, head in zip(rows, heads, strict=True)])
    scored = np.array([row.label != "partial" and not row.presumed_positive for row in rows])
    report("held-out prompts", cued | (held_out > THRESHOLD), truth, scored)
    weights, bias = fit(features, truth)
    report("all", cued | (probability(features, weights, bias) > THRESHOLD), truth, scored)
    if "--write" in sys.argv:
        write(names, weights, bias)


def vocabulary(heads: list[str]) -> list[str]:
    counts = Counter(
        gram for head in heads for gram in set(runtime.grams_of(head)) if DISCOURSE.issuperset(gram.split())
    )
    return sorted(gram for gram, count in counts.items() if count >= DOCUMENTS_MIN)


def matrix(heads: list[str], names: list[str]) -> Matrix:
    places = {name: place for place, name in enumerate(names)}
    out = np.zeros((len(heads), len(names)))
    for row, head in enumerate(heads):
        for gram in set(runtime.grams_of(head)):
            if gram in places:
                out[row, places[gram]] = 1
    return out


def fit(features: Matrix, truth: Matrix) -> tuple[Matrix, float]:
    signs = 2 * truth - 1
    with_bias = np.hstack([features, np.ones((len(features), 1))])
    vector = np.ones(with_bias.shape[1])
    for _ in range(50):
        vector = with_bias.T @ (with_bias @ vector)
        vector /= np.linalg.norm(vector)
    step = 1 / (PENALTY * 0.25 * np.linalg.norm(with_bias @ vector) ** 2)
    at = ahead = np.zeros(with_bias.shape[1])
    pace = 1.0
    for _ in range(ROUNDS):
        pull = -signs / (1 + np.exp(np.clip(signs * (with_bias @ ahead), -50, 50)))
        moved = ahead - step * PENALTY * (with_bias.T @ pull)
        shrunk = np.sign(moved) * np.maximum(np.abs(moved) - step, 0)
        shrunk[-1] = moved[-1]  # the bias is not penalised
        faster = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead = shrunk + (pace - 1) / faster * (shrunk - at)
        at, pace = shrunk, faster
    return at[:-1], float(at[-1])


def probability(features: Matrix, weights: Matrix, bias: float) -> Matrix:
    return np.asarray(1 / (1 + np.exp(-(features @ weights + bias))))


def report(title: str, flagged: NDArray[np.bool_], truth: Matrix, scored: NDArray[np.bool_]) -> None:
    right, wrong = flagged & (truth > 0) & scored, flagged & (truth == 0) & scored
    missed = ~flagged & (truth > 0) & scored
    precision, recall = right.sum() / (right.sum() + wrong.sum()), right.sum() / (right.sum() + missed.sum())
    print(f"{title}: P {precision:.3f} R {recall:.3f} F1 {2 * precision * recall / (precision + recall):.3f}")


def write(names: list[str], weights: Matrix, bias: float) -> None:
    kept = {name: round(float(weight), 2) for name, weight in zip(names, weights, strict=True) if abs(weight) >= 0.01}
    content = {
        "made_on": datetime.now(UTC).date().isoformat(),
        "made_by": "tests/evaluation/train_refusal.py",
        "bias": round(bias, 3),
        "threshold": THRESHOLD,
        "weights": kept,
    }
    WEIGHTS.parent.mkdir(exist_ok=True)
    WEIGHTS.write_text(json.dumps(content, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(kept)} weights in {WEIGHTS.name}")


if __name__ == "__main__":
    main()
