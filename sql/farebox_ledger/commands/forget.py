"""`farebox forget --user`: takes a person out of the ledger, and leaves every figure as it is."""

from __future__ import annotations

import argparse
import json

from farebox.commands import Command
from farebox.settings import setting

__all__ = ["command"]

ELSEWHERE = (
    "Not reached from here: files of `farebox backup`, bills and exports you made, what Grafana keeps, spools of "
    "clients, and what else a task or a tag of yours says of them."
)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Take a person out of the ledger, as a law or they themselves may ask: spans and captured content of their "
        "calls are deleted, and so are budgets of theirs; their attempts stay, with the user `forgotten`, so that "
        "every figure stays what it was. Where users are hashed (FAREBOX_HASH_USERS) set the same FAREBOX_HASH_KEY, "
        "or name the hash. What they send later is recorded again. It cannot be undone; it may be cut and repeated."
    )
    parser.add_argument("--user", required=True, help="the user, as the tag says it")
    parser.add_argument(
        "--dry-run", action="store_true", help="print what the ledger holds of them, and change nothing"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._actions import perform
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._forget import remembered
    from farebox_ledger._store import open_reader

    dsn = parse_dsn(setting("dsn", args.dsn))
    users = _names(args.user)
    if args.dry_run:
        with open_reader(dsn) as client:
            found = remembered(client, users)
    else:
        found = perform(dsn, "forget", {"users": users})["forgotten"]
    if args.json:
        print(json.dumps({"dry_run": args.dry_run, "rows": found, "elsewhere": ELSEWHERE}, indent=2))  # noqa: T201
    else:
        _print(args.user, found, args.dry_run)
    return 0


def _names(user: str) -> list[str]:
    """List the names under which a user is recorded: as it is, and hashed where the key of the hashes is known."""
    from farebox._identity import keyed_hash

    return [user, keyed_hash(user)] if setting("hash_key") and user else [user]


def _print(user: str, found: dict[str, int], dry_run: bool) -> None:
    from farebox_ledger._terminal import console, table

    out = console()
    if not any(found.values()):
        out.print(f"The ledger holds nothing of the user {user}.", markup=False)
        return
    out.print(table([("table", False), ("rows", True)], [[name, f"{rows:,}"] for name, rows in found.items() if rows]))
    said = "would be forgotten; every figure would stay" if dry_run else "is forgotten; every figure is"
    out.print(f"{user} {said} what it was. {ELSEWHERE}", markup=False)


command = Command(
    help="take a person out of the ledger, and leave every figure as it is",
    configure=_configure,
    run=_run,
    example="farebox forget --user u-4711 --dry-run",
)
