"""The simulated providers behave as the real ones do, seen through the real SDKs, and bill all they serve."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from farebox_demo.providers._habits import Habits, Troubles
from farebox_demo.providers._hosts import HOSTS
from farebox_demo.providers._terms import Ask, Tool

from .conftest import CALM, QUICK, Simulation

Simulate = Callable[..., Simulation]

HAIKU = "claude-haiku-4-5"
MINI = "gpt-5.4-mini"
QWEN = {
    "fireworks": "accounts/fireworks/models/qwen3p5-flash",
    "together": "Qwen/Qwen3.5-Flash",
    "alibaba": "qwen3.5-flash",
    "openrouter": "qwen/qwen3.5-flash-02-23",
}
SCHEMA = {
    "type": "object",
    "properties": {"order": {"type": "string"}, "amount": {"type": "integer"}},
    "required": ["order", "amount"],
}
TOOL = {"name": "refund", "description": "Refund an order.", "input_schema": SCHEMA}
FUNCTION = {"type": "function", "function": {"name": "refund", "parameters": SCHEMA}}


SAID = Ask(
    model=HOSTS["openai"].models[MINI], content="", question="Where is my parcel?", tools=(), after_tool=False,
    arguments_are_text=True, json_schema=None, max_tokens=600, stream=False, usage_in_stream=False, blocks=(),
)  # fmt: skip
QUESTIONS = {
    "prose": SAID,
    "chinese": replace(SAID, question="订单的包裹在哪里？"),
    "limit": replace(SAID, question="Explain in at most 30 words why."),
    "code": replace(SAID, question="Write a Python script."),
    "json": replace(SAID, json_schema=SCHEMA),
    "tools": replace(SAID, tools=(Tool("refund", SCHEMA),)),
}


def ask(client: anthropic.Anthropic, text: str = "Hello", **options: Any) -> anthropic.types.Message:
    return client.messages.create(
        **{"model": HAIKU, "max_tokens": 1000, "messages": [{"role": "user", "content": text}], **options}
    )


def chat(client: openai.OpenAI, text: str = "Hello", **options: Any) -> Any:
    return client.chat.completions.create(**{"model": MINI, "messages": [{"role": "user", "content": text}], **options})


def marked(text: str, ttl: str = "5m") -> dict[str, Any]:
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral", "ttl": ttl}}


# --- Anthropic ---------------------------------------------------------------------------------------------


def test_anthropic_bills_what_it_reports(simulate: Simulate) -> None:
    """The invoice carries the tokens of the message's usage, times the list price, to the last digit."""
    simulation = simulate()
    with simulation.anthropic() as client:
        usage = ask(client).usage

    (line,) = simulation.lines(1)

    assert line["tokens"] == {
        "uncached_input": usage.input_tokens,
        "cache_read": 0,
        "cache_write_5m": 0,
        "cache_write_1h": 0,
        "output": usage.output_tokens,
    }
    expected = usage.input_tokens * Decimal("0.000001") + usage.output_tokens * Decimal("0.000005")
    assert Decimal(line["amount"]) == expected
    assert (line["status"], line["usage_sent"]) == ("finished", True)


def test_anthropic_stream_counts_twice(simulate: Simulate) -> None:
    """A stream's message_start has 1 output token as a placeholder; message_delta has the true count."""
    simulation = simulate()
    with simulation.anthropic() as client, ask(client, stream=True) as stream:
        events = {event.type: event for event in stream}

    (line,) = simulation.lines(1)

    assert events["message_start"].message.usage.output_tokens == 1
    assert events["message_delta"].usage.output_tokens == line["tokens"]["output"] > 1
    assert stream.response.headers["request-id"] == line["request_id"]


def test_anthropic_caches_from_the_minimum_on(simulate: Simulate) -> None:
    """A marked prefix is cached for Haiku from 4096 tokens on, and silently not below."""
    simulation = simulate()
    with simulation.anthropic() as client:
        short, long = (
            [ask(client, system=[marked("word " * words)]).usage for _ in range(2)] for words in (2700, 2900)
        )

    assert [(usage.cache_creation_input_tokens, usage.cache_read_input_tokens) for usage in short] == [(0, 0)] * 2
    assert long[0].cache_creation_input_tokens == long[1].cache_read_input_tokens == 4208
    assert long[0].cache_read_input_tokens == long[1].cache_creation_input_tokens == 0


def test_anthropic_cache_lives_as_long_as_asked(simulate: Simulate) -> None:
    """An entry lives 5 minutes or 1 hour from its last use."""
    now = [0.0]
    simulation = simulate(clock=lambda: now[0])
    read: dict[str, list[bool]] = {"5m": [], "1h": []}
    with simulation.anthropic() as client:
        for now[0] in (0, 299, 590, 891, 4000, 8000):
            for ttl, reads in read.items():
                usage = ask(client, system=[marked(f"{ttl} " * 6000, ttl)]).usage
                reads.append(usage.cache_read_input_tokens > 0)

    assert read == {
        "5m": [False, True, True, False, False, False],
        "1h": [False, True, True, True, True, False],
    }


def test_anthropic_splits_writes_by_ttl(simulate: Simulate) -> None:
    """Tokens up to the last 1h mark are written for an hour, those from there to the last for 5 minutes."""
    simulation = simulate()
    content = [marked("message " * 600), {"type": "text", "text": "and the question"}]
    with simulation.anthropic() as client:
        usage = ask(
            client, system=[marked("system " * 3000, "1h")], messages=[{"role": "user", "content": content}]
        ).usage

    assert usage.cache_creation is not None
    assert usage.cache_creation.ephemeral_1h_input_tokens == 6093
    assert usage.cache_creation.ephemeral_5m_input_tokens == 1394
    assert usage.input_tokens == 10


def test_anthropic_turns_down_five_marks(simulate: Simulate) -> None:
    """More than four cache marks are an error 400 that costs nothing."""
    simulation = simulate()
    with simulation.anthropic() as client, pytest.raises(anthropic.BadRequestError, match="maximum of 4"):
        ask(client, system=[marked("text")] * 5)

    (line,) = simulation.lines(1)

    assert (line["status"], line["http_status"], line["amount"]) == ("refused", 400, "0")


# --- OpenAI and its likes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["openai", *QWEN])
def test_openai_stream_usage(simulate: Simulate, host: str) -> None:
    """OpenAI and Alibaba send usage in a stream only if asked, in a chunk of its own; the others always."""
    simulation = simulate()
    model = QWEN.get(host, MINI)
    with simulation.openai(host) as client:
        unasked, asked = (
            list(chat(client, model=model, stream=True, **options))
            for options in ({}, {"stream_options": {"include_usage": True}})
        )

    lines = simulation.lines(2)

    always = host not in {"openai", "alibaba"}
    assert [line["usage_sent"] for line in lines] == [always, True]
    assert (unasked[-1].usage is not None) is always
    assert asked[-1].usage.completion_tokens == lines[1]["tokens"]["output"]
    assert bool(asked[-1].choices) is always


def test_openai_caches_prefixes_by_itself(simulate: Simulate) -> None:
    """A prefix of 1024 tokens or more that was seen before is read from the cache, in steps of 128 tokens."""
    simulation = simulate()
    with simulation.openai() as client:
        first, second, other, short = (
            chat(client, text).usage for text in ("a " * 4000 + "x", "a " * 4000 + "y", "b " * 4000, "a " * 2000)
        )

    assert first.prompt_tokens_details.cached_tokens == 0
    assert second.prompt_tokens_details.cached_tokens == 1920
    assert other.prompt_tokens_details.cached_tokens == 0
    assert short.prompt_tokens_details.cached_tokens == 0
    assert second.prompt_tokens == first.prompt_tokens


def test_each_host_spells_cached_tokens_its_way(simulate: Simulate) -> None:
    """Together names cached tokens at the top of usage and bills them in full; OpenRouter says the cost."""
    simulation = simulate()
    long = "a " * 4000
    with simulation.openai("together") as together, simulation.openai("openrouter") as openrouter:
        for _ in range(2):
            usage = chat(together, long, model=QWEN["together"]).usage
        cost = chat(openrouter, long, model=QWEN["openrouter"]).usage.cost

    *_, second, routed = simulation.lines(3)

    assert usage.cached_tokens == second["tokens"]["cache_read"] == 1920
    assert second["unit_prices"]["cache_read"] == second["unit_prices"]["uncached_input"]
    assert Decimal(repr(cost)) == Decimal(routed["amount"])


def test_openai_streams_tool_calls(simulate: Simulate) -> None:
    """Tool calls come in deltas that add up to arguments that fit the tool's schema."""
    simulation = simulate(seed=1)
    with simulation.openai() as client:
        chunks = list(chat(client, tools=[FUNCTION], stream=True))

    calls = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or ()]

    assert calls[0].function.name == "refund"
    arguments = json.loads("".join(call.function.arguments for call in calls if call.index == 0))
    assert {name: type(value) for name, value in arguments.items()} == {"order": str, "amount": int}


# --- trouble -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "statuses"),
    [("rate_limited", [429, 429]), ("overloaded", [529, 503]), ("server_error", [500, 500])],
)
def test_refusals_are_retried_and_never_billed(simulate: Simulate, trouble: str, statuses: list[int]) -> None:
    """429, 529 and 500 make the SDKs try again after the time that the host names, and cost nothing."""
    simulation = simulate(troubles=replace(CALM, **{trouble: 1.0}))
    for call, client, error in (
        (ask, simulation.anthropic(), anthropic.APIStatusError),
        (chat, simulation.openai(), openai.APIStatusError),
    ):
        with client, pytest.raises(error):
            call(client)

    lines = simulation.lines(6)

    assert [line["http_status"] for line in lines] == [statuses[0]] * 3 + [statuses[1]] * 3
    assert [line["retry"] for line in lines] == [0, 1, 2, 0, 1, 2]
    assert {line["status"] for line in lines} == {"refused"}
    assert {Decimal(line["amount"]) for line in lines} == {Decimal(0)}


@pytest.mark.parametrize("stream", [True, False])
def test_cut_answers_are_billed_in_full(simulate: Simulate, stream: bool) -> None:
    """An answer that breaks off on its way is billed like a whole one."""
    simulation = simulate(troubles=replace(CALM, cut=1.0))
    with simulation.anthropic(max_retries=0) as client, pytest.raises((anthropic.APIError, httpx2.HTTPError)):
        list(ask(client, stream=stream))

    (line,) = simulation.lines(1)

    assert (line["status"], line["usage_sent"]) == ("cut", False)
    assert Decimal(line["amount"]) > 0


def test_abandoned_streams_are_billed_in_full(simulate: Simulate) -> None:
    """A client that leaves a stream after the first event pays for all of it."""
    simulation = simulate(pace=replace(QUICK, between_events=0.05))
    with simulation.anthropic() as client, ask(client, stream=True) as stream:
        next(iter(stream))

    (line,) = simulation.lines(1)

    assert (line["status"], line["usage_sent"]) == ("abandoned", False)
    assert Decimal(line["amount"]) > 0


def test_timed_out_calls_are_billed_and_named_by_the_client(simulate: Simulate) -> None:
    """A client that stops waiting pays; the id it sent along is how it will find the line."""
    simulation = simulate(troubles=replace(CALM, slow=1.0), pace=replace(QUICK, slow=30))
    with simulation.openai(max_retries=0, timeout=0.2) as client, pytest.raises(openai.APITimeoutError):
        chat(client, extra_headers={"X-Client-Request-Id": "mine-1"})

    (line,) = simulation.lines(1)

    assert (line["status"], line["client_request_id"]) == ("timed_out", "mine-1")
    assert Decimal(line["amount"]) > 0


# --- seed --------------------------------------------------------------------------------------------------


def drive(simulation: Simulation, order: list[int], threads: int) -> list[dict[str, Any]]:
    """Ask questions that share a long prefix, some streamed, in the order given."""
    system = [marked("policy " * 3000)]
    with simulation.anthropic() as claude, simulation.openai() as mini:

        def one(number: int) -> None:
            text = f"policy {'a ' * 3000} ticket {number}"
            try:
                if number % 2:
                    answer = ask(claude, f"ticket {number}", system=system, stream=number % 3 == 0, tools=[TOOL])
                else:
                    answer = chat(mini, text, stream=number % 3 == 0)
                if number % 3 == 0:
                    list(answer)
            except (anthropic.APIError, openai.APIError, httpx2.HTTPError):
                pass

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, order))
    return simulation.lines()


def test_the_seed_decides_the_total(simulate: Simulate) -> None:
    """Same seed and requests, same invoice total in any order and threads; another seed, another total."""
    troubles = Troubles(rate_limited=0.1, overloaded=0.05, server_error=0.05, slow=0, slow_when_long=0, cut=0.1)
    runs = [
        drive(simulate(seed=seed, troubles=troubles, habits=Habits(malformed_tool_call=0.2)), order, threads)
        for seed, order, threads in (
            (7, list(range(24)), 1),
            (7, list(reversed(range(24))), 8),
            (8, list(range(24)), 1),
        )
    ]

    first, again, other = (sum((Decimal(line["amount"]) for line in lines), Decimal(0)) for lines in runs)

    assert first == again != other
    assert len(runs[0]) == len(runs[1])
    assert sorted(line["http_status"] for line in runs[0]) == sorted(line["http_status"] for line in runs[1])


def test_runs_of_one_seed_have_request_ids_of_their_own(simulate: Simulate) -> None:
    """Request ids never repeat, not even between runs of one seed."""
    ids = [line["request_id"] for _ in range(2) for line in drive(simulate(), list(range(4)), 1)]

    assert len(ids) == len(set(ids)) == 8


def test_identical_requests_are_attempts_of_their_own(simulate: Simulate) -> None:
    """The same request sent again gets an answer of its own, as it would from a model."""
    simulation = simulate()
    with simulation.anthropic() as client:
        texts = {ask(client).content[0].text for _ in range(4)}

    assert len(texts) > 1


# --- the process -------------------------------------------------------------------------------------------


def test_the_process_stops_with_its_parent(tmp_path: Path) -> None:
    """The providers' process says where it listens, writes each line at once, and ends when its pipe does."""
    invoice = tmp_path / "invoice.jsonl"
    command = [
        sys.executable,
        "-m",
        "farebox_demo.providers",
        "--invoice",
        str(invoice),
        "--until-stdin-ends",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        with anthropic.Anthropic(base_url=f"http://127.0.0.1:{port}/anthropic", api_key="test") as client:
            answers = list(itertools.starmap(ask, [(client, "Hello"), (client, "Goodbye")]))
        assert len(invoice.read_text().splitlines()) >= 1  # the second may be on its way
        process.stdin.close()

        assert process.wait(10) == 0
    lines = [json.loads(line) for line in invoice.read_text().splitlines()]
    finished = [line["tokens"]["output"] for line in lines if line["status"] == "finished"]
    assert finished == [answer.usage.output_tokens for answer in answers]
