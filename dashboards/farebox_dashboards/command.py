"""`farebox dashboards`: writes the Grafana dashboards to files, or brings them into a Grafana."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from farebox.commands import Command

if TYPE_CHECKING:
    from farebox_dashboards._push import Change

__all__ = ["command"]

FOLDER = "grafana"
URL = "http://localhost:3000"


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Grafana dashboards and alert rules over the ledger: `build` writes them as files for Grafana's file "
        "provisioning, `push` brings them into a running Grafana, as often as you like. Alerts go to whom "
        "FAREBOX_CONTACT_EMAIL, _SLACK, _WEBHOOK and _PAGERDUTY name, or where Grafana's own policies send them."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    building = actions.add_parser("build", help="write dashboards and alert rules as files")
    building.add_argument("--out", default=FOLDER, metavar="FOLDER", help=f"where to ({FOLDER})")
    building.add_argument("--json", action="store_true", help="print JSON")
    pushing = actions.add_parser("push", help="bring dashboards and alert rules into a Grafana")
    pushing.add_argument("--url", help=f"the Grafana; GRAFANA_URL ({URL})")
    pushing.add_argument("--token", help="of a service account with the role Admin; better in GRAFANA_TOKEN")
    pushing.add_argument(
        "--datasource",
        metavar="DSN",
        help="also write the data source: the ledger as Grafana reaches it, clickhouse://user:password@host:8123/farebox",
    )
    pushing.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    pushing.add_argument("--json", action="store_true", help="print JSON")


def _run(args: argparse.Namespace) -> int:
    return _build(Path(args.out), args.json) if args.action == "build" else _push(args)


def _build(folder: Path, as_json: bool) -> int:
    from farebox_dashboards import DASHBOARDS, DashboardError
    from farebox_dashboards._alerts import provisioning
    from farebox_dashboards._contacts import RECEIVER, chosen, contact_points
    from farebox_dashboards.alerts import placed
    from farebox_ledger.alerts import rules_in_force

    rules, contacts = placed(rules_in_force()), chosen(os.environ)
    alerting = folder / "provisioning" / "alerting"
    files = {folder / "dashboards" / f"{each.uid}.json": each.as_json() for each in DASHBOARDS}
    files[alerting / "farebox.yaml"] = provisioning(rules, RECEIVER if contacts else None)
    if contacts:
        files[alerting / "contact-points.yaml"] = contact_points(contacts)
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DashboardError(f"--out {folder} cannot be written ({error.strerror}); name another folder") from None
    told = {"files": [str(path) for path in files], "dashboards": len(DASHBOARDS), "alert_rules": len(rules)}
    said = f"{len(DASHBOARDS)} dashboards and {len(rules)} alert rules written to {folder}"
    print(json.dumps(told, indent=2) if as_json else said)  # noqa: T201
    return 0


def _push(args: argparse.Namespace) -> int:
    from farebox_dashboards import DASHBOARDS, GrafanaError
    from farebox_dashboards._contacts import chosen
    from farebox_dashboards._push import Pusher
    from farebox_dashboards.alerts import placed
    from farebox_ledger import parse_dsn
    from farebox_ledger.alerts import rules_in_force

    url = args.url or os.environ.get("GRAFANA_URL") or URL
    token = args.token or os.environ.get("GRAFANA_TOKEN")
    if not token:
        raise GrafanaError("no token for Grafana; make one for a service account with the role Admin: GRAFANA_TOKEN")
    ledger = parse_dsn(args.datasource) if args.datasource else None
    contacts = [(each, os.environ[each.variable]) for each in chosen(os.environ)]
    pusher = Pusher(url, token, dry_run=args.dry_run)
    changes = pusher.push(DASHBOARDS, ledger, placed(rules_in_force()), contacts)
    if args.json:
        print(json.dumps([vars(each) for each in changes], indent=2, ensure_ascii=False))  # noqa: T201
    else:
        _show(changes, dry_run=args.dry_run)
    return 0


def _show(changes: Sequence[Change], *, dry_run: bool) -> None:
    for each in changes:
        would = "would be " if dry_run and each.action != "unchanged" else ""
        print(f"{each.kind} {each.name}: {would}{each.action}")  # noqa: T201
        for detail in each.details if dry_run or each.action == "updated" else ():
            print(f"  {detail}")  # noqa: T201


command = Command(
    help="write the Grafana dashboards to files, or bring them into a Grafana",
    configure=_configure,
    run=_run,
    example=(
        "farebox dashboards build --out grafana  # files for Grafana's provisioning\n"
        "farebox dashboards push --url http://localhost:3000 --dry-run  # what would change; GRAFANA_TOKEN is set\n"
        "farebox dashboards push --datasource clickhouse://grafana:password@host:8123/farebox  # with its data source"
    ),
    waiting="talking to Grafana",
)
