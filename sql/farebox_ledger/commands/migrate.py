"""`farebox migrate`: brings a ledger's schema and price book up to this farebox."""

from __future__ import annotations

import argparse
import json
from typing import Any

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
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._cluster import for_cluster
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._migrate import migrations
    from farebox_ledger._store import open_store, pending_in

    if args.for_cluster:
        statements = list(for_cluster(migrations(), args.for_cluster))
        script = "\n\n".join(f"{each.rstrip()};" for each in statements)
        print(json.dumps(statements, indent=2) if args.json else script)  # noqa: T201
        return 0
    dsn = parse_dsn(setting("dsn", args.dsn))
    due = pending_in(dsn)
    told: dict[str, Any] = {"ledger": str(dsn), "dry_run": args.dry_run, "migrations": [each.name for each in due]}
    if not args.dry_run:
        with open_store(dsn) as store:
            told["prices_added"] = store.prices_added
    if args.json:
        print(json.dumps(told, indent=2))  # noqa: T201
        return 0
    count = f"{len(due)} of {len(migrations())} migrations"
    if args.dry_run:
        for each in due:
            print(f"-- {each.name}\n{each.sql.rstrip()};\n")  # noqa: T201
        print(f"-- {count} would be applied to {dsn}")  # noqa: T201
    else:
        print(f"{dsn}: {count} applied, {told['prices_added']:,} rows added to the price book")  # noqa: T201
    return 0


command = Command(
    help="bring the ledger's schema and price book up to this version",
    configure=_configure,
    run=_run,
    example=(
        "farebox migrate --dry-run  # print what would run\n"
        "farebox migrate --dsn clickhouse://admin:password@host:8123/farebox  # make or renew a server's ledger\n"
        "farebox migrate --for-cluster main > schema.sql  # the schema for a cluster named main"
    ),
    waiting="bringing the ledger in step",
)
