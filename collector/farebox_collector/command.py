"""The command `farebox up`: receive telemetry and keep the ledger until stopped."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from farebox.commands import Command
from farebox.errors import SettingError
from farebox.settings import SETTINGS, setting

if TYPE_CHECKING:
    from farebox_ledger import Dsn

__all__ = ["command", "folder_of"]

SERVERS_FOLDER = ".farebox"


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Receive OTLP over HTTP and gRPC, write it down before it is acknowledged, and keep the ledger; serve an "
        "embedded one read-only to any ClickHouse client, and show the dashboards in a browser. Everything is on "
        "loopback unless it is told otherwise. Ctrl-C stores what was received, and ends."
    )
    parser.add_argument(
        "--dsn", help="where the ledger is: chdb:folder or clickhouse://user:password@host:8123/farebox"
    )
    parser.add_argument("--otlp-host", help="address to take telemetry on (127.0.0.1); others need tokens and TLS")
    parser.add_argument("--grpc-port", help="port of OTLP/gRPC (4317); 0 takes any free one")
    parser.add_argument("--otlp-port", help="port of OTLP/HTTP on loopback (4318); 0 takes any free one")
    parser.add_argument("--clickhouse-port", help="port of the read-only ClickHouse HTTP interface (8123)")
    parser.add_argument("--memory", help="most memory of the embedded ClickHouse, as 2GB (9/10 of the machine's)")
    parser.add_argument("--systemd", action="store_true", help="print a unit for systemd that runs this, and end")
    parser.add_argument("--viewer-port", help="port of the dashboards in a browser (3001)")
    parser.add_argument("--viewer-host", help="address that the viewer listens on (127.0.0.1); others need a token")


def _run(args: argparse.Namespace) -> int:
    otlp_port = setting("otlp_port", args.otlp_port)
    clickhouse_port = setting("clickhouse_port", args.clickhouse_port)
    others = {
        "alert_every_s": setting("alert_every_s"),
        "otlp_host": setting("otlp_host", args.otlp_host),
        "otlp_plaintext": setting("otlp_plaintext"),
        "clickhouse_password": setting("clickhouse_password"),
        "tls": _tls(),
        "memory_bytes_max": setting("memory", args.memory),
        "viewer_port": setting("viewer_port", args.viewer_port),
        "viewer_host": setting("viewer_host", args.viewer_host),
        "viewer_token": setting("viewer_token"),
    }
    body_bytes_max = setting("body_bytes_max")
    intake_bytes_max = setting("intake_bytes_max")

    bytes_max, hours_max = setting("journal_bytes_max"), setting("journal_hours_max")

    from farebox_collector._intake import Limits
    from farebox_collector._journal import Bounds
    from farebox_collector._logging import log_to_stderr
    from farebox_collector._systemd import unit_text
    from farebox_collector._up import Options, run
    from farebox_ledger import parse_dsn

    if args.systemd:
        print(unit_text([each for each in sys.argv[2:] if each != "--systemd"], Path.cwd()), end="")  # noqa: T201
        return 0
    log_to_stderr(setting("log_format"))
    grpc_port = _grpc_port(args.grpc_port)
    dsn = parse_dsn(setting("dsn", args.dsn))
    limits, bounds = Limits(body_bytes_max, intake_bytes_max), Bounds(bytes_max, hours_max * 3600)
    return run(Options(dsn, otlp_port, clickhouse_port, limits, bounds, folder_of(dsn), grpc_port=grpc_port, **others))


def _tls() -> tuple[Path, Path] | None:
    certificate, key = setting("tls_certificate"), setting("tls_key")
    if bool(certificate) != bool(key):
        raise SettingError("FAREBOX_TLS_CERTIFICATE and FAREBOX_TLS_KEY go together; one of them is not set")
    return (Path(certificate), Path(key)) if key else None


def _grpc_port(asked: str | None) -> int | None:
    """Choose the port of OTLP/gRPC; none where its extra is not installed and nobody asked for it.

    Raises:
        CollectorError: it is asked for, and not installed.
    """
    from farebox_collector._grpc import MISSING, is_installed
    from farebox_collector.errors import CollectorError

    port: int = setting("grpc_port", asked)
    if is_installed():
        return port
    if asked is not None or port != SETTINGS["grpc_port"].default:
        raise CollectorError(MISSING)
    return None


def folder_of(dsn: Dsn) -> Path:
    """Choose where the journal is: beside an embedded ledger, or in a folder of its own for each server's ledger."""
    chosen = setting("journal")
    if chosen:
        return Path(chosen).expanduser()
    return dsn.folder if dsn.kind == "chdb" else Path(SERVERS_FOLDER) / f"{dsn.host}-{dsn.port}-{dsn.database}"


command = Command(
    help="receive telemetry over OTLP, keep the ledger and show the dashboards, until stopped with Ctrl-C",
    configure=_configure,
    run=_run,
    example=(
        "farebox up  # the ledger is in ./.farebox, all ports are on loopback\n"
        "farebox up --dsn chdb:///var/lib/farebox --memory 2GB\n"
        "farebox up --dsn clickhouse://farebox:password@host:8123/farebox  # a server's ledger\n"
        "farebox up --otlp-host 0.0.0.0  # for other machines; needs `farebox tokens add` and TLS\n"
        "farebox up --systemd > farebox.service  # a unit that runs this"
    ),
    waiting="opening the ledger",
    answers=False,
)
