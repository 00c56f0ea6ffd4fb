"""The command `farebox up`: receive telemetry and keep the ledger until stopped."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from farebox.commands import Command
from farebox.settings import setting

if TYPE_CHECKING:
    from farebox_ledger import Dsn

__all__ = ["command"]

SERVERS_FOLDER = ".farebox"


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dsn", help="where the ledger is: chdb:folder or clickhouse://user:password@host:8123/farebox"
    )
    parser.add_argument("--otlp-port", help="port of OTLP/HTTP on loopback (4318); 0 takes any free one")
    parser.add_argument("--clickhouse-port", help="port of the read-only ClickHouse HTTP interface (8123)")
    parser.add_argument("--viewer-port", help="port of the dashboards in a browser (3001)")
    parser.add_argument("--viewer-host", help="address that the viewer listens on (127.0.0.1); others need a token")


def _run(args: argparse.Namespace) -> int:
    otlp_port = setting("otlp_port", args.otlp_port)
    clickhouse_port = setting("clickhouse_port", args.clickhouse_port)
    others = {
        "alert_every_s": setting("alert_every_s"),
        "viewer_port": setting("viewer_port", args.viewer_port),
        "viewer_host": setting("viewer_host", args.viewer_host),
        "viewer_token": setting("viewer_token"),
    }
    body_bytes_max = setting("body_bytes_max")
    intake_bytes_max = setting("intake_bytes_max")

    bytes_max, hours_max = setting("journal_bytes_max"), setting("journal_hours_max")

    from farebox_collector._journal import Bounds
    from farebox_collector._logging import log_to_stderr
    from farebox_collector._receiver import Limits
    from farebox_collector._up import Options, run
    from farebox_ledger import parse_dsn

    log_to_stderr(setting("log_format"))
    dsn = parse_dsn(setting("dsn", args.dsn))
    limits, bounds = Limits(body_bytes_max, intake_bytes_max), Bounds(bytes_max, hours_max * 3600)
    return run(Options(dsn, otlp_port, clickhouse_port, limits, bounds, _folder(dsn), **others))


def _folder(dsn: Dsn) -> Path:
    """Choose where the journal is: beside an embedded ledger, or in a folder of its own for each server's ledger."""
    chosen = setting("journal")
    if chosen:
        return Path(chosen).expanduser()
    return dsn.folder if dsn.kind == "chdb" else Path(SERVERS_FOLDER) / f"{dsn.host}-{dsn.port}-{dsn.database}"


command = Command(
    help="Receive telemetry over OTLP/HTTP and keep the ledger, until stopped with Ctrl-C.",
    configure=_configure,
    run=_run,
    example="farebox up",
)
