"""The demo's callers: the router chooses as the article says, and all that its calls cost is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest

from farebox.testing import capture
from farebox_demo.providers._habits import Habits, Troubles
from farebox_demo.questions import Answer, Question, Tool, ToolCall, problem_of
from farebox_demo.router import GPT_MINI, HAIKU, QWENS, SONNET, Router, ladder
from farebox_demo.traffic import API_KEY, Traffic
from farebox_demo.workload import plan

from .conftest import QUICK, Simulation

Simulate = Callable[..., Simulation]

SCHEMA = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
TOOLS = tuple(Tool(f"tool{number}", "A tool.", SCHEMA) for number in range(4))


def question(text: str = "Where is my parcel?", tools: int = 0, **options: object) -> Question:
    return Question(
        route="easy",
        task="task-1",
        user="u1",
        tenant="acme",
        system="You help.",
        messages=({"role": "user", "content": text},),
        tools=TOOLS[:tools],
        **options,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("asked", "models"),
    [
        (question(tools=3), [HAIKU]),
        (question("word " * 5000), [HAIKU]),
        (question(), ["qwen"]),
        (question("注文の荷物はどこにありますか。", tools=1), ["qwen"]),
        (question("订单在哪里？"), ["qwen"]),
        (question("أين الطرد؟"), ["qwen"]),
        (question(tools=2), ["qwen", GPT_MINI, SONNET]),
    ],
)
def test_ladder(asked: Question, models: list[object]) -> None:
    """Tools and length go to Haiku, easy and Eastern questions to Qwen, and what is ambiguous may climb."""
    chosen = ["qwen" if model in QWENS else model for model in ladder(asked)]

    assert chosen == models


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"text": "It arrives tomorrow."}, None),
        ({"stop": "refusal"}, "refused"),
        ({"stop": "content_filter"}, "refused"),
        ({"text": "I'm sorry, but I can't help with that request."}, "refused"),
        ({"stop": "max_tokens", "text": "It arr"}, "truncated"),
        ({"tool_calls": [ToolCall("tool0", {"order": "1"})]}, None),
        ({"tool_calls": [ToolCall("tool0", None)]}, "malformed"),
        ({"tool_calls": [ToolCall("tool0", {})]}, "malformed"),
        ({"tool_calls": [ToolCall("tool0", {"order": {"value": None}})]}, "malformed"),
        ({"tool_calls": [ToolCall("tool9", {"order": "1"})]}, "malformed"),
        ({"problem": "broken", "left": True}, "broken"),
        ({"left": True}, None),
    ],
)
def test_problems(answer: dict[str, object], problem: str | None) -> None:
    """The router sees refusals, truncations, and tool calls that are no JSON, unknown or incomplete."""
    said = Answer("model", "id", **answer)  # type: ignore[arg-type]

    assert problem_of(question(tools=1), said) == problem


def test_bad_answers_climb_the_ladder(simulate: Simulate) -> None:
    """An ambiguous question goes from Qwen to GPT-5.4-mini to Sonnet while the answers are bad, as one task."""
    simulation = simulate(habits=Habits(malformed_tool_call=1.0, refusal_in_text=1.0))
    with capture() as captured:
        router = Router(simulation.url, API_KEY, run="r1")
        answers = router.answer(question("Ticket 5: please fix it.", tools=2))
        router.close()
        attempts = captured.attempts()

    assert len(answers) == 3
    assert all(answer.problem in {"malformed", "refused"} for answer in answers)
    assert [attempt["gen_ai.request.model"] for attempt in attempts][1:] == ["gpt-5.4-mini", "claude-sonnet-4-6"]
    assert {(attempt["farebox.task"], attempt["farebox.route"]) for attempt in attempts} == {("task-1", "easy")}
    assert {attempt["farebox.tag.run"] for attempt in attempts} == {"r1"}


def test_plans_repeat() -> None:
    """A seed always plans the same tasks, at least as many turns as asked for, on all four routes, both ways."""
    tasks = plan(500, seed=3)

    assert tasks == plan(500, seed=3) != plan(500, seed=4)
    assert 500 <= sum(len(task.turns) for task in tasks) <= 503
    assert {task.route for task in tasks} == {"easy", "hard", "multilingual", "support-triage"}
    assert {task.on_asyncio for task in tasks} == {True, False}
    assert len({turn.text for task in tasks for turn in task.turns[:1]}) == len(tasks)


def test_every_attempt_is_recorded_once(simulate: Simulate) -> None:
    """In a storm of failures, each line of the invoice is one recorded attempt, under the same or our own id."""
    storm = Troubles(rate_limited=0.05, overloaded=0.05, server_error=0.05, slow=0.02, slow_when_long=0.5, cut=0.05)
    simulation = simulate(troubles=storm, habits=Habits(malformed_tool_call=0.1), pace=QUICK)
    with capture() as captured:
        traffic = Traffic(simulation.url, run="r1")
        traffic.run(plan(150, seed=5), look=lambda: None)
        attempts = captured.attempts()
    lines = simulation.lines(len(attempts))

    recorded = Counter((attempt["farebox.request_id"], attempt["farebox.attempt"]) for attempt in attempts)
    invoiced = Counter(
        (line["request_id"], line["retry"])
        if (line["request_id"], line["retry"]) in recorded
        else (line["client_request_id"], line["retry"])
        for line in lines
    )
    assert traffic.tally.turns >= 150
    assert {line["status"] for line in lines} >= {"finished", "cut", "refused", "abandoned"}
    assert recorded == invoiced


def test_same_seed_same_bill(simulate: Simulate) -> None:
    """Two runs of one seed, on threads and asyncio, are invoiced the same total, though no two run alike."""
    totals = []
    for _ in range(2):
        simulation = simulate(troubles=Troubles(slow=0, slow_when_long=0))
        Traffic(simulation.url).run(plan(120, seed=6), look=lambda: None)
        simulation.lines(simulation.providers.invoice.lines)
        totals.append(simulation.providers.invoice.total)

    assert totals[0] == totals[1] > Decimal(0)


def test_an_error_in_the_watcher_stops_the_traffic(simulate: Simulate) -> None:
    """Ctrl-C, or whatever else the watcher raises, ends the run after the calls that are under way."""
    simulation = simulate()

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Traffic(simulation.url).run(plan(2000, seed=1), look=interrupt)

    assert simulation.providers.invoice.lines < 500
