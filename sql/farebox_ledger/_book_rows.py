"""Reads one row of the price book, of a file of ours or the user's, and refuses what is not exact or makes no sense."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

__all__ = [
    "HOURS",
    "OTHER_UNITS",
    "SOLD",
    "UNITS",
    "CommitmentRow",
    "DiscountRow",
    "PriceRow",
    "alias_row",
    "commitment_row",
    "discount_row",
    "fallback_row",
    "price_row",
]

# The usage leaves that have a price; each is a column of llm_attempts and of price_spans.
UNITS = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_write_unsplit_tokens",
    "cache_write_30m_tokens",
    "cache_write_12h_tokens",
    "audio_input_tokens",
    "image_input_tokens",
    "output_tokens",
    "audio_output_tokens",
    "image_output_tokens",
    "web_search_requests",
    "web_fetch_requests",
)
# Further units that have a price; their counts are in the map other_units of llm_attempts.
OTHER_UNITS = (
    "cache_read_audio_tokens",
    "cache_read_image_tokens",
    "audio_input_seconds",
    "input_characters",
    "images",
)
# What a machine of one's own is paid by; it is shown, and never spread over calls.
HOURS = "hours"
SOLD = (*UNITS, *OTHER_UNITS, HOURS)
FIELDS = ("model", "variant", "region", "host", "currency", "hour")
MATCHES = ("exact", "prefix", "suffix", "any")
SCALE = 12
PRICE_MAX = 1_000_000
AMOUNT_MAX = 10**15
EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
FACTOR_SCALE = 8
CURRENCY = re.compile(r"[A-Z]{3}")
NO_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class PriceRow:
    """One price: for one unit, None to withdraw it; fields as the columns of the table `prices`."""

    provider: str
    region: str
    model: str
    variant: str
    unit: str
    tier_above: int
    valid_from: datetime
    price: Decimal | None
    currency: str
    approximate: bool
    checked_on: date
    source: str
    note: str
    book: str = "farebox"
    from_file: str = ""


@dataclass(frozen=True)
class DiscountRow:
    """What share of the list price is paid: `factor` 0.9 is ten percent off, None withdraws it; no model means all."""

    provider: str
    model: str
    valid_from: datetime
    factor: Decimal | None
    checked_on: date
    source: str
    note: str
    from_file: str = ""


@dataclass(frozen=True)
class CommitmentRow:
    """What was promised to be spent from `starts` to before `ends`; `amount` None withdraws it."""

    provider: str
    name: str
    starts: date
    ends: date
    amount: Decimal | None
    currency: str
    checked_on: date
    source: str
    note: str
    from_file: str = ""


def price_row(fields: Mapping[str, str], book: str = "farebox") -> PriceRow:
    """Read one line of a price file, by column; `price` is for `per` units, and division by `per` must be exact.

    Raises:
        ValueError: says which column holds what, and what is allowed.
    """
    unit, currency = fields["unit"], fields.get("currency") or "USD"
    if unit not in SOLD:
        raise ValueError(f"unit {unit!r} is none of {', '.join(SOLD)}")
    if not fields["provider"] or not fields["model"] or not fields["source"]:
        raise ValueError("provider, model and source must not be empty")
    if not CURRENCY.fullmatch(currency):
        raise ValueError(f"currency {currency!r} is not a code of three capitals like EUR")
    if fields["model"] != fields["model"].lower():
        raise ValueError(f"model {fields['model']!r} must be lower case: names are compared in lower case")
    return PriceRow(
        provider=fields["provider"],
        region=fields["region"],
        model=fields["model"],
        variant=fields["variant"],
        unit=unit,
        tier_above=_tier(fields["tier_above"]),
        valid_from=_day(fields["valid_from"]),
        price=_per_unit(fields["price"], fields["per"], currency),
        currency=currency,
        approximate=_approximate(fields["approximate"]),
        checked_on=_date(fields["checked_on"]),
        source=fields["source"],
        note=fields["note"],
        book=book,
    )


def discount_row(fields: Mapping[str, str]) -> DiscountRow:
    """Read a discount; `percent` is off the list price, empty to end it.

    Raises:
        ValueError: says which field holds what, and what is allowed.
    """
    if not fields["provider"]:
        raise ValueError("provider must not be empty")
    return DiscountRow(
        provider=fields["provider"],
        model=fields["model"].lower(),
        valid_from=_day(fields["valid_from"]),
        factor=_factor(fields["percent"]),
        checked_on=_date(fields["checked_on"]),
        source=fields["source"],
        note=fields["note"],
    )


def commitment_row(fields: Mapping[str, str]) -> CommitmentRow:
    """Read a commitment; an empty `amount` withdraws it.

    Raises:
        ValueError: says which field holds what, and what is allowed.
    """
    if not fields["provider"]:
        raise ValueError("provider must not be empty")
    if not CURRENCY.fullmatch(fields["currency"]):
        raise ValueError(f"currency {fields['currency']!r} is not a code of three capitals like EUR")
    starts, ends = _date(fields["starts"]), _date(fields["ends"])
    if not starts < ends:
        raise ValueError(f"ends {ends} is not after starts {starts}")
    return CommitmentRow(
        provider=fields["provider"],
        name=fields["name"],
        starts=starts,
        ends=ends,
        amount=_promised(fields["amount"]),
        currency=fields["currency"],
        checked_on=_date(fields["checked_on"]),
        source=fields["source"],
        note=fields["note"],
    )


def fallback_row(fields: Mapping[str, str]) -> Row:
    """Read a rule that one unit is billed as another.

    Raises:
        ValueError: says which column holds what, and what is allowed.
    """
    for column in ("unit", "billed_as"):
        if fields[column] not in UNITS:
            raise ValueError(f"{column} {fields[column]!r} is none of {', '.join(UNITS)}")
    return {**fields, "checked_on": _date(fields["checked_on"])}


def alias_row(fields: Mapping[str, str]) -> Row:
    """Read a rule that leads from a name on the wire to a key of the book.

    Raises:
        ValueError: says which column holds what, and what is allowed.
    """
    if fields["field"] not in FIELDS:
        raise ValueError(f"field {fields['field']!r} is none of {', '.join(FIELDS)}")
    if fields["match"] not in MATCHES:
        raise ValueError(f"match {fields['match']!r} is none of {', '.join(MATCHES)}")
    # Hours are spelt model and time; what else is exact is a name.
    if fields["match"] == "exact" and fields["pattern"] != fields["pattern"].lower():
        raise ValueError(f"pattern {fields['pattern']!r} must be lower case: names are compared in lower case")
    if fields["match"] in ("prefix", "suffix"):
        _require_expression(fields["pattern"])
    return {**fields, "checked_on": _date(fields["checked_on"])}


def _require_expression(pattern: str) -> None:
    """Refuse what is no regular expression: joined with the others, it would stop every attempt from being stored."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"pattern {pattern!r} is no regular expression: {error}") from None


def _per_unit(price: str, per: str, currency: str) -> Decimal | None:
    if price == "":
        return None
    try:
        amount = EXACT.divide(Decimal(price), Decimal(per)).quantize(Decimal(1).scaleb(-SCALE), context=EXACT)
    except (InvalidOperation, Inexact, ArithmeticError):
        raise ValueError(f"{price!r} per {per!r} is not a price with at most {SCALE} decimals per unit") from None
    if amount.is_nan() or not 0 <= amount <= PRICE_MAX:
        raise ValueError(f"{price!r} per {per!r} is not between 0 and {PRICE_MAX} {currency} per unit")
    return amount


def _factor(percent: str) -> Decimal | None:
    if percent == "":
        return None
    try:
        off = Decimal(percent)
        factor = EXACT.divide(100 - off, Decimal(100)).quantize(Decimal(1).scaleb(-FACTOR_SCALE), context=EXACT)
    except (InvalidOperation, Inexact, ArithmeticError):
        raise ValueError(f"percent {percent!r} is not a number with at most {FACTOR_SCALE - 2} decimals") from None
    if off.is_nan() or not 0 <= off <= 100:
        raise ValueError(f"percent {percent!r} is not between 0 and 100")
    return factor


def _promised(text: str) -> Decimal | None:
    if text == "":
        return None
    try:
        amount = Decimal(text).quantize(Decimal(1).scaleb(-SCALE), context=EXACT)
    except ArithmeticError:
        raise ValueError(f"amount {text!r} is not a number with at most {SCALE} decimals") from None
    if amount.is_nan() or not 0 <= amount <= AMOUNT_MAX:
        raise ValueError(f"amount {text!r} is not between 0 and {AMOUNT_MAX:,}")
    return amount


def _tier(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and int(text) < 2**32):
        raise ValueError(f"tier_above {text!r} is not a number of tokens")
    return int(text or 0)


def _approximate(text: str) -> bool:
    if text not in ("", "approximate"):
        raise ValueError(f"approximate {text!r} is neither empty nor the word approximate")
    return bool(text)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a day like 2026-11-23") from None


def _day(text: str) -> datetime:
    day = _date(text) if text else NO_BEGINNING.date()
    if not 1970 <= day.year < 2106:
        raise ValueError(f"valid_from {text!r} is not between 1970 and 2105")
    return datetime.combine(day, datetime.min.time(), UTC)
