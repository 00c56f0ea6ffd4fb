"""`farebox export --focus`: the ledger as FOCUS files, for whatever reads cloud bills."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farebox.commands import Command
from farebox.settings import setting

if TYPE_CHECKING:
    from farebox_ledger._focus import Export

__all__ = ["command"]

TAGS_DEFAULT = "environment,route,service,tenant"


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write usage and cost in the columns of FOCUS 1.2, with the names of 1.3 beside: one row a meter, price, "
        "account and period. It is an estimate in the shape of FOCUS, from list prices less negotiated discounts; days "
        "whose bill matched say so in x_CostBasis. What has no price is in a second file, and in no cost."
    )
    parser.add_argument("--focus", action="store_true", required=True, help="in the FinOps Foundation's columns")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="where to write (here)")
    parser.add_argument("--format", default="csv", choices=["csv", "parquet"], help="of the files (csv)")
    parser.add_argument("--grain", default="hour", choices=["hour", "day", "call"], help="period of a row (hour)")
    parser.add_argument("--tags", default=TAGS_DEFAULT, metavar="NAMES", help=f"what Tags hold ({TAGS_DEFAULT})")
    parser.add_argument("--since", default="30d", metavar="TIME", help="30d, a day, a moment (30d)")
    parser.add_argument("--until", metavar="TIME", help="the same; exclusive (no end)")
    parser.add_argument("--route", default="", help="only this route")
    parser.add_argument("--model", default="", help="only this model")
    parser.add_argument("--strict", action="store_true", help="exit 1 when anything has no price")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._focus import export_focus
    from farebox_ledger._focus_files import write_rows
    from farebox_ledger._period import parse_period
    from farebox_ledger._store import open_reader

    tags = _tags(args.tags)
    period = parse_period(args.since, args.until, datetime.now(UTC))
    with open_reader(parse_dsn(setting("dsn", args.dsn))) as client:
        export = export_focus(client, period, args.grain, tags, args.route, args.model)
    files = {name: args.out / f"farebox-{name}.{args.format}" for name in ("focus", "unpriced")}
    write_rows(files["focus"], export.columns, export.rows)
    write_rows(files["unpriced"], export.unpriced_columns, export.unpriced)
    told = _told(export, files)
    if args.json:
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201
    else:
        _print(told)
    return 1 if args.strict and export.unpriced_calls else 0


def _tags(text: str) -> list[str]:
    from farebox_ledger._focus import TAGS
    from farebox_ledger.errors import LedgerError

    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = next((name for name in names if name not in TAGS), None)
    if unknown is not None:
        raise LedgerError(f"--tags {unknown!r} is none of {', '.join(TAGS)}, comma-separated")
    return names


def _told(export: Export, files: dict[str, Path]) -> dict[str, Any]:
    return {
        "files": {name: str(path) for name, path in files.items()},
        "rows": len(export.rows),
        "totals": {
            currency: {"ListCost": _plain(listed), "ContractedCost": _plain(paid)}
            for currency, (listed, paid) in sorted(export.totals.items())
        },
        "unpriced_rows": len(export.unpriced),
        "unpriced_calls": export.unpriced_calls,
        "incomplete_calls": export.incomplete_calls,
        "basis": "FOCUS-aligned estimate",
    }


def _print(told: dict[str, Any]) -> None:
    from farebox_ledger._terminal import console

    out = console()
    costs = ", ".join(f"{sums['ListCost']} {currency}" for currency, sums in told["totals"].items()) or "nothing"
    out.print(f"{told['files']['focus']}: {told['rows']:,} rows, {costs} at list price", markup=False, soft_wrap=True)
    out.print(
        f"{told['files']['unpriced']}: {told['unpriced_rows']:,} rows, {told['unpriced_calls']:,} calls without a "
        "price, in no cost",
        markup=False,
        soft_wrap=True,
    )
    if told["incomplete_calls"]:
        out.print(f"{told['incomplete_calls']:,} calls were cut: of them the costs hold what was seen, at least.")
    out.print("A FOCUS-aligned estimate: of days whose bill matched, x_CostBasis says Reconciled.", style="dim")


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


command = Command(
    help="write usage and cost as FOCUS files",
    configure=_configure,
    run=_run,
    example=(
        "farebox export --focus --since 30d --grain day\n"
        "farebox export --focus --since 2026-11-01 --until 2026-12-01 --format parquet --out bills  # one month\n"
        "farebox export --focus --strict  # exit 1 when anything has no price"
    ),
    waiting="adding up charges",
)
