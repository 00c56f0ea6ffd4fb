"""Answers for budgets: what may be spent, what is, what it comes to. Decisions are rows; the latest of a name holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from farebox_ledger._query import run_query
from farebox_ledger.errors import LedgerError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["COLUMNS", "PERIODS", "Burn", "decisions", "past_burns", "plain", "read_burns", "set_as_asked"]

PERIODS = ("hour", "day", "week", "month")
# What a budget may be for: columns of llm_attempts, and tags by `tag.<name>`.
COLUMNS = (
    "route",
    "tenant",
    "user_id",
    "key_fingerprint",
    "model",
    "provider",
    "service",
    "environment",
    "organization",
    "workspace",
    "project",
    "prompt_version",
    "task",
)
AMOUNT_MAX, PLACES_MAX = Decimal(10) ** 15, 12
NAME_CHARACTERS_MAX = 128
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Burn:
    """A budget at a moment; USD, shares of the amount.

    spend: what is known, None if nothing is; at least that much if some attempt has no price, or only part of one.
    forecast: spend at the period's end if it goes on as lately. state: within, at_risk, exhausted, unknown, unreadable.
    """

    name: str
    period: str
    scope: str
    applies_to: Mapping[str, str]
    amount: Decimal
    period_start: datetime
    period_end: datetime
    spend: Decimal | None
    unpriced: int
    partial: int
    remaining: Decimal | None
    burn: float | None
    forecast: Decimal | None
    forecast_burn: float | None
    state: str
    valid_from: datetime
    who: str
    why: str

    @property
    def spend_is_lower_bound(self) -> bool:
        """Whether some attempt is unpriced, or priced only in part."""
        return self.unpriced + self.partial > 0

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data; money is exact decimal text."""
        return {**plain(vars(self)), "spend_is_lower_bound": self.spend_is_lower_bound}


def read_burns(client: Client, at: datetime, name: str = "") -> list[Burn]:
    """Ask how much of each budget is spent at a moment, or of one by name."""
    return [Burn(**_aware(row)) for row in run_query(client, "budget/burn", {"at": at, "name": name})]


def past_burns(client: Client, now: Burn, periods: int) -> list[Burn]:
    """Ask what the periods before came to, latest first; it ends where the budget begins."""
    found: list[Burn] = []
    start = now.period_start
    while len(found) < periods and start > EARLIEST:
        burns = read_burns(client, start - timedelta(seconds=1), now.name)
        if not burns or burns[0].period != now.period:
            break
        found.append(burns[0])
        start = burns[0].period_start
    return found


def decisions(client: Client, name: str) -> list[dict[str, Any]]:
    """List what was decided of a budget, latest first, as plain data."""
    return [plain(_aware(row)) for row in run_query(client, "budget/rows", {"name": name})]


def set_as_asked(client: Client, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out the action `set_budget`: add a decision; what it leaves out stays as the latest of its name has it.

    Raises:
        LedgerError: something in it is not allowed; names it with its value.
    """
    name = _name(asked["name"])
    latest = next(iter(run_query(client, "budget/rows", {"name": name})), None)
    amount = None if asked["amount"] is None else _amount(asked["amount"])
    if amount is None and latest is None:
        raise LedgerError(f"there is no budget {name!r} to end; `farebox budget list` shows those there are")
    period = asked.get("period") or (latest["period"] if latest else "month")
    if period not in PERIODS:
        raise LedgerError(f"the period {period!r} is none of {', '.join(PERIODS)}")
    applies_to = asked.get("applies_to")
    row = {
        "name": name,
        "period": period,
        "amount": amount,
        "applies_to": _scope(applies_to) if applies_to is not None else (latest["applies_to"] if latest else {}),
        "valid_from": _moment(asked["valid_from"]),
        "who": str(asked.get("who", "")),
        "why": str(asked.get("why", "")),
    }
    client.insert("budgets", [list(row.values())], column_names=list(row))
    return {"budget": plain(row)}


def _aware(row: dict[str, Any]) -> dict[str, Any]:
    """Say of moments that they are UTC, which the driver leaves out of whole seconds."""
    return {name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for name, value in row.items()}


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Make text of decimals and moments."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, datetime) else value


def _name(text: str) -> str:
    name = str(text).strip()
    if not name or len(name) > NAME_CHARACTERS_MAX:
        raise LedgerError(f"{text!r} is no name of a budget; write 1 to {NAME_CHARACTERS_MAX} characters")
    return name


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(str(text).removeprefix("$").replace("_", ""))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount < AMOUNT_MAX or amount != round(amount, PLACES_MAX):
        raise LedgerError(f"the amount {text!r} is no amount of USD; write a number from 0 on, such as 250 or 0.50")
    return amount


def _scope(applies_to: Mapping[str, str]) -> dict[str, str]:
    for column, value in applies_to.items():
        if column not in COLUMNS and not re.fullmatch(r"tag\.\S+", column):
            raise LedgerError(f"a budget cannot be for {column!r}; it can be for {', '.join(COLUMNS)} or tag.NAME")
        if not str(value):
            raise LedgerError(f"a budget for an empty {column} would be for nothing; name a value, or leave it out")
    return {column: str(value) for column, value in applies_to.items()}


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if not EARLIEST <= moment < LATEST:
        raise LedgerError(f"a budget cannot begin at {text}; choose a day between 1970 and 2100")
    return moment.astimezone(UTC).replace(microsecond=0)
