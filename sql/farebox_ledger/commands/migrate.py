"""`farebox migrate`: brings a ledger's schema and price book up to this farebox."""

from __future__ import annotations

import argparse

from farebox.commands import Command
from farebox.settings import setting

__all__ = ["command"]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Bring a ledger's schema and price book up to this farebox; a new ledger is created. `farebox up` does it by "
        "itself when it starts. It may be run twice, and again after a crash."
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the statements that would run, and change nothing"
    )
    parser.add_argument(
        "--for-cluster",
        metavar="NAME",
        help="print the schema for a cluster of servers, replicated and sharded by trace id; parsed, never run by us",
    )
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._cluster import for_cluster
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._migrate import migrations
    from farebox_ledger._store import open_store, pending_in

    if args.for_cluster:
        for statement in for_cluster(migrations(), args.for_cluster):
            print(f"{statement.rstrip()};\n")  # noqa: T201
        return 0
    dsn = parse_dsn(setting("dsn", args.dsn))
    due = pending_in(dsn)
    if args.dry_run:
        for migration in due:
            print(f"-- {migration.name}\n{migration.sql.rstrip()};\n")  # noqa: T201
        print(f"-- {len(due)} of {len(migrations())} migrations would be applied to {dsn}")  # noqa: T201
        return 0
    with open_store(dsn) as store:
        prices = store.prices_added
    print(f"{dsn}: {len(due)} of {len(migrations())} migrations applied, {prices:,} rows added to the price book")  # noqa: T201
    return 0


command = Command(
    help="bring the ledger's schema and price book up to this version",
    configure=_configure,
    run=_run,
    example="farebox migrate --dry-run",
)
