"""The row that says how things stand: money today and this month, success, failures, what has no price, freshness."""

from __future__ import annotations

from farebox_dashboards._panels import COUNT, NOT_PRICED, SHARE, WHOLE, Panel, Row, figures

__all__ = ["NOW", "age", "cost_per_success", "failure_rate", "failure_spend", "not_priced"]

ALARM = ((None, "text"), (1, "orange"))
MINUTES_S = 60


def _today() -> Panel:
    return figures(
        "Spend today",
        "What was spent since midnight UTC, and yesterday until the same time of day.",
        "spend_today",
        "currencyUSD",
    )


def _month() -> Panel:
    return figures(
        "Month and forecast",
        "What was spent this month (UTC), by its end if spending goes on as in the last seven days, and its budget.",
        "spend_month",
        "currencyUSD",
    )


def cost_per_success(width: int) -> Panel:
    """Show cost per success, the number that decides between a cheap model and a dear one."""
    return figures(
        "Cost per success",
        "All money of the tasks that began in the range, retries and escalations too, for each that succeeded.",
        "success",
        "currencyUSD",
        columns={"successes": COUNT},
        only=("per success", "successes", NOT_PRICED),
        width=width,
    )


def failure_spend(width: int) -> Panel:
    """Show what was spent on attempts that were no good."""
    return figures(
        "Spent on failures",
        "Money of attempts that ended other than ok or whose answer a flag disqualifies, and its share of all spend.",
        "spend_on_failures",
        "currencyUSD",
        columns={"share of spend": SHARE},
        width=width,
    )


def failure_rate(width: int) -> Panel:
    """Show the share of calls without a good attempt."""
    return figures(
        "Failure rate",
        "Share of the calls that began in the range without a good attempt, with its 95 % interval.",
        "success",
        "percentunit",
        columns={"calls": COUNT},
        only=("failure rate", "at least", "at most", "calls"),
        decimals=1,
        width=width,
    )


def not_priced(width: int) -> Panel:
    """Show how much the money lacks."""
    return figures(
        "Not fully priced",
        "Attempts without a price in the book, without usage from the provider, and cut ones with a lower bound only.",
        "not_priced",
        WHOLE,
        decimals=0,
        steps=ALARM,
        width=width,
    )


def age(width: int) -> Panel:
    """Show for how long the ledger has received nothing."""
    return figures(
        "Age of data",
        "Time since the ledger received an attempt, whatever the variables say; a dash if none came for 31 days.",
        "data_age",
        "s",
        steps=((None, "green"), (5 * MINUTES_S, "orange"), (15 * MINUTES_S, "red")),
        width=width,
    )


NOW = Row(
    "Now",
    (_today(), _month(), cost_per_success(6), failure_spend(6), failure_rate(8), not_priced(8), age(8)),
)
