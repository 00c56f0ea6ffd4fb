"""Shows an audit to people and to programs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rich.console import Console, Group
from rich.text import Text

from farebox_demo.audit import Account, Audit
from farebox_ledger._terminal import table

__all__ = ["as_json", "show"]

DISCREPANCIES_SHOWN = 20
DECIMALS_MIN = 9
KNOWN = {"known_invoiced": "invoiced", "known_ledger": "ledger", "difference": "off by"}
UNKNOWN = {"unknown_invoiced": "invoiced", "unknown_seen": "ledger, at least"}
ACCOUNT_FIELDS = (
    "provider",
    "model",
    "known",
    "known_invoiced",
    "known_ledger",
    "difference",
    "unknown",
    "unknown_invoiced",
    "unknown_seen",
)


def show(audit: Audit, console: Console) -> None:
    """Print the accounts, what cannot be known, each discrepancy, and the verdict."""
    accounts = _sorted(audit)
    console.print(_table(accounts, "Invoices against ledger: all whose usage reached the caller", "known", KNOWN))
    doubtful = [account for account in accounts if account.unknown]
    if doubtful:
        title = "Cut, abandoned or timed out: billed, but the usage never came"
        console.print(_table(doubtful, title, "unknown", UNKNOWN))
    if audit.unsent:
        console.print(f"{audit.unsent} attempts never reached a provider; no invoice has them.")
    for discrepancy in audit.discrepancies[:DISCREPANCIES_SHOWN]:
        console.print(f"DISCREPANCY {discrepancy}", markup=False, soft_wrap=True)
    if len(audit.discrepancies) > DISCREPANCIES_SHOWN:
        console.print(f"… and {len(audit.discrepancies) - DISCREPANCIES_SHOWN} more discrepancies")
    console.print("\n" + _verdict(audit, accounts), markup=False, soft_wrap=True)


def as_json(audit: Audit) -> dict[str, Any]:
    """Give the audit as plain values; money is decimal text."""
    return {
        "passed": audit.passed,
        "accounts": [{name: _plain(getattr(account, name)) for name in ACCOUNT_FIELDS} for account in _sorted(audit)],
        "unknown": [
            {
                "request_id": line.request_id,
                "client_request_id": line.client_request_id,
                "retry": line.retry,
                "provider": line.provider,
                "model": line.model,
                "status": line.status,
                "invoiced": _plain(line.amount),
                "ledger_state": row.usage_state,
                "ledger_at_least": _plain(row.list_cost),
            }
            for line, row in audit.unknown
        ],
        "unsent": audit.unsent,
        "discrepancies": audit.discrepancies,
    }


def _sorted(audit: Audit) -> list[Account]:
    return [audit.accounts[key] for key in sorted(audit.accounts)]


def _table(accounts: list[Account], title: str, lines: str, money: Mapping[str, str]) -> Group:
    """Lay out a row an account, and the total: the count of lines, and the amounts that `money` has headings for."""
    headings = [
        ("provider", False),
        ("model", False),
        ("lines", True),
        *((heading, True) for heading in money.values()),
    ]
    rows = [
        [each.provider, each.model, f"{getattr(each, lines):,}", *(_money(getattr(each, name)) for name in money)]
        for each in accounts
    ]
    count = sum(getattr(account, lines) for account in accounts)
    totals = [sum((getattr(account, name) for account in accounts), Decimal(0)) for name in money]
    rows.append(["total", "", f"{count:,}", *map(_money, totals)])
    return Group(Text(f"\n{title}", style="dim"), table(headings, rows, last_apart=True))


def _verdict(audit: Audit, accounts: list[Account]) -> str:
    known = sum(account.known for account in accounts)
    unknown = sum(account.unknown for account in accounts)
    if audit.passed:
        return (
            f"Ledger and invoices agree: {known:,} lines equal to the last digit; {unknown:,} lines whose usage never "
            "arrived are the ledger's partial and missing attempts, one to one."
        )
    return f"Ledger and invoices do NOT agree: {len(audit.discrepancies):,} discrepancies."


def _money(amount: Decimal) -> str:
    """Write every digit that an amount has: here the last one counts."""
    exponent = amount.normalize().as_tuple().exponent
    return f"${amount:.{max(DECIMALS_MIN, -exponent)}f}" if amount and isinstance(exponent, int) else "$0"


def _plain(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value
