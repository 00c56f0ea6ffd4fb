"""Says what is asked of each provider's own API for its bills: where, with which key, and how the pages follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from farebox_ledger.reconcile._lines import DAY

__all__ = ["SOURCES", "Ask", "Report", "Source"]

MONTH_MAX = timedelta(days=31)


@dataclass(frozen=True)
class Ask:
    """One question: its parameters, or what is posted; `period` is what rows without a time of their own are of."""

    parameters: Sequence[tuple[str, str]] = ()
    body: Mapping[str, Any] | None = None
    period: tuple[datetime, datetime] | None = None

    def after(self, name: str, token: str) -> Ask:
        """Ask for the page that a token leads to."""
        if self.body is not None:
            return Ask(body={**self.body, name: token}, period=self.period)
        kept = [each for each in self.parameters if each[0] != name]
        return Ask([*kept, (name, token)], period=self.period)


@dataclass(frozen=True)
class Report:
    """One report of an API: its path, the format of its pages, and what to ask of a period.

    rows: what a page has its rows under. more: the field that names the next page, and what it is asked for by.
    optional: an API that does not have it is asked no further.
    """

    path: str
    format: str
    ask: Callable[[datetime, datetime], Iterator[Ask]]
    rows: str = "data"
    more: tuple[str, str] = ("next_page", "page")
    optional: bool = False


@dataclass(frozen=True)
class Source:
    """One provider's API: where it is, which variables hold the key and what its paths name, how the key is shown.

    days: how many days back it tells of; None: any. hints: what helps where it answers with a status.
    """

    name: str
    address: str
    address_variable: str
    key_variables: tuple[str, ...]
    headers: Callable[[str], Mapping[str, str]]
    reports: tuple[Report, ...]
    path_variables: Mapping[str, str] = field(default_factory=dict)
    days: int | None = None
    hints: Mapping[int, str] = field(default_factory=dict)


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _anthropic(*groups: str, **more: str) -> Callable[[datetime, datetime], Iterator[Ask]]:
    grouped = [*more.items(), *(("group_by[]", group) for group in groups)]

    def ask(start: datetime, end: datetime) -> Iterator[Ask]:
        yield Ask([("starting_at", _iso(start)), ("ending_at", _iso(end)), ("limit", "31"), *grouped])

    return ask


def _openai(limit: int, *groups: str) -> Callable[[datetime, datetime], Iterator[Ask]]:
    grouped = [("bucket_width", "1d"), ("limit", str(limit)), *(("group_by[]", group) for group in groups)]

    def ask(start: datetime, end: datetime) -> Iterator[Ask]:
        bounds = [("start_time", str(int(start.timestamp()))), ("end_time", str(int(end.timestamp())))]
        yield Ask([*bounds, *grouped])

    return ask


def _whole(_start: datetime, _end: datetime) -> Iterator[Ask]:
    """Ask for all there is."""
    yield Ask()


def _together(start: datetime, end: datetime) -> Iterator[Ask]:
    """Ask for each month."""
    month = datetime(start.year, start.month, 1, tzinfo=UTC)
    while month < end:
        yield Ask([("month", f"{month:%Y-%m}"), ("granularity", "day"), ("limit", "1000")])
        month = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def _fireworks_usage(start: datetime, end: datetime) -> Iterator[Ask]:
    """Ask for each day by itself: rows do not always say of which they are."""
    while start < end:
        bounds = [("startTime", _iso(start)), ("endTime", _iso(start + DAY))]
        yield Ask([*bounds, ("usageType", "SERVERLESS"), ("groupBy", "model_name")], period=(start, start + DAY))
        start += DAY


def _fireworks_costs(start: datetime, end: datetime) -> Iterator[Ask]:
    """Ask for a month at a time, the longest that is answered."""
    while start < end:
        until = min(start + MONTH_MAX, end)
        bounds = {"startTime": _iso(start), "endTime": _iso(until)}
        yield Ask(body={**bounds, "scope": "ACCOUNT", "groupBy": ["DAY", "MODEL"], "pageSize": 1000})
        start = until


def _bearer(key: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {key}"}


# Source: platform.claude.com/docs/en/api/admin, admin resources of openai 3.54.0, openrouter.ai/docs/api,
# docs.fireworks.ai/api-reference, docs.together.ai/reference/billing-usage; read 2026-11-23.
SOURCES: Mapping[str, Source] = {
    "anthropic": Source(
        "Anthropic",
        "https://api.anthropic.com",
        "ANTHROPIC_BASE_URL",
        ("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_ADMIN_API_KEY"),
        lambda key: {"x-api-key": key, "anthropic-version": "2023-06-01"},
        (
            Report(
                "/v1/organizations/usage_report/messages",
                "anthropic-usage",
                _anthropic("model", "service_tier", "workspace_id", "api_key_id", bucket_width="1d"),
            ),
            Report("/v1/organizations/cost_report", "anthropic-cost", _anthropic("workspace_id", "description")),
        ),
    ),
    "openai": Source(
        "OpenAI",
        "https://api.openai.com/v1",
        "OPENAI_BASE_URL",
        ("OPENAI_ADMIN_KEY",),
        _bearer,
        (
            Report(
                "/organization/usage/completions",
                "openai-usage",
                _openai(31, "model", "project_id", "api_key_id", "batch", "service_tier"),
            ),
            Report("/organization/usage/embeddings", "openai-usage", _openai(31, "model", "project_id", "api_key_id")),
            Report(
                "/organization/usage/decisions",
                "openai-usage",
                _openai(31, "model", "project_id", "api_key_id", "batch", "service_tier"),
                optional=True,
            ),
            Report("/organization/costs", "openai-costs", _openai(180, "line_item", "project_id")),
        ),
    ),
    "openrouter": Source(
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        "OPENROUTER_BASE_URL",
        ("OPENROUTER_MANAGEMENT_KEY", "OPENROUTER_PROVISIONING_KEY"),
        _bearer,
        (Report("/activity", "openrouter", _whole),),
        days=30,
    ),
    "fireworks": Source(
        "Fireworks",
        "https://api.fireworks.ai/v1",
        "FIREWORKS_API_URL",
        ("FIREWORKS_API_KEY",),
        _bearer,
        (
            Report("/accounts/{account}/billingUsage", "fireworks-usage", _fireworks_usage, "serverlessCosts"),
            Report(
                "/accounts/{account}/usageCosts:query",
                "fireworks-costs",
                _fireworks_costs,
                "rows",
                ("nextPageToken", "pageToken"),
            ),
        ),
        path_variables={"account": "FIREWORKS_ACCOUNT_ID"},
        days=100,
    ),
    "together": Source(
        "Together",
        "https://api.together.ai/v1",
        "TOGETHER_API_URL",
        ("TOGETHER_API_KEY",),
        _bearer,
        (Report("/billing/usage", "together", _together, more=("next_cursor", "after")),),
        hints={404: "Together opens this report by organization, and its support does so"},
    ),
}
