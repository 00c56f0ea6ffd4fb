"""The rows of prices: what a million tokens really cost, what other models would take, and how the book changed."""

from __future__ import annotations

from farebox_dashboards._panels import CHANGE, COUNT, DAY, WHOLE, Column, Panel, Row, chart, listing

__all__ = ["BOOK", "PRICES"]

A_MILLION = Column(unit="currencyUSD", decimals=3)
SHARE = Column(unit="percentunit", decimals=0)


def _effective() -> Panel:
    return listing(
        "Effective against list price",
        "Dollars for a million tokens as really paid, caches and tiers included, beside the book's list price.",
        "price_effective",
        "currencyUSD",
        columns={
            "model": Column(width=180),
            "spend": Column(unit="currencyUSD", gauge=True),
            "input tokens": COUNT,
            "output tokens": COUNT,
            **dict.fromkeys(
                (
                    "input, effective",
                    "input, list",
                    "output, effective",
                    "output, list",
                    "both, effective",
                    "both, discounted",
                ),
                A_MILLION,
            ),
            "of list": SHARE,
        },
    )


def _over_time() -> Panel:
    return chart(
        "Price of a million tokens",
        "What a million tokens of input and output cost over time on each model; points count what has no full price.",
        "price_over_time",
        "currencyUSD",
        label="model",
        not_priced="not_priced_over_time",
        points=48,
        width=24,
    )


def _others() -> Panel:
    return listing(
        "Spend at other models' prices",
        "What each model's tokens would have cost at the other models' prices, if answers were as long and as good.",
        "spend_at_other_models",
        "currencyUSD",
        columns={
            "model": Column(width=160),
            "at the prices of": Column(width=160),
            "change": CHANGE,
            "change, share": SHARE,
        },
        width=24,
        height=8,
    )


def _history() -> Panel:
    return listing(
        "Price history",
        "Prices in the book for the models of the range, for a million tokens or pieces, latest first, by whose word.",
        "price_history",
        "none",
        columns={
            "from": Column(unit="dateTimeAsIso", width=160),
            "model": Column(width=220),
            "of what": Column(width=260),
            "a million": Column(unit=WHOLE, decimals=6, width=100),
            "before": Column(unit=WHOLE, decimals=6, width=100),
            "change": SHARE,
            "read on": Column(unit=DAY, width=110),
        },
    )


PRICES = Row("What tokens cost", (_effective(), _over_time(), _others()))
BOOK = Row("The price book", (_history(),))
