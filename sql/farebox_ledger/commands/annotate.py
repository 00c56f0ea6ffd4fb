"""`farebox annotate`: marks a deployment, or whatever else happened, where dashboards show it."""

from __future__ import annotations

import argparse
import getpass
import json
from datetime import UTC, datetime

from farebox.commands import Command
from farebox.settings import setting

__all__ = ["command"]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Marks a moment: dashboards draw a line there, and Cost spike lists it beside what changed. Also while "
        "`farebox up` runs; from a machine that reaches no ledger, as a span with --otlp."
    )
    parser.add_argument("text", help='what people read: "deploy v7"')
    parser.add_argument("--at", default="", metavar="TIME", help="when: 10m ago, a day or a moment (now)")
    parser.add_argument("--route", default="", help="the route it is about (all)")
    parser.add_argument("--tag", default="deploy", help="what kind of mark it is: deploy, incident, prompt … (deploy)")
    parser.add_argument("--who", help="who marks it (you)")
    parser.add_argument("--otlp", metavar="URL", help="send it as a span there: http://host:4318")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._marks import Mark, annotate, send
    from farebox_ledger._period import parse_moment

    now = datetime.now(UTC)
    at = parse_moment("--at", args.at.removesuffix(" ago"), now) if args.at else now
    mark = Mark(args.text, at, args.tag, args.route, _me() if args.who is None else args.who)
    if args.otlp:
        send(args.otlp, mark)
    else:
        annotate(parse_dsn(setting("dsn", args.dsn)), mark)
    if args.json:
        print(json.dumps({**vars(mark), "at": at.isoformat()}, indent=2, ensure_ascii=False))  # noqa: T201
    else:
        about = f" on {mark.route}" if mark.route else ""
        print(f"marked {at:%Y-%m-%d %H:%M:%S} UTC{about}: {mark.text}")  # noqa: T201
    return 0


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return ""


command = Command(
    help="mark a deployment or an incident, where dashboards show it",
    configure=_configure,
    run=_run,
    example=(
        'farebox annotate "deploy v7" --route support  # now, of one route\n'
        'farebox annotate "provider down" --tag incident --at 20m  # twenty minutes ago\n'
        'farebox annotate "deploy v7" --otlp http://collector:4318  # from a machine that reaches no ledger'
    ),
    waiting="writing the mark",
)
