"""`python -m evaluation.whatif`: what-ifs against the truth, at ten seeds; fails when fewer than nine in ten hold.

For each seed the demo's traffic is recorded once; then each change is asked about, and made with the same questions.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from evaluation.routed import only, play
from farebox_demo.router import GPT_MINI, HAIKU, QWENS, SONNET, Choice, Model
from farebox_demo.workload import plan
from farebox_ledger import Dsn, Store, open_store
from farebox_ledger._period import NO_END, Period
from farebox_ledger._whatif import Answer
from farebox_ledger._whatif_ask import Whatif
from farebox_ledger._whatif_traffic import route_traffic

NEEDED = 0.9


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
    """An answer, and the truth: USD a success, and shares of calls that failed and of input read from caches."""

    seed: int
    change: Change
    answer: Answer
    per_success: float
    fails: float
    hit_rate: float

    @property
    def holds(self) -> bool:
        """Whether the true cost is in the range."""
        return self.answer.then.per_success.low <= self.per_success <= self.answer.then.per_success.high


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
        )


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
            f"hits {then.hit_rate.value:.3f} true {held.hit_rate:.3f}",
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
    failed = False
    for change in changes:
        mine = [held for held in found if held.change is change]
        inside = sum(held.holds for held in mine)
        widths = sorted((each.answer.then.per_success.high / each.answer.then.per_success.low) for each in mine)
        off = sorted(abs(each.per_success / each.answer.then.per_success.value - 1) for each in mine)
        width, error = widths[len(mine) // 2], off[len(mine) // 2]
        print(f"{inside:>3} of {len(mine)} in range, high/low {width:.2f}, off by {error:.1%}: {change}")
        failed |= inside < NEEDED * len(mine)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
