"""Holds the ledger against the providers' invoices, line by line, in exact decimals.

An invoice line whose usage reached the caller must stand in the ledger at the same cost to the last digit. One whose
usage did not (cut, abandoned, timed out) must be one of the ledger's `partial` or `missing` attempts. Lines are found
by request id; where no answer came, by the id that the client sent and the number of the retry.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Account", "Audit", "Line", "Row", "audit", "read_invoice", "read_ledger"]

LEDGER = """
SELECT
    request_id,
    attempt,
    provider,
    model,
    usage_state,
    outcome,
    http_status,
    list_cost,
    hex(span_id) AS span
FROM llm_attempts
WHERE tags['run'] = {run:String}
ORDER BY started_at, span
"""
UNKNOWN_STATES = {"partial", "missing"}


@dataclass(frozen=True)
class Line:
    """One line of an invoice; `amount` is in US dollars."""

    request_id: str
    client_request_id: str | None
    retry: int
    provider: str
    model: str
    status: str
    usage_sent: bool
    amount: Decimal


@dataclass(frozen=True)
class Row:
    """One attempt of the ledger; `list_cost` in US dollars, None where the ledger does not know it."""

    request_id: str
    attempt: int
    provider: str
    model: str
    usage_state: str
    outcome: str
    http_status: int | None
    list_cost: Decimal | None
    span: str


@dataclass
class Account:
    """What one provider's invoice and the ledger say of one model, in US dollars.

    `known`: lines whose usage reached the caller; refused ones, at no cost, among them. `unknown`: the others, with
    what they were invoiced at and the part of it that the ledger saw.
    """

    provider: str
    model: str
    known: int = 0
    known_invoiced: Decimal = Decimal(0)
    known_ledger: Decimal = Decimal(0)
    unknown: int = 0
    unknown_invoiced: Decimal = Decimal(0)
    unknown_seen: Decimal = Decimal(0)

    @property
    def difference(self) -> Decimal:
        """Ledger minus invoice over the known lines."""
        return self.known_ledger - self.known_invoiced


@dataclass
class Audit:
    """The outcome: accounts by provider and model, and a sentence for each discrepancy.

    `unknown` pairs the lines whose usage never came with their attempts. `unsent` counts attempts of the ledger that
    never reached a provider: nobody was asked, nobody bills.
    """

    accounts: dict[tuple[str, str], Account] = field(default_factory=dict)
    unknown: list[tuple[Line, Row]] = field(default_factory=list)
    discrepancies: list[str] = field(default_factory=list)
    unsent: int = 0

    @property
    def passed(self) -> bool:
        """Tell whether invoices and ledger agree."""
        return not self.discrepancies

    def account(self, line: Line) -> Account:
        """Find the account of a line."""
        return self.accounts.setdefault((line.provider, line.model), Account(line.provider, line.model))


def read_invoice(path: Path) -> list[Line]:
    """Read the invoice's lines."""
    with path.open(encoding="utf-8") as file:
        return [_line(json.loads(text)) for text in file]


def _line(values: dict[str, Any]) -> Line:
    fields = {name: values[name] for name in Line.__dataclass_fields__}
    return Line(**{**fields, "amount": Decimal(values["amount"])})


def read_ledger(client: Client, run: str) -> list[Row]:
    """Read the attempts that carry the run's tag."""
    found = client.query(LEDGER, parameters={"run": run})
    return [Row(*values) for values in found.result_rows]


def audit(lines: Iterable[Line], rows: Iterable[Row], left: Collection[str]) -> Audit:
    """Compare; `left` are the client's ids of calls that a caller stopped listening to before their end.

    What the provider sent to such a caller may or may not have reached it, so for these, and only these, an unknown
    usage in the ledger is no discrepancy though the provider sent it all.
    """
    result = Audit()
    unmatched = _index(rows)
    for line in lines:
        row = _take(unmatched, line)
        account = result.account(line)
        if row is None:
            result.discrepancies.append(f"{_name(line)}: invoiced at {line.amount}, not in the ledger")
        elif row.provider != line.provider:
            result.discrepancies.append(f"{_name(line)}: the ledger books it on {row.provider}")
        elif _is_unknown(line, row, left):
            _compare_unknown(result, account, line, row)
        else:
            _compare_known(result, account, line, row)
    for rest in unmatched.values():
        for row in rest:
            _judge_extra(result, row)
    return result


def _index(rows: Iterable[Row]) -> defaultdict[str, list[Row]]:
    index: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        index[row.request_id].append(row)
    return index


def _take(unmatched: defaultdict[str, list[Row]], line: Line) -> Row | None:
    """Take the line's row out of the index: by the provider's id, else by the client's id and the retry's number."""
    found = unmatched.get(line.request_id)
    if found:
        return found.pop(0)
    for row in unmatched.get(line.client_request_id or "", ()):
        if row.attempt == line.retry:
            unmatched[row.request_id].remove(row)
            return row
    return None


def _is_unknown(line: Line, row: Row, left: Collection[str]) -> bool:
    if line.status == "refused":
        return False
    if not line.usage_sent:
        return True
    return row.usage_state in UNKNOWN_STATES and line.client_request_id in left


def _compare_known(result: Audit, account: Account, line: Line, row: Row) -> None:
    account.known += 1
    account.known_invoiced += line.amount
    account.known_ledger += row.list_cost or Decimal(0)
    if row.list_cost is None:
        result.discrepancies.append(f"{_name(line)}: invoiced at {line.amount}, {row.usage_state} in the ledger")
    elif row.list_cost != line.amount or row.usage_state in UNKNOWN_STATES:
        result.discrepancies.append(
            f"{_name(line)}: invoiced at {line.amount}, {row.list_cost:f} ({row.usage_state}) in the ledger, "
            f"difference {row.list_cost - line.amount:f}"
        )


def _compare_unknown(result: Audit, account: Account, line: Line, row: Row) -> None:
    seen = row.list_cost or Decimal(0)
    result.unknown.append((line, row))
    account.unknown += 1
    account.unknown_invoiced += line.amount
    account.unknown_seen += seen
    if row.usage_state not in UNKNOWN_STATES:
        result.discrepancies.append(
            f"{_name(line)}: {line.status}, so its usage never reached us, but the ledger calls it {row.usage_state}"
        )
    elif seen > line.amount:
        result.discrepancies.append(
            f"{_name(line)}: the ledger's lower bound {seen:f} exceeds the invoiced {line.amount}"
        )


def _judge_extra(result: Audit, row: Row) -> None:
    if row.http_status is None and row.usage_state == "none":
        result.unsent += 1
        return
    result.discrepancies.append(
        f"{row.provider} {row.model} {row.request_id or '(no request id)'}: in the ledger at {row.list_cost} "
        f"({row.usage_state}, {row.outcome}, span {row.span}), on no invoice or there already"
    )


def _name(line: Line) -> str:
    return f"{line.provider} {line.model} {line.request_id}"
