"""Differences are taken apart by reason, and the reasons add up to them, whatever the bill says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from farebox_ledger.reconcile._duplicates import take_duplicates
from farebox_ledger.reconcile._explain import Finding, explain
from farebox_ledger.reconcile._ledger import Attempts, Ledger, Units
from farebox_ledger.reconcile._lines import Line
from farebox_ledger.reconcile._sheet import Key, Sheet, grain_of, lay_out

FIRST = datetime(2026, 11, 3, tzinfo=UTC)
PRICES = {
    "uncached_input_tokens": Decimal("0.000001"),
    "cache_write_5m_tokens": Decimal("0.00000125"),
    "cache_write_1h_tokens": Decimal("0.000002"),
    "output_tokens": Decimal("0.000005"),
}
HALF = Decimal("0.5")


def price_of(key: Key) -> Decimal | None:
    """The book: one model has no price, batch costs half."""
    price = PRICES.get(key.unit)
    if price is None or key.model == "unheard-of":
        return None
    return price * HALF if key.tier == "batch" else price


def recorded(day: int, model: str, unit: str, units: int, tier: str = "", hour: int = 12, priced: bool = True) -> Units:
    """What the ledger has of one unit in one hour."""
    key = Key(FIRST.date(), model=model, tier=tier, unit=unit)
    price = price_of(key) if priced else None
    count = Decimal(units)
    return Units(
        hour=FIRST + timedelta(days=day, hours=hour),
        workspace="",
        project="",
        key="",
        model=model,
        tier=tier,
        unit=unit,
        currency="USD",
        price=price,
        units=count,
        cost=count * price if price is not None else Decimal(0),
        unpriced=Decimal(0) if price is not None else count,
        charged=Decimal(0),
    )


def line(day: int, model: str, unit: str, units: int | None, amount: Decimal | str | None, tier: str = "") -> Line:
    """What a bill says of one unit on one day."""
    start = FIRST + timedelta(days=day)
    return Line(
        start,
        start + timedelta(days=1),
        model,
        unit,
        None if units is None else Decimal(units),
        None if amount is None else Decimal(amount),
        service_tier=tier,
    )


def reasons(
    lines: Sequence[Line], units: Sequence[Units], attempts: Sequence[Attempts] = (), lost: int = 0
) -> tuple[Sheet, list[Finding]]:
    """Compare, and take the differences apart."""
    ledger = Ledger(tuple(units), tuple(attempts), {FIRST + timedelta(hours=5): lost} if lost else {})
    counted = [each for each in lines if each.quantity is not None]
    paid = [each for each in lines if each.amount is not None]
    grain, _ = grain_of(lines, ledger)
    days = {(FIRST + timedelta(days=day)).date() for day in range(4)}
    with localcontext(prec=60):
        sheet = lay_out(grain, counted, paid, ledger, days if counted else set(), days if paid else set(), price_of, {})
        found = list(take_duplicates(sheet, counted, paid, {}))
        return sheet, found + explain(sheet, lambda key, price: "")


def short(findings: Sequence[Finding]) -> list[tuple[str, Decimal | None]]:
    """Reasons and what each makes of the difference."""
    return sorted((each.reason, each.difference) for each in findings)


def seen(missing: int = 0, cut: int = 0) -> Attempts:
    """Ten attempts with their usage, and others."""
    return Attempts(FIRST + timedelta(hours=12), "", "", "", "m", "", 10, missing, cut)


def test_equal_sides_have_no_findings() -> None:
    """Where units and money agree there is nothing to say."""
    _, found = reasons([line(0, "m", "output_tokens", 100, "0.0005")], [recorded(0, "m", "output_tokens", 100)])

    assert found == []


def test_units_without_a_price_are_worth_what_the_bill_says() -> None:
    """A model that the book does not know is billed; the whole amount is the reason unpriced."""
    _, found = reasons(
        [line(0, "unheard-of", "output_tokens", 100, "0.25")], [recorded(0, "unheard-of", "output_tokens", 100)]
    )

    assert short(found) == [("unpriced", Decimal("0.25"))]


def test_what_is_paid_for_is_on_the_bill_whatever_its_units_are_called() -> None:
    """Money under the ledger's name and units under another: the money is that of a model without a price."""
    _, found = reasons(
        [
            line(0, "unheard-of", "output_tokens", None, "0.25"),
            line(0, "unheard-of-2026", "output_tokens", 100, None),
            line(0, "m", "output_tokens", 100, None),
        ],
        [recorded(0, "unheard-of", "output_tokens", 100), recorded(0, "m", "output_tokens", 100)],
    )

    assert ("unpriced", Decimal("0.25")) in short([each for each in found if each.key.model == "unheard-of"])
    assert "not_billed" not in {each.reason for each in found}


def test_units_without_a_price_on_either_side_are_not_guessed() -> None:
    """A report of usage names no money: what nobody prices stays unknown, with its units."""
    _, found = reasons(
        [line(0, "unheard-of", "output_tokens", 100, None)], [recorded(0, "unheard-of", "output_tokens", 100)]
    )

    assert [(each.reason, each.difference, each.quantity) for each in found] == [("unpriced", None, Decimal(100))]


def test_attempts_without_usage_take_what_they_could_have_used() -> None:
    """More billed than recorded goes to attempts whose usage never came, then to streams that were cut."""
    billed = [line(0, "m", "output_tokens", 150, None)]

    _, missing = reasons(billed, [recorded(0, "m", "output_tokens", 100)], [seen(missing=2)])
    _, cut = reasons(billed, [recorded(0, "m", "output_tokens", 100)], [seen(cut=2)])

    assert short(missing) == [("missing_usage", Decimal("0.00025"))]
    assert short(cut) == [("partial", Decimal("0.00025"))]


def test_what_no_attempt_can_have_used_is_not_farebox() -> None:
    """One attempt without usage cannot have used as much as a hundred others; lost ones come before strangers."""
    billed = [line(0, "m", "output_tokens", 150_100, None)]
    units = [recorded(0, "m", "output_tokens", 100)]

    _, strangers = reasons(billed, units, [seen(missing=1)])
    _, lost = reasons(billed, units, [seen()], lost=1000)

    assert short(strangers) == [("foreign", Decimal("0.5")), ("missing_usage", Decimal("0.25"))]
    assert short(lost) == [("dropped", Decimal("0.75"))]


def test_a_price_that_is_anothers_names_its_tier() -> None:
    """Where the implied price is the book's of another tier, that tier is the reason."""
    sheet, _ = reasons([line(0, "m", "output_tokens", 100, "0.00025")], [recorded(0, "m", "output_tokens", 100)])
    with localcontext(prec=60):
        found = explain(sheet, lambda key, price: "batch" if price == Decimal("0.0000025") else "")

    assert [(each.reason, each.difference) for each in found] == [("tier", Decimal("-0.00025"))]
    assert found[0].evidence == "billed at 2.5 for a million, the book says 5 for a million; that is its price as batch"


def test_amounts_alone_are_taken_for_whole_units() -> None:
    """A cost report names no units; what makes whole ones at the book's price is calls, else it is another price."""
    calls = [line(0, "m", "output_tokens", None, "0.00075")]
    steady = [line(day, "m", "output_tokens", None, "0.00055") for day in range(3)]

    _, more = reasons(calls, [recorded(0, "m", "output_tokens", 100)])
    _, dearer = reasons(steady, [recorded(day, "m", "output_tokens", 100) for day in range(3)])

    assert short(more) == [("foreign", Decimal("0.00025"))]
    assert short(dearer) == [("price", Decimal("0.00005"))] * 3


def test_money_of_a_whole_model_is_shared_by_its_units() -> None:
    """Where a bill names units by kind and money by model, units are explained, and the rest is the price."""
    lines = [
        line(0, "m", "input_tokens", 1000, None),
        line(0, "m", "output_tokens", 120, None),
        line(0, "m", "", None, "0.00265"),
    ]
    units = [recorded(0, "m", "uncached_input_tokens", 1000), recorded(0, "m", "output_tokens", 100)]

    _, found = reasons(lines, units, [seen(cut=1)])

    assert short(found) == [("partial", Decimal("0.0001")), ("price", Decimal("0.00105"))]


def test_what_the_ledger_does_not_record_at_all_is_named() -> None:
    """Charges that are no calls, such as code execution, are on the bill and not farebox's."""
    lines = [line(0, "m", "output_tokens", 100, "0.0005"), line(0, "", "", None, "1.5")]

    _, found = reasons(lines, [recorded(0, "m", "output_tokens", 100)])

    assert short(found) == [("foreign", Decimal("1.5"))]


def test_what_is_not_billed_yet_is_late() -> None:
    """After the last day that is billed, what is recorded is late; before it, it is not billed."""
    lines = [line(1, "m", "output_tokens", 100, "0.0005")]
    units = [recorded(day, "m", "output_tokens", 100) for day in (0, 1, 3)]

    _, found = reasons(lines, units)

    assert {(each.key.day, each.reason) for each in found} == {
        (date(2026, 11, 3), "not_billed"),
        (date(2026, 11, 6), "late"),
    }


UNITS = st.sampled_from(sorted(PRICES))
MODELS = st.sampled_from(["m", "n", "unheard-of"])
ENTRIES = st.lists(
    st.tuples(st.integers(0, 3), MODELS, UNITS, st.integers(0, 10**6), st.sampled_from(["", "batch"])), max_size=12
)
BILLED = st.lists(
    st.tuples(
        st.integers(0, 3),
        MODELS,
        st.one_of(UNITS, st.just("")),
        st.one_of(st.none(), st.integers(0, 10**6)),
        st.decimals(0, 1000, places=8),
        st.sampled_from(["", "batch", "standard"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=150)
@given(ENTRIES, BILLED, st.integers(0, 3), st.integers(0, 3))
def test_recorded_and_findings_are_the_bill(
    entries: list[tuple[int, str, str, int, str]],
    billed: list[tuple[int, str, str, int | None, Decimal, str]],
    missing: int,
    lost: int,
) -> None:
    """Whatever is recorded and billed, the findings add up to the difference, to the last digit, and none is lost."""
    units = [recorded(day, model, unit, count, tier) for day, model, unit, count, tier in entries if count]
    lines = [
        line(day, model, unit, count if unit else None, amount, tier)
        for day, model, unit, count, amount, tier in billed
    ]

    _, found = reasons(lines, units, [seen(missing=missing)], lost)

    with localcontext(prec=60):
        apart = sum((each.amount or 0 for each in lines), Decimal(0)) - sum((each.cost for each in units), Decimal(0))
        assert all(each.difference is not None for each in found)
        assert sum((each.difference or 0 for each in found), Decimal(0)) - apart == 0
