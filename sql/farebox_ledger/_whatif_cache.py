"""Replays a provider's prompt cache over recorded prompts: their prefix hashes, at the times at which they came.

Two kinds. `marked` (Anthropic's): what the application marks is written, at a price, and read for as long as it lives;
`automatic` (the others'): any prefix seen before is read, in steps. Lifetimes begin anew with every use.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal

__all__ = ["Prompt", "Rule", "Split", "heads_of", "replay", "rule_for"]

# Source: platform.claude.com, prompt caching: a mark finds what was cached up to 20 blocks before it.
LOOKBACK = 20
HOUR_S = 3600.0
MINUTES_5_S = 300.0


@dataclass(frozen=True)
class Rule:
    """How a provider caches. minimum_tokens: the shortest prefix; step_tokens: what reads are rounded down to.

    head_s and turn_s: lifetimes of marks after the head (tools and system) and after the last message of a conversation
    that goes on; 0: not marked. Of automatic caches head_s holds for all.
    """

    kind: Literal["marked", "automatic", "none"]
    minimum_tokens: int
    step_tokens: int
    head_s: float
    turn_s: float
    source: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, with the tokens up to each of its boundaries; `ready_s` is how long until what it wrote can be read.

    measured: the boundary whose tokens are what caches were seen to read, and so in steps already; None: none is.
    converted: whether tokens are those of another model, known to a few percent; a step is then lost by half.
    """

    at: float
    task: str
    scope: str
    hashes: Sequence[str]
    tokens: list[float]
    goes_on: bool = False
    ready_s: float = 0.0
    measured: int | None = None
    converted: bool = False

    @property
    def total(self) -> float:
        """All its tokens."""
        return self.tokens[-1] if self.tokens else 0.0


@dataclass(frozen=True, slots=True)
class Split:
    """Input tokens by what the cache did with them."""

    uncached: float
    read: float = 0.0
    write_5m: float = 0.0
    write_1h: float = 0.0


def rule_for(provider: str, model: str) -> Rule:
    """Find how a provider caches a model's prompts, from `whatif/caches.csv`, the most specific line first."""
    found = max(
        (line for line in _rules() if line["provider"] in ("", provider) and model.startswith(line["model"])),
        key=lambda line: (line["provider"] != "", len(line["model"])),
    )
    lifetime_s = float(found["lifetime_s"])
    kind: Literal["marked", "automatic"] = "marked" if found["kind"] == "marked" else "automatic"
    return Rule(kind, int(found["minimum_tokens"]), int(found["step_tokens"]), lifetime_s, lifetime_s, found["source"])


def heads_of(prompts: Sequence[Prompt]) -> dict[str, int]:
    """Find of each first hash the last boundary that prompts of several tasks share: the end of tools and system."""
    tasks: dict[str, set[str]] = defaultdict(set)
    place: dict[str, tuple[str, int]] = {}
    for prompt in prompts:
        for index, each in enumerate(prompt.hashes):
            if len(tasks[each]) < 2:
                tasks[each].add(prompt.task)
            place[each] = (prompt.hashes[0], index)
    heads: dict[str, int] = {}
    for each, of in tasks.items():
        if len(of) > 1:
            first, index = place[each]
            heads[first] = max(index, heads.get(first, 0))
    return heads


def replay(rule: Rule, prompts: Sequence[Prompt]) -> list[Split]:
    """Split the tokens of prompts, in the order of time, as a cache by this rule would."""
    if rule.kind == "none":
        return [Split(prompt.total) for prompt in prompts]
    entries = _Entries()
    if rule.kind == "automatic":
        return [_automatic(rule, entries, prompt) for prompt in prompts]
    heads = heads_of(prompts)
    return [
        _marked(rule, entries, prompt, heads.get(prompt.hashes[0]) if prompt.hashes else None) for prompt in prompts
    ]


def without_marks(rule: Rule) -> Rule:
    """Give the rule of an application that marks nothing."""
    return replace(rule, kind="none")


class _Entries:
    """What is cached: by scope and hash, from when, until when, and for how long from each use."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[float, float, float]] = {}

    def lives(self, scope: str, key: str, at: float) -> bool:
        """Tell whether an entry can be read."""
        ready, until, _ = self._kept.get((scope, key), (0.0, 0.0, 0.0))
        return ready <= at < until

    def touch(self, scope: str, key: str, at: float, lifetime_s: float = 0.0, ready_s: float = 0.0) -> None:
        """Write an entry, or begin the lifetime of one anew; a longer one replaces it, a shorter does not."""
        ready, until, kept_s = self._kept.get((scope, key), (0.0, 0.0, 0.0))
        lived = at < until
        lifetime_s = max(lifetime_s, kept_s if lived else 0.0)
        ready = min(ready, at + ready_s) if lived else at + ready_s
        self._kept[scope, key] = (ready, max(until if lived else 0.0, at + lifetime_s), lifetime_s)


def _automatic(rule: Rule, entries: _Entries, prompt: Prompt) -> Split:
    alive = [index for index, key in enumerate(prompt.hashes) if entries.lives(prompt.scope, key, prompt.at)]
    for key in prompt.hashes:
        entries.touch(prompt.scope, key, prompt.at, rule.head_s, prompt.ready_s)
    read = prompt.tokens[alive[-1]] if alive else 0.0
    if prompt.converted:
        read -= (rule.step_tokens - 1) / 2
    elif not alive or alive[-1] != prompt.measured:
        read = read // rule.step_tokens * rule.step_tokens
    if read < rule.minimum_tokens:
        read = 0.0
    return Split(prompt.total - read, read)


def _marked(rule: Rule, entries: _Entries, prompt: Prompt, head: int | None) -> Split:
    lifetimes: dict[int, float] = {}
    if head is not None and head < len(prompt.hashes) and rule.head_s:
        lifetimes[head] = rule.head_s
    if prompt.goes_on and prompt.hashes and rule.turn_s:
        last = len(prompt.hashes) - 1
        lifetimes[last] = max(rule.turn_s, lifetimes.get(last, 0.0))
    marks = sorted(mark for mark in lifetimes if prompt.tokens[mark] >= rule.minimum_tokens)
    read = 0.0
    for mark in marks:
        for index in range(mark, max(mark - LOOKBACK, -1), -1):
            if entries.lives(prompt.scope, prompt.hashes[index], prompt.at):
                entries.touch(prompt.scope, prompt.hashes[index], prompt.at)
                read = max(read, prompt.tokens[index])
                break
    end_1h = max([read, *(prompt.tokens[mark] for mark in marks if lifetimes[mark] > MINUTES_5_S)])
    end = max([end_1h, *(prompt.tokens[mark] for mark in marks)])
    for mark in marks:
        entries.touch(prompt.scope, prompt.hashes[mark], prompt.at, lifetimes[mark], prompt.ready_s)
    return Split(prompt.total - end, read, end - end_1h, end_1h - read)


@cache
def _rules() -> list[dict[str, str]]:
    text = files("farebox_ledger").joinpath("whatif", "caches.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
