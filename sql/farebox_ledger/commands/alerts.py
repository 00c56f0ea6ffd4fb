"""`farebox alerts`: lists the alert rules, or asks them of a ledger and says what is wrong."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from farebox.commands import Command
from farebox.settings import setting

if TYPE_CHECKING:
    from farebox_ledger.alerts import Measured, Rule

__all__ = ["command"]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "The alert rules, the same that Grafana gets: `list` shows them, `check` asks them of a ledger and exits with "
        "1 when one fires. [alerts] in farebox.toml changes thresholds and switches rules off."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show the rules, their thresholds and how soon they fire")
    checking = actions.add_parser("check", help="ask the rules of a ledger; exit 1 when one fires")
    checking.add_argument("--rule", action="append", default=[], metavar="NAME", help="only this rule; repeat for more")
    checking.add_argument("--at", metavar="TIME", help="as it was then: 2h for two hours ago, or a moment (now)")
    checking.add_argument("--all", action="store_true", help="also what does not fire, with its numbers")
    checking.add_argument("--dsn", help="the ledger's address")
    for each in (listing, checking):
        each.add_argument("--json", action="store_true", help="print JSON")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger.alerts import rules_in_force

    return _list(rules_in_force(), args.json) if args.action == "list" else _check(args)


def _list(rules: list[Rule], as_json: bool) -> int:
    from farebox_ledger._terminal import console, table

    if as_json:
        print(json.dumps([_rule_json(each) for each in rules], indent=2, ensure_ascii=False))  # noqa: T201
        return 0
    headings = [
        ("rule", False),
        ("above", True),
        ("ends below", True),
        ("for", True),
        ("severity", False),
        ("fires when", False),
    ]
    rows = [
        (
            each.name if each.on else f"{each.name} (off)",
            f"{each.above:g}",
            f"{each.ends_below:g}",
            f"{each.pending_s // 60} min" if each.pending_s else "at once",
            each.severity,
            each.means,
        )
        for each in rules
    ]
    console().print(table(headings, rows))
    return 0


def _check(args: argparse.Namespace) -> int:
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._store import open_reader
    from farebox_ledger.alerts import LAG, firing, rules_in_force

    rules = _chosen(rules_in_force(), args.rule)
    at = _moment(args.at) - LAG
    with open_reader(parse_dsn(setting("dsn", args.dsn))) as client:
        found = [(each, fires) for rule in rules for each, fires in firing(client, rule, at)]
    shown = [(each, fires) for each, fires in found if fires or args.all]
    base = setting("dashboards_url")
    if args.json:
        told = [{**measured_json(each, base), "firing": fires} for each, fires in shown]
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201
    else:
        _show(shown, len(rules), base)
    return int(any(fires for _, fires in found))


def measured_json(each: Measured, base: str) -> dict[str, Any]:
    """Lay one answer out for programs."""
    return {
        "rule": each.rule.name,
        "severity": each.rule.severity,
        "labels": dict(each.labels),
        "value": each.value,
        "above": each.rule.above,
        "facts": dict(each.facts),
        "summary": each.summary,
        "description": each.description,
        "link": each.link(base),
    }


def _show(shown: list[tuple[Measured, bool]], rules: int, base: str) -> None:
    from farebox_ledger._terminal import console

    out = console()
    for each, fires in shown:
        number = f"{each.value:.4g}, fires above {each.rule.above:g}"
        out.print(f"{'FIRING' if fires else 'quiet '}  {each.rule.name}: {each.summary}", markup=False)
        out.print(f"        {each.description} ({number})" if fires else f"        ({number})", markup=False)
        if fires:
            out.print(f"        {each.link(base)}", markup=False)
    count = sum(fires for _, fires in shown)
    out.print(f"{count or 'None'} of {rules} rules' alerts {'fires' if count < 2 else 'fire'}.")


def _chosen(rules: list[Rule], names: list[str]) -> list[Rule]:
    from farebox_ledger.errors import LedgerError

    known = {each.name: each for each in rules}
    for name in names:
        if name not in known:
            raise LedgerError(f"--rule {name!r} is no alert rule; there are {', '.join(known)}")
    return [known[name] for name in names] if names else [each for each in rules if each.on]


def _moment(text: str | None) -> datetime:
    from farebox_ledger._period import parse_moment

    now = datetime.now(UTC)
    return now if text is None else parse_moment("--at", text, now)


def _rule_json(each: Rule) -> dict[str, Any]:
    from farebox_ledger.alerts import alert_sql

    return {
        "rule": each.name,
        "title": each.title,
        "means": each.means,
        "on": each.on,
        "above": each.above,
        "ends_below": each.ends_below,
        "pending_s": each.pending_s,
        "keep_firing_s": each.keep_firing_s,
        "every_s": each.every_s,
        "severity": each.severity,
        "labels": list(each.labels),
        "sql": alert_sql(each.question),
    }


command = Command(
    help="list the alert rules, or check them against the ledger; exit 1 when one fires",
    configure=_configure,
    run=_run,
    example=(
        "farebox alerts list  # the rules, their thresholds, how soon they fire\n"
        "farebox alerts check  # exit 1 when one fires\n"
        "farebox alerts check --at 2h --all --json  # as it was two hours ago, with every number\n"
        "farebox alerts check --rule spend-spike  # only this rule"
    ),
    waiting="asking the alert rules",
)
