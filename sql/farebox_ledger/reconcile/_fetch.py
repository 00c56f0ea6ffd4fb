"""Fetches bills from providers' own APIs; the keys come from the environment, and go nowhere but to their provider."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from farebox_ledger.errors import BillError
from farebox_ledger.reconcile._files import pages_bill
from farebox_ledger.reconcile._lines import Bill, day_start, read_json
from farebox_ledger.reconcile._sources import SOURCES, Ask, Report, Source

if TYPE_CHECKING:
    import requests

__all__ = ["fetch_bills"]

TIMEOUT_S = (10, 120)
ATTEMPTS = 6
WAIT_S_MAX = 120.0
PAGES_MAX = 10_000
IN_THE_CLEAR = {("http", host) for host in ("127.0.0.1", "localhost", "::1")}
WORDS_MAX = 200
PAGE_BYTES_MAX = 64 * 1024 * 1024
PAGE_S_MAX = 600.0
CHUNK_BYTES = 1024 * 1024
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def fetch_bills(name: str, since: datetime, until: datetime, now: datetime) -> list[Bill]:
    """Fetch what a provider says of the days of a period that are over.

    Raises:
        BillError: the key is not set or refused, the API does not answer, or not in its shape.
    """
    source = SOURCES[name]
    start, end = day_start(since), min(day_start(until - timedelta(microseconds=1)) + timedelta(days=1), day_start(now))
    if start >= end:
        raise BillError(f"no day from {since:%Y-%m-%d} on is over yet; fetch from an earlier one with --since")
    first = day_start(now) - timedelta(days=source.days) if source.days is not None else start
    if start < first:
        raise BillError(f"{source.name} tells of {source.days} days; fetch from {first:%Y-%m-%d} on")
    base, named = _base(source), _path_names(source)
    found = []
    with _session(source, base) as session:
        for report in source.reports:
            path = report.path.format(**named)
            address = f"{base}{path}"
            pages = [page for ask in report.ask(start, end) for page in _pages(session, source, report, address, ask)]
            where = f"{urlsplit(base).hostname}{path}"
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


def _path_names(source: Source) -> dict[str, str]:
    """Read what stands in paths from the environment: names of accounts, and no way out of the path."""
    found = {}
    for name, variable in source.path_variables.items():
        found[name] = os.environ.get(variable, "").strip()
        if not NAME.fullmatch(found[name]):
            said = f"is {found[name]!r}, which is no name" if found[name] else "is not set"
            raise BillError(f"{variable} {said}; set it to your account's name at {source.name}")
    return found


def _pages(
    session: requests.Session, source: Source, report: Report, address: str, ask: Ask
) -> Iterator[Mapping[str, Any]]:
    """Read page after page, as each names the next."""
    seen: set[str] = set()
    name, parameter = report.more
    for _ in range(PAGES_MAX):
        content = _ask(session, source, address, ask, optional=report.optional)
        if content is None:
            return
        page = _page(content, report, address)
        yield _timed(page, report, ask)
        token = str(page.get(name) or "") if page.get("has_more", True) else ""
        if not token:
            return
        if token in seen:
            raise BillError(f"{address} names the same next page again and again; fetch a shorter period")
        seen.add(token)
        ask = ask.after(parameter, token)
    raise BillError(f"{address} has more than {PAGES_MAX:,} pages; fetch a shorter period")


def _timed(page: Mapping[str, Any], report: Report, ask: Ask) -> Mapping[str, Any]:
    """Say of rows that name no time that they are of the period that was asked for."""
    if ask.period is None:
        return page
    start, end = (each.isoformat() for each in ask.period)
    rows = [
        {**row, "startTime": row.get("startTime") or start, "endTime": row.get("endTime") or end}
        for row in page[report.rows]
    ]
    return {**page, report.rows: rows}


def _ask(session: requests.Session, source: Source, address: str, ask: Ask, *, optional: bool) -> bytes | None:
    """Ask once, and again as long as the API asks for patience; None where the API has no such thing and need not."""
    import requests

    method = "GET" if ask.body is None else "POST"
    for attempt in range(ATTEMPTS):
        try:
            # A redirect would show the key to somebody else.
            with session.request(
                method,
                address,
                params=list(ask.parameters),
                json=ask.body,
                timeout=TIMEOUT_S,
                allow_redirects=False,
                stream=True,
            ) as answer:
                content = _content(answer, address)
        except requests.RequestException as error:
            raise BillError(f"{address} does not answer ({type(error).__name__}); try again later") from None
        if answer.status_code == 200:
            return content
        if answer.status_code == 404 and optional:
            return None
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


def _page(content: bytes, report: Report, address: str) -> Mapping[str, Any]:
    page: Any = read_json(content.decode(errors="replace"), address)
    rows = page.get(report.rows) if isinstance(page, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BillError(f"{address} answered with no page of a report; this farebox may be too old for it")
    return dict(page)


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
    hint = source.hints.get(status, "")
    return f"{address} answered {status}" + (f": {words}" if words else "") + (f"; {hint}" if hint else "")
