"""`farebox prices`: what the price book holds, where it is from, and how to bring one's own."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farebox.commands import Command
from farebox.settings import setting

if TYPE_CHECKING:
    from farebox_ledger._book_check import Check
    from farebox_ledger._commitments import Commitment
    from farebox_ledger._prices import Known

__all__ = ["command"]

CATALOGUE = "genai-prices"
AGE_DAYS_MAX = 90
LINES_MAX = 12


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "The price book: `list` what it holds, `show` what one model costs and by whose word, `import` prices of your "
        "own or of a newer genai-prices, `check` its age and coverage, see what is used of `commitments`. Prices are "
        "quoted for a million tokens, a thousand requests or an hour."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list the prices that hold")
    _add_common(listing)
    listing.add_argument("--provider", default="", help="only this provider")
    listing.add_argument("--model", default="", help="only models with this in their name")
    listing.add_argument("--own", action="store_true", help="only where you have prices of your own")
    listing.add_argument("--since", metavar="TIME", help="only prices that began since: 30d, a day, a moment")
    listing.add_argument("--at", metavar="TIME", default="0s", help="the prices of that time (now)")
    showing = actions.add_parser("show", help="show what one model costs, and where each price is from")
    _add_common(showing)
    showing.add_argument("name", help="a model, as the book or a provider names it")
    showing.add_argument("--provider", default="", help="only at this provider")
    showing.add_argument("--at", metavar="TIME", default="0s", help="the prices of that time (now)")
    importing = actions.add_parser("import", help="bring in prices from a CSV file, or from genai-prices")
    _add_common(importing)
    importing.add_argument("source", help=f"a CSV file, or {CATALOGUE} for the one that is installed")
    promised = actions.add_parser("commitments", help="show what is used of commitments; exits 1 when one falls short")
    _add_common(promised)
    checking = actions.add_parser("check", help="check age and coverage; exits 1 when the news is bad")
    _add_common(checking)
    checking.add_argument("--since", default="7d", metavar="TIME", help="traffic to look at: 24h, 30d, a day (7d)")
    checking.add_argument("--until", metavar="TIME", help="the same; exclusive (no end)")
    checking.add_argument(
        "--age-max",
        default=str(AGE_DAYS_MAX),
        metavar="DAYS",
        help=f"days after which the book is old ({AGE_DAYS_MAX})",
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON; money is exact decimal text")
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    actions = {"list": _list, "show": _show, "import": _import, "check": _check, "commitments": _commitments}
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._period import parse_moment
    from farebox_ledger._prices import NO_BEGINNING, Filter, as_json, list_prices, list_providers
    from farebox_ledger._store import open_reader
    from farebox_ledger.errors import LedgerError

    now = datetime.now(UTC)
    since = NO_BEGINNING if args.since is None else parse_moment("--since", args.since, now)
    wanted = Filter(parse_moment("--at", args.at, now), since, args.provider, args.model, args.own)
    with open_reader(parse_dsn(setting("dsn", args.dsn))) as client:
        providers = list_providers(client)
        if args.provider and args.provider not in {row["provider"] for row in providers}:
            known = ", ".join(row["provider"] for row in providers)
            raise LedgerError(f"--provider {args.provider!r} is not in the price book; it has {known}")
        whole = wanted == Filter(wanted.at)
        rows = [] if whole and not args.json else list_prices(client, wanted)
    if args.json:
        _print_json([as_json(row) for row in rows])
    elif whole:
        _print_providers(providers)
    else:
        _print_prices(rows)
    return 0


def _show(args: argparse.Namespace) -> int:
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._period import parse_moment
    from farebox_ledger._prices import as_json, show_model
    from farebox_ledger._store import open_reader

    at = parse_moment("--at", args.at, datetime.now(UTC))
    with open_reader(parse_dsn(setting("dsn", args.dsn))) as client:
        found = show_model(client, args.name, args.provider, at)
    if args.json:
        _print_json(
            [
                {
                    "provider": known.provider,
                    "model": known.model,
                    "prices": [as_json(row) for row in known.prices],
                    "history": [as_json(row) for row in known.history],
                }
                for known in found
            ]
        )
    else:
        for known in found:
            _print_known(args.name, known)
    return 0


def _import(args: argparse.Namespace) -> int:
    from farebox_ledger._book_import import catalogue_news, import_prices
    from farebox_ledger._book_own import read_price_file
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger.errors import BookError

    dsn = parse_dsn(setting("dsn", args.dsn))
    if args.source == CATALOGUE:
        try:
            rows, aliases = catalogue_news(datetime.now(UTC).date())
        except ModuleNotFoundError:
            raise BookError(f"{CATALOGUE} is not installed; run: pip install {CATALOGUE}") from None
        name = f"{CATALOGUE}.catalogue.csv"
    else:
        path = Path(args.source)
        rows, aliases, name = read_price_file(path), [], f"{path.stem}.csv"
        if not rows:
            raise BookError(f"{path} holds no prices; write one a line under its headings")
    done = import_prices(dsn, rows, name, aliases) if rows or aliases else None
    added = done.added if done else 0
    if args.json:
        _print_json({"source": args.source, "rows": len(rows), "added": added})
    elif done is None:
        print(f"{CATALOGUE} says nothing that the book does not say; nothing was imported")  # noqa: T201
    else:
        print(f"{dsn}: {len(rows):,} prices read from {args.source}, {added:,} new to the book")  # noqa: T201
    return 0


def _check(args: argparse.Namespace) -> int:
    from farebox_ledger._book_check import check_book
    from farebox_ledger._book_own import read_own_book
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._period import parse_period
    from farebox_ledger._store import open_reader

    now = datetime.now(UTC)
    period = parse_period(args.since, args.until, now)
    age = _days(args.age_max)
    dsn = parse_dsn(setting("dsn", args.dsn))
    own = read_own_book(dsn)
    with open_reader(dsn) as client:
        check = check_book(client, period, now, age, own)
    if args.json:
        _print_json(check.as_json())
    else:
        _print_check(check, str(period))
    return 1 if check.bad else 0


def _commitments(args: argparse.Namespace) -> int:
    from farebox_ledger._commitments import read_commitments
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._store import open_reader

    with open_reader(parse_dsn(setting("dsn", args.dsn))) as client:
        found = read_commitments(client, datetime.now(UTC).date())
    if args.json:
        _print_json([each.as_json() for each in found])
    else:
        _print_commitments(found)
    return 1 if any(each.shortfall for each in found) else 0


def _days(text: str) -> int:
    from farebox_ledger.errors import LedgerError

    try:
        days = timedelta(days=int(text)).days
    except (ValueError, OverflowError):
        days = 0
    if days <= 0:
        raise LedgerError(f"--age-max {text!r} is not a number of days above 0; write one like {AGE_DAYS_MAX}")
    return days


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))  # noqa: T201


def _print_providers(providers: Sequence[Mapping[str, Any]]) -> None:
    from farebox_ledger._terminal import console, table

    out = console()
    headings = [("provider", False), *((name, True) for name in ("models", "prices", "of your own", "approximate"))]
    rows = [
        [
            row["provider"],
            *(f"{row[name]:,}" for name in ("models", "prices", "own_prices", "approximate")),
            f"{row['newest_check']}",
        ]
        for row in providers
    ]
    out.print(table([*headings, ("checked", False)], rows))
    out.print("List one with --provider, or find a model with --model.", style="dim")


def _print_prices(rows: Sequence[Mapping[str, Any]]) -> None:
    from farebox_ledger._prices import HEADINGS
    from farebox_ledger._terminal import console, table

    out = console()
    if not rows:
        out.print("No price of the book fits.")
        return
    units = [unit for unit in HEADINGS if any(row[unit] is not None for row in rows)]
    names = [("provider", False), ("model", False), ("variant", False), ("region", False), ("above", True)]
    headings = [*names, *((HEADINGS[unit], True) for unit in units), ("from", False), ("", False)]
    out.print(table(headings, ([*_key_cells(row), *_price_cells(row, units)] for row in rows)))
    out.print(
        f"{len(rows):,} row{'' if len(rows) == 1 else 's'}; ≈ is not the provider's own page; above is total input",
        style="dim",
    )


def _key_cells(row: Mapping[str, Any]) -> list[str]:
    above = f"{row['tier_above']:,}" if row["tier_above"] else ""
    return [row["provider"], row["model"], row["variant"], row["region"], above]


def _price_cells(row: Mapping[str, Any], units: Sequence[str]) -> list[str]:
    from farebox_ledger._prices import QUOTED_FOR

    cells = []
    for unit in units:
        price = row[unit]
        sign = "$" if row["currency"] == "USD" else f"{row['currency']} "
        cells.append("" if price is None else f"{sign}{_short(price * QUOTED_FOR[unit])}")
    begins = "" if row["valid_from"].year == 1970 else f"{row['valid_from']:%Y-%m-%d}"
    return [*cells, begins, "≈" if row["approximate"] else ""]


def _short(amount: Any) -> str:
    text = format(amount.normalize(), "f")
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents.ljust(2, '0')}"


def _print_known(name: str, known: Known) -> None:
    from farebox_ledger._terminal import console

    out = console()
    renamed = "" if name.lower() == known.model else f", the book's name of {name}"
    out.print(f"{known.model} of {known.provider}{renamed}", style="bold")
    _print_prices(known.prices)
    latest = {
        (row["source"], row["note"], str(row["checked_on"]), row["book"])
        for row in known.history
        if row["price"] is not None
    }
    for source, note, day, book in sorted(latest):
        whose = {"user": "your own, ", "imported": "imported, "}.get(book, "")
        out.print(f"  {whose}{source}, checked {day}{': ' + note if note else ''}", style="dim")
    out.print()


def _print_commitments(found: Sequence[Commitment]) -> None:
    from farebox_ledger._terminal import console, share, table

    out = console()
    if not found:
        out.print("Nothing is promised; write [[commitments]] into farebox.toml.", markup=False)
        return
    headings = [("provider", False), ("commitment", False), ("from", False), ("to before", False)]
    rows = [
        [
            each.provider,
            each.name,
            f"{each.starts}",
            f"{each.ends}",
            f"{each.amount:,.2f} {each.currency}",
            f"{'≥ ' if each.at_least else ''}{each.spent:,.2f}",
            share(float(each.spent / each.amount)) if each.amount else "–",
            "–" if each.forecast is None else f"{each.forecast:,.2f}",
            f"{each.shortfall:,.2f}" if each.shortfall else "",
        ]
        for each in found
    ]
    sums = [(name, True) for name in ("promised", "spent", "used", "at this pace", "short by")]
    out.print(table([*headings, *sums], rows))
    out.print("Spent is after discounts; the pace is that of the last 28 days. ≥ marks a lower bound.", style="dim")


def _print_check(check: Check, period: str) -> None:
    from farebox_ledger._terminal import console, dollars, table

    out = console()
    oldest = min((row["oldest_check"] for row in check.providers), default="–")
    newest = max((row["newest_check"] for row in check.providers), default="–")
    prices = sum(row["prices"] for row in check.providers)
    out.print(f"{prices:,} prices of {len(check.providers)} providers, checked between {oldest} and {newest}.")
    attempts = sum(row["attempts"] for row in check.seen)
    unpriced = sum(row["attempts"] for row in check.unpriced)
    out.print(
        f"{attempts:,} attempts of {len(check.seen)} models, {period}: {unpriced:,} without a price, "
        f"{sum(row['approximate'] for row in check.seen):,} at an approximate one."
    )
    for row in check.unpriced[:LINES_MAX]:
        out.print(f"  {row['attempts']:>7,}  {row['price_reason']}")
    if check.reported:
        headings = [("provider", False), ("model", False), ("attempts", True), ("book", True), ("host", True)]
        rows = [
            [
                row["provider"],
                row["model"],
                f"{row['attempts']:,}",
                dollars(row["known_cost"]),
                dollars(row["reported"]),
            ]
            for row in check.reported
        ]
        out.print(table(headings, rows))
    if check.catalogue:
        out.print(f"{len(check.disagreements):,} prices differ from {check.catalogue}.")
        for each in check.disagreements[:LINES_MAX]:
            where = " ".join(part for part in (each.variant, each.region and f"in {each.region}") if part)
            ours, theirs = ("none" if price is None else format(price, "f") for price in (each.book, each.other))
            out.print(f"  {each.provider}/{each.model} {where} {each.unit}: book {ours}, {check.catalogue} {theirs}")
    else:
        out.print("genai-prices is not installed, so the book was compared with nothing.")
    for row in check.kept[:LINES_MAX]:
        where = " ".join(str(row[name]) for name in ("variant", "region") if row[name])
        out.print(
            f"  {row['provider']}/{row['model']} {where} {row['unit']}: {row['price']:f}, in none of your files here"
        )
    if check.kept:
        out.print(
            f"{len(check.kept):,} prices of your own hold though no file here has them. Taking a line out ends "
            "no price; an empty one with the day it ends on does."
        )
    for sentence in check.bad:
        out.print(f"✗ {sentence}")
    if not check.bad:
        out.print("✓ nothing to worry about")


command = Command(
    help="list, show, import and check prices",
    configure=_configure,
    run=_run,
    example=(
        "farebox prices list --provider anthropic\n"
        "farebox prices show claude-haiku-4-5  # what it costs, and by whose word\n"
        "farebox prices import negotiated.csv  # prices of your own\n"
        "farebox prices import genai-prices  # a newer catalogue, as it is installed\n"
        "farebox prices check --since 30d  # exit 1 when the book is old, or lacks a model\n"
        "farebox prices commitments  # what is used of what was promised"
    ),
    waiting="asking the price book",
)
