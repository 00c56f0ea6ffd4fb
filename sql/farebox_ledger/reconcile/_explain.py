"""Names the reasons behind each difference, so that what they make of it adds up to it exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, localcontext

from farebox_ledger.reconcile._sheet import SCOPES, USD, ZERO, Cell, Doubts, Group, Key, Sheet, is_write

__all__ = ["DIGITS", "REASONS", "Finding", "explain", "recorded_of", "sizes"]

# What each reason means to whoever reads it.
REASONS = {
    "unpriced": "recorded, but the price book has no price for it",
    "partial": "streams that were cut: recorded as far as they were seen",
    "missing_usage": "calls whose usage never came",
    "dropped": "calls lost on the way: clients' numbers are missing in the ledger",
    "foreign": "calls not from farebox",
    "price": "billed at another price than the book's",
    "tier": "billed at another service tier",
    "cache_lifetime": "cache writes billed with another lifetime",
    "time_zone": "the bill's days are not those of UTC",
    "late": "billed on a later day than it was recorded, or not yet",
    "duplicate": "billed twice",
    "currency": "billed in another currency than the book's",
    "rounding": "rounded by the provider",
    "not_billed": "recorded, not billed",
}
# What these move they take from one place and put to another: there their size is one side, here what remains.
SHIFTS, SWAPS = ("time_zone", "late"), ("tier", "cache_lifetime")
# What units that nobody recorded are worth is not known, where a bill names together what has several prices.
OF_UNITS = ("missing_usage", "partial", "dropped", "foreign")
LATE_DAYS = 3
# What a call without usage may have used of each unit: so many times the usual, and in any case as much as a long
# prompt. More than that has another reason.
PATIENCE = 4
UNITS_OF_ONE_CALL = Decimal(50_000)
DIGITS = 60
SCALE = Decimal("1e-20")


@dataclass(frozen=True)
class Finding:
    """One reason in one place; `difference` is billed minus recorded in `currency`.

    Where none can be told it is None, and `concerned` is what is billed in that currency.
    """

    key: Key
    reason: str
    difference: Decimal | None
    quantity: Decimal | None = None
    evidence: str = ""
    currency: str = USD
    concerned: Decimal | None = None


def explain(sheet: Sheet, price_name: Callable[[Key, Decimal], str]) -> list[Finding]:
    """Find the reasons of every difference of a sheet; `price_name` knows under which other tier a price is asked."""
    with localcontext(prec=DIGITS):
        guessed = _imply_quantities(sheet)
        open_units = {
            cell.key: (cell.billed - cell.recorded) for cell in sheet.cells.values() if cell.billed is not None
        }
        groups = {cell.key: group for group in sheet.groups for cell in group.cells}
        prices = {cell.key: _price(cell, groups[cell.key]) for cell in sheet.cells.values()}
        moved = [
            *_move(open_units, prices, "tier", lambda key: key._replace(tier="")),
            *_move(open_units, prices, "cache_lifetime", _any_lifetime),
            *_move_late(open_units, prices),
        ]
        by_group: dict[int, list[Finding]] = defaultdict(list)
        for finding in moved:
            by_group[id(groups[finding.key])].append(finding)
        found: list[Finding] = []
        for group in sheet.groups:
            found += _explain_group(sheet, group, by_group[id(group)], open_units, prices, price_name)
        for key in guessed:
            sheet.cells[key].billed = None
        return found


def sizes(findings: Sequence[Finding]) -> tuple[Decimal, Decimal]:
    """Say what findings of one reason and currency make of the difference, and how many dollars they are about."""
    told = [(each.key, each.difference) for each in findings if each.difference is not None]
    concerned = sum((each.concerned for each in findings if each.concerned is not None), ZERO)
    net = sum((difference for _, difference in told), ZERO)
    if findings and findings[0].reason in SHIFTS:
        up = sum((difference for _, difference in told if difference > 0), ZERO)
        return net, max(up, up - net) + concerned
    swaps = bool(findings) and findings[0].reason in SWAPS
    places: dict[Key, Decimal] = defaultdict(lambda: ZERO)
    for key, difference in told:
        places[key._replace(tier="", unit="") if swaps else key] += difference
    return net, sum((abs(each) for each in places.values()), ZERO) + concerned


def _explain_group(
    sheet: Sheet,
    group: Group,
    moved: list[Finding],
    open_units: dict[Key, Decimal],
    prices: dict[Key, Decimal | None],
    price_name: Callable[[Key, Decimal], str],
) -> Iterator[Finding]:
    """Name the reasons of one group; what units do not explain is the price's, or rounding's."""
    foreign_money = group.currency != USD and not all(group.currency in cell.charged for cell in group.cells)
    if foreign_money:
        yield _in_another_currency(group)
    found = list(moved)
    for cell in group.cells:
        price = prices[cell.key]
        units = open_units.get(cell.key)
        # Who pays for what nobody has a price for has it on the bill, under whatever name its units stand there.
        paid_for = price is None and group.amount
        if units and not (units < 0 and paid_for):
            found += _unit_findings(sheet, cell, units, price)
        if cell.unpriced and group.currency == USD:
            worth = None if price is None else cell.unpriced * price
            found.append(Finding(cell.key, "unpriced", worth, cell.unpriced))
    if group.amount is None or foreign_money:
        yield from (each for each in found if each.difference != 0)
        return
    recorded = recorded_of(group)
    known = [each for each in found if each.difference is not None]
    rest = group.amount - recorded - sum((each.difference or ZERO for each in known), ZERO)
    # Where nobody knows the price of some units, what is left of the amount is theirs.
    unknown = [each for each in found if each.difference is None]
    if unknown:
        known.append(_replace(unknown[0], rest))
    elif rest and abs(rest) < SCALE * 1000 and known:
        known[0] = _replace(known[0], (known[0].difference or ZERO) + rest)
    elif rest:
        mixed = next((at for at, each in enumerate(known) if _may_be_worth(sheet, each, rest)), None)
        if mixed is None:
            known.append(_price_finding(sheet, group, rest, prices, price_name))
        else:
            known[mixed] = _replace(known[mixed], (known[mixed].difference or ZERO) + rest)
    for each in known:
        if each.difference:
            yield each if group.currency == USD else _replace(each, each.difference, group.currency)


def recorded_of(group: Group) -> Decimal:
    """Give what the ledger says of a group, in the currency that it is billed in."""
    if group.currency == USD:
        return sum((cell.cost for cell in group.cells), ZERO)
    return sum((cell.charged.get(group.currency, ZERO) for cell in group.cells), ZERO)


def _unit_findings(sheet: Sheet, cell: Cell, units: Decimal, price: Decimal | None) -> Iterator[Finding]:
    """Say why units are billed that are not recorded, or the other way round."""
    if units < 0:
        late = sheet.last_billed is not None and cell.key.day > sheet.last_billed
        reason = "late" if late else "not_billed"
        evidence = f"nothing is billed yet after {sheet.last_billed}" if late else ""
        yield _worth(cell.key, reason, units, price, evidence)
        return
    stranger = _stranger(sheet, cell.key)
    if stranger:
        yield _worth(cell.key, "foreign", units, price, stranger)
        return
    doubts = sheet.doubts.get(cell.key._replace(unit=""), Doubts())
    usual = cell.recorded / doubts.reported if doubts.reported else None
    lost = sheet.lost.get(cell.key.day, 0)
    causes = [
        ("missing_usage", doubts.missing, f"{doubts.missing} of its attempts have no usage"),
        ("partial", doubts.cut, f"{doubts.cut} of its attempts were cut"),
        ("dropped", lost, f"{lost} numbers of attempts are missing that day"),
    ]
    there = [cause for cause in causes if cause[1]]
    for reason, count, evidence in there:
        most = min(units, max((usual or ZERO) * PATIENCE, UNITS_OF_ONE_CALL) * count)
        if most:
            yield _worth(cell.key, reason, most, price, evidence)
            units -= most
    if units:
        yield _worth(cell.key, "foreign", units, price, "more units are billed than attempts recorded could have had")


def _stranger(sheet: Sheet, key: Key) -> str:
    """Say what about a place farebox has never seen, if anything."""
    for scope in SCOPES:
        value = getattr(key, scope)
        if value and value not in sheet.known_scopes[scope]:
            return f"farebox has seen no call of {scope} {value}"
    return f"farebox has seen no call to {key.model}" if key.model and key.model not in sheet.known_models else ""


def _price_finding(
    sheet: Sheet,
    group: Group,
    rest: Decimal,
    prices: dict[Key, Decimal | None],
    price_name: Callable[[Key, Decimal], str],
) -> Finding:
    key = group.key
    if not group.cells:
        return Finding(key, "foreign", rest, None, group.description or "the ledger records nothing of the kind")
    if abs(rest) <= group.slack:
        words = f"as amounts are written they may be off by {group.slack.normalize():f}"
        return Finding(key, "rounding", rest, None, words)
    billed = group.cells[0].billed if len(group.cells) == 1 else None
    price = prices[group.cells[0].key] if len(group.cells) == 1 else None
    if not billed or price is None:
        return _coarse_finding(sheet, group, rest)
    implied = (price + rest / billed).quantize(Decimal("1e-15")).normalize()
    tier = price_name(key, implied)
    words = f"billed at {_per_million(implied, key.unit)}, the book says {_per_million(price, key.unit)}"
    if tier:
        return Finding(key, "tier", rest, billed, f"{words}; that is its price as {tier}")
    return Finding(key, "price", rest, billed, words)


def _coarse_finding(sheet: Sheet, group: Group, rest: Decimal) -> Finding:
    """Judge a difference of money that stands against no units of its own."""
    stranger = _stranger(sheet, group.key)
    if stranger:
        return Finding(group.key, "foreign", rest, None, stranger)
    if any(cell.unpriced for cell in group.cells):
        return Finding(group.key, "unpriced", rest)
    counted = all(cell.billed is not None for cell in group.cells)
    doubts = [sheet.doubts.get(cell.key._replace(unit=""), Doubts()) for cell in group.cells]
    if not counted and rest > 0:
        for reason, there in (
            ("missing_usage", any(each.missing for each in doubts)),
            ("partial", any(each.cut for each in doubts)),
            ("dropped", bool(sheet.lost.get(group.key.day))),
        ):
            if there:
                return Finding(group.key, reason, rest)
    words = "its units agree" if counted else "the bill names no units to tell it from calls that are missing"
    return Finding(group.key, "price", rest, None, words)


def _in_another_currency(group: Group) -> Finding:
    recorded = sum((cell.cost for cell in group.cells), ZERO)
    billed = group.amount or ZERO
    words = f"billed {billed.normalize():f} {group.currency}, recorded {recorded.normalize():f} {USD}"
    if billed and recorded:
        rate = (recorded / billed).quantize(Decimal("1e-6"))
        words += f", which would be a rate of {rate.normalize():f}; give yours with --rate"
    return Finding(group.key, "currency", None, None, words, group.currency, billed)


def _move(
    open_units: dict[Key, Decimal],
    prices: dict[Key, Decimal | None],
    reason: str,
    family: Callable[[Key], Key | None],
) -> Iterator[Finding]:
    """Take units that stand under one name on the bill and under another in the ledger as the same units."""
    families: dict[Key, list[Key]] = defaultdict(list)
    for key, units in open_units.items():
        whose = family(key)
        if units and whose is not None:
            families[whose].append(key)
    for members in families.values():
        for under in sorted(key for key in members if open_units[key] > 0):
            for over in sorted(key for key in members if open_units[key] < 0):
                yield from _take(open_units, prices, reason, under, over)


def _move_late(open_units: dict[Key, Decimal], prices: dict[Key, Decimal | None]) -> Iterator[Finding]:
    """Take units that are billed some days after they were recorded as the same units."""
    for over in sorted(key for key, units in open_units.items() if units < 0):
        for days in range(1, LATE_DAYS + 1):
            under = over._replace(day=over.day + timedelta(days=days))
            if open_units.get(under, ZERO) > 0:
                yield from _take(open_units, prices, "late", under, over)


def _take(
    open_units: dict[Key, Decimal], prices: dict[Key, Decimal | None], reason: str, under: Key, over: Key
) -> Iterator[Finding]:
    units = min(open_units[under], -open_units[over])
    billed_at, recorded_at = prices[under], prices[over]
    if units <= 0 or billed_at is None or recorded_at is None:
        return
    open_units[under] -= units
    open_units[over] += units
    words = {
        "tier": f"billed as {under.tier or 'standard'}, recorded as {over.tier or 'standard'}",
        "cache_lifetime": f"billed as {under.unit}, recorded as {over.unit}",
        "late": f"recorded on {over.day}, billed on {under.day}",
    }[reason]
    yield Finding(under, reason, units * billed_at, units, words)
    yield Finding(over, reason, -units * recorded_at, units, words)


def _any_lifetime(key: Key) -> Key | None:
    return key._replace(unit="") if is_write(key.unit) else None


def _price(cell: Cell, group: Group) -> Decimal | None:
    """Give what a unit is worth: by the ledger or the book, else by the bill itself."""
    charged = cell.charged.get(group.currency)
    if charged and cell.recorded:
        return charged / cell.recorded
    if cell.price is not None:
        return cell.price
    if group.amount is not None and len(group.cells) == 1 and cell.billed:
        return group.amount / cell.billed
    return None


def _imply_quantities(sheet: Sheet) -> list[Key]:
    """Where a bill names amounts alone, take them for units at the book's price, if they make whole ones.

    A ratio that is the same on several days is a price, not a number of calls.
    """
    single = [group for group in sheet.groups if len(group.cells) == 1 and group.amount is not None]
    bare = [group for group in single if group.cells[0].billed is None and group.currency == USD]
    ratios: dict[Key, list[Decimal]] = defaultdict(list)
    for group in bare:
        cost = group.cells[0].cost
        if cost and group.amount is not None and abs(group.amount - cost) > group.slack:
            ratios[group.key._replace(day=min(sheet.days))].append(group.amount / cost)
    implied = []
    for group in bare:
        cell, amount = group.cells[0], group.amount or ZERO
        seen = ratios[group.key._replace(day=min(sheet.days))]
        steady = len(seen) > 1 and max(seen) - min(seen) <= abs(max(seen)) * Decimal("1e-6")
        price = cell.price
        if steady or not price:
            continue
        if abs(amount - cell.cost) <= group.slack:
            continue
        units = (amount / price).to_integral_value()
        if abs(units * price - amount) <= group.slack:
            cell.billed = units
            implied.append(cell.key)
    return implied


def _may_be_worth(sheet: Sheet, finding: Finding, rest: Decimal) -> bool:
    """Tell whether units that are billed together at several prices may make up for the rest of the money, too."""
    cell, units = sheet.cells.get(finding.key), finding.quantity
    if cell is None or not units or finding.difference is None or len(cell.prices) < 2:
        return False
    ends = sorted((units * min(cell.prices), units * max(cell.prices)))
    return finding.reason in OF_UNITS and ends[0] <= finding.difference + rest <= ends[1]


def _worth(key: Key, reason: str, units: Decimal, price: Decimal | None, evidence: str) -> Finding:
    return Finding(key, reason, None if price is None else units * price, units, evidence)


def _replace(finding: Finding, difference: Decimal, currency: str = USD) -> Finding:
    return Finding(finding.key, finding.reason, difference, finding.quantity, finding.evidence, currency)


def _per_million(price: Decimal, unit: str) -> str:
    each = price * 1_000_000 if unit.endswith("_tokens") else price
    return f"{each.normalize():f}" + (" for a million" if unit.endswith("_tokens") else "")
