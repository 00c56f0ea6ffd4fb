"""The replay of a prompt cache holds what the simulated providers' caches do, over hours, from prefix hashes alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox._prefix import prefix_of
from farebox_demo.providers import _anthropic, _openai
from farebox_demo.providers._caches import AutomaticCache, InputSplit, MarkedCache
from farebox_demo.providers._hosts import HOSTS
from farebox_demo.questions import Answer
from farebox_demo.wording import chat_request, claude_request
from farebox_demo.workload import Conversation, plan
from farebox_ledger._whatif_cache import HOUR_S, MINUTES_5_S, Prompt, Rule, Split, heads_of, replay, rule_for

QWEN = "accounts/fireworks/models/qwen3p5-flash"
WITHIN = 0.02


@dataclass
class Traffic:
    """Prompts of a route as farebox records them, and how the simulated cache split them."""

    prompts: list[Prompt]
    truth: list[InputSplit]

    def tokens(self, name: str) -> int:
        return sum(getattr(split, name) for split in self.truth)


def traffic(route: str, host: str, model: str, mean_gap_s: float, seed: int) -> Traffic:
    """Hold the conversations of a route at random moments, some seconds or minutes between their turns."""
    random, clock = Random(seed), [0.0]
    marked, automatic = MarkedCache(lambda: clock[0]), AutomaticCache(lambda: clock[0])
    served, made = HOSTS[host].models[model], Traffic([], [])
    events, begin = [], 0.0
    for task in plan(700, seed):
        if task.route == route:
            begin += random.expovariate(1 / mean_gap_s)
            at, conversation = begin, Conversation(task)
            for turn in task.turns:
                events.append((at, task, conversation, turn))
                at += random.uniform(5, 200)
    for at, task, conversation, turn in sorted(events, key=lambda event: event[0]):
        clock[0] = at
        question = conversation.ask(turn)
        anthropic = HOSTS[host].dialect == "anthropic"
        request: dict[str, Any] = (claude_request if anthropic else chat_request)(model, question, "id")
        body = json.loads(json.dumps({key: request[key] for key in request.keys() - {"extra_headers", "timeout"}}))
        ask = (_anthropic if anthropic else _openai).parse(HOSTS[host], body)
        minimum, rate = served.cache_minimum or 0, served.tokens_per_kilobyte
        made.truth.append(
            marked.split("", ask.blocks, minimum)
            if anthropic
            else automatic.split("", ask.blocks[0].text, ask.input_tokens, rate, minimum)
        )
        known = prefix_of(request)
        sizes = known["farebox.prefix.bytes"]
        tokens = [max(0.0, ask.input_tokens - rate / 1000 * (sizes[-1] - size)) for size in sizes]
        hashes = known["farebox.prefix.hashes"]
        made.prompts.append(Prompt(at, task.name, "", hashes, tokens, goes_on=question.goes_on))
        conversation.hear(Answer("model", "id", text="word " * random.randint(20, 80)))
    return made


@pytest.mark.parametrize("mean_gap_s", [5, 700, 4000])
@pytest.mark.parametrize(("route", "model"), [("hard", "claude-haiku-4-5"), ("support-triage", "claude-sonnet-4-6")])
def test_a_marked_cache_is_replayed_within_two_percent(route: str, model: str, mean_gap_s: float) -> None:
    """Tokens read and written at Anthropic, an hour for the head and five minutes for turns, come out as they were."""
    made = traffic(route, "anthropic", model, mean_gap_s, seed=3)
    rule = replace(rule_for("anthropic", model), head_s=HOUR_S, turn_s=MINUTES_5_S)
    splits = replay(rule, made.prompts)

    assert sum(split.read for split in splits) == pytest.approx(made.tokens("read"), rel=WITHIN)
    assert sum(split.write_1h for split in splits) == pytest.approx(made.tokens("write_1h"), rel=WITHIN)
    assert sum(split.write_5m for split in splits) == pytest.approx(made.tokens("write_5m"), rel=0.05)


@pytest.mark.parametrize("mean_gap_s", [5, 700, 4000])
@pytest.mark.parametrize(("host", "model"), [("openai", "gpt-5.4-mini"), ("fireworks", QWEN)])
def test_an_automatic_cache_is_replayed_within_two_percent(host: str, model: str, mean_gap_s: float) -> None:
    """Tokens read where prefixes are cached by themselves, in steps and for ten idle minutes, come out as well."""
    made = traffic("support-triage", host, model, mean_gap_s, seed=3)
    splits = replay(replace(rule_for("openai", model), head_s=600), made.prompts)

    assert sum(split.read for split in splits) == pytest.approx(made.tokens("read"), rel=WITHIN)


def rule(kind: Any = "marked", **more: Any) -> Rule:
    return replace(Rule(kind, 1000, 1, MINUTES_5_S, 0.0, ""), **more)


def prompt(at: float, task: str, *tokens: float, **more: Any) -> Prompt:
    """A prompt whose head all share, and what follows nobody does."""
    hashes = ["head", *(f"{task} {number}" for number in range(len(tokens) - 1))]
    return Prompt(at, task, "", hashes, list(tokens), **more)


def test_a_lifetime_begins_anew_with_each_use() -> None:
    """What is read within five minutes of its last use lives on, and is written again after."""
    splits = replay(rule(), [prompt(at, f"t{at}", 2000, 2100) for at in (0, 299, 598, 899)])

    assert splits == [Split(100, 0, 2000), Split(100, 2000), Split(100, 2000), Split(100, 0, 2000)]


def test_short_prefixes_are_not_cached() -> None:
    """Below the provider's minimum nothing is written and nothing read."""
    prompts = [prompt(at, f"t{at}", 900, 990) for at in (0, 1)]

    assert replay(rule(), prompts) == [Split(990), Split(990)]
    assert replay(rule("automatic"), prompts) == [Split(990), Split(990)]
    assert replay(rule("none"), [prompt(0, "t", 2000, 2100)]) == [Split(2100)]


def test_what_is_still_being_written_is_not_read() -> None:
    """Where an entry can be read from the answer's first byte on, who comes before pays for a prefix of their own."""
    prompts = [prompt(at, f"t{at}", 2000, 2100, ready_s=2.0) for at in (0, 1, 3)]

    assert [split.read for split in replay(rule("automatic"), prompts)] == [0, 0, 2000]


def test_the_head_is_what_tasks_share() -> None:
    """The end of tools and system is the last boundary that prompts of several tasks have in common."""
    prompts = [prompt(0, "a", 1, 2, 3), prompt(1, "b", 1, 2, 3), prompt(2, "a", 1, 2, 3, 4)]

    assert heads_of(prompts) == {"head": 0}
    assert heads_of(prompts[::2]) == {}


@pytest.mark.parametrize(
    ("provider", "model", "kind", "minimum"),
    [
        ("anthropic", "claude-haiku-4-5", "marked", 4096),
        ("anthropic", "claude-sonnet-4-6", "marked", 1024),
        ("openai", "gpt-5.4-mini", "automatic", 1024),
        ("nobody", "m", "automatic", 1024),
    ],
)
def test_each_provider_has_a_rule(provider: str, model: str, kind: str, minimum: int) -> None:
    """The most specific line of the table holds; who is not in it gets one that says so."""
    found = rule_for(provider, model)

    assert (found.kind, found.minimum_tokens) == (kind, minimum)
    assert found.source


@given(
    st.lists(st.tuples(st.floats(0, 10_000), st.sampled_from("ab"), st.integers(0, 5000), st.booleans()), max_size=20),
    st.sampled_from(["marked", "automatic"]),
)
def test_no_token_is_lost_and_longer_lifetimes_read_no_less(
    asked: list[tuple[float, str, int, bool]], kind: str
) -> None:
    """Leaves add up to the prompt, none is below zero, and a longer lifetime never reads less."""
    prompts = [
        prompt(at, f"{task}{number}", 2000.0, 2000.0 + more, goes_on=goes_on)
        for number, (at, task, more, goes_on) in enumerate(sorted(asked))
    ]
    reads = []
    for lifetime_s in (MINUTES_5_S, HOUR_S):
        splits = replay(rule(kind, head_s=lifetime_s, turn_s=lifetime_s), prompts)
        reads.append(sum(split.read for split in splits))
        for split, each in zip(splits, prompts, strict=True):
            parts = (split.uncached, split.read, split.write_5m, split.write_1h)
            assert sum(parts) == pytest.approx(each.total)
            assert min(parts) >= 0

    assert reads[0] <= reads[1]
