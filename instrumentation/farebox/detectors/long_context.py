"""Tell whether a request was long, so that other rates can be sliced by it; it is no failure.

Definition: more than 150,000 input tokens as the provider counted them, cached ones included.
Source: the length from which the article sees models change their behaviour.
Measured: precision 1.000 (0.342-1.000), recall 1.000 (0.342-1.000), false positives 0.000 (0.000-0.490) on 6
labelled answers (ours).
"""

from __future__ import annotations

from farebox.detectors._answer import Answer
from farebox.detectors._finding import Finding

__all__ = ["check"]

INPUT_TOKENS_MAX = 150_000


def check(answer: Answer) -> Finding | None:
    """Compare the count; does not apply where none was reported."""
    return None if answer.input_tokens is None else Finding.of(answer.input_tokens > INPUT_TOKENS_MAX)
