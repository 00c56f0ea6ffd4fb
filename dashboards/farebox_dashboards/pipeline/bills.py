"""The row of bills: whether what providers bill agrees with the ledger."""

from __future__ import annotations

from farebox_dashboards._panels import CHANGE, DAY, Column, Panel, Row, listing

__all__ = ["BILLS"]

AMOUNT = Column(unit="none", decimals=2)


def _bills() -> Panel:
    return listing(
        "Bills against the ledger",
        "What providers billed a day and what the ledger recorded, by the latest check, of 31 days to the range's end.",
        "bills",
        "none",
        columns={
            "day": Column(unit=DAY, width=110),
            "provider": Column(width=120),
            "state": Column(width=130),
            "billed": AMOUNT,
            "recorded": AMOUNT,
            "difference": Column(
                unit="none", decimals=2, settings=CHANGE.settings, steps=((None, "red"), (0, "text"), (0.01, "red"))
            ),
            "of it": AMOUNT,
            "checked": Column(unit="dateTimeAsIso", width=160),
        },
    )


BILLS = Row("Bills", (_bills(),))
