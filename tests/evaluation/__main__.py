"""`make eval`: score every detector on the labelled answers, and fail below the bars.

Prints precision, recall, F1 and false-positive rate with 95 % intervals, and microseconds an answer. `--write` puts the
headline figures into the detectors' docstrings, from which the documentation is made; without it, a docstring that says
otherwise fails. Sets whose data are missing (FAREBOX_SHARED) are skipped and said so.
"""

from __future__ import annotations

import importlib
import math
import re
import statistics
import sys
import textwrap
import time
from pathlib import Path

from evaluation.cases import SETS, CaseSet
from evaluation.measure import Score
from farebox.detectors import Finding, detectors_table
from farebox.detectors._table import README_END, README_START, section

MEASURES = ("precision", "recall", "f1", "fpr")
WIDTH = 114


def main() -> int:
    missing: list[str] = []
    failures: list[str] = []
    print(f"{'detector':22} {'set':28} {'cases':>6}  {'precision':20} {'recall':20} ", end="")
    print(f"{'F1':6} {'false positives':22} {'us':>6}")
    for case_set in SETS:
        score, microseconds = run(case_set)
        if not score.cases:
            missing.append(f"{case_set.detector}: {case_set.name}")
            continue
        print(row(case_set, score, microseconds))
        failures += [f"{case_set.detector}, {case_set.name}: {problem}" for problem in below(case_set, score)]
        if case_set.headline and (problem := document(case_set, score)):
            failures.append(problem)
    if "--write" in sys.argv:
        write_table()
    for each in missing:
        print(f"no data for {each}; set FAREBOX_SHARED", file=sys.stderr)
    for each in failures:
        print(f"below the bar: {each}", file=sys.stderr)
    return 1 if failures else 0


def run(case_set: CaseSet) -> tuple[Score, float]:
    """Judge every case; return the score and the median time of one, in microseconds."""
    check = importlib.import_module(f"farebox.detectors.{case_set.detector}").check
    score, times = Score(), []
    for case in case_set.cases():
        began = time.perf_counter()
        finding: Finding | None = check(case.answer)
        times.append((time.perf_counter() - began) * 1e6)
        found = set(finding.kinds) if finding is not None else set()
        score.add(expected=case.expected, flagged=bool(found & set(case_set.kinds) if case_set.kinds else found))
    return score, statistics.median(times) if times else math.nan


def below(case_set: CaseSet, score: Score) -> list[str]:
    """Say which bars were not reached."""
    out = []
    for measure, bar in case_set.bars.items():
        reached = getattr(score, measure)
        if reached > bar if measure == "fpr" else not reached >= bar:
            out.append(f"{measure} {reached:.4f}, wanted {'at most' if measure == 'fpr' else 'at least'} {bar}")
    return out


def row(case_set: CaseSet, score: Score, microseconds: float) -> str:
    shown = {measure: show(score, measure) for measure in MEASURES}
    return (
        f"{case_set.detector:22} {case_set.name:28} {score.cases:6}  {shown['precision']:20} {shown['recall']:20} "
        f"{shown['f1']:6} {shown['fpr']:22} {microseconds:6.0f}"
    )


def show(score: Score, measure: str) -> str:
    value, interval = getattr(score, measure), score.interval(measure)
    if math.isnan(value):
        return "-"
    return f"{value:.3f}" + (f" ({interval[0]:.3f}-{interval[1]:.3f})" if interval else "")


def document(case_set: CaseSet, score: Score) -> str | None:
    """Hold the detector's docstring to what was measured, or with --write make it say so."""
    module = importlib.import_module(f"farebox.detectors.{case_set.detector}")
    sentence = (
        f"precision {show(score, 'precision')}, recall {show(score, 'recall')}, false positives {show(score, 'fpr')} "
        f"on {score.cases} labelled answers ({case_set.name})."
    )
    if section(module.__doc__ or "", "Measured") == sentence:
        return None
    if "--write" not in sys.argv:
        return f"the docstring of {case_set.detector} says otherwise; run make eval EVAL=--write"
    path = Path(str(module.__file__))
    code = path.read_text(encoding="utf-8")
    end = code.index('"""', 3)
    doc = re.sub(r"\nMeasured: .*", "", code[3:end], flags=re.DOTALL).rstrip()
    lines = textwrap.wrap(f"Measured: {sentence}", WIDTH, break_on_hyphens=False)
    path.write_text('"""' + doc + "\n" + "\n".join(lines) + "\n" + code[end:], encoding="utf-8")
    return None


def write_table() -> None:
    """Put the table, as the docstrings on disk now make it, into the README."""
    for name in [name for name in sys.modules if name.startswith("farebox.detectors.")]:
        if not name.rpartition(".")[2].startswith("_"):
            importlib.reload(sys.modules[name])
    readme = Path(str(importlib.import_module("farebox.detectors").__file__)).parent / "README.md"
    text = readme.read_text(encoding="utf-8")
    head, _, rest = text.partition(README_START)
    readme.write_text(
        head + README_START + "\n" + detectors_table() + "\n" + README_END + rest.partition(README_END)[2]
    )


if __name__ == "__main__":
    sys.exit(main())
