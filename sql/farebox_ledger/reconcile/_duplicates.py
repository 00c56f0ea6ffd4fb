"""Finds lines that a bill holds twice, and takes the copies out, where that brings it closer to the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from farebox_ledger.reconcile._explain import Finding, recorded_of
from farebox_ledger.reconcile._lines import Line
from farebox_ledger.reconcile._sheet import ZERO, Cell, Group, Sheet, line_key, money_group

__all__ = ["take_duplicates"]


def take_duplicates(
    sheet: Sheet, counted: Sequence[Line], paid: Sequence[Line], rates: Mapping[str, Decimal]
) -> Iterator[Finding]:
    """Take copies of lines out of a sheet, and give what they come to.

    Equal lines may be two different things, so copies stay unless both sides agree better without them.
    """
    units, money = Counter(counted), Counter(paid)
    for line in dict.fromkeys(line for line in (*counted, *paid) if max(units[line], money[line]) > 1):
        cell = sheet.cells.get(line_key(sheet.grain, line)) if units[line] > 1 else None
        group = money_group(sheet, line, rates) if money[line] > 1 else None
        extra_units = (units[line] - 1) * (line.quantity or ZERO) if cell is not None else ZERO
        extra_money = (money[line] - 1) * (line.amount or ZERO) * rates.get(line.currency, Decimal(1))
        if not _closer(cell, group, extra_units, extra_money):
            continue
        if cell is not None:
            cell.billed = (cell.billed or ZERO) - extra_units
        worth = None
        if group is not None:
            group.amount = (group.amount or ZERO) - extra_money
            worth = extra_money
        elif cell is not None and _told_in_units(sheet, cell):
            worth = extra_units * cell.price if cell.price is not None else None
        else:
            continue  # units alone stood twice, and the money beside them did not
        key = cell.key if cell is not None else (group.key if group is not None else line_key(sheet.grain, line))
        copies = max(units[line], money[line])
        currency = group.currency if group is not None else "USD"
        yield Finding(key, "duplicate", worth, extra_units or None, f"{copies} equal lines", currency)


def _closer(cell: Cell | None, group: Group | None, extra_units: Decimal, extra_money: Decimal) -> bool:
    if cell is not None and cell.billed is not None:
        apart = cell.billed - cell.recorded
        return abs(apart - extra_units) < abs(apart)
    if group is not None and group.amount is not None:
        apart = group.amount - recorded_of(group)
        return abs(apart - extra_money) < abs(apart)
    return False


def _told_in_units(sheet: Sheet, cell: Cell) -> bool:
    return any(group.amount is None and cell in group.cells for group in sheet.groups)
