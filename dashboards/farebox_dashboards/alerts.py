"""The alert rules that farebox brings along."""

from __future__ import annotations

from farebox_dashboards._alerts import Rule, provisioning
from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards.overview import OVERVIEW
from farebox_dashboards.route import ROUTE

__all__ = ["ALERTS", "RULES"]

SPIKE_DEVIATIONS = 6.0
CALM_DEVIATIONS = 3.0
SILENT_S = 900

SPEND_SPIKE = Rule(
    uid="farebox-spend-spike",
    title="Spend spike",
    question="spend_spike",
    message_question="spend_spike_usd",
    above=SPIKE_DEVIATIONS,
    until_below=CALM_DEVIATIONS,
    pending="2m",
    keep_firing="10m",
    severity="page",
    panel="Spend by model",
    summary='{{ $labels.route }} spent ${{ printf "%.2f" $values.B.Value }} in ten minutes, far above what is usual',
    description=(
        "The last ten minutes against the same time of the seven days before, taken to today's level: "
        '{{ printf "%.1f" $values.A.Value }} robust deviations. '
        "/d/farebox-route?var-route={{ urlquery $labels.route }}&from=now-3h&to=now"
    ),
)

SPEND_SPIKE_HOURLY = Rule(
    uid="farebox-spend-spike-hourly",
    title="Spend spike on a quiet route",
    question="spend_spike_hourly",
    message_question="spend_spike_hourly_usd",
    above=SPIKE_DEVIATIONS,
    until_below=CALM_DEVIATIONS,
    pending="2m",
    keep_firing="10m",
    panel="Spend by model",
    summary='{{ $labels.route }} spent ${{ printf "%.2f" $values.B.Value }} in an hour, far above what is usual',
    description=(
        "The last hour against the same time of the seven days before, taken to today's level: "
        '{{ printf "%.1f" $values.A.Value }} robust deviations. '
        "/d/farebox-route?var-route={{ urlquery $labels.route }}&from=now-12h&to=now"
    ),
)

NOT_PRICED = Rule(
    uid="farebox-not-priced",
    title="A model without a price is called",
    question="not_priced",
    above=0,
    panel="Why attempts are not fully priced",
    summary="{{ $labels.model }} at {{ $labels.provider }} is called and has no price",
    description=(
        'Spend is short of what {{ printf "%.0f" $values.A.Value }} attempts of the last hour cost. '
        "Add the price: farebox prices import, or farebox.toml."
    ),
)

LEDGER_SILENT = Rule(
    uid="farebox-ledger-silent",
    title="The ledger receives nothing",
    question="ledger_silent",
    above=SILENT_S,
    no_data="Alerting",
    error="Alerting",
    severity="page",
    panel="Age of data",
    summary="The ledger has received nothing for {{ humanizeDuration $values.A.Value }}",
    description="Nobody calls, or spans do not arrive: look at farebox up, and at OTEL_EXPORTER_OTLP_ENDPOINT.",
)

RULES: tuple[tuple[Rule, Dashboard], ...] = (
    (SPEND_SPIKE, ROUTE),
    (SPEND_SPIKE_HOURLY, ROUTE),
    (NOT_PRICED, OVERVIEW),
    (LEDGER_SILENT, OVERVIEW),
)

ALERTS = provisioning(list(RULES))
