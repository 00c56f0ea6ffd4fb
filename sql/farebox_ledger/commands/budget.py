"""`farebox budget`: sets what may be spent, and shows what is and what it comes to."""

from __future__ import annotations

import argparse
import getpass
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from farebox.commands import Command
from farebox.settings import setting

if TYPE_CHECKING:
    from farebox_ledger._budgets import Burn

__all__ = ["command"]

EXIT_EXHAUSTED = 1
PERIODS_SHOWN = 6
# Our options, and the columns that they mean.
SCOPES = {
    "route": "route",
    "tenant": "tenant",
    "user": "user_id",
    "key": "key_fingerprint",
    "model": "model",
    "provider": "provider",
}
WORDS = {"at_risk": "at risk", "exhausted": "EXHAUSTED", "unreadable": "unreadable: names what no attempt has"}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Budgets say what may be spent in an hour, day, week or month (UTC), by everything or by one route, tenant, "
        "user, key, model or provider. Nothing stops at them by itself: alerts and dashboards tell, and "
        "farebox.wrap(client, budget=...) warns or refuses in an application. Exits 1 when a budget shown is exhausted."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    setting_ = verbs.add_parser(
        "set",
        help="add a budget, or change or end one",
        description="What is left out stays as it was. Decisions are kept, with who made them, when and why.",
    )
    setting_.add_argument("name", help="the budget's name")
    setting_.add_argument("--amount", help="USD that may be spent in a period: 250, 0.50; 0 for nothing at all")
    setting_.add_argument("--end", action="store_true", help="end the budget")
    setting_.add_argument("--period", help="hour, day, week (from Monday) or month (month)")
    for option in SCOPES:
        setting_.add_argument(f"--{option}", help=f"only this {option}, as the ledger has it")
    setting_.add_argument(
        "--tag", action="append", metavar="NAME=VALUE", help="only calls with this tag; may be repeated"
    )
    setting_.add_argument("--all", action="store_true", help="everything: takes away what the budget was only for")
    setting_.add_argument("--from", dest="valid_from", default="0s", metavar="TIME", help="from when on (now)")
    setting_.add_argument("--why", default="", help="the reason that is kept")
    setting_.add_argument("--who", help="who decides it (the user of this shell)")
    listing = verbs.add_parser("list", help="show every budget: spent, forecast, state")
    showing = verbs.add_parser("show", help="show one budget, its last periods, and who decided what")
    showing.add_argument("name", help="the budget's name")
    for each in (listing, showing):
        each.add_argument("--at", default="0s", metavar="TIME", help="as of that time (now)")
    for each in (setting_, listing, showing):
        each.add_argument("--json", action="store_true", help="print JSON; money is exact decimal text")
        each.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    return {"set": _set, "list": _list, "show": _show}[args.verb](args)


def _set(args: argparse.Namespace) -> int:
    from farebox_ledger._actions import perform
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._period import parse_moment
    from farebox_ledger.errors import LedgerError

    if (args.amount is None) == (not args.end):
        raise LedgerError(f"say what may be spent: farebox budget set {args.name} --amount 250, or --end to end it")
    now = datetime.now(UTC)
    asked = {
        "name": args.name,
        "amount": None if args.end else args.amount,
        "period": args.period,
        "applies_to": _scope(args),
        "valid_from": parse_moment("--from", args.valid_from, now).isoformat(),
        "who": args.who or getpass.getuser(),
        "why": args.why,
    }
    told = perform(parse_dsn(setting("dsn", args.dsn)), "set_budget", asked)["budget"]
    if args.json:
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201
    elif told["amount"] is None:
        print(f"{told['name']} ends at {told['valid_from']}")  # noqa: T201
    else:
        scope = ", ".join(f"{column}={value}" for column, value in told["applies_to"].items()) or "everything"
        period = f"{'an' if told['period'] == 'hour' else 'a'} {told['period']}"
        print(f"{told['name']}: ${told['amount']} {period} for {scope}, from {told['valid_from']}")  # noqa: T201
    return 0


def _scope(args: argparse.Namespace) -> dict[str, str] | None:
    from farebox_ledger.errors import LedgerError

    named = {column: getattr(args, option) for option, column in SCOPES.items() if getattr(args, option) is not None}
    for each in args.tag or ():
        tag, _, value = each.partition("=")
        named[f"tag.{tag}"] = value
    if args.all and named:
        raise LedgerError(f"--all is everything, and {next(iter(named))} is not; leave one out")
    return named if named or args.all else None


def _list(args: argparse.Namespace) -> int:
    from farebox_ledger._budgets import read_burns
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._period import parse_moment
    from farebox_ledger._store import open_reader

    at = parse_moment("--at", args.at, datetime.now(UTC))
    with open_reader(parse_dsn(setting("dsn", args.dsn))) as client:
        burns = read_burns(client, at)
    if args.json:
        print(json.dumps({"at": at.isoformat(), "budgets": [each.as_json() for each in burns]}, indent=2))  # noqa: T201
    else:
        _print(burns)
    return _exit_code(burns)


def _show(args: argparse.Namespace) -> int:
    from farebox_ledger._budgets import decisions, past_burns, read_burns
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._period import parse_moment
    from farebox_ledger._store import open_reader
    from farebox_ledger.errors import LedgerError

    at = parse_moment("--at", args.at, datetime.now(UTC))
    with open_reader(parse_dsn(setting("dsn", args.dsn))) as client:
        burns = read_burns(client, at, args.name)
        said = decisions(client, args.name)
        past = past_burns(client, burns[0], PERIODS_SHOWN) if burns else []
    if not said:
        raise LedgerError(f"there is no budget {args.name!r}; `farebox budget list` shows those there are")
    if args.json:
        told: dict[str, Any] = {"at": at.isoformat(), "budget": burns[0].as_json() if burns else None}
        told |= {"past": [each.as_json() for each in past], "decisions": said}
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201
    else:
        _print(burns)
        _print_past(past, said)
    return _exit_code(burns)


def _print(burns: list[Burn]) -> None:
    from farebox_ledger._terminal import console, dollars, share, table

    out = console()
    if not burns:
        out.print("No budget holds. Set one: farebox budget set total --amount 250 --period month")
        return
    headings = [("budget", False), ("for", False), ("period", False)]
    headings += [(name, True) for name in ("amount", "spent", "burnt", "forecast", "of it")] + [("state", False)]
    rows = [
        [
            each.name,
            each.scope,
            each.period,
            dollars(each.amount),
            dollars(each.spend, each.spend_is_lower_bound),
            share(each.burn),
            dollars(each.forecast, each.spend_is_lower_bound),
            share(each.forecast_burn),
            WORDS.get(each.state, each.state),
        ]
        for each in burns
    ]
    out.print(table(headings, rows))
    doubtful = sum(each.spend_is_lower_bound for each in burns)
    if doubtful:
        out.print("≥ is a lower bound: some attempts have no price, or only part of one.")


def _print_past(past: list[Burn], said: list[dict[str, Any]]) -> None:
    from farebox_ledger._terminal import console, dollars, share, table

    out = console()
    if past:
        rows = [
            [
                f"{each.period_start:%Y-%m-%d %H:%M}",
                dollars(each.amount),
                dollars(each.spend, each.spend_is_lower_bound),
                share(each.burn),
            ]
            for each in past
        ]
        out.print(table([("period from", False), ("amount", True), ("spent", True), ("burnt", True)], rows))
    for each in said:
        amount = "ended" if each["amount"] is None else f"${each['amount'].rstrip('0').rstrip('.')} a {each['period']}"
        why = f": {each['why']}" if each["why"] else ""
        out.print(f"{each['valid_from'][:19]}  {amount}  by {each['who'] or '?'}{why}")


def _exit_code(burns: list[Burn]) -> int:
    return EXIT_EXHAUSTED if any(each.state == "exhausted" for each in burns) else 0


command = Command(
    help="set what may be spent by route, tenant, user or key; show what is, and what it comes to",
    configure=_configure,
    run=_run,
    example=(
        "farebox budget set support --amount 250 --period month --route support\n"
        "farebox budget set acme --amount 5 --period day --tenant acme\n"
        "farebox budget set support --end  # from now on there is none\n"
        "farebox budget list  # exit 1 when one is exhausted\n"
        "farebox budget show support --json  # its last periods, and who decided what"
    ),
    waiting="adding up what was spent",
)
