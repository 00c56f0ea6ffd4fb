"""`farebox outcomes import`: brings whether tasks succeeded, and minutes of people's work, from a CSV file."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from farebox.commands import Command
from farebox.settings import setting

__all__ = ["command"]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "What is known of tasks later: farebox.outcome() reports it from an application, and this from a file. Success "
        "and minutes reach every figure at once: cost per success, reports, dashboards."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="import")
    verb = verbs.add_parser(
        "import",
        help="bring a CSV file with the columns task, success, human_minutes, reported_at",
        description=(
            "Columns: task, and success (true, false) or human_minutes or both; reported_at is a moment, of several "
            "reports of a task the latest that says something holds. Others are passed over. A file is taken whole or "
            "not at all, and the same again changes nothing."
        ),
    )
    verb.add_argument("file", type=Path, help="the CSV file, in UTF-8, with a line of headings")
    verb.add_argument(
        "--columns", default="", metavar="OURS=THEIRS,…", help="what the file calls them: task=ticket,success=resolved"
    )
    verb.add_argument("--dry-run", action="store_true", help="read the file and say what it holds, and change nothing")
    verb.add_argument("--json", action="store_true", help="print JSON")
    verb.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._outcomes import import_outcomes, read_outcomes

    outcomes = read_outcomes(args.file, datetime.now(UTC), _columns(args.columns))
    if not args.dry_run:
        import_outcomes(parse_dsn(setting("dsn", args.dsn)), outcomes)
    told = {
        "file": str(args.file),
        "dry_run": args.dry_run,
        "reports": len(outcomes),
        "tasks": len({each.task for each in outcomes}),
        "succeeded": sum(each.success is True for each in outcomes),
        "failed": sum(each.success is False for each in outcomes),
        "human_minutes": format(sum((each.human_minutes or 0 for each in outcomes), start=0), "f"),
    }
    if args.json:
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201
    else:
        done = "would be imported" if args.dry_run else "imported"
        print(  # noqa: T201
            f"{told['reports']:,} reports of {told['tasks']:,} tasks {done}: {told['succeeded']:,} say that it "
            f"succeeded, {told['failed']:,} that it did not; {told['human_minutes']} minutes of people's work"
        )
    return 0


def _columns(text: str) -> dict[str, str]:
    from farebox_ledger._outcomes import COLUMNS
    from farebox_ledger.errors import LedgerError

    pairs = [each.partition("=") for each in text.split(",") if each.strip()]
    named = {ours.strip(): theirs.strip() for ours, _, theirs in pairs}
    wrong = [ours for ours, theirs in named.items() if ours not in COLUMNS or not theirs]
    if wrong:
        raise LedgerError(f"--columns {text!r} is unreadable at {wrong[0]!r}; write {', '.join(COLUMNS)} =NAME each")
    return named


command = Command(
    help="import from a CSV file whether tasks succeeded, and minutes of people's work",
    configure=_configure,
    run=_run,
    example=(
        "farebox outcomes import resolved.csv\n"
        "farebox outcomes import tickets.csv --columns task=ticket,success=resolved --dry-run  # what would come of it"
    ),
    waiting="bringing the outcomes in",
)
