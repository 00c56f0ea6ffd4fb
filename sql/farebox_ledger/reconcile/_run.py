"""Carries a reconciliation out: keeps the bills it is given, compares what is in force, keeps what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from farebox_ledger._period import Period
from farebox_ledger.reconcile._check import Terms, check_statements
from farebox_ledger.reconcile._kept import Import, in_force, keep_bills, keep_checks, read_imports
from farebox_ledger.reconcile._lines import DAY, Bill, Line, day_start
from farebox_ledger.reconcile._rows import check_json, finding_json

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["asked_of", "reconcile", "reconcile_as_asked"]


def reconcile(
    client: Client,
    bills: Sequence[Bill],
    period: Period | None,
    providers: Sequence[str],
    terms: Terms,
    who: str,
    keep: bool,
) -> dict[str, Any]:
    """Compare bills with the ledger: those given and those kept, of a period, else of the days those given speak for.

    Without `keep` nothing is written. The answer is in JSON's types.

    Raises:
        QueryError: ClickHouse refused a question.
    """
    now, run = datetime.now(UTC), str(uuid4())
    new = [Import(run, now, bill) for bill in bills]
    if period is None:
        period = Period(min(bill.start for bill in bills), max(bill.end for bill in bills))
    names = set(providers) or {bill.provider for bill in bills}
    if keep:
        keep_bills(client, new, who)
    kept = [each for each in read_imports(client, period.since, period.until, names) if each.run != run]
    over = now + DAY if terms.today else now
    statements = in_force([*kept, *new], _days(period, now), over)
    statements = [each for each in statements if each.provider in names or not names]
    checks = [check for check in check_statements(client, statements, terms) if check.days]
    if keep:
        keep_checks(client, run, checks, who, now)
    return {
        "run": run,
        "checked_at": now.isoformat(),
        "kept": keep,
        "tolerance": f"{terms.tolerance.normalize():f}",
        "imported": [_bill_json(bill) for bill in bills],
        "providers": [_with_notes(check_json(check), bills) for check in checks],
        "findings": [finding_json(check.statement.provider, each) for check in checks for each in check.findings],
        "bad": any(check.bad for check in checks),
    }


def _with_notes(told: dict[str, Any], bills: Sequence[Bill]) -> dict[str, Any]:
    """Say where exports of several kinds tell the same, which would be added up."""
    mine = [bill for bill in bills if bill.provider == told["provider"] and bill.lines]
    notes = []
    for what in ("usage", "cost"):
        chosen = [bill for bill in mine if bill.says == what] or [bill for bill in mine if bill.says == "both"]
        formats = sorted({one.format for one in chosen for two in chosen if _both_tell(one, two)})
        if formats:
            notes.append(f"{what} is told by {' and '.join(formats)}, and added up; of the same days give one of them")
    return {**told, "notes": [*told["notes"], *dict.fromkeys(notes)]}


def _both_tell(one: Bill, two: Bill) -> bool:
    return one.format != two.format and one.start < two.end and two.start < one.end


def asked_of(
    bills: Sequence[Bill], period: Period | None, providers: Sequence[str], terms: Terms, who: str
) -> dict[str, Any]:
    """Write a reconciliation down in JSON's types, for whoever holds the ledger."""
    return {
        "bills": [_bill_json(bill) | {"data": [_line_json(line) for line in bill.lines]} for bill in bills],
        "since": period.since.isoformat() if period else None,
        "until": period.until.isoformat() if period else None,
        "providers": list(providers),
        "rates": {currency: str(rate) for currency, rate in terms.rates.items()},
        "names": [[kind, billed, ours] for (kind, billed), ours in terms.names.items()],
        "tolerance": str(terms.tolerance),
        "today": terms.today,
        "who": who,
    }


def reconcile_as_asked(client: Client, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out the action `reconcile`, as `asked_of` wrote it down."""
    terms = Terms(
        rates={currency: Decimal(rate) for currency, rate in asked["rates"].items()},
        names={(kind, billed): ours for kind, billed, ours in asked["names"]},
        tolerance=Decimal(asked["tolerance"]),
        today=asked["today"],
    )
    period = Period(_moment(asked["since"]), _moment(asked["until"])) if asked["since"] else None
    bills = [_bill(each) for each in asked["bills"]]
    return reconcile(client, bills, period, asked["providers"], terms, asked["who"], keep=True)


def _days(period: Period, now: datetime) -> list[date]:
    days, start = [], day_start(period.since)
    while start < min(period.until, now):
        days.append(start.date())
        start += DAY
    return days


def _bill_json(bill: Bill) -> dict[str, Any]:
    return {
        "provider": bill.provider,
        "bill_id": bill.bill_id,
        "format": bill.format,
        "says": bill.says,
        "covers_from": bill.start.isoformat(),
        "covers_until": bill.end.isoformat(),
        "lines": len(bill.lines),
        "source": bill.source,
    }


def _bill(said: Mapping[str, Any]) -> Bill:
    lines = tuple(_line(each) for each in said["data"])
    covers = _moment(said["covers_from"]), _moment(said["covers_until"])
    return Bill(said["provider"], said["bill_id"], said["format"], *covers, said["source"], lines)


def _line_json(line: Line) -> dict[str, str]:
    said = {name: value for name, value in vars(line).items() if value not in ("", None)}
    return {name: value.isoformat() if isinstance(value, datetime) else str(value) for name, value in said.items()}


def _line(said: Mapping[str, str]) -> Line:
    values: dict[str, Any] = dict(said)
    for name in ("start", "end"):
        values[name] = _moment(values[name])
    for name in ("quantity", "amount"):
        if name in values:
            values[name] = Decimal(values[name])
    return Line(**values)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
