"""The command `farebox tokens`: who may send telemetry from other machines."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from farebox.commands import Command
from farebox.settings import setting

if TYPE_CHECKING:
    from farebox_collector._tokens import Token

__all__ = ["command"]

DSN_HELP = "the ledger that `farebox up` keeps; its folder holds the tokens' hashes"


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "On loopback whoever is on the machine may send telemetry; others show a token that was made here. Of a token "
        "only a hash is kept, in the folder of the ledger. Adding and removing holds at once, also while `farebox up` "
        "runs."
    )
    parser.add_argument("--dsn", help=DSN_HELP)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a token and print its secret, once")
    add.add_argument("name", help="what the token is called here")
    add.add_argument("--service", action="append", default=[], help="a service it may speak for; again for more; all")
    add.add_argument(
        "--write", action="store_true", help="for an OpenTelemetry Collector's ClickHouse exporter, and nothing else"
    )
    remove = actions.add_parser("remove", help="let a token in no more, at once")
    remove.add_argument("name", help="what the token is called here")
    listed = actions.add_parser("list", help="show names, services and when they were made")
    for each in (add, remove, listed):
        each.add_argument("--json", action="store_true", help="print JSON")
        each.add_argument("--dsn", default=argparse.SUPPRESS, help=DSN_HELP)


def _run(args: argparse.Namespace) -> int:
    from farebox_collector._tokens import FILE, add_token, read_tokens, remove_token
    from farebox_collector.command import folder_of
    from farebox_collector.errors import CollectorError
    from farebox_ledger import parse_dsn

    path = folder_of(parse_dsn(setting("dsn", args.dsn))) / FILE
    match args.action:
        case "add":
            if args.write and args.service:
                raise CollectorError("a token that writes is for whole tables; leave --service or --write away")
            secret = add_token(path, args.name, args.service, writes=args.write)
            told = {"name": args.name, "services": args.service, "writes": args.write, "token": secret}
            print(json.dumps(told, indent=2) if args.json else secret)  # noqa: T201
        case "remove":
            remove_token(path, args.name)
            if args.json:
                print(json.dumps({"name": args.name, "removed": True}, indent=2))  # noqa: T201
        case "list" if args.json:
            tokens = [
                {name: value for name, value in asdict(each).items() if name != "sha256"} for each in read_tokens(path)
            ]
            print(json.dumps(tokens, indent=2))  # noqa: T201
        case "list":
            found = read_tokens(path)
            for each in found:
                print(f"{each.name:24} {each.added_at:26} {_scope(each)}")  # noqa: T201
            if not found:
                print(f"No tokens in {path}. Make one: farebox tokens add NAME")  # noqa: T201
    return 0


def _scope(token: Token) -> str:
    return "writes tables" if token.writes else ", ".join(token.services) or "all services"


command = Command(
    help="make, list and remove the tokens with which other machines send telemetry",
    configure=_configure,
    run=_run,
    example=(
        "farebox tokens add shop --service shop  # its secret is printed once\n"
        "farebox tokens list --json\n"
        "farebox tokens remove shop  # it is let in no more, at once"
    ),
)
