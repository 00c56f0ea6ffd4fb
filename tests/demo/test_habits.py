"""Simulated models fail as they are set to, and note what they had the chance to show."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import replace

import pytest
from demo.test_providers import FUNCTION, QUESTIONS, QWEN, SCHEMA, Simulate, ask, chat

from farebox_demo.providers._dice import Dice
from farebox_demo.providers._generation import compose
from farebox_demo.providers._habits import Habits
from farebox_demo.providers._hosts import HOSTS


def test_malformed_tool_calls_are_malformed(simulate: Simulate) -> None:
    """Each malformed call breaks its tool's contract in the way the invoice names."""
    simulation = simulate(habits=Habits(malformed_tool_call=1.0))
    seen: dict[str, list[tuple[str, str]]] = {}
    with simulation.openai("fireworks") as client:
        for number in range(48):
            message = chat(client, f"ticket {number}", model=QWEN["fireworks"], tools=[FUNCTION]).choices[0].message
            calls = [(call.function.name, call.function.arguments) for call in message.tool_calls or ()]
            habits = simulation.lines(number + 1)[-1]["habits"]
            for habit, call in zip(habits, calls, strict=True):
                seen.setdefault(habit.removeprefix("malformed_tool_call."), []).append(call)

    assert set(seen) == {"invalid_json", "truncated", "not_object", "missing_required", "type", "unknown_tool"}
    assert {name for name, _ in seen["unknown_tool"]} == {"refund_v2"}
    for _, arguments in seen["invalid_json"] + seen["truncated"]:
        with pytest.raises(ValueError):
            json.loads(arguments)
    assert all(len(json.loads(arguments)) == 1 for _, arguments in seen["missing_required"])
    assert all({"value": None} in json.loads(arguments).values() for _, arguments in seen["type"])


def test_max_tokens_stops_the_answer(simulate: Simulate) -> None:
    """An answer longer than max_tokens ends there, says so, and bills exactly max_tokens."""
    simulation = simulate()
    with simulation.anthropic() as client:
        message = ask(client, max_tokens=20)

    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 20)


def test_refusal_by_api(simulate: Simulate) -> None:
    """A refusal by the API has its own stop reason and no text."""
    simulation = simulate(habits=Habits(refusal_by_api=1.0))
    with simulation.anthropic() as client:
        message = ask(client)

    assert (message.stop_reason, message.content) == ("refusal", [])


def test_json_answers_fit_their_schema_or_break_it_by_habit(simulate: Simulate) -> None:
    """An answer in JSON has all required keys, unless the habit is to leave one out or to stop half-way."""
    wanted = {"type": "json_schema", "json_schema": {"name": "refund", "schema": SCHEMA}}
    texts = []
    for habits in (Habits(), Habits(incomplete_json=1.0), Habits(truncated_json=1.0)):
        with simulate(habits=habits).openai() as client:
            texts.append(chat(client, response_format=wanted).choices[0].message.content)

    whole, incomplete, truncated = texts

    assert set(json.loads(whole)) == {"order", "amount"}
    assert len(json.loads(incomplete)) == 1
    with pytest.raises(ValueError):
        json.loads(truncated)


@pytest.mark.parametrize(
    ("question", "habit"),
    [
        ("Write a Python script that sums refunds.", "invented_import"),
        ("Write a Python script that sums refunds.", "invented_function"),
        ("Explain the delay in at most 20 words.", "broken_constraint"),
        ("お届け先の住所を変更したいです。", "wrong_language"),
        ("Where is my parcel?", "clarifying_question"),
        ("Where is my parcel?", "disclaimer"),
        ("Where is my parcel?", "refusal_in_text"),
        ("Where is my parcel?", "refusal_by_api"),
        ("Where is my parcel?", "invented_citation"),
        ("Where is my parcel?", "loop"),
        ("Where is my parcel?", "runs_on"),
        ("Where is my parcel?", "empty"),
    ],
)
def test_habits_show_where_they_can(simulate: Simulate, question: str, habit: str) -> None:
    """A habit at rate 1 shows in each answer that gives it room, and the invoice names it."""
    simulation = simulate(habits=Habits(**{habit: 1.0}))
    with simulation.anthropic() as client:
        ask(client, question)

    (line,) = simulation.lines(1)

    assert line["habits"] == [habit]
    assert habit in line["chances"]


def test_habits_come_up_at_their_rates() -> None:
    """Over thousands of answers each habit shows as often as it is set to, within four standard errors."""
    chances, shown = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for host, name, number in itertools.product(("anthropic", "fireworks"), QUESTIONS, range(3000)):
        ((_, model),) = [*HOSTS[host].models.items()][:1]
        ask = replace(QUESTIONS[name], model=model, content=f"{name} {number}")
        reply = compose(ask, Dice(1, ask.content))
        chances.update((host, habit) for habit in reply.chances)
        shown.update((host, habit.partition(".")[0]) for habit in reply.habits)

    for host in ("anthropic", "fireworks"):
        ((_, model),) = [*HOSTS[host].models.items()][:1]
        for habit, rate in vars(model.habits).items():
            tries = chances[host, habit]
            assert tries >= 2000
            assert abs(shown[host, habit] / tries - rate) <= 4 * (rate * (1 - rate) / tries) ** 0.5, (host, habit)


def test_a_caller_who_leaves_no_room_proves_nothing(simulate: Simulate) -> None:
    """An answer that the caller's own limit cuts counts for no rate: short failures would fit in and be too many."""
    simulation = simulate()
    with simulation.anthropic() as client:
        ask(client, max_tokens=40)

    (line,) = simulation.lines(1)

    assert line["chances"] == []
