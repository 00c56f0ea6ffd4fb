"""Holds the failures that farebox measured against the rates that the simulated models were set to.

The invoice says of each answer which bad habits it had the chance to show, and which it showed; the ledger says what
the detectors flagged. A habit's measured rate is over the answers (or tool calls) in which it had a chance; its set
rate should lie within the 95 % interval of that nineteen times of twenty.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from farebox_demo.providers._hosts import HOSTS
from farebox_ledger._comparison import Sample, wilson_interval
from farebox_ledger._failures_shown import interval, percent
from farebox_ledger._terminal import table

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Judgement", "Measured", "Shown", "as_json", "measure", "read_judgements", "read_shown", "show"]

JUDGED = """
SELECT
    request_id,
    flags,
    ifNull(tool_calls_malformed, 0)
FROM llm_attempts
WHERE tags['run'] = {run:String} AND outcome = 'ok' AND notEmpty(checked)
"""

# What a detector says of an answer that shows a habit.
FLAGS: Mapping[str, str] = {
    "malformed_tool_call": "tool_call_malformed",
    "extra_argument": "unexpected_arg",
    "tool_call_in_text": "tool_call_in_text",
    "refusal_by_api": "refusal.api",
    "refusal_in_text": "refusal.text",
    "clarifying_question": "clarification",
    "disclaimer": "disclaimer",
    "invented_import": "unknown_import",
    "invented_function": "unknown_stdlib_attr",
    "invented_citation": "unsupported_citation",
    "broken_constraint": "constraint_violation.max_words",
    "incomplete_json": "constraint_violation.schema",
    "truncated_json": "truncated.json_eof",
    "wrong_language": "language_mismatch",
    "loop": "loop",
    "runs_on": "truncated.stop_reason",
    "empty": "empty",
}
PER_CALL = "malformed_tool_call"
# Rows in which less than this was to be expected say little; --json has them.
EXPECTED_MIN = 1.0


@dataclass(frozen=True)
class Shown:
    """One line of the invoice: the model's habits that had a chance, and that showed, by how many times."""

    model: str
    chances: Mapping[str, int]
    habits: Mapping[str, int]


@dataclass(frozen=True)
class Judgement:
    """What the detectors said of one answer that came whole."""

    flags: frozenset[str]
    malformed_calls: int

    def times(self, habit: str) -> int:
        """Count how often they found what the habit does."""
        return self.malformed_calls if habit == PER_CALL else int(FLAGS[habit] in self.flags)


@dataclass
class Measured:
    """One habit of one model: the rate it is set to, and of `chances` how often it happened and was flagged.

    missed: it happened and was not flagged. mistaken: it was flagged and had not happened.
    """

    model: str
    habit: str
    rate: float
    chances: int = 0
    happened: int = 0
    flagged: int = 0
    missed: int = 0
    mistaken: int = 0
    bounds: tuple[float, float] = field(default=(0.0, 1.0))

    @property
    def holds(self) -> bool:
        """Whether the set rate lies within the interval of the measured one."""
        return self.bounds[0] <= self.rate <= self.bounds[1]


def read_shown(path: Path) -> dict[str, Shown]:
    """Read what each line of the invoice says of the model's habits, by request id."""
    with path.open(encoding="utf-8") as file:
        lines = [json.loads(text) for text in file]
    return {
        line["request_id"]: Shown(
            line["model"], Counter(line["chances"]), Counter(habit.partition(".")[0] for habit in line["habits"])
        )
        for line in lines
    }


def read_judgements(client: Client, run: str) -> dict[str, Judgement]:
    """Read what the ledger holds of the run's answers that were judged, by request id."""
    rows = client.query(JUDGED, parameters={"run": run}).result_rows
    return {request_id: Judgement(frozenset(flags), malformed) for request_id, flags, malformed in rows}


def measure(shown: Mapping[str, Shown], judged: Mapping[str, Judgement]) -> list[Measured]:
    """Compare, by model and habit; answers that were not judged, because they did not come whole, are left out."""
    found = {(model, habit): Measured(model, habit, rate) for model, habit, rate in _set_rates()}
    for request_id, judgement in judged.items():
        line = shown.get(request_id)
        for habit, chances in line.chances.items() if line is not None else ():
            assert line is not None
            row = found.get((line.model, habit))
            if row is not None:
                happened, flagged = line.habits.get(habit, 0), judgement.times(habit)
                row.chances += chances
                row.happened += happened
                row.flagged += flagged
                row.missed += max(0, happened - flagged)
                row.mistaken += max(0, flagged - happened)
    for row in found.values():
        if row.chances:
            row.bounds = wilson_interval(Sample(min(row.flagged, row.chances), row.chances))
    return [row for row in found.values() if row.chances]


def _set_rates() -> Iterable[tuple[str, str, float]]:
    """Yield each model's habits at their rates, a model of several hosts once."""
    models = {model.billed_as: model.habits for host in HOSTS.values() for model in host.models.values()}
    for name in sorted(models):
        for habit in FLAGS:
            rate = getattr(models[name], habit)
            if rate:
                yield name, habit, rate


def show(measured: list[Measured], console: Console) -> None:
    """Print the habits of which something was to be expected, and how many set rates lie where they should."""
    headings = [
        ("model", False), ("failure", False), ("of", True), ("happened", True), ("flagged", True),
        ("set", True), ("measured", True), ("95 % interval", True), ("", False),
    ]  # fmt: skip
    shown = [each for each in measured if each.rate * each.chances >= EXPECTED_MIN]
    console.print("\nFailures: the rates that the models are set to against what farebox measured", style="dim")
    console.print(table(headings, [_cells(each) for each in shown]))
    happened, missed = sum(each.happened for each in measured), sum(each.missed for each in measured)
    console.print(
        f"{sum(each.holds for each in shown)} of {len(shown)} set rates lie within the interval (19 of 20 should). "
        f"farebox flagged {happened - missed:,} of {happened:,} failures, "
        f"and {sum(each.mistaken for each in measured):,} times what did not happen.",
        soft_wrap=True,
    )


def _cells(each: Measured) -> list[str]:
    unit = "calls" if each.habit == PER_CALL else "answers"
    return [
        each.model,
        each.habit.replace("_", " "),
        f"{each.chances:,} {unit}",
        f"{each.happened:,}",
        f"{each.flagged:,}",
        percent(each.rate),
        percent(each.flagged / each.chances),
        interval(*each.bounds),
        "" if each.holds else "outside",
    ]


def as_json(measured: list[Measured]) -> list[dict[str, Any]]:
    """Give the comparison as plain values; rates are shares from 0 to 1."""
    return [
        {
            "model": each.model,
            "failure": each.habit,
            "flag": FLAGS[each.habit],
            "chances": each.chances,
            "happened": each.happened,
            "flagged": each.flagged,
            "missed": each.missed,
            "mistaken": each.mistaken,
            "set_rate": each.rate,
            "measured_rate": each.flagged / each.chances,
            "low": each.bounds[0],
            "high": each.bounds[1],
            "holds": each.holds,
        }
        for each in measured
    ]
