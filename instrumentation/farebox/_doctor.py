"""`farebox doctor`: walks the way of a call and says, a line each, what is right, what is wrong and how to mend it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import entry_points

from farebox.checks import Finding, State, Visit
from farebox.commands import Command
from farebox.errors import FareboxError

__all__ = ["command"]

GROUP = "farebox.checks"
MARKS = {State.FINE: "ok", State.LOOK: "look", State.WRONG: "WRONG", State.SKIPPED: "-"}
COLOURS = {State.FINE: "32", State.LOOK: "33", State.WRONG: "31", State.SKIPPED: "2"}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Walk the way of a call: settings, SDKs, other instrumentations, the collector, one test call to a server of "
        "our own (free, route farebox-doctor), the ledger, its prices, and the test call found there. Exit 1 where "
        "something is wrong."
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    findings: list[Finding] = []
    for finding in examine(Visit(args.dsn)):
        findings.append(finding)
        if not args.json:
            _print(finding)
    wrong = sum(finding.state is State.WRONG for finding in findings)
    if args.json:
        print(json.dumps({"wrong": wrong, "findings": [asdict(each) for each in findings]}, indent=2))  # noqa: T201
    else:
        print(f"{wrong} wrong." if wrong else "Nothing is wrong.")  # noqa: T201
    return 1 if wrong else 0


def examine(visit: Visit) -> Iterator[Finding]:
    """Yield what each room finds, in the order of a call's way."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            yield from point.load()(visit)
        except ModuleNotFoundError as error:
            extras = ",".join(point.extras)
            yield Finding(
                point.name,
                State.SKIPPED,
                f"not looked at here: the module {error.name} is not installed",
                f"pip install 'farebox[{extras}]', where the {point.name} is",
            )
        except FareboxError as error:
            yield Finding(point.name, State.WRONG, str(error))


def _print(finding: Finding) -> None:
    mark = f"{MARKS[finding.state]:5}"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        mark = f"\x1b[{COLOURS[finding.state]}m{mark}\x1b[0m"
    print(f"{mark} {finding.what}: {finding.sentence}")  # noqa: T201
    if finding.remedy:
        print(f"      → {finding.remedy}")  # noqa: T201


command = Command(
    help="look whether calls are recorded, from the application to the ledger",
    configure=_configure,
    run=_run,
    example=(
        "farebox doctor  # exit 1 where something is wrong\n"
        "farebox doctor --dsn clickhouse://farebox:password@host:8123/farebox --json"
    ),
    waiting="looking",
)
