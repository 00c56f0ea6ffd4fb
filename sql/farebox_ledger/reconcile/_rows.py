"""Lays the outcome of a check out: a row a cell for the table bill_checks, and the same summed up for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from farebox_ledger.reconcile._check import Check
from farebox_ledger.reconcile._explain import DIGITS, REASONS, Finding, sizes
from farebox_ledger.reconcile._sheet import USD, ZERO, Key

__all__ = ["Row", "check_json", "finding_json", "plain", "rows_of"]

EVIDENCE_MAX = 3
MODELS_MAX = 5
NOT_COMPARABLE, MATCHED, UNDER, OVER = "not_comparable", "matched", "under_recorded", "over_recorded"


@dataclass(frozen=True)
class Row:
    """One cell: what is billed and what is recorded; `billed` None if it cannot be told in this currency."""

    key: Key
    currency: str
    billed_quantity: Decimal | None
    recorded_quantity: Decimal | None
    billed: Decimal | None
    recorded: Decimal
    unpriced: Decimal

    def state(self, tolerance: Decimal) -> str:
        """Say how both sides stand; a difference within the tolerance counts as matched."""
        if self.billed is None:
            return NOT_COMPARABLE
        return _state(self.billed, self.recorded, tolerance)


def rows_of(check: Check) -> list[Row]:
    """Give the cells of a check; in each currency billed minus recorded is the sum of the findings."""
    with localcontext(prec=DIGITS):
        return list(_rows(check))


def check_json(check: Check) -> dict[str, Any]:
    """Sum a check up in JSON's types; money is exact text, and null where part of it cannot be told in USD."""
    rows = rows_of(check)
    unknown = {(each.key, each.currency) for each in check.findings if each.difference is None}
    states: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        lost = (row.key, row.currency) in unknown
        states[NOT_COMPARABLE if lost else row.state(check.tolerance)].append(row)
    with localcontext(prec=DIGITS):
        billed = None if unknown else check.billed_total
        return {
            "provider": check.statement.provider,
            "days": [f"{day}" for day in check.days],
            "matched": not check.bad,
            "billed": plain(billed),
            "recorded": plain(check.recorded_total),
            "difference": None if billed is None else plain(billed - check.recorded_total),
            "off": plain(check.off),
            "cells": {
                state: {"count": len(found), "difference": plain(sum(map(_apart, found), ZERO))}
                for state, found in sorted(states.items())
            },
            "reasons": list(_reasons(check.findings)),
            "by_day": list(_by_day(check, rows)),
            "notes": list(check.notes),
        }


def finding_json(provider: str, finding: Finding) -> dict[str, Any]:
    """Lay a finding out in JSON's types."""
    return {
        "provider": provider,
        **finding.key._asdict(),
        "day": f"{finding.key.day}",
        "reason": finding.reason,
        "currency": finding.currency,
        "difference": plain(finding.difference),
        "quantity": plain(finding.quantity),
        "evidence": finding.evidence,
    }


def plain(value: Decimal | None) -> str | None:
    """Write a number exactly, without zeros that say nothing."""
    if value is None:
        return None
    with localcontext(prec=DIGITS):
        text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rows(check: Check) -> Iterator[Row]:
    differences: dict[tuple[Key, str], Decimal] = defaultdict(lambda: ZERO)
    for each in check.findings:
        differences[each.key, each.currency] += each.difference or ZERO
    unknown = {(each.key, each.currency) for each in check.findings if each.difference is None}
    for group in check.sheet.groups:
        if group.currency != USD and (group.key, group.currency) in unknown:
            yield Row(group.key, group.currency, None, None, group.amount, ZERO, ZERO)
            unknown |= {(cell.key, USD) for cell in group.cells}
            differences.pop((group.key, group.currency), None)
    for key in sorted({*check.recorded, *(key for key, currency in differences if currency == USD)}):
        cell = check.sheet.cells.get(key)
        cost = check.recorded.get(key, ZERO)
        for currency, recorded in {USD: cost, **(cell.charged if cell else {})}.items():
            if currency == USD and cell is not None and cell.charged and not cost:
                continue
            yield Row(
                key,
                currency,
                cell.billed if cell else None,
                cell.recorded if cell else None,
                None if (key, currency) in unknown else recorded + differences[key, currency],
                recorded,
                cell.unpriced if cell else ZERO,
            )


def _reasons(findings: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    """Rank the reasons by dollars; those in other currencies come last."""
    grouped: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for each in findings:
        grouped[each.reason, each.currency].append(each)
    told = [(reason, currency, *sizes(found), found) for (reason, currency), found in grouped.items()]
    for reason, currency, net, size, found in sorted(told, key=lambda each: (each[1] != USD, -each[3], each[0])):
        largest = sorted(found, key=lambda each: -abs(each.difference or ZERO))
        yield {
            "reason": reason,
            "meaning": REASONS[reason],
            "currency": currency,
            "difference": None if all(each.difference is None for each in found) else plain(net),
            "size": plain(size),
            "cells": len({each.key for each in found}),
            "days": sorted({f"{each.key.day}" for each in found}),
            "models": sorted({each.key.model for each in found})[:MODELS_MAX],
            "evidence": list(dict.fromkeys(each.evidence for each in largest if each.evidence))[:EVIDENCE_MAX],
        }


def _by_day(check: Check, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    days: dict[tuple[date, str], list[Row]] = defaultdict(list)
    for row in rows:
        days[row.key.day, row.currency].append(row)
    for (day, currency), found in sorted(days.items()):
        billed = None if any(row.billed is None for row in found) else sum((row.billed or ZERO for row in found), ZERO)
        recorded = sum((row.recorded for row in found), ZERO)
        reasons = [each for each in check.findings if (each.key.day, each.currency) == (day, currency)]
        unknown = billed is None or any(each.difference is None for each in reasons)
        sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for each in reasons:
            sums[each.reason] += each.difference or ZERO
        yield {
            "day": f"{day}",
            "currency": currency,
            "state": NOT_COMPARABLE if unknown or billed is None else _state(billed, recorded, check.tolerance),
            "billed": plain(billed),
            "recorded": plain(recorded),
            "difference": None if unknown or billed is None else plain(billed - recorded),
            "reason": max(sums, key=lambda reason: abs(sums[reason]), default=""),
        }


def _state(billed: Decimal, recorded: Decimal, tolerance: Decimal) -> str:
    if abs(billed - recorded) <= tolerance * max(billed, recorded):
        return MATCHED
    return UNDER if billed > recorded else OVER


def _apart(row: Row) -> Decimal:
    return ZERO if row.billed is None else row.billed - row.recorded
