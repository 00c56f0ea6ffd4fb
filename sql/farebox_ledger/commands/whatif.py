"""`farebox whatif`: what a route would cost with another model, which changes save money, and how long to cache."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from farebox.commands import Command
from farebox.settings import setting

__all__ = ["command"]

EXIT_DEARER = 1
LIFETIMES = ("5m", "1h", "none")

# Plain data, a function that prints, and the exit code.
Told = tuple[Any, Callable[[], None], int]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Ask the route's recorded questions of another model in thought: tokens converted, its provider's cache "
        "replayed over the real times, failures and retries at the rates measured for it, what failures cost included. "
        "Prints what a success costs now and then, with a range, where the tables would turn, and all that is assumed. "
        "Exits 1 when a success would cost more."
    )
    parser.add_argument("--route", help="the route")
    parser.add_argument("--to", metavar="MODEL@PROVIDER[,share=0.5]", help="the model that would answer instead")
    parser.add_argument("--all", action="store_true", help="rank every change of every route by what it saves a month")
    parser.add_argument(
        "--cache",
        nargs="?",
        const="compare",
        metavar="5m|1h|none",
        help="alone: compare lifetimes of marked prompts (Anthropic's); with --to: the one to assume there",
    )
    parser.add_argument("--since", default="7d", metavar="TIME", help="traffic to ask about: 24h, 30d, a day (7d)")
    parser.add_argument("--until", metavar="TIME", help="the same; exclusive (no end)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._period import parse_period
    from farebox_ledger._store import open_reader
    from farebox_ledger._whatif_ask import Whatif

    ask = _asker(args)
    now = datetime.now(UTC)
    period = parse_period(args.since, args.until, now)
    with open_reader(parse_dsn(setting("dsn", args.dsn))) as client:
        told, show, code = ask(Whatif(client, period, now))
    if args.json:
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201
    else:
        show()
    return code


def _asker(args: argparse.Namespace) -> Callable[[Any], Told]:
    """Choose what to ask, and how to show it."""
    from farebox_ledger._whatif_price import parse_target
    from farebox_ledger.errors import LedgerError

    if args.cache not in (None, "compare", *LIFETIMES):
        raise LedgerError(f"--cache {args.cache!r} is no lifetime; write 5m, 1h or none, or nothing to compare them")
    if args.all:
        if args.route or args.to:
            raise LedgerError("--all asks about every route and model; leave --route and --to out")
        return _advise
    if not args.route:
        raise LedgerError("say which route: farebox whatif --route support --to MODEL@PROVIDER, or --all")
    if args.to is None:
        if args.cache != "compare":
            raise LedgerError("say what to change: --to MODEL@PROVIDER, --cache to compare lifetimes, or --all")
        return lambda whatif: _lifetimes(whatif, args.route)
    model, provider, share = parse_target(args.to)
    cache = args.cache if args.cache in LIFETIMES else ""
    return lambda whatif: _change(whatif, args.route, model, provider, share, cache)


def _advise(whatif: Any) -> Told:
    from farebox_ledger._terminal import console
    from farebox_ledger._whatif_shown import show_advice

    advice = whatif.advise()
    return advice.as_json(), lambda: show_advice(advice, console()), 0


def _lifetimes(whatif: Any, route: str) -> Told:
    from farebox_ledger._terminal import console
    from farebox_ledger._whatif_shown import show_lifetimes

    found = whatif.lifetimes(route)
    return (
        {"route": route, "lifetimes": [each.as_json() for each in found]},
        lambda: show_lifetimes(found, console()),
        0,
    )


def _change(whatif: Any, route: str, model: str, provider: str, share: float, cache: str) -> Told:
    from farebox_ledger._terminal import console
    from farebox_ledger._whatif_shown import show_answer

    answer = whatif.ask(route, model, provider, share, cache)
    return answer.as_json(), lambda: show_answer(answer, console()), EXIT_DEARER if answer.verdict == "dearer" else 0


command = Command(
    help="say what a route would cost with another model, and which changes save money",
    configure=_configure,
    run=_run,
    example=(
        "farebox whatif --route support --to claude-haiku-4-5@anthropic\n"
        "farebox whatif --route support --to gpt-5.4-mini@openai,share=0.5  # half of the traffic\n"
        "farebox whatif --route support --cache  # 5 minutes, an hour or no prompt cache\n"
        "farebox whatif --all --since 30d  # every change, by dollars a month"
    ),
    waiting="asking the route's questions of the other model",
)
