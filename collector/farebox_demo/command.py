"""`farebox demo`: the article alive on this machine, ending in a ledger that is checked against the invoices."""

from __future__ import annotations

import argparse

from farebox.commands import Command

__all__ = ["command"]

CALLS = 2000
# One at which every failure's set rate lies within its measured interval; of all seeds' rates, one in twenty does not.
SEED = 2


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run the two-model router of an article against simulated providers that keep an invoice of their own, price "
        "the calls as `farebox up` does, and hold ledger and invoices against each other, line by line. Needs no "
        "account, and calls nobody beyond this machine. Exits 1 when they disagree."
    )
    parser.add_argument("--calls", type=_count, default=CALLS, metavar="N", help=f"at least so many calls ({CALLS})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"same seed, same traffic and invoices ({SEED})")
    parser.add_argument("--stay", action="store_true", help="keep all running, with slow traffic, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="print the report and the audit as JSON")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of calls; give 1 or more")
    return int(text)


def _run(args: argparse.Namespace) -> int:
    from farebox_demo.demo import Demo

    return Demo(calls=args.calls, seed=args.seed, stay=args.stay, as_json=args.json).run()


command = Command(
    help="run real SDK calls against simulated providers, and print the priced and audited ledger",
    configure=_configure,
    run=_run,
    example=(
        "farebox demo  # 2,000 calls, and the audit\n"
        "farebox demo --calls 500 --seed 7  # less traffic, and other\n"
        "farebox demo --stay  # leave it running: dashboards on http://127.0.0.1:3001"
    ),
    waiting="starting",
    answers=False,
)
