"""`python -m evaluation.whatif`: what-ifs against the truth, at ten seeds; fails when fewer than nine in ten hold.

For each seed the demo's traffic is recorded once; then each change is asked about, and made with the same questions.
The cache is held against the truth twice: what was recorded there, replayed; and what was said of it beforehand.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from evaluation.routed import only, play
from farebox_demo.router import GPT_MINI, HAIKU, QWENS, SONNET, Choice, Model
from farebox_demo.workload import plan
from farebox_ledger import Dsn, Store, open_store
from farebox_ledger._period import NO_END, Period
from farebox_ledger._whatif import Answer
from farebox_ledger._whatif_ask import Whatif
from farebox_ledger._whatif_cache import Prompt, rule_for
from farebox_ledger._whatif_replay import prompts_of, replay_among, rule_as_asked, unread_of
from farebox_ledger._whatif_tokens import slope_of
from farebox_ledger._whatif_traffic import Call, route_traffic

NEEDED = 0.9
REPLAY_WITHIN = 0.02


@dataclass(frozen=True)
class Change:
    """A route, the model that would answer it, by its name in the book, and what is asked when it fails."""

    route: str
    model: Model
    book_name: str
    then: tuple[Model, ...] = ()

    def __str__(self) -> str:
        return f"{self.route} → {self.book_name}@{self.model.host}"

    @property
    def choose(self) -> Choice:
        """Ask the models in this order."""
        return only(self.model, *self.then)


CHANGES = (
    Change("easy", HAIKU, "claude-haiku-4-5"),
    Change("easy", GPT_MINI, "gpt-5.4-mini"),
    Change("easy", QWENS[0], "qwen3.5-flash"),
    Change("multilingual", HAIKU, "claude-haiku-4-5"),
    Change("hard", QWENS[0], "qwen3.5-flash"),
    Change("hard", SONNET, "claude-sonnet-4-6"),
    Change("support-triage", HAIKU, "claude-haiku-4-5", (GPT_MINI, SONNET)),
    Change("support-triage", QWENS[2], "qwen3.5-flash", (GPT_MINI, SONNET)),
)


@dataclass(frozen=True)
class Held:
    """An answer, and the truth: USD a success, and shares of calls that failed and of input read from caches.

    read: tokens truly read by calls of one attempt; replayed: what the replay of the same prompts and times reads.
    """

    seed: int
    change: Change
    answer: Answer
    per_success: float
    fails: float
    hit_rate: float
    read: int
    replayed: float

    @property
    def holds(self) -> bool:
        """Whether the true cost is in the range."""
        return self.answer.then.per_success.low <= self.per_success <= self.answer.then.per_success.high

    @property
    def hits_hold(self) -> bool:
        """Whether the true cache hit rate is in its range."""
        return self.answer.then.hit_rate.low <= self.hit_rate <= self.answer.then.hit_rate.high

    @property
    def replay_off(self) -> float:
        """By which share of the tokens truly read the replay of what was recorded is off."""
        return self.replayed / self.read - 1 if self.read else 0.0


def hold(store: Store, seed: int, turns: int, changes: Sequence[Change]) -> Iterator[Held]:
    """Record traffic of a seed in an empty ledger, ask about the changes, then make them."""
    now = datetime.now(UTC)
    period = Period(now - timedelta(hours=6), NO_END)
    tasks = plan(turns, seed)
    play(store.client, tasks, seed)
    whatif = Whatif(store.client, period, now)
    asked = [(change, whatif.ask(change.route, change.book_name, change.model.host)) for change in changes]
    for change, answer in asked:
        # Under a route and names of their own, so that the ledger holds both.
        mine = [
            replace(task, route=str(change), name=f"{change} {task.name}")
            for task in tasks
            if task.route == change.route
        ]
        play(store.client, mine, seed, change.choose)
        true = route_traffic(store.client, period, str(change))
        first = [call for call in true.calls if not call.escalation]
        known = [each for call in first if (each := call.reported) is not None]
        read, total = sum(each.cache_read for each in known), sum(each.input_tokens or 0 for each in known)
        yield Held(
            seed,
            change,
            answer,
            float(true.spend or 0) / true.successes,
            sum(not call.good for call in first) / len(first),
            read / total,
            *_replayed(first, change),
        )


def _replayed(calls: Sequence[Call], change: Change) -> tuple[int, float]:
    """Replay prompts under the tokens that were recorded of them; gives the tokens truly read, and those replayed.

    Not of calls that were asked again after an attempt was lost: whether that one was cached, nobody says.
    """
    known = [each for call in calls if (each := call.reported) is not None]
    slopes = {(change.model.host, change.book_name): slope_of(known)}
    prompts = prompts_of(calls, slopes, {})
    rule = rule_as_asked(rule_for(change.model.host, change.book_name), known, "")
    splits = replay_among(rule, prompts, unread_of(calls, prompts, slopes, {}, retries=True))
    once = {call.reported.at for call in calls if call.reported is not None and len(call.attempts) == 1}
    replayed = sum(split.read for prompt, split in zip(_in_time(prompts), splits, strict=True) if prompt.at in once)
    return sum(each.cache_read for each in known if each.at in once), replayed


def _in_time(prompts: Sequence[Prompt]) -> list[Prompt]:
    return sorted(prompts, key=lambda each: each.at)


def line(held: Held) -> str:
    """Say how an answer held."""
    then = held.answer.then
    cost = then.per_success
    return "  ".join(
        (
            f"{'in' if held.holds else 'OUT':3} seed {held.seed:<3} {held.change!s:44}",
            f"now {held.answer.now.per_success.value:.6f}",
            f"then {cost.value:.6f} ({cost.low:.6f} to {cost.high:.6f}) true {held.per_success:.6f}",
            f"fails {then.fails.value:.3f} true {held.fails:.3f}",
            f"hits {then.hit_rate.value:.3f} true {held.hit_rate:.3f}{'' if held.hits_hold else ' OUT'}",
            f"replay {held.replay_off:+.1%}",
            held.answer.verdict,
        )
    )


def main() -> int:
    """Hold all changes at some seeds."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.whatif", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--turns", type=int, default=600)
    parser.add_argument("--route", default="", help="only changes of this route")
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    changes = [change for change in CHANGES if args.route in ("", change.route)]
    found: list[Held] = []
    with TemporaryDirectory() as folder, open_store(Dsn("chdb", path=Path(folder))) as first:
        for seed in range(1, args.seeds + 1):
            with open_store(replace(first.dsn, database=f"seed_{seed}")) as store:
                for held in hold(store, seed, args.turns, changes):
                    found.append(held)
                    print(line(held), flush=True)
                store.client.command(f"DROP DATABASE seed_{seed} SYNC")
    failed = [_summed(change, [held for held in found if held.change is change]) for change in changes]
    return int(any(failed))


def _summed(change: Change, held: Sequence[Held]) -> bool:
    """Print how a change held at all seeds; gives whether too few did."""
    inside, hits = sum(each.holds for each in held), sum(each.hits_hold for each in held)
    width = median(each.answer.then.per_success.high / each.answer.then.per_success.low for each in held)
    error = median(abs(each.per_success / each.answer.then.per_success.value - 1) for each in held)
    print(f"{inside:>3} of {len(held)} in range, high/low {width:.2f}, off by {error:.1%}: {change}")
    worst = max(abs(each.replay_off) for each in held)
    if any(each.read for each in held):
        said = sum(each.answer.then.hit_rate.value for each in held) / sum(each.hit_rate for each in held) - 1
        apart = median(abs(each.answer.then.hit_rate.value / each.hit_rate - 1) for each in held if each.hit_rate)
        print(
            f"    cache: replayed within {worst:.1%}; hits in range {hits} of {len(held)}, "
            f"off by {apart:.1%} each, {said:+.1%} together"
        )
    return min(inside, hits) < NEEDED * len(held) or worst > REPLAY_WITHIN


if __name__ == "__main__":
    sys.exit(main())
