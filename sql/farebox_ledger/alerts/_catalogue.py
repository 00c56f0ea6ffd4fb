"""The alert rules that farebox brings along."""

from __future__ import annotations

from farebox_ledger.alerts._rules import COST_SPIKE, FAST_S, ROUTE, SLOW_S, Rule, Severity

__all__ = ["RULES"]

SPIKE_DEVIATIONS, QUIET_DEVIATIONS, CALM_DEVIATIONS = 4.5, 5.5, 2.5
RATE_DEVIATIONS = 4.5
SILENT_S = 600
# What must be left of a budget's period for each of these rates: two days of thirty, five days, all of it.
FAST_BURN, SLOW_BURN, LONG_BURN = 14.4, 6.0, 1.0

SPENT = ("spent", "expected", "times", "usd_a_call_times", "not_priced")
NOT_PRICED = "Not in it: {not_priced:.0f} attempts of unknown cost."
WHAT_CHANGED = (
    "That is {times:.1f} times what was to be expected, at {usd_a_call_times:.2f} times the usual cost of a call "
    "(near 1: there are more calls; well above: calls got dearer). {value:.1f} robust deviations. " + NOT_PRICED
)

SPIKES = (
    Rule(
        name="spend-spike",
        title="Spend spike",
        means="A route spends far above what is usual at this time. Three times the usual is told within ten minutes.",
        question="spend_spike",
        labels=("route",),
        facts=SPENT,
        above=SPIKE_DEVIATIONS,
        until_below=CALM_DEVIATIONS,
        pending_s=60,
        keep_firing_s=600,
        severity="page",
        leads_to=COST_SPIKE,
        summary="{route} spent ${spent:.2f} in ten minutes; ${expected:.2f} was to be expected",
        description=WHAT_CHANGED,
    ),
    Rule(
        name="spend-spike-hourly",
        title="Spend spike on a quiet route",
        means="The same for routes under a dollar in ten minutes; three times the usual is told in 20 to 60 minutes.",
        question="spend_spike_hourly",
        labels=("route",),
        facts=SPENT,
        above=QUIET_DEVIATIONS,
        until_below=CALM_DEVIATIONS,
        pending_s=120,
        keep_firing_s=600,
        leads_to=COST_SPIKE,
        summary="{route} spent ${spent:.2f} in an hour; ${expected:.2f} was to be expected",
        description=WHAT_CHANGED,
    ),
)

BURN_SAYS = (
    "${spent:.2f} of a budget of ${amount:.2f} went in that time: {value:.1f} times the rate that just uses it up. "
    + NOT_PRICED
)
PACES: tuple[tuple[str, float, int, int, Severity, str], ...] = (
    ("fast", FAST_BURN, 120, FAST_S, "page", "over the last hour"),
    ("slow", SLOW_BURN, 900, FAST_S, "page", "over the last six hours"),
    ("long", LONG_BURN, 3600, SLOW_S, "ticket", "over the last three days"),
)
BUDGETS = tuple(
    Rule(
        name=f"budget-burn-{pace}",
        title=f"Budget burn, {pace}",
        means=f"A budget burns {above:g} times the rate that would just use it up, " + over + ".",
        question=f"budget_burn_{pace}",
        labels=("budget",),
        facts=("spent", "amount", "not_priced"),
        above=above,
        pending_s=pending_s,
        keep_firing_s=600,
        every_s=every_s,
        severity=severity,
        summary="The budget {budget} burns {value:.1f} times too fast, " + over,
        description=BURN_SAYS,
    )
    for pace, above, pending_s, every_s, severity, over in PACES
)

SPENT_BUDGET = Rule(
    name="budget-spent",
    title="Budget is spent",
    means="More than a budget's amount is spent before its period is over.",
    question="budget_spent",
    labels=("budget",),
    facts=("spent", "amount", "not_priced"),
    above=1.0,
    every_s=SLOW_S,
    severity="page",
    summary="The budget {budget} is spent: ${spent:.2f} of ${amount:.2f}",
    description="Its period is not over. `farebox budget show` says what it will come to. " + NOT_PRICED,
)

RATES = (
    Rule(
        name="failure-rate",
        title="Failures of a route",
        means="Attempts of a route fail in one way at least twice as often as before, five times or more in an hour.",
        question="failure_rate",
        labels=("route", "failure"),
        facts=("failed", "share_now", "share_before", "spent"),
        above=RATE_DEVIATIONS,
        until_below=RATE_DEVIATIONS / 2,
        pending_s=120,
        keep_firing_s=900,
        severity="page",
        leads_to=ROUTE,
        summary="{route}: {failure} at {share_now:.1%} of the last hour, where {share_before:.1%} was usual",
        description="{failed:.0f} failures, ${spent:.2f} spent on them. {value:.1f} standard deviations.",
    ),
    Rule(
        name="malformed-rate",
        title="Malformed tool calls of a route",
        means="At least twice as many of a route's tool calls are malformed as before, five or more in an hour.",
        question="malformed_rate",
        labels=("route",),
        facts=("failed", "share_now", "share_before", "spent"),
        above=RATE_DEVIATIONS,
        until_below=RATE_DEVIATIONS / 2,
        pending_s=120,
        keep_firing_s=900,
        leads_to=ROUTE,
        summary="{route}: {share_now:.1%} of tool calls malformed in the last hour, where {share_before:.1%} was usual",
        description="{failed:.0f} malformed calls, ${spent:.2f} spent on them. {value:.1f} standard deviations.",
    ),
    Rule(
        name="cost-per-success",
        title="Cost per success of a route",
        means="What a success of a route costs is half as dear again as usual, over six hours and twenty tasks.",
        question="cost_per_success",
        labels=("route",),
        facts=("usd_a_success", "usual_usd_a_success", "spent", "successes"),
        above=4.0,
        until_below=2.0,
        pending_s=600,
        keep_firing_s=1800,
        every_s=SLOW_S,
        leads_to=COST_SPIKE,
        summary="A success of {route} costs ${usd_a_success:.4f}, where ${usual_usd_a_success:.4f} was usual",
        description="${spent:.2f} for {successes:.0f} successes in six hours. {value:.1f} robust deviations.",
    ),
    Rule(
        name="cache-collapse",
        title="Cache hit rate collapsed",
        means="A route reads less than half as much of its input from the cache as usual.",
        question="cache_collapse",
        labels=("route", "model"),
        facts=("hit_rate", "usual_hit_rate", "spent"),
        above=0.5,
        until_below=0.3,
        pending_s=600,
        keep_firing_s=1800,
        every_s=SLOW_S,
        leads_to=COST_SPIKE,
        summary="{route} reads {hit_rate:.0%} of its input for {model} from the cache; {usual_hit_rate:.0%} was usual",
        description="${spent:.2f} went for input at full price lately. Did a prompt change at its beginning?",
    ),
)

LEDGER = (
    Rule(
        name="not-priced",
        title="A model without a price is called",
        means="A model is called that has no price, so that spend is short of what it costs.",
        question="not_priced",
        labels=("model", "provider"),
        above=0,
        summary="{model} at {provider} is called and has no price",
        description=(
            "Spend is short of what {value:.0f} attempts of the last hour cost. Add the price: farebox prices import, "
            "or farebox.toml."
        ),
    ),
    Rule(
        name="bill-differs",
        title="A bill and the ledger differ",
        means="Days of the last 35 that were held against a bill differ by a dollar or more, beyond tolerance.",
        question="bill_differs",
        labels=("provider", "currency"),
        facts=("difference_sum", "days", "share"),
        above=1.0,
        every_s=SLOW_S,
        summary="Bill and ledger of {provider} differ by {difference_sum:+.2f} {currency}, {share:.1%} of the bill",
        description="{days:.0f} days differ; above 0, more was billed than is recorded. `farebox reconcile` says why.",
    ),
    Rule(
        name="new-name",
        title="A new model or route is called",
        means="A model or route is called that was not in the thirty days before.",
        question="new_name",
        labels=("kind", "name"),
        facts=("spent",),
        above=0,
        every_s=SLOW_S,
        summary="The {kind} {name} is new: {value:.0f} attempts in the last hour",
        description="It was not called in the thirty days before, and cost ${spent:.2f} in this hour.",
    ),
    Rule(
        name="ledger-silent",
        title="The ledger receives nothing",
        means="Nothing has been received for ten minutes, and for five more.",
        question="ledger_silent",
        labels=(),
        above=SILENT_S,
        pending_s=300,
        severity="page",
        silence_is_trouble=True,
        summary="The ledger has received nothing for {value:duration}",
        description="Nobody calls, or spans do not arrive: look at farebox up, and at OTEL_EXPORTER_OTLP_ENDPOINT.",
    ),
)

RULES: tuple[Rule, ...] = (*SPIKES, *BUDGETS, SPENT_BUDGET, *RATES, *LEDGER)
