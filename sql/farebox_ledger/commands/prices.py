"""`farebox prices`: what the price book holds, where it is from, and how to bring one's own."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from farebox.commands import Command
from farebox.settings import setting

__all__ = ["command"]

CATALOGUE = "genai-prices"
AGE_DAYS_MAX = 90


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
    importing.add_argument(
        "--replace", action="store_true", help="end what was imported from files of this name and is not in this one"
    )
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
    from farebox_ledger._prices_shown import print_ended, print_prices, print_providers
    from farebox_ledger._query import run_query
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
        ended = run_query(client, "price_ended", {"at": wanted.at}) if args.own else []
    if args.json:
        _print_json([as_json(row) for row in rows])
    elif whole:
        print_providers(providers)
    else:
        print_prices(rows)
        print_ended(ended)
    return 0


def _show(args: argparse.Namespace) -> int:
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._period import parse_moment
    from farebox_ledger._prices import as_json, show_model
    from farebox_ledger._prices_shown import print_known
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
                    "ended": [as_json(row) for row in known.ended],
                }
                for known in found
            ]
        )
    else:
        for known in found:
            print_known(args.name, known)
    return 0


def _import(args: argparse.Namespace) -> int:
    from farebox_ledger._book_import import catalogue_news, import_prices
    from farebox_ledger._book_own import read_price_file
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger.errors import BookError

    dsn = parse_dsn(setting("dsn", args.dsn))
    if args.source == CATALOGUE:
        if args.replace:
            raise BookError(f"--replace is for files of your own; a newer {CATALOGUE} goes before the older anyway")
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
    done = import_prices(dsn, rows, name, aliases, replaces=args.replace) if rows or aliases else None
    left = done.left if done else 0
    if args.json:
        ended = left if args.replace else 0
        _print_json({"source": args.source, "rows": len(rows), "added": done.added if done else 0, "ended": ended})
    elif done is None:
        print(f"{CATALOGUE} says nothing that the book does not say; nothing was imported")  # noqa: T201
    else:
        print(f"{dsn}: {done.rows:,} prices read from {args.source}, {done.added:,} new to the book")  # noqa: T201
        if left:
            what = "ended" if args.replace else "stay in force; --replace ends them"
            print(f"{left:,} prices of former files of this name are not in it and {what}")  # noqa: T201
    return 0


def _check(args: argparse.Namespace) -> int:
    from farebox_ledger._book_check import check_book
    from farebox_ledger._book_own import read_own_book
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._period import parse_period
    from farebox_ledger._prices_shown import print_check
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
        print_check(check, str(period))
    return 1 if check.bad else 0


def _commitments(args: argparse.Namespace) -> int:
    from farebox_ledger._commitments import read_commitments
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._prices_shown import print_commitments
    from farebox_ledger._store import open_reader

    with open_reader(parse_dsn(setting("dsn", args.dsn))) as client:
        found = read_commitments(client, datetime.now(UTC).date())
    if args.json:
        _print_json([each.as_json() for each in found])
    else:
        print_commitments(found)
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
