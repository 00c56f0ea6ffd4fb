"""Writes the ledger as FOCUS rows: columns of FOCUS 1.2 with the names of 1.3 beside, a row a meter and price."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from farebox_ledger._focus_names import developer, meter_of, provider_of
from farebox_ledger._period import Period
from farebox_ledger._query import run_query

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["CALL_COLUMNS", "COLUMNS", "GRAINS", "TAGS", "UNPRICED_COLUMNS", "Export", "export_focus"]

GRAINS = ("hour", "day", "call")
TAGS = ("environment", "prompt_version", "route", "service", "task", "tenant", "user")
# Where the provider did not say which account it bills: the column may not be empty.
NOT_REPORTED = "not reported"
DIGITS = 60
COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    # FOCUS 1.3
    "HostProviderName",
    "ServiceProviderName",
    # farebox
    "x_CallCount",
    "x_CostBasis",
    "x_FareboxVersion",
    "x_IncompleteCallCount",
    "x_PriceBookVersion",
    "x_PriceSource",
    "x_UsageLeaf",
)
CALL_COLUMNS = ("x_SpanId", "x_TraceId")
UNPRICED_COLUMNS = (
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ProviderName",
    "BillingAccountId",
    "SubAccountId",
    "RegionId",
    "ConsumedQuantity",
    "ConsumedUnit",
    "SkuMeter",
    "Tags",
    "x_ModelId",
    "x_ServiceTier",
    "x_UsageLeaf",
    "x_UnpricedCallCount",
    "x_PriceState",
    "x_PriceReason",
)
Value = str | int | Decimal | datetime | None
Row = dict[str, Value]


@dataclass(frozen=True)
class Export:
    """Rows with a price and rows without, and what they come to.

    `totals` are ListCost and ContractedCost by currency; `unpriced_calls` are in no cost at all, `incomplete_calls` are
    in them with a lower bound.
    """

    rows: Sequence[Row]
    unpriced: Sequence[Row]
    columns: Sequence[str]
    unpriced_columns: Sequence[str]
    totals: Mapping[str, tuple[Decimal, Decimal]]
    unpriced_calls: int
    incomplete_calls: int


def export_focus(
    client: Client,
    period: Period,
    grain: str = "hour",
    tags: Sequence[str] = ("environment", "route", "service", "tenant"),
    route: str = "",
    model: str = "",
) -> Export:
    """Read a period of the ledger as FOCUS rows; costs add up to the ledger's, to the last digit.

    Raises:
        QueryError: ClickHouse refused the question.
    """
    asked = {
        "since": period.since,
        "until": period.until,
        "grain": grain,
        "tags": list(tags),
        "route": route,
        "model": model,
    }
    matched, sources = _matched(client), _sources(client)
    totals: dict[str, tuple[Decimal, Decimal]] = {}
    rows = []
    with localcontext(prec=DIGITS):
        for said in run_query(client, "focus/charges", asked):
            rows.append(_row(said, grain, matched, sources))
            listed, paid = totals.get(said["currency"], (Decimal(0), Decimal(0)))
            totals[said["currency"]] = listed + said["list_cost"], paid + said["net_cost"]
        unpriced = run_query(client, "focus/unpriced", asked)
        ((incomplete,),) = client.query(
            "SELECT count() FROM llm_attempts WHERE started_at >= {since:DateTime64(6, 'UTC')} "
            "AND started_at < {until:DateTime64(6, 'UTC')} AND price_state = 'partial' "
            "AND ({route:String} = '' OR route = {route:String}) AND ({model:String} = '' OR model = {model:String})",
            asked,
        ).result_rows
    calls = CALL_COLUMNS if grain == "call" else ()
    return Export(
        rows=rows,
        unpriced=[_unpriced_row(said, grain) for said in unpriced],
        columns=(*COLUMNS, *calls),
        unpriced_columns=(*UNPRICED_COLUMNS, *calls),
        totals=totals,
        unpriced_calls=sum(said["calls"] for said in unpriced),
        incomplete_calls=incomplete,
    )


def _row(
    said: Mapping[str, Any], grain: str, matched: set[tuple[str, Any]], sources: Mapping[tuple[str, ...], str]
) -> Row:
    provider, meter = provider_of(said["provider"]), meter_of(said["unit"])
    start = _aware(said["period_start"])
    month = start.replace(day=1, hour=0)
    price, factor = said["list_unit_price"], Decimal(said["factor"])
    block = Decimal(meter.block)
    account = said["organization"] or NOT_REPORTED
    sub_account = said["workspace"] or said["project"] or None
    return {
        **_period(said, grain),
        **_costs(said),
        "BillingAccountId": account,
        "BillingAccountName": said["organization"] or None,
        "BillingCurrency": said["currency"],
        "BillingPeriodStart": month,
        "BillingPeriodEnd": (month + timedelta(days=32)).replace(day=1),
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeDescription": _description(said, meter.name),
        "ChargeFrequency": "Usage-Based",
        "ConsumedQuantity": Decimal(said["units"]),
        "ConsumedUnit": meter.unit,
        "ContractedUnitPrice": None if price is None else price * factor * block,
        "InvoiceId": None,
        "InvoiceIssuerName": provider.name,
        "ListUnitPrice": None if price is None else price * block,
        "PricingCategory": "Standard",
        "PricingQuantity": Decimal(said["units"]) / block,
        "PricingUnit": meter.unit if meter.block == 1 else f"{meter.block} {meter.unit}",
        "ProviderName": provider.name,
        "PublisherName": developer(said["model"]) or provider.name,
        "RegionId": said["region"] or None,
        "RegionName": said["region"] or None,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": provider.service,
        "ServiceSubcategory": "Generative AI",
        "SkuId": f"{said['provider']}/{said['model']}/{said['unit']}",
        "SkuMeter": meter.name,
        "SkuPriceDetails": _price_details(said),
        "SkuPriceId": f"{said['price_id']}/{said['unit']}",
        "SubAccountId": sub_account,
        "SubAccountName": sub_account,
        "Tags": _json(said["tags"]),
        "HostProviderName": provider.name,
        "ServiceProviderName": provider.name,
        "x_CallCount": said["calls"],
        "x_CostBasis": "Reconciled" if (said["provider"], start.date()) in matched else "Estimated",
        "x_FareboxVersion": _version(),
        "x_IncompleteCallCount": said["partial_calls"],
        "x_PriceBookVersion": _aware(said["book_version"]).isoformat(),
        "x_PriceSource": sources.get((said["provider"], said["model"], said["tier"], said["unit"])),
        "x_UsageLeaf": said["unit"],
    }


def _costs(said: Mapping[str, Any]) -> Row:
    """Give the four costs: what is agreed on is what is billed, as far as the ledger can know."""
    paid = said["net_cost"]
    return {"BilledCost": paid, "ContractedCost": paid, "EffectiveCost": paid, "ListCost": said["list_cost"]}


def _period(said: Mapping[str, Any], grain: str) -> Row:
    start = _aware(said["period_start"])
    calls: Row = {"x_SpanId": said["span"], "x_TraceId": said["trace"]} if grain == "call" else {}
    return {
        "ChargePeriodStart": start,
        "ChargePeriodEnd": start + (timedelta(days=1) if grain == "day" else timedelta(hours=1)),
        **calls,
    }


def _unpriced_row(said: Mapping[str, Any], grain: str) -> Row:
    meter = meter_of(said["unit"]) if said["unit"] else None
    return {
        **_period(said, grain),
        "ProviderName": provider_of(said["provider"]).name,
        "BillingAccountId": said["organization"] or NOT_REPORTED,
        "SubAccountId": said["workspace"] or said["project"] or None,
        "RegionId": said["region"] or None,
        "ConsumedQuantity": None if said["units"] is None else Decimal(said["units"]),
        "ConsumedUnit": meter.unit if meter else None,
        "SkuMeter": meter.name if meter else None,
        "Tags": _json(said["tags"]),
        "x_ModelId": said["model"],
        "x_ServiceTier": said["tier"] or None,
        "x_UsageLeaf": said["unit"] or None,
        "x_UnpricedCallCount": said["calls"],
        "x_PriceState": said["price_state"],
        "x_PriceReason": said["price_reason"],
    }


def _description(said: Mapping[str, Any], meter: str) -> str:
    tier = f", {said['tier']}" if said["tier"] else ""
    return f"{meter} of {said['model']} at {provider_of(said['provider']).name}{tier}"


def _price_details(said: Mapping[str, Any]) -> str:
    meter = meter_of(said["unit"])
    details = {
        "x_ModelId": said["model"],
        "x_ModelDeveloper": developer(said["model"]),
        "x_TokenDirection": meter.direction,
        "x_TokenCacheAction": meter.cache,
        "x_CacheDuration": meter.duration,
        "x_ServiceTier": said["tier"],
    }
    return _json({name: value for name, value in details.items() if value})


def _matched(client: Client) -> set[tuple[str, Any]]:
    rows = client.query(
        "SELECT provider, day FROM bill_days GROUP BY provider, day HAVING countIf(state != 'matched') = 0"
    )
    return {(provider, day) for provider, day in rows.result_rows}


def _sources(client: Client) -> dict[tuple[str, ...], str]:
    """Find where prices are from, as long as that is one place."""
    rows = client.query(
        "SELECT provider, model, variant, unit, any(source) FROM prices WHERE price IS NOT NULL "
        "GROUP BY provider, model, variant, unit HAVING uniqExact(source) = 1"
    )
    return {(provider, model, variant, unit): source for provider, model, variant, unit, source in rows.result_rows}


@cache
def _version() -> str:
    return version("farebox")


def _json(value: Mapping[str, str]) -> str:
    return json.dumps(dict(sorted(value.items())), ensure_ascii=False)


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
