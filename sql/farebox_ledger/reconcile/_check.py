"""Compares bills with the ledger, provider by provider, and says what it all comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from functools import cache
from typing import TYPE_CHECKING

from farebox_ledger.reconcile._duplicates import take_duplicates
from farebox_ledger.reconcile._explain import DIGITS, Finding, explain, sizes
from farebox_ledger.reconcile._ledger import Book, Ledger, read_book, read_ledger, read_names
from farebox_ledger.reconcile._lines import Line, day_start
from farebox_ledger.reconcile._sheet import STANDARD, USD, ZERO, Grain, Key, Sheet, grain_of, lay_out

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Check", "Names", "Statement", "Terms", "check_statements"]

OFFSETS_H = range(-12, 15)
# A shift of the days must explain at least this part of what differs, or it is chance.
SHIFT_EXPLAINS = Decimal("0.5")
MARGIN = timedelta(days=1)
SAME_PRICE = Decimal("1e-12")
# What billed names lead to: (kind, billed name) to the ledger's name; kind is model, tier, or a scope.
Names = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Terms:
    """How to compare: USD for a unit of other currencies, names to join, the share that may differ.

    With `today` the day that is not over is compared too.
    """

    rates: Mapping[str, Decimal] = field(default_factory=dict)
    names: Names = field(default_factory=dict)
    tolerance: Decimal = Decimal("0.005")
    today: bool = False


@dataclass(frozen=True)
class Statement:
    """All that one provider says of some days: lines with units, lines with money, and the days each speaks for."""

    provider: str
    counted: tuple[Line, ...]
    paid: tuple[Line, ...]
    counted_days: frozenset[date]
    paid_days: frozenset[date]


@dataclass
class Check:
    """One provider's statement held against the ledger.

    `recorded` is what the ledger says, in USD, before any reason; with the findings it adds up to what is billed.
    """

    statement: Statement
    days: Sequence[date]
    sheet: Sheet
    recorded: Mapping[Key, Decimal]
    findings: Sequence[Finding]
    notes: Sequence[str]
    tolerance: Decimal

    @property
    def recorded_total(self) -> Decimal:
        """Add up what the ledger says, USD."""
        with localcontext(prec=DIGITS):
            return sum(self.recorded.values(), ZERO)

    @property
    def billed_total(self) -> Decimal:
        """Add up what is billed in USD; of what is told in units alone, their value."""
        with localcontext(prec=DIGITS):
            return self.recorded_total + sum((net for net, _ in self.by_reason().values()), ZERO)

    @property
    def off(self) -> Decimal:
        """Say how far apart both are, USD: differences of one reason do not make up for those of another."""
        with localcontext(prec=DIGITS):
            return sum((size for _, size in self.by_reason().values()), ZERO)

    @property
    def bad(self) -> bool:
        """Tell whether more differs than may, or cannot be compared at all."""
        unknown = any(each.difference is None for each in self.findings)
        return unknown or self.off > self.tolerance * max(self.billed_total, self.recorded_total)

    def by_reason(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Add up the findings by reason: what each makes of the difference, and how many dollars it is about, USD."""
        found: dict[str, list[Finding]] = {}
        for each in self.findings:
            if each.currency == USD:
                found.setdefault(each.reason, []).append(each)
        with localcontext(prec=DIGITS):
            return {reason: sizes(theirs) for reason, theirs in found.items()}


def check_statements(client: Client, statements: Sequence[Statement], terms: Terms) -> list[Check]:
    """Compare each statement with what the ledger holds of its days.

    Raises:
        QueryError: ClickHouse refused a question.
    """
    moments = [moment for each in statements for moment in _bounds(each)]
    if not moments:
        return []
    since, until = min(moments) - MARGIN, max(moments) + MARGIN
    ledgers = read_ledger(client, {each.provider for each in statements}, since, until)
    return [_check(client, each, ledgers[each.provider], terms) for each in statements]


def _bounds(statement: Statement) -> Iterator[datetime]:
    for line in (*statement.counted, *statement.paid):
        yield from (line.start, line.end)
    for day in (*statement.counted_days, *statement.paid_days):
        start = day_start(day)
        yield from (start, start + MARGIN)


def _check(client: Client, statement: Statement, ledger: Ledger, terms: Terms) -> Check:
    statement = _renamed(client, statement, terms.names)
    lines = [*statement.counted, *statement.paid]
    models = {line.model for line in lines} | {row.model for row in ledger.units}
    book = read_book(client, statement.provider, models)
    grain, notes = grain_of(lines, ledger)
    price_of = _pricer(book)
    base = _lay(grain, statement, ledger, price_of, terms)
    offset_h = _best_offset(grain, statement, ledger, price_of, terms, base)
    sheet = base
    recorded = {cell.key: cell.cost for cell in base.cells.values()}
    findings: list[Finding] = []
    with localcontext(prec=DIGITS):
        if offset_h:
            sheet = _lay(replace(grain, offset_h=offset_h), statement, ledger, price_of, terms)
            findings += _shift_findings(base, sheet, offset_h)
        findings += take_duplicates(sheet, statement.counted, statement.paid, terms.rates)
        findings += explain(sheet, _price_namer(book))
    days = sorted(statement.counted_days | statement.paid_days)
    return Check(statement, days, sheet, recorded, findings, notes, terms.tolerance)


def _lay(
    grain: Grain, statement: Statement, ledger: Ledger, price_of: Callable[[Key], Decimal | None], terms: Terms
) -> Sheet:
    counted, paid = statement.counted_days, statement.paid_days
    if grain.periods:
        starts = frozenset(start.date() for start, _ in grain.periods)
        counted, paid = (starts if days else frozenset() for days in (counted, paid))
    return lay_out(grain, statement.counted, statement.paid, ledger, counted, paid, price_of, terms.rates)


def _renamed(client: Client, statement: Statement, names: Names) -> Statement:
    """Lead the names on the bill to those of the ledger: the user's own joins first, then the book's names."""
    said = {name for line in (*statement.counted, *statement.paid) for name in (line.model, line.service_tier)}
    known = read_names(client, statement.provider, said | {names.get(("model", name), "") for name in said})

    def rename(line: Line) -> Line:
        model = names.get(("model", line.model), line.model)
        tier = line.service_tier or ""
        return replace(
            line,
            model=known[model][0],
            service_tier=names.get(("tier", tier)) or (known[tier][1] or STANDARD if tier else ""),
            workspace=names.get(("workspace", line.workspace), line.workspace),
            project=names.get(("project", line.project), line.project),
            key_id=names.get(("key", line.key_id), line.key_id),
        )

    return replace(statement, counted=tuple(map(rename, statement.counted)), paid=tuple(map(rename, statement.paid)))


def _pricer(book: Book) -> Callable[[Key], Decimal | None]:
    @cache
    def price(model: str, tier: str, unit: str, day: date) -> Decimal | None:
        return book.price(model, tier, unit, day_start(day))

    return lambda key: price(key.model, key.tier, key.unit, key.day)


def _price_namer(book: Book) -> Callable[[Key, Decimal], str]:
    """Make what says under which other tier a price is asked."""

    def name(key: Key, asked: Decimal) -> str:
        at = day_start(key.day)
        for variant in book.variants(key.model):
            price = book.price(key.model, variant, key.unit, at)
            if variant != key.tier and price is not None and abs(price - asked) <= SAME_PRICE:
                return variant or "standard"
        return ""

    return name


def _best_offset(
    grain: Grain,
    statement: Statement,
    ledger: Ledger,
    price_of: Callable[[Key], Decimal | None],
    terms: Terms,
    base: Sheet,
) -> int:
    """Find the zone whose days the bill's are: the one in which by far most of what differs in UTC agrees."""
    if grain.periods or len(statement.counted_days | statement.paid_days) < 2:
        return 0
    with localcontext(prec=DIGITS):
        before = _distance(base)
        worth = sum((cell.cost for cell in base.cells.values()), ZERO)
        if before <= worth * terms.tolerance / 10:
            return 0
        bare = replace(ledger, attempts=())  # reasons are not asked for yet
        scores = {
            offset: _distance(_lay(replace(grain, offset_h=offset), statement, bare, price_of, terms))
            for offset in OFFSETS_H
            if offset
        }
        best = min(scores, key=lambda offset: (scores[offset], abs(offset)))
        return best if scores[best] <= before * SHIFT_EXPLAINS else 0


def _distance(sheet: Sheet) -> Decimal:
    """Add up by how much cells differ: units at their price, else money."""
    apart = ZERO
    for group in sheet.groups:
        told = [cell for cell in group.cells if cell.billed is not None]
        if told:
            apart += sum((abs((cell.billed or ZERO) - cell.recorded) * (cell.price or ZERO) for cell in told), ZERO)
        elif group.amount is not None:
            apart += abs(group.amount - sum((cell.cost for cell in group.cells), ZERO))
    return apart


def _shift_findings(base: Sheet, sheet: Sheet, offset_h: int) -> Iterator[Finding]:
    """Say what the shift of the days alone makes of each cell."""
    words = f"the bill's days begin {abs(offset_h)} hours {'before' if offset_h > 0 else 'after'} those of UTC"
    for key in sorted({*base.cells, *sheet.cells}):
        was, now = base.cells.get(key), sheet.cells.get(key)
        cost = (now.cost if now else ZERO) - (was.cost if was else ZERO)
        units = (now.recorded if now else ZERO) - (was.recorded if was else ZERO)
        if cost:
            yield Finding(key, "time_zone", cost, units, words)
