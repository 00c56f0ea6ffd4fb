"""Fetches bills from providers' own APIs; the keys come from the environment, and go nowhere but to their provider."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from farebox_ledger.errors import BillError
from farebox_ledger.reconcile._files import pages_bill
from farebox_ledger.reconcile._lines import Bill, day_start, read_json

if TYPE_CHECKING:
    import requests

__all__ = ["SOURCES", "fetch_bills"]

TIMEOUT_S = (10, 120)
ATTEMPTS = 6
WAIT_S_MAX = 120.0
PAGES_MAX = 10_000
IN_THE_CLEAR = {("http", host) for host in ("127.0.0.1", "localhost", "::1")}
WORDS_MAX = 200
OPENROUTER_DAYS = 30
PAGE_BYTES_MAX = 64 * 1024 * 1024
PAGE_S_MAX = 600.0
CHUNK_BYTES = 1024 * 1024

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Report:
    """One report of an API: its path, the format of its pages, and what to ask of a period."""

    path: str
    format: str
    ask: Callable[[datetime, datetime], Parameters]


@dataclass(frozen=True)
class Source:
    """One provider's API: where it is, which variable holds the key, and how the key is shown."""

    address: str
    address_variable: str
    key_variables: tuple[str, ...]
    headers: Callable[[str], Mapping[str, str]]
    reports: tuple[Report, ...]


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _anthropic(*groups: str) -> Callable[[datetime, datetime], Parameters]:
    grouped = [("group_by[]", group) for group in groups]
    return lambda start, end: [("starting_at", _iso(start)), ("ending_at", _iso(end)), ("limit", "31"), *grouped]


def _openai(limit: int, *groups: str) -> Callable[[datetime, datetime], Parameters]:
    grouped = [("bucket_width", "1d"), ("limit", str(limit)), *(("group_by[]", group) for group in groups)]
    return lambda start, end: [
        ("start_time", str(int(start.timestamp()))),
        ("end_time", str(int(end.timestamp()))),
        *grouped,
    ]


def _whole(_start: datetime, _end: datetime) -> Parameters:
    """Ask for all there is: OpenRouter tells of the last 30 days at once."""
    return ()


def _bearer(key: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {key}"}


# Source: platform.claude.com/docs/en/api/admin, admin resources of openai 3.54.0, openrouter.ai/docs/api; 2026-11-23.
SOURCES: Mapping[str, Source] = {
    "anthropic": Source(
        "https://api.anthropic.com",
        "ANTHROPIC_BASE_URL",
        ("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_ADMIN_API_KEY"),
        lambda key: {"x-api-key": key, "anthropic-version": "2023-06-01"},
        (
            Report(
                "/v1/organizations/usage_report/messages",
                "anthropic-usage",
                lambda start, end: [
                    ("bucket_width", "1d"),
                    *_anthropic("model", "service_tier", "workspace_id", "api_key_id")(start, end),
                ],
            ),
            Report("/v1/organizations/cost_report", "anthropic-cost", _anthropic("workspace_id", "description")),
        ),
    ),
    "openai": Source(
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
            Report("/organization/costs", "openai-costs", _openai(180, "line_item", "project_id")),
        ),
    ),
    "openrouter": Source(
        "https://openrouter.ai/api/v1",
        "OPENROUTER_BASE_URL",
        ("OPENROUTER_MANAGEMENT_KEY", "OPENROUTER_PROVISIONING_KEY"),
        _bearer,
        (Report("/activity", "openrouter", _whole),),
    ),
}


def fetch_bills(name: str, since: datetime, until: datetime, now: datetime) -> list[Bill]:
    """Fetch what a provider says of the days of a period that are over.

    Raises:
        BillError: the key is not set or refused, the API does not answer, or not in its shape.
    """
    source = SOURCES[name]
    start, end = day_start(since), min(day_start(until - timedelta(microseconds=1)) + timedelta(days=1), day_start(now))
    if start >= end:
        raise BillError(f"no day from {since:%Y-%m-%d} on is over yet; fetch from an earlier one with --since")
    if name == "openrouter" and start < day_start(now) - timedelta(days=OPENROUTER_DAYS):
        raise BillError(
            f"OpenRouter tells of {OPENROUTER_DAYS} days; fetch from {now - timedelta(days=30):%Y-%m-%d} on"
        )
    base = _base(source)
    found = []
    with _session(source, base) as session:
        for report in source.reports:
            pages = list(_pages(session, source, f"{base}{report.path}", report.ask(start, end)))
            where = f"{urlsplit(base).hostname}{report.path}"
            bill = pages_bill(report.format, pages, where, name, (start, end))
            lines = tuple(line for line in bill.lines if start <= line.start < end)
            found.append(Bill(name, bill.bill_id, bill.format, start, end, where, lines))
    return found


def _base(source: Source) -> str:
    base = os.environ.get(source.address_variable, "") or source.address
    parts = urlsplit(base)
    if parts.username or parts.password:
        raise BillError(f"{source.address_variable} holds a user or password; leave them out, the key is enough")
    if not parts.hostname or (parts.scheme != "https" and (parts.scheme, parts.hostname) not in IN_THE_CLEAR):
        raise BillError(f"{source.address_variable}={base!r} is not https; a key is sent nowhere else")
    return base.rstrip("/")


def _session(source: Source, base: str) -> requests.Session:
    import requests

    name, key = next(
        ((name, os.environ[name].strip()) for name in source.key_variables if os.environ.get(name)), ("", "")
    )
    if not key:
        raise BillError(
            f"{source.key_variables[0]} is not set; set it to a key that may read the organization's usage and costs"
        )
    if not (key.isascii() and key.isprintable()):
        raise BillError(f"{name} holds a character that no key has; copy the key again")
    headers = dict(source.headers(key))

    def show(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(headers)  # instead of what .netrc may hold
        return request

    session = requests.Session()
    session.auth = show
    if not base.startswith("https:"):
        session.trust_env = False  # not through a proxy, who would read the key
    return session


def _pages(session: requests.Session, source: Source, address: str, asked: Parameters) -> Iterator[Mapping[str, Any]]:
    """Read page after page, as each names the next."""
    token, seen = "", set()
    for _ in range(PAGES_MAX):
        page = _ask(session, source, address, [*asked, *([("page", token)] if token else [])])
        yield page
        token = str(page.get("next_page") or "") if page.get("has_more") else ""
        if not token:
            return
        if token in seen:
            raise BillError(f"{address} names the same next page again and again; fetch a shorter period")
        seen.add(token)
    raise BillError(f"{address} has more than {PAGES_MAX:,} pages; fetch a shorter period")


def _ask(session: requests.Session, source: Source, address: str, asked: Parameters) -> Mapping[str, Any]:
    """Ask once, and again as long as the API asks for patience."""
    import requests

    for attempt in range(ATTEMPTS):
        try:
            # A redirect would show the key to somebody else.
            with session.get(
                address, params=list(asked), timeout=TIMEOUT_S, allow_redirects=False, stream=True
            ) as answer:
                content = _content(answer, address)
        except requests.RequestException as error:
            raise BillError(f"{address} does not answer ({type(error).__name__}); try again later") from None
        if answer.status_code == 200:
            return _page(content, address)
        if answer.status_code not in (408, 409, 429) and answer.status_code < 500:
            raise BillError(_refusal(answer.status_code, content, source, address))
        if attempt + 1 < ATTEMPTS:
            time.sleep(_patience(answer, attempt))
    raise BillError(f"{address} answered {answer.status_code} {ATTEMPTS} times; try again later")


def _content(answer: requests.Response, address: str) -> bytes:
    """Read an answer, unpacked; one that does not end is left."""
    content, until = bytearray(), time.monotonic() + PAGE_S_MAX
    for chunk in answer.iter_content(CHUNK_BYTES):
        content += chunk
        if len(content) > PAGE_BYTES_MAX or time.monotonic() > until:
            raise BillError(
                f"{address} answers with more than {PAGE_BYTES_MAX // 1024**2} MB, or for longer than "
                f"{PAGE_S_MAX / 60:.0f} minutes; fetch a shorter period"
            )
    return bytes(content)


def _page(content: bytes, address: str) -> Mapping[str, Any]:
    page = read_json(content.decode(errors="replace"), address)
    if not isinstance(page, dict) or not isinstance(page.get("data"), list):
        raise BillError(f"{address} answered with no page of a report; this farebox may be too old for it")
    return page


def _patience(answer: requests.Response, attempt: int) -> float:
    try:
        asked = float(answer.headers.get("retry-after", ""))
    except ValueError:
        asked = 2.0**attempt
    return min(max(asked, 0.0), WAIT_S_MAX)


def _refusal(status: int, content: bytes, source: Source, address: str) -> str:
    if status in (401, 403):
        return (
            f"{address} refuses the key in {' or '.join(source.key_variables)} ({status}); "
            "it takes an administrator's key, not one that makes calls"
        )
    try:
        said = json.loads(content)["error"]
        words = said.get("message", "") if isinstance(said, dict) else str(said)
    except (ValueError, KeyError, TypeError):
        words = ""
    words = " ".join(str(words).split())[:WORDS_MAX]
    if any(os.environ.get(name, "").strip() and os.environ[name].strip() in words for name in source.key_variables):
        words = ""
    return f"{address} answered {status}" + (f": {words}" if words else "")
