"""Reads Alibaba Cloud's bills: DescribeInstanceBill of the BSS API, or the CSV file of its console."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from farebox_ledger.reconcile._lines import DAY, Line, moment, number, text_of

__all__ = ["alibaba_bill", "alibaba_csv"]

# Source: alibabacloud.com, api-bssopenapi-2017-12-14-describeinstancebill; help.aliyun.com/zh/model-studio, bills and
# costs: an instance's id lists ApiKeyID;workspace;model;kind;channel;flag, as 12…;llm-…;qwen-plus;output_token;app;0.
# The first is empty for the console's own calls, and kinds can bear a context tier; read 2026-11-23.
KINDS = (
    (re.compile(r"cache.*(creat|writ)", re.IGNORECASE), "cache_write_tokens"),
    (re.compile(r"cache", re.IGNORECASE), "cache_read_tokens"),
    (re.compile(r"input", re.IGNORECASE), "uncached_input_tokens"),
    (re.compile(r"output|completion", re.IGNORECASE), "output_tokens"),
)
TOKEN_KIND = re.compile(r"(input|output|cache)\w*[_ ]?token", re.IGNORECASE)
KEY_ID = re.compile(r"\d\w*")
SCALES = (
    (re.compile(r"million|百万", re.IGNORECASE), 1_000_000),
    (re.compile(r"(1,?000|thousand|千|k\b)", re.IGNORECASE), 1000),
)
# The console's headings, in lower case, without blanks and what stands in brackets; English ones are the API's, spaced.
HEADINGS = {
    "BillingCycle": ("billingcycle", "账单月份", "账期"),
    "BillingDate": ("billingdate", "账单日期"),
    "InstanceID": ("instanceid", "实例id", "资产/资源实例id"),
    "BillingItem": ("billingitem", "计费项"),
    "Usage": ("usage", "用量"),
    "UsageUnit": ("usageunit", "用量单位", "计量单位"),
    "PretaxAmount": ("pretaxamount", "应付金额"),
    "Currency": ("currency", "币种"),
    "Region": ("region", "地域"),
}
BRACKETS = re.compile(r"[(（].*?[)）]|\s")


def alibaba_bill(pages: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Read pages of DescribeInstanceBill, by day and billing item."""
    for page in pages:
        data = page.get("Data", page)
        items = data["Items"]
        for item in items.get("Item", items) if isinstance(items, Mapping) else items:
            yield from _line(item, text_of(data, "BillingCycle"))


def alibaba_csv(rows: Iterable[Mapping[str, str]]) -> Iterator[Line]:
    """Read the console's file, by day or by month, with headings in English or in Chinese."""
    for row in rows:
        plain = {BRACKETS.sub("", heading).lower(): value for heading, value in row.items()}
        yield from _line({name: text_of(plain, *known) for name, known in HEADINGS.items()}, "")


def _line(item: Mapping[str, Any], cycle: str) -> Iterator[Line]:
    amount = number(item.get("PretaxAmount"), "PretaxAmount")
    if amount is None:
        return
    month = text_of(item, "BillingCycle") or cycle
    day = text_of(item, "BillingDate") or f"{month[:4]}-{month[4:].removeprefix('-')}-01"
    start = moment(day, "BillingDate")
    key, workspace, model, unit = _what(text_of(item, "InstanceID"), text_of(item, "BillingItem"))
    quantity = number(item.get("Usage"), "Usage") if unit else None
    yield Line(
        start,
        start + DAY if text_of(item, "BillingDate") else _month_end(start),
        model=model,
        unit=unit,
        quantity=None if quantity is None else quantity * _scale(text_of(item, "UsageUnit")),
        amount=amount,
        currency=text_of(item, "Currency").upper() or "USD",
        region=text_of(item, "Region"),
        workspace=workspace,
        key_id=key,
        description=" ".join(filter(None, (text_of(item, "InstanceID"), text_of(item, "BillingItem")))),
    )


def _what(instance: str, billing_item: str) -> tuple[str, str, str, str]:
    """Take an instance's id apart: key, workspace, model and unit."""
    parts = [part.strip() for part in instance.split(";")]
    place = next((at for at, part in enumerate(parts) if TOKEN_KIND.search(part)), None)
    model = parts[place - 1] if place else (parts[-1] if len(parts) > 1 else "")
    words = parts[place] if place is not None else billing_item
    unit = next((unit for pattern, unit in KINDS if pattern.search(words)), "")
    workspace = parts[place - 2] if place is not None and place > 1 else ""
    key = parts[0] if place is not None and place > 2 and KEY_ID.fullmatch(parts[0]) else ""
    return (key, workspace, model, unit) if model and unit else ("", "", "", "")


def _scale(unit: str) -> Decimal:
    return Decimal(next((scale for pattern, scale in SCALES if pattern.search(unit)), 1))


def _month_end(start: Any) -> Any:
    return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
