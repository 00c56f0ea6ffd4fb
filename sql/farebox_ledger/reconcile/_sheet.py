"""Lays a bill and the ledger beside each other: cells by day, scope, model, tier and unit, groups by shared money."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from farebox_ledger.reconcile._ledger import Attempts, Ledger, Units
from farebox_ledger.reconcile._lines import ANY_INPUT, ANY_WRITE, DAY, Line

__all__ = [
    "SCOPES",
    "STANDARD",
    "USD",
    "ZERO",
    "Cell",
    "Doubts",
    "Grain",
    "Group",
    "Key",
    "Sheet",
    "grain_of",
    "is_write",
    "lay_out",
    "line_key",
    "money_group",
]

USD = "USD"
ZERO = Decimal(0)
CENT = Decimal("0.01")
HOUR = timedelta(hours=1)
NOISE = Decimal("1e-9")  # of an amount: what binary fractions leave behind in a provider's JSON
STANDARD = "standard"  # how a line says that its tier is the one without a name in the price book
SCOPES = ("workspace", "project", "key")
# Sums under which the ledger keeps units apart no more, once the book has changed; see llm_charges.
OUTPUT_WHOLE, TOOLS_WHOLE = "all_output_tokens", "tools"


class Key(NamedTuple):
    """Where something stands; an empty text is not compared by."""

    day: date
    workspace: str = ""
    project: str = ""
    key: str = ""
    model: str = ""
    tier: str = ""
    unit: str = ""


@dataclass
class Doubts:
    """Attempts behind a cell: with their usage, without, and cut."""

    reported: int = 0
    missing: int = 0
    cut: int = 0


@dataclass
class Cell:
    """Units billed and recorded in one place; `billed` None: the bill does not say, `price` None: the book neither."""

    key: Key
    billed: Decimal | None = None
    recorded: Decimal = ZERO
    cost: Decimal = ZERO
    unpriced: Decimal = ZERO
    charged: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[Decimal, Decimal] = field(default_factory=dict)
    book_price: Decimal | None = None

    @property
    def price(self) -> Decimal | None:
        """Give what a unit costs by the ledger: the price of most units, else the book's."""
        most = max(self.prices.items(), key=lambda each: (each[1], each[0]), default=None)
        return self.book_price if most is None else most[0]


@dataclass
class Group:
    """Cells whose money the bill names together; `amount` None: it names none. `slack` is what rounding may explain."""

    key: Key
    cells: list[Cell]
    amount: Decimal | None = None
    currency: str = USD
    lines: int = 0
    slack: Decimal = ZERO
    description: str = ""


@dataclass(frozen=True)
class Grain:
    """By what a bill and the ledger are compared.

    `sums` lead units to what the bill names together. `periods` are those of a bill that has no days, empty if it has;
    `offset_h` is how many hours ahead of UTC its days are.
    """

    scopes: Collection[str] = ()
    tier: bool = False
    sums: Mapping[str, str] = field(default_factory=dict)
    periods: tuple[tuple[datetime, datetime], ...] = ()
    offset_h: int = 0
    money: Collection[str] = SCOPES


@dataclass
class Sheet:
    """A bill and the ledger beside each other."""

    grain: Grain
    cells: dict[Key, Cell]
    groups: list[Group]
    entries: Mapping[tuple[Key, str], Group]
    doubts: dict[Key, Doubts]
    lost: dict[date, int]
    known_scopes: Mapping[str, Collection[str]]
    known_models: Collection[str]
    days: Collection[date]
    last_billed: date | None = None


def is_write(unit: str) -> bool:
    """Tell whether a unit is a write to the cache."""
    return unit.startswith("cache_write_")


def grain_of(lines: Sequence[Line], ledger: Ledger) -> tuple[Grain, list[str]]:
    """Choose what to compare by, and say in sentences what cannot be compared by.

    A scope serves only where both sides name it and share a name: keys have other names on bills than on the wire.
    """
    notes, scopes = [], []
    for scope in SCOPES:
        billed = {getattr(line, "key_id" if scope == "key" else scope) for line in lines}
        recorded = {getattr(row, scope) for row in ledger.units}
        if billed - {""} and recorded - {""}:
            if billed & recorded - {""} and "" not in recorded:
                scopes.append(scope)
            else:
                named = ", ".join(sorted(billed - {""})[:3])
                notes.append(
                    f"not compared by {scope}: the bill names {named}, the ledger others; join them with --names"
                )
    units = {line.unit for line in lines} | {row.unit for row in ledger.units}
    money = [scope for scope in scopes if any(_scope(line, scope) for line in lines if line.amount is not None)]
    tier = any(line.service_tier for line in lines)
    if tier and any(line.service_tier for line in lines if line.amount is not None):
        money.append("tier")
    return Grain(tuple(scopes), tier, _sums(units), _periods(lines), money=tuple(money)), notes


def lay_out(
    grain: Grain,
    counted: Sequence[Line],
    amounts: Sequence[Line],
    ledger: Ledger,
    counted_days: Collection[date],
    paid_days: Collection[date],
    price_of: Callable[[Key], Decimal | None],
    rates: Mapping[str, Decimal],
) -> Sheet:
    """Lay both sides out; `counted_days` are those of which the bill names units, `paid_days` those of money."""
    days = {*counted_days, *paid_days}
    cells: dict[Key, Cell] = {}
    for row in ledger.units:
        key = _ledger_key(grain, row.hour, row.workspace, row.project, row.key, row.model, row.tier, row.unit)
        if key is not None and key.day in days:
            _add(cells.setdefault(key, Cell(key, billed=ZERO)), row)
    for line in counted:
        key = line_key(grain, line)
        cell = cells.setdefault(key, Cell(key, billed=ZERO))
        cell.billed = (cell.billed or ZERO) + (line.quantity or ZERO)
    for cell in cells.values():
        cell.book_price = price_of(cell.key)
        if cell.key.day not in counted_days:
            cell.billed = None
    doubts: dict[Key, Doubts] = {}
    for each in ledger.attempts:
        _doubt(doubts, grain, each)
    lost: dict[date, int] = {}
    for hour, numbers in ledger.lost.items():
        day = _day(grain, hour)
        if day is not None:
            lost[day] = lost.get(day, 0) + numbers
    entries: dict[tuple[Key, str], Group] = {}
    for line in amounts:
        _charge(entries, _money_key(grain, line_key(grain, line)), line, rates)
    return Sheet(
        grain=grain,
        cells=cells,
        groups=list(_groups(grain, cells, entries, paid_days)),
        entries=entries,
        doubts=doubts,
        lost=lost,
        known_scopes={scope: {getattr(row, scope) for row in ledger.units} for scope in SCOPES},
        known_models={row.model for row in ledger.units} | {row.model for row in ledger.attempts},
        days=days,
        last_billed=max((line_key(grain, line).day for line in (*counted, *amounts)), default=None),
    )


def money_group(sheet: Sheet, line: Line, rates: Mapping[str, Decimal]) -> Group | None:
    """Find the group that a line's money is part of."""
    key = _money_key(sheet.grain, line_key(sheet.grain, line))
    return sheet.entries.get((key, USD if line.currency in rates else line.currency))


def _groups(
    grain: Grain, cells: Mapping[Key, Cell], entries: Mapping[tuple[Key, str], Group], paid_days: Collection[date]
) -> Iterator[Group]:
    """Put the cells together under the lines that name their money: exactly, else by model, else by day."""
    by_key: dict[Key, Group] = {}
    for (key, currency), group in entries.items():
        if currency == USD or (key, USD) not in entries:
            by_key.setdefault(key, group)
    exact = {key.model for key in by_key if key.unit and key.model}
    by_model = any(key.model for key in by_key)
    alone: dict[Key, Group] = {}
    for key, cell in sorted(cells.items(), key=lambda each: each[0]):
        money = _money_key(grain, key)
        found = by_key.get(money)
        if found is None and key.model not in exact:
            found = by_key.get(money._replace(unit=""))
        if found is None and not by_model:
            found = by_key.get(money._replace(model="", tier="", unit=""))
        if found is None:
            paid = ZERO if key.day in paid_days else None
            found = alone.setdefault(money if paid is not None else key, Group(money, [], amount=paid))
        found.cells.append(cell)
    yield from (*entries.values(), *alone.values())


def _charge(entries: dict[tuple[Key, str], Group], key: Key, line: Line, rates: Mapping[str, Decimal]) -> None:
    amount, currency = line.amount or ZERO, line.currency
    written = amount.as_tuple().exponent
    quantum = min(CENT, Decimal(1).scaleb(written)) if isinstance(written, int) else ZERO
    if currency in rates:
        amount, quantum, currency = amount * rates[currency], quantum * rates[currency], USD
    group = entries.setdefault((key, currency), Group(key, [], amount=ZERO, currency=currency))
    group.amount = (group.amount or ZERO) + amount
    group.lines += 1
    group.slack += max(quantum, abs(amount) * NOISE)
    group.description = group.description or line.description


def _add(cell: Cell, row: Units) -> None:
    cell.recorded += row.units
    cell.cost += row.cost
    cell.unpriced += row.unpriced
    if row.currency != USD:
        cell.charged[row.currency] = cell.charged.get(row.currency, ZERO) + row.charged
    elif row.price is not None and row.unpriced < row.units:
        cell.prices[row.price] = cell.prices.get(row.price, ZERO) + row.units


def _doubt(doubts: dict[Key, Doubts], grain: Grain, each: Attempts) -> None:
    key = _ledger_key(grain, each.hour, each.workspace, each.project, each.key, each.model, each.tier, "")
    if key is None:
        return
    found = doubts.setdefault(key, Doubts())
    found.reported += each.reported
    found.missing += each.missing
    found.cut += each.cut


def _sums(units: Collection[str]) -> dict[str, str]:
    sums: dict[str, str] = {}
    if ANY_WRITE in units:
        sums |= {unit: ANY_WRITE for unit in units if is_write(unit)}
    if ANY_INPUT in units:
        kinds = ("uncached_input_tokens", "audio_input_tokens", "image_input_tokens", ANY_INPUT)
        sums |= {unit: ANY_INPUT for unit in units if unit in kinds or unit.startswith("cache_")}
    if OUTPUT_WHOLE in units:
        sums |= {unit: "output_tokens" for unit in units if unit.endswith("output_tokens")}
    if TOOLS_WHOLE in units:
        sums |= {unit: TOOLS_WHOLE for unit in units if unit.endswith("_requests")}
    return sums


def line_key(grain: Grain, line: Line) -> Key:
    """Say where a line of the bill stands."""
    return Key(
        day=_day(grain, line.start, theirs=True) or line.start.date(),
        model=line.model,
        tier=line.service_tier if grain.tier and line.service_tier != STANDARD else "",
        unit=grain.sums.get(line.unit, line.unit),
        **{scope: _scope(line, scope) for scope in grain.scopes},
    )


def _ledger_key(grain: Grain, hour: datetime, *parts: str) -> Key | None:
    day = _day(grain, hour)
    if day is None:
        return None
    workspace, project, key, model, tier, unit = parts
    values = dict(zip(SCOPES, (workspace, project, key), strict=True))
    return Key(
        day=day,
        model=model,
        tier=tier if grain.tier else "",
        unit=grain.sums.get(unit, unit),
        **{scope: values[scope] for scope in grain.scopes},
    )


def _money_key(grain: Grain, key: Key) -> Key:
    kept = {name: "" for name in (*SCOPES, "tier") if name not in grain.money}
    return key._replace(**kept)  # type: ignore[arg-type]


def _scope(line: Line, scope: str) -> str:
    return str(getattr(line, "key_id" if scope == "key" else scope))


def _day(grain: Grain, at: datetime, theirs: bool = False) -> date | None:
    """Say on which of the bill's days a moment is, or in which of its periods; a line's own day needs no shift."""
    if grain.periods:
        return next((start.date() for start, end in grain.periods if start <= at < end), None)
    return at.date() if theirs else (at + timedelta(hours=grain.offset_h)).date()


def _is_period(line: Line) -> bool:
    length = line.end - line.start
    return length > DAY + HOUR or (length >= DAY - HOUR and line.start.time() != time())


def _periods(lines: Sequence[Line]) -> tuple[tuple[datetime, datetime], ...]:
    """Give the periods of a bill that has some longer than days, or days of another zone; overlapping ones are one."""
    if not any(_is_period(line) for line in lines):
        return ()
    found: list[tuple[datetime, datetime]] = []
    for start, end in sorted({(line.start, line.end) for line in lines}):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return tuple(found)
