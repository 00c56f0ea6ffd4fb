"""`farebox reconcile`: holds what providers bill against the ledger, and says what differs and why."""

from __future__ import annotations

import argparse
import csv
import getpass
import json
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farebox.commands import Command
from farebox.settings import setting

if TYPE_CHECKING:
    from farebox_ledger._dsn import Dsn
    from farebox_ledger._period import Period
    from farebox_ledger.reconcile._check import Terms
    from farebox_ledger.reconcile._lines import Bill

__all__ = ["command"]

TOLERANCE = "0.5%"
FETCHED = "7d"
KINDS = ("model", "tier", "workspace", "project", "key")


def _configure(parser: argparse.ArgumentParser) -> None:
    from farebox_ledger.reconcile._files import FOCUS, FORMATS, GENERIC
    from farebox_ledger.reconcile._sources import SOURCES

    parser.description = (
        "Hold what providers bill against the ledger, by day, model, key, workspace or project, tier and kind of "
        "token: what matches, what the ledger has too little or too much of, and why, ranked by dollars. Files tell "
        "their format themselves. Bills and checks are kept; without a file those that are kept are checked again. "
        "Exits 1 when more differs than --tolerance."
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="exports of a provider: JSON, CSV, Parquet")
    parser.add_argument("--format", default="", choices=["", *FORMATS, FOCUS, GENERIC], metavar="NAME", help=_formats())
    parser.add_argument(
        "--mapping", type=Path, metavar="FILE", help="TOML file that says what a CSV file's columns are"
    )
    parser.add_argument(
        "--names", type=Path, metavar="FILE", help=f"CSV file: kind ({', '.join(KINDS)}), billed, ledger"
    )
    parser.add_argument(
        "--fetch",
        action="append",
        default=[],
        choices=list(SOURCES),
        metavar="NAME",
        help=f"ask the API of {', '.join(SOURCES)}; its administrator's key is in the environment",
    )
    parser.add_argument("--provider", default="", help="who billed, where the ledger knows the host by another name")
    parser.add_argument("--since", metavar="TIME", help="days to compare: 30d, a day (those that the files speak for)")
    parser.add_argument("--until", metavar="TIME", help="the same; exclusive")
    parser.add_argument("--today", action="store_true", help="compare the day that is not over, too")
    parser.add_argument("--tolerance", default=TOLERANCE, metavar="SHARE", help=f"what may differ ({TOLERANCE}%)")
    parser.add_argument("--rate", action="append", default=[], metavar="EUR=1.08", help="USD for one of a currency")
    parser.add_argument("--dry-run", action="store_true", help="compare, and keep nothing")
    parser.add_argument("--who", help="who imports (the user of this shell)")
    parser.add_argument("--json", action="store_true", help="print JSON; money is exact decimal text")
    parser.add_argument("--dsn", help="the ledger's address")


def _formats() -> str:
    from farebox_ledger.reconcile._files import FOCUS, FORMATS, GENERIC

    return f"the files' format, if they do not tell: {', '.join((*FORMATS, FOCUS, GENERIC))}"


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._period import parse_period
    from farebox_ledger._terminal import console
    from farebox_ledger.reconcile._fetch import fetch_bills
    from farebox_ledger.reconcile._files import read_bills
    from farebox_ledger.reconcile._generic import read_mapping
    from farebox_ledger.reconcile._shown import show

    terms = _terms(args)
    mapped = read_mapping(args.mapping) if args.mapping else None
    bills = read_bills(args.files, args.format, mapped, args.provider)
    now = datetime.now(UTC)
    for name in dict.fromkeys(args.fetch):
        asked = parse_period(args.since or FETCHED, args.until, now)
        bills += fetch_bills(name, asked.since, asked.until, now)
    told = _reconcile(args, parse_dsn(setting("dsn", args.dsn)), bills, _period(args, bills), terms)
    if args.json:
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201
    else:
        show(told, console())
    return 1 if told["bad"] else 0


def _reconcile(
    args: argparse.Namespace, dsn: Dsn, bills: list[Bill], period: Period | None, terms: Terms
) -> dict[str, Any]:
    from farebox_ledger._actions import perform
    from farebox_ledger._store import open_reader
    from farebox_ledger.reconcile._run import asked_of, reconcile

    providers = [args.provider] if args.provider else []
    who = args.who or getpass.getuser()
    if args.dry_run:
        with open_reader(dsn) as client:
            return reconcile(client, bills, period, providers, terms, who, keep=False)
    return perform(dsn, "reconcile", asked_of(bills, period, providers, terms, who))


def _period(args: argparse.Namespace, bills: list[Bill]) -> Period | None:
    from farebox_ledger._period import parse_period

    if args.since is None and args.until is None and bills:
        return None
    return parse_period(args.since or "31d", args.until, datetime.now(UTC))


def _terms(args: argparse.Namespace) -> Terms:
    from farebox_ledger.reconcile._check import Terms

    rates = dict(_rate(each) for each in args.rate)
    names = _names(args.names) if args.names else {}
    return Terms(rates, names, _share("--tolerance", args.tolerance), args.today)


def _rate(text: str) -> tuple[str, Decimal]:
    from farebox_ledger.errors import LedgerError

    currency, _, rate = text.partition("=")
    try:
        value = Decimal(rate)
    except InvalidOperation:
        value = Decimal(0)
    if len(currency) != 3 or not currency.isalpha() or not value.is_finite() or value <= 0:
        raise LedgerError(f"--rate {text!r} is no rate; write a currency and how many USD one of it is, like EUR=1.08")
    return currency.upper(), value


def _share(option: str, text: str) -> Decimal:
    from farebox_ledger.errors import LedgerError

    try:
        value = Decimal(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or not 0 <= value <= 1:
        raise LedgerError(f"{option} {text!r} is no share between 0 and 1; write one like {TOLERANCE}, or 0.005")
    return value


def _names(path: Path) -> dict[tuple[str, str], str]:
    """Read which billed name is which name of the ledger's."""
    from farebox_ledger.errors import BillError

    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BillError(f"{path} cannot be read as a CSV file: {error}") from None
    found = {}
    for number, row in enumerate(rows, start=2):
        if row.get("kind") not in KINDS or row.get("billed") is None or not row.get("ledger"):
            raise BillError(
                f"{path} line {number}: write kind ({', '.join(KINDS)}), billed and ledger, under these headings"
            )
        found[row["kind"], row["billed"]] = row["ledger"]
    return found


command = Command(
    help="compare what providers bill with the ledger, and name what differs",
    configure=_configure,
    run=_run,
    example=(
        "farebox reconcile usage.json cost.json  # exports of a provider; they tell their format\n"
        "farebox reconcile bill.csv --mapping columns.toml  # any CSV file\n"
        "farebox reconcile --fetch anthropic --since 7d  # ask the API; ANTHROPIC_ADMIN_KEY is set\n"
        "farebox reconcile --since 31d --tolerance 0.1%  # check again what is kept"
    ),
    waiting="comparing bills with the ledger",
)
