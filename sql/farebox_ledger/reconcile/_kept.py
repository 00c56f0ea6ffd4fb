"""Keeps bills and their checks, append-only, and finds what is in force: of each day the latest that speaks of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from farebox_ledger._query import run_query
from farebox_ledger.reconcile._check import Check, Statement
from farebox_ledger.reconcile._lines import DAY, Bill, Line
from farebox_ledger.reconcile._rows import rows_of

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Import", "in_force", "keep_bills", "keep_checks", "read_imports"]

LINE_COLUMNS = (
    "provider",
    "bill_id",
    "line_id",
    "charge_period_start",
    "charge_period_end",
    "organization",
    "workspace",
    "project",
    "key_id",
    "model",
    "service_tier",
    "region",
    "unit",
    "quantity",
    "amount",
    "currency",
    "description",
    "source",
    "who",
    "imported_at",
)
TEXTS = (
    "organization",
    "workspace",
    "project",
    "key_id",
    "model",
    "service_tier",
    "region",
    "unit",
    "currency",
    "description",
)
SCALE = Decimal("1e-12")
MONEY_SCALE = Decimal("1e-20")


@dataclass(frozen=True)
class Import:
    """One export, and the run that brought it in."""

    run: str
    imported_at: datetime
    bill: Bill


def keep_bills(client: Client, imports: Sequence[Import], who: str) -> None:
    """Write bills down; the same export again is the same bill."""
    lines, notes = [], []
    for each in imports:
        bill = each.bill
        for number, line in enumerate(bill.lines, start=1):
            lines.append(_line_row(bill, line, number, who, each.imported_at))
        notes.append(
            [
                each.run,
                bill.provider,
                bill.bill_id,
                bill.format,
                bill.says,
                bill.start,
                bill.end,
                len(bill.lines),
                bill.source,
                who,
                each.imported_at,
            ]
        )
    # Lines first: an import that is noted is whole.
    if lines:
        client.insert("bills", lines, column_names=list(LINE_COLUMNS))
    if notes:
        client.insert("bill_imports", notes)


def read_imports(client: Client, since: datetime, until: datetime, providers: Collection[str]) -> list[Import]:
    """Read the kept exports that speak of a period; no providers means all."""
    asked = {"since": since, "until": until, "providers": sorted(providers)}
    lines: dict[tuple[str, str], list[Line]] = {}
    for row in run_query(client, "reconcile/kept_lines", asked):
        line = Line(
            start=_aware(row["charge_period_start"]),
            end=_aware(row["charge_period_end"]),
            quantity=row["quantity"],
            amount=row["amount"],
            line_id=row["line_id"].partition(" ")[2],
            **{name: row[name] for name in TEXTS},
        )
        lines.setdefault((row["provider"], row["bill_id"]), []).append(line)
    return [
        Import(
            row["run"],
            _aware(row["imported_at"]),
            Bill(
                row["provider"],
                row["bill_id"],
                row["format"],
                _aware(row["covers_from"]),
                _aware(row["covers_until"]),
                row["source"],
                tuple(lines.get((row["provider"], row["bill_id"]), ())),
            ),
        )
        for row in run_query(client, "reconcile/kept_imports", asked)
    ]


def in_force(imports: Iterable[Import], days: Collection[date] | None, now: datetime) -> list[Statement]:
    """Put together what is said of each provider: of each day by the latest run that speaks of it, units apart.

    `days` None means all. A day that is not over yet is left out.
    """
    by_provider: dict[str, list[Import]] = {}
    for each in imports:
        by_provider.setdefault(each.bill.provider, []).append(each)
    return [_statement(name, theirs, days, now) for name, theirs in sorted(by_provider.items())]


def _statement(provider: str, imports: Sequence[Import], days: Collection[date] | None, now: datetime) -> Statement:
    counted, counted_days = _latest(imports, "usage", days, now)
    paid, paid_days = _latest(imports, "cost", days, now)
    return Statement(provider, tuple(counted), tuple(paid), frozenset(counted_days), frozenset(paid_days))


def _latest(
    imports: Sequence[Import], what: str, wanted: Collection[date] | None, now: datetime
) -> tuple[list[Line], set[date]]:
    """Take each day from the latest run that says this of it; within a run one that says only this goes before both."""
    lines: list[Line] = []
    claimed: set[date] = set()
    runs: dict[tuple[datetime, str], list[Bill]] = {}
    for each in imports:
        runs.setdefault((each.imported_at, each.run), []).append(each.bill)
    for _, bills in sorted(runs.items(), reverse=True):
        chosen = [bill for bill in bills if bill.says == what] or [bill for bill in bills if bill.says == "both"]
        days = {day for bill in chosen for day in _days(bill, now)} - claimed
        if wanted is not None:
            days &= set(wanted)
        for bill in {bill.bill_id: bill for bill in chosen}.values():
            lines += [line for line in bill.lines if line.start.date() in days and _says(line, what)]
        claimed |= days
    return lines, claimed


def _says(line: Line, what: str) -> bool:
    return (line.quantity if what == "usage" else line.amount) is not None


def _days(bill: Bill, now: datetime) -> Iterator[date]:
    """List the days that a bill speaks for and that are over."""
    start = bill.start.replace(hour=0, minute=0, second=0, microsecond=0)
    while start < bill.end and start + DAY <= now:
        yield start.date()
        start += timedelta(days=1)


def keep_checks(client: Client, run: str, checks: Sequence[Check], who: str, now: datetime) -> None:
    """Write checks down: their findings, then their cells, so that a check that can be seen is whole."""
    findings = [
        [
            run,
            now,
            check.statement.provider,
            *each.key,
            each.reason,
            each.currency,
            _scaled(each.difference, MONEY_SCALE),
            _scaled(each.quantity, SCALE),
            each.evidence,
        ]
        for check in checks
        for each in check.findings
    ]
    rows = [
        [
            run,
            now,
            who,
            check.statement.provider,
            *row.key,
            row.currency,
            _scaled(row.billed_quantity, SCALE),
            _scaled(row.recorded_quantity, SCALE),
            _scaled(row.billed, MONEY_SCALE),
            _scaled(row.recorded, MONEY_SCALE),
            row.unpriced,
            check.tolerance,
        ]
        for check in checks
        for row in rows_of(check)
    ]
    if findings:
        client.insert("bill_findings", findings)
    if rows:
        client.insert("bill_checks", rows)


def _line_row(bill: Bill, line: Line, number: int, who: str, at: datetime) -> list[Any]:
    values: Mapping[str, Any] = {
        "provider": bill.provider,
        "bill_id": bill.bill_id,
        # Copies of a line are lines of their own, so that a bill that holds one twice can be seen to.
        "line_id": f"{number} {line.line_id}".strip(),
        "charge_period_start": line.start,
        "charge_period_end": line.end,
        "quantity": _scaled(line.quantity, SCALE),
        "amount": _scaled(line.amount, SCALE),
        "source": bill.source,
        "who": who,
        "imported_at": at,
        **{name: getattr(line, name) for name in TEXTS},
    }
    return [values[name] for name in LINE_COLUMNS]


def _scaled(value: Decimal | None, scale: Decimal) -> Decimal | None:
    if value is None:
        return None
    with localcontext(prec=76):
        return value.quantize(scale)


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
