"""Measured failures against set ones: the detectors find what the simulated models did, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from rich.console import Console

import farebox
from farebox.testing import capture
from farebox_demo.providers._habits import Habits
from farebox_demo.providers._hosts import HOSTS
from farebox_demo.rates import FLAGS, Judgement, Measured, Shown, as_json, measure, read_shown, show
from farebox_demo.traffic import Traffic
from farebox_demo.workload import plan

from .conftest import Simulation

Simulate = Callable[..., Simulation]
QWEN = "qwen3.5-flash"


def judgements(attempts: list[Mapping[str, Any]]) -> dict[str, Judgement]:
    """Read the detectors' findings off recorded attempts, as the ledger's query does off its rows."""
    return {
        attempt["farebox.request_id"]: Judgement(
            frozenset(attempt.get("farebox.flags", ())), attempt.get("farebox.tool_calls_malformed", 0)
        )
        for attempt in attempts
        if attempt["farebox.outcome"] == "ok" and attempt.get("farebox.checked")
    }


def play(simulation: Simulation, turns: int, seed: int) -> list[Measured]:
    with capture() as captured:
        Traffic(simulation.url).run(plan(turns, seed=seed), look=lambda: None)
        found = judgements(captured.attempts())
    simulation.lines(simulation.providers.invoice.lines)
    return measure(read_shown(simulation.invoice), found)


def test_the_detectors_find_what_the_models_did(simulate: Simulate) -> None:
    """Every failure is flagged as what it is and nothing else is flagged; the set rates lie where they should."""
    measured = play(simulate(seed=3, habits="own"), turns=1200, seed=3)

    assert [each for each in measured if each.missed or each.mistaken] == []
    assert sum(each.happened for each in measured) >= 30
    assert {(each.model, each.habit) for each in measured if each.rate * each.chances >= 1 and not each.holds} == set()


SCHEMA = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
TOOLS = {"tools": [{"type": "function", "function": {"name": "refund", "parameters": SCHEMA}}]}
FORM = {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}}
PROSE, CODE = ("Where is my parcel?", {}), ("Write a Python script that sums refunds.", {})
ROOM: dict[str, tuple[str, dict[str, Any]]] = {
    "malformed_tool_call": ("Refund order 7.", TOOLS),
    "extra_argument": ("Refund order 7.", TOOLS),
    "tool_call_in_text": ("Refund order 7.", TOOLS),
    "invented_import": CODE,
    "invented_function": CODE,
    "broken_constraint": ("Explain in at most 20 words why it is late.", {}),
    "incomplete_json": ("Extract the order.", FORM),
    "truncated_json": ("Extract the order.", FORM),
    "wrong_language": ("订单的包裹在哪里？请告诉我什么时候能到。", {}),
}


@pytest.mark.parametrize("habit", FLAGS)
def test_every_failure_can_be_measured(habit: str, simulate: Simulate) -> None:
    """A habit that a model shows whenever it can is flagged whenever it shows."""
    simulation = simulate(habits=Habits(**{habit: 1.0}))
    question, options = ROOM.get(habit, PROSE)
    with capture() as captured, farebox.wrap(simulation.openai("fireworks"), provider="fireworks") as client:
        for number in range(6):
            client.chat.completions.create(
                model="accounts/fireworks/models/qwen3p5-flash",
                max_completion_tokens=600 + number,
                messages=[
                    {"role": "system", "content": "Answer in the customer's language."},
                    {"role": "user", "content": question},
                ],
                **options,
            )
        found = judgements(captured.attempts())
    simulation.lines(6)
    shown = read_shown(simulation.invoice)

    assert sum(line.habits.get(habit, 0) for line in shown.values()) >= 3
    assert {key: found[key].times(habit) for key in shown} == {
        key: line.habits.get(habit, 0) for key, line in shown.items()
    }


def test_every_habit_has_a_flag() -> None:
    """No way in which the simulated models fail goes without a detector, and both kinds of model have some."""
    assert set(FLAGS) == set(vars(Habits()))
    assert all(any(vars(model.habits).values()) for host in HOSTS.values() for model in host.models.values())


def test_rates_are_over_the_chances() -> None:
    """Tool calls count one by one, answers that nobody judged not at all; what was missed or mistaken is told apart."""
    shown = {
        "1": Shown(QWEN, {"malformed_tool_call": 2, "empty": 1}, {"malformed_tool_call": 1}),
        "2": Shown(QWEN, {"malformed_tool_call": 1, "empty": 1}, {"malformed_tool_call": 1}),
        "3": Shown(QWEN, {"empty": 1}, {"empty": 1}),
        "4": Shown(QWEN, {"empty": 1}, {"empty": 1}),
        "5": Shown(QWEN, {"empty": 1}, {}),
    }
    judged = {
        "1": Judgement(frozenset({"tool_call_malformed.type"}), 1),
        "2": Judgement(frozenset(), 0),
        "3": Judgement(frozenset({"empty"}), 0),
        "5": Judgement(frozenset({"empty"}), 0),
        "of another run": Judgement(frozenset({"empty"}), 0),
    }

    calls, empty = measure(shown, judged)

    assert (calls.habit, calls.rate, calls.chances, calls.happened, calls.flagged) == (
        "malformed_tool_call", 0.018, 3, 2, 1,
    )  # fmt: skip
    assert (calls.missed, calls.mistaken) == (1, 0)
    assert (empty.chances, empty.happened, empty.flagged, empty.missed, empty.mistaken) == (4, 1, 2, 0, 1)
    assert empty.bounds == (pytest.approx(0.1500, abs=1e-4), pytest.approx(0.8500, abs=1e-4))
    assert not empty.holds


def test_what_is_shown() -> None:
    """A row says how often of how many, set and measured; below stands what was missed."""
    measured = [
        Measured(QWEN, "loop", 0.01, 200, 3, 3, 0, 0, (0.0051, 0.0431)),
        Measured(QWEN, "empty", 0.004, 100, 1, 0, 1, 0, (0.0, 0.037)),
    ]
    out = io.StringIO()

    show(measured, Console(file=out, width=200))

    assert "qwen3.5-flash   loop      200 answers          3         3   1.00%      1.50%   0.51% to 4.31%" in (
        out.getvalue()
    )
    assert "empty" not in out.getvalue()
    assert "1 of 1 set rates lie within the interval (19 of 20 should). farebox flagged 3 of 4 failures" in (
        out.getvalue()
    )
    assert as_json(measured)[1] == {
        "model": QWEN, "failure": "empty", "flag": "empty", "chances": 100, "happened": 1, "flagged": 0, "missed": 1,
        "mistaken": 0, "set_rate": 0.004, "measured_rate": 0.0, "low": 0.0, "high": 0.037, "holds": True,
    }  # fmt: skip
