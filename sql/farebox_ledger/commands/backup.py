"""`farebox backup`: the whole ledger in one file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from farebox.commands import Command
from farebox.settings import setting

__all__ = ["command"]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write an embedded ledger, prices and settings among it, into one .tar.zst file, also while `farebox up` runs. "
        "What `farebox up` acknowledged before is in it."
    )
    parser.add_argument("file", type=Path, help="the file to write, ending in .tar.zst")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._backup import backup
    from farebox_ledger._dsn import parse_dsn

    size = backup(parse_dsn(setting("dsn", args.dsn)), args.file)
    told = json.dumps({"file": str(args.file), "bytes": size}) if args.json else f"{args.file}: {size:,} bytes"
    print(told)  # noqa: T201
    return 0


command = Command(
    help="write the whole ledger into one file",
    configure=_configure,
    run=_run,
    example="farebox backup ledger-2026-11-23.tar.zst  # also while `farebox up` runs",
    waiting="writing the ledger into the file",
)
