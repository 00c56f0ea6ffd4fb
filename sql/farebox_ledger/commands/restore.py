"""`farebox restore`: a ledger from the file that `farebox backup` wrote."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from farebox.commands import Command
from farebox.settings import setting

__all__ = ["command"]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make a ledger, in a folder where there is none, of a file that `farebox backup` wrote. Its schema and prices "
        "are brought in step with this farebox."
    )
    parser.add_argument("file", type=Path, help="the file that `farebox backup` wrote")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._backup import restore
    from farebox_ledger._dsn import parse_dsn

    dsn = parse_dsn(setting("dsn", args.dsn))
    found = restore(dsn, args.file)
    words = f"{dsn}: {found.attempts:,} attempts, {found.spans:,} spans"
    print(json.dumps(asdict(found)) if args.json else words)  # noqa: T201
    return 0


command = Command(
    help="make a ledger of the file that `farebox backup` wrote",
    configure=_configure,
    run=_run,
    example="farebox restore ledger-2026-11-23.tar.zst --dsn chdb:restored  # a folder in which there is none",
    waiting="making the ledger of the file",
)
