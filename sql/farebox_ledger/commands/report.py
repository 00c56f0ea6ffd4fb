"""`farebox report`: what the calls of a period cost and how they went, by route, model or provider."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from farebox.commands import Command
from farebox.settings import setting

if TYPE_CHECKING:
    from farebox_ledger._report import Group, Report

__all__ = ["command"]

REASONS_MAX = 8
PREVIOUS = ""  # what --compare is without two models
HEADINGS = ("calls", "attempts", "spend", "per success", "failed", "cache hits", "p50", "p95", "unpriced")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "What the calls of a period cost and how they went. Spend is of the attempts made in the group; spend per "
        "success is all money of the tasks that began in it for each one that succeeded; a call failed if none of its "
        "attempts was good; cache hits are input tokens read from a cache. ≥ marks a lower bound, – what is not known."
    )
    parser.add_argument(
        "--by", default="route", metavar="NAMES", help="route, model, provider, comma-separated (route)"
    )
    parser.add_argument(
        "--since", default="24h", metavar="TIME", help="15m, 24h, 7d, 2w, today, yesterday, a day, a moment (24h)"
    )
    parser.add_argument("--until", metavar="TIME", help="the same; exclusive (no end)")
    parser.add_argument("--route", default="", help="only this route")
    parser.add_argument("--model", default="", help="only this model")
    parser.add_argument("--failures", action="store_true", help="every failure by route and model, with its kinds")
    parser.add_argument("--tasks", action="store_true", help="calls, retries, escalations and minutes of people a task")
    parser.add_argument("--classes", action="store_true", help="spend by what was billed: input, caches, output, tools")
    parser.add_argument(
        "--compare",
        metavar="A,B",
        nargs="?",
        const=PREVIOUS,
        help="compare with the period before; or how often two models A,B failed, on --route or on all",
    )
    parser.add_argument(
        "--as-of",
        metavar="TIME",
        help="as the ledger was then, without what came or was priced anew since; slow",
    )
    parser.add_argument("--json", action="store_true", help="print JSON; money is exact decimal text")
    parser.add_argument("--dsn", help="the ledger's address")


def _run(args: argparse.Namespace) -> int:
    from farebox_ledger._dsn import parse_dsn
    from farebox_ledger._failures import compare_models, make_failures
    from farebox_ledger._failures_shown import comparison_json, show_comparison, show_failures
    from farebox_ledger._past import asking_the_past
    from farebox_ledger._period import parse_moment, parse_period
    from farebox_ledger._query import run_query
    from farebox_ledger._report import make_report
    from farebox_ledger._report_shown import previous_json, show_classes, show_previous
    from farebox_ledger._store import open_reader
    from farebox_ledger._tasks import make_tasks
    from farebox_ledger._tasks_shown import show_tasks
    from farebox_ledger._terminal import console
    from farebox_ledger.errors import LedgerError

    by = _dimensions(args.by)
    models = _pair(args.compare) if args.compare != PREVIOUS else None
    now = datetime.now(UTC)
    period = parse_period(args.since, args.until, now)
    moment = parse_moment("--as-of", args.as_of, now) if args.as_of else None
    if moment and args.tasks:
        raise LedgerError("--tasks knows the present alone; leave out --as-of, or --tasks")
    with open_reader(parse_dsn(setting("dsn", args.dsn))) as client:
        ask = asking_the_past(client, moment, period) if moment else run_query
        report = make_report(client, period, by, args.route, args.model, ask)
        failures = make_failures(client, period, ("route", "model"), args.route, args.model, ask)
        compared = compare_models(client, period, models, args.route, ask) if models else None
        before = period.before(now) if args.compare == PREVIOUS else None
        of_before = asking_the_past(client, moment, before) if moment and before else run_query
        previous = make_report(client, before, by, args.route, args.model, of_before) if before else None
        tasks = make_tasks(client, period, args.route) if args.tasks else None
    if args.json:
        told = report.as_json() | failures.as_json() | {"as_of": moment.isoformat() if moment else None}
        if models and compared is not None:
            told["comparison"] = comparison_json(models, compared)
        if previous is not None:
            told |= previous_json(previous)
        if tasks is not None:
            told |= tasks.as_json()
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201
        return 0
    if moment:
        console().print(f"As the ledger was at {moment:%Y-%m-%d %H:%M:%S} UTC", style="dim")
    print_report(report)
    if args.classes and report.groups:
        show_classes(report, console())
    if previous is not None:
        show_previous(report, previous, console())
    if tasks is not None:
        show_tasks(tasks, console())
    show_failures(failures, console(), everything=args.failures)
    if models and compared is not None:
        show_comparison(models, compared, console())
    return 0


def print_report(report: Report) -> None:
    """Print a report for people: the table, and below it what the table cannot say."""
    from farebox_ledger._terminal import console, table

    out = console()
    out.print(f"{' and '.join(report.by) or 'All'}, {report.period}", style="dim")
    if not report.groups:
        out.print("No attempts began in this period.")
    else:
        headings = [(name, False) for name in report.by] + [(name, True) for name in HEADINGS]
        rows = [_cells(group, group.key) for group in report.groups]
        rows.append(_cells(report.total, ("total", *("" for _ in report.by[1:])) if report.by else ()))
        out.print(table(headings, rows if report.by else rows[-1:], last_apart=bool(report.by)))
    for note in _notes(report):
        out.print(note)


def _dimensions(text: str) -> tuple[str, ...]:
    from farebox_ledger._report import DIMENSIONS
    from farebox_ledger.errors import LedgerError

    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in DIMENSIONS]
    if unknown:
        raise LedgerError(f"--by {unknown[0]!r} is nothing to group by; write {', '.join(DIMENSIONS)}, comma-separated")
    return names


def _pair(text: str | None) -> tuple[str, str] | None:
    from farebox_ledger.errors import LedgerError

    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        raise LedgerError(f"--compare {text!r} is no pair; write two models with a comma between them")
    return names[0], names[1]


def _cells(group: Group, key: tuple[str, ...]) -> list[str]:
    from farebox_ledger._terminal import dollars, milliseconds, share

    return [
        *(part or "(none)" if key is group.key else part for part in key),
        f"{group.calls:,}",
        f"{group.attempts:,}",
        dollars(group.spend, group.spend_is_lower_bound),
        dollars(group.spend_per_success, group.task_doubts > 0),
        share(group.failure_rate),
        share(group.cache_hit_rate),
        milliseconds(group.latency_p50_ms),
        milliseconds(group.latency_p95_ms),
        f"{group.unpriced:,}" + (f" + {group.partial:,} in part" if group.partial else ""),
    ]


def _notes(report: Report) -> list[str]:
    notes = []
    if report.total.spend_is_lower_bound:
        doubtful = sum(each.attempts for each in report.unpriced)
        notes.append(
            f"\n≥ is a lower bound: {doubtful:,} of {report.total.attempts:,} attempts are not priced, or not in full:"
        )
        notes += [f"  {each.attempts:>7,}  {each.state:<8}  {each.reason}" for each in report.unpriced[:REASONS_MAX]]
        rest = report.unpriced[REASONS_MAX:]
        if rest:
            notes.append(
                f"  {sum(each.attempts for each in rest):>7,}  for {len(rest)} other reasons (--json lists them)"
            )
    if report.pending:
        notes.append(
            f"\n{report.pending:,} calls that other instrumentations report are pending, and in no figure yet."
        )
    if report.impossible_clocks:
        notes.append(
            f"\n{report.impossible_clocks:,} attempts bear a time that cannot be; the ledger has them at 2020-01-01."
        )
    return notes


command = Command(
    help="show what calls cost and how they went, by route, model or provider",
    configure=_configure,
    run=_run,
    example=(
        "farebox report --since 7d  # by route\n"
        "farebox report --by model,provider --json\n"
        "farebox report --since yesterday --until today --classes  # input, caches, output and tools apart\n"
        "farebox report --compare  # beside the period before\n"
        "farebox report --compare claude-haiku-4-5,qwen3.5-flash --route support  # does one fail more often?\n"
        "farebox report --failures  # how answers failed, and what that cost\n"
        "farebox report --tasks  # what tasks took, and which ran in circles\n"
        "farebox report --since 2026-11-01 --as-of 2026-11-20  # as the ledger was known then"
    ),
    waiting="adding up calls",
)
