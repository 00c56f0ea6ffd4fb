"""`farebox reprice`: prices the past with the book as it is now, and keeps what every figure was."""

from __future__ import annotations

import argparse
import getpass
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from farebox.commands import Command
from farebox.settings import setting

__all__ = ["command"]

HEADINGS = [("model", False), ("was", False), ("is", False), ("attempts", True), ("cost was", True), ("cost is", True)]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Price the attempts of a period with the price book as it is now: after a price was added or mended. What a "
        "figure was stays in the table adjustments, with who changed it, when and why; the view "
        "llm_attempts_as_of(moment = ...) reads the past. Attempts whose price is the same are left alone. It may be "
        "cut and repeated."
    )
    parser.add_argument("--since", required=True, metavar="TIME", help="24h, 7d, today, a day, a moment")
    parser.add_argument("--until", metavar="TIME", help="the same; exclusive (no end)")
    parser.add_argument("--route", default="", help="only this route")
    parser.add_argument("--model", default="", help="only this model, as it was or as it becomes")
    parser.add_argument("--why", default="priced with the book as it is", help="the reason that is kept")
    parser.add_argument("--who", help="who changes it (the user of this shell)")
    parser.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")
    parser.add_argument("--json", action="store_true", help="print JSON; money is exact decimal text")
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._actions import perform
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._period import parse_period
    from farebox_ledger._reprice import changes
    from farebox_ledger._store import open_reader

    dsn = parse_dsn(setting("dsn", args.dsn))
    period = parse_period(args.since, args.until, datetime.now(UTC))
    if args.dry_run:
        with open_reader(dsn) as client:
            found = [each.as_json() for each in changes(client, period, args.route, args.model)]
    else:
        asked = {
            "since": period.since.isoformat(),
            "until": period.until.isoformat(),
            "route": args.route,
            "model": args.model,
            "who": args.who or getpass.getuser(),
            "why": args.why,
        }
        found = perform(dsn, "reprice", asked)["changes"]
    if args.json:
        print(json.dumps({"dry_run": args.dry_run, "changes": found}, indent=2, ensure_ascii=False))  # noqa: T201
    else:
        _print(found, args.dry_run)
    return 0


def _print(found: list[dict[str, Any]], dry_run: bool) -> None:
    from farebox_ledger._terminal import console, table

    out = console()
    attempts = sum(each["attempts"] for each in found)
    if found:
        rows = [
            [
                each["model"] or "(none)",
                each["old_state"],
                each["new_state"],
                f"{each['attempts']:,}",
                _dollars(each["old_cost"], each["old_state"]),
                _dollars(each["new_cost"], each["new_state"]),
            ]
            for each in found
        ]
        out.print(table(HEADINGS, rows))
    verb = "would be" if dry_run else "are"
    out.print(
        f"{attempts:,} attempt{'' if attempts == 1 else 's'} {verb} priced anew" if found else "Nothing to change."
    )


def _dollars(cost: str | None, state: str) -> str:
    from farebox_ledger._terminal import dollars

    return dollars(None if cost is None else Decimal(cost), state == "partial")


command = Command(
    help="price the past with the book as it is now, and keep what it was",
    configure=_configure,
    run=_run,
    example=(
        "farebox reprice --since 30d --dry-run  # what would change\n"
        "farebox reprice --since 2026-11-01 --model qwen3.5-flash --why 'the host published its prices'"
    ),
    waiting="pricing attempts",
)
