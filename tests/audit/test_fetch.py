"""Bills are fetched page by page, patiently, with keys from the environment that go nowhere else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from audit.test_formats import (
    ANTHROPIC_COST,
    ANTHROPIC_USAGE,
    FIREWORKS_COSTS,
    FIREWORKS_USAGE,
    OPENAI_COSTS,
    OPENAI_USAGE,
    OPENROUTER,
    TOGETHER,
    UNIX,
)

from farebox._cli import main
from farebox_ledger import Store
from farebox_ledger.errors import BillError
from farebox_ledger.reconcile._fetch import fetch_bills

KEY = "sk-admin-very-secret"
NOW = datetime(2026, 11, 6, 15, tzinfo=UTC)
SINCE = datetime(2026, 11, 3, 9, tzinfo=UTC)


@dataclass
class Api:
    """A provider on this machine that answers as it was told, and notes what it was asked."""

    answers: dict[str, list[tuple[int, dict[str, str], Any]]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = field(default_factory=list)
    posted: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def say(self, path: str, *pages: Any, status: int = 200, **headers: str) -> None:
        """Answer with these, one after the other, the last one for good."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault(path, []).extend((status, said, page) for page in pages)

    def answer(self, path: str) -> tuple[int, dict[str, str], Any]:
        there = self.answers.get(path, [(404, {}, {"error": {"message": "no such thing"}})])
        return there.pop(0) if len(there) > 1 else there[0]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """An API whose address and key are in the environment."""
    told = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.do_GET()

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            told.asked.append((parts.path, parse_qs(parts.query), {k.lower(): v for k, v in self.headers.items()}))
            status, headers, page = told.answer(parts.path)
            body = page.encode() if isinstance(page, str) else json.dumps(page).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    for name in ("ANTHROPIC", "OPENAI", "OPENROUTER"):
        monkeypatch.setenv(f"{name}_BASE_URL", told.url)
        monkeypatch.delenv(f"{name}_ADMIN_API_KEY", raising=False)
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", KEY)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", KEY)
    for name in ("FIREWORKS", "TOGETHER"):
        monkeypatch.setenv(f"{name}_API_URL", told.url)
        monkeypatch.setenv(f"{name}_API_KEY", KEY)
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", "mine")
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


USAGE, COST = "/v1/organizations/usage_report/messages", "/v1/organizations/cost_report"


def test_anthropics_reports_are_read_page_by_page(api: Api) -> None:
    """Both reports of the Admin API, every page of them, grouped by all that is compared; today is not over."""
    first = {**ANTHROPIC_USAGE, "has_more": True, "next_page": "page_2"}
    api.say(USAGE, first, ANTHROPIC_USAGE)
    api.say(COST, ANTHROPIC_COST)

    usage, cost = fetch_bills("anthropic", SINCE, NOW, NOW)

    path, asked, headers = api.asked[0]
    assert path == USAGE
    assert asked == {
        "starting_at": ["2026-11-03T00:00:00Z"],
        "ending_at": ["2026-11-06T00:00:00Z"],
        "bucket_width": ["1d"],
        "limit": ["31"],
        "group_by[]": ["model", "service_tier", "workspace_id", "api_key_id"],
    }
    assert (headers["x-api-key"], headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert api.asked[1][1]["page"] == ["page_2"]
    assert api.asked[2][1]["group_by[]"] == ["workspace_id", "description"]
    assert (len(usage.lines), len(cost.lines)) == (12, 2)
    assert {(bill.start, bill.end) for bill in (usage, cost)} == {
        (datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 11, 6, tzinfo=UTC))
    }


def test_openais_usage_and_costs_are_read(api: Api) -> None:
    """Usage of completions, embeddings and, where there are any, decisions, and costs by line item."""
    empty = {"object": "page", "data": [{**UNIX, "results": []}], "has_more": False, "next_page": None}
    api.say("/organization/usage/completions", OPENAI_USAGE)
    api.say("/organization/usage/embeddings", empty)
    api.say("/organization/costs", OPENAI_COSTS)

    bills = fetch_bills("openai", SINCE, NOW, NOW)

    assert [bill.format for bill in bills] == ["openai-usage", "openai-usage", "openai-usage", "openai-costs"]
    assert [(len(bill.lines), bill.says) for bill in bills] == [(6, "usage"), (0, "usage"), (0, "usage"), (2, "both")]
    assert api.asked[0][1]["start_time"] == ["1793664000"]
    assert api.asked[2][0] == "/organization/usage/decisions"
    assert api.asked[3][1]["group_by[]"] == ["line_item", "project_id"]
    assert api.asked[0][2]["authorization"] == f"Bearer {KEY}"


def test_openrouters_activity_is_cut_to_the_period(api: Api) -> None:
    """OpenRouter tells of 30 days at once; only those asked for count."""
    early = {**OPENROUTER["data"][0], "date": "2026-10-30"}
    api.say("/activity", {"data": [early, *OPENROUTER["data"]]})

    (bill,) = fetch_bills("openrouter", SINCE, NOW, NOW)

    assert {line.start.date().isoformat() for line in bill.lines} == {"2026-11-03"}
    with pytest.raises(BillError, match="OpenRouter tells of 30 days; fetch from 2026-10-07 on"):
        fetch_bills("openrouter", SINCE - timedelta(days=40), NOW, NOW)


def test_fireworks_is_asked_for_each_day_and_for_costs(api: Api) -> None:
    """Usage is asked for by the day, since rows may name none; costs are posted for, page by page."""
    (row,) = FIREWORKS_USAGE["serverlessCosts"]
    timeless = {name: value for name, value in row.items() if not name.endswith("Time")}
    api.say("/accounts/mine/billingUsage", {"serverlessCosts": [timeless]}, {"serverlessCosts": []})
    api.say("/accounts/mine/usageCosts:query", {**FIREWORKS_COSTS, "nextPageToken": "two"}, FIREWORKS_COSTS)

    usage, costs = fetch_bills("fireworks", SINCE, NOW, NOW)

    days = [asked["startTime"] for path, asked, _ in api.asked if path.endswith("billingUsage")]
    assert days == [["2026-11-03T00:00:00Z"], ["2026-11-04T00:00:00Z"], ["2026-11-05T00:00:00Z"]]
    assert {(line.unit, line.quantity, line.start) for line in usage.lines} == {
        ("uncached_input_tokens", 1000, datetime(2026, 11, 3, tzinfo=UTC)),
        ("cache_read_tokens", 200, datetime(2026, 11, 3, tzinfo=UTC)),
        ("output_tokens", 30, datetime(2026, 11, 3, tzinfo=UTC)),
    }
    assert [(each["groupBy"], each["endTime"], each.get("pageToken")) for each in api.posted] == [
        (["DAY", "MODEL"], "2026-11-06T00:00:00Z", None),
        (["DAY", "MODEL"], "2026-11-06T00:00:00Z", "two"),
    ]
    assert sum(line.amount or 0 for line in costs.lines) == Decimal("2.50000001")


def test_together_is_asked_by_month(api: Api) -> None:
    """Each month of the period is asked for, page by page; what is outside of the period does not count."""
    api.say("/billing/usage", {**TOGETHER, "data": []}, {**TOGETHER, "next_cursor": "two"}, {**TOGETHER, "data": []})

    (bill,) = fetch_bills("together", datetime(2026, 10, 30, tzinfo=UTC), NOW, NOW)

    asked = [(asked["month"], asked.get("after")) for _, asked, _ in api.asked]
    assert asked == [(["2026-10"], None), (["2026-11"], None), (["2026-11"], ["two"])]
    assert sum(line.amount or 0 for line in bill.lines) == Decimal("5.30108")
    assert api.asked[0][2]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("name", ["", "../../keys", "a/b", "a b"])
def test_an_account_is_a_name_and_nothing_else(name: str, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in a path cannot lead out of it; without it the sentence says what to set."""
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", name)

    with pytest.raises(
        BillError,
        match=r"FIREWORKS_ACCOUNT_ID is (not set|.*, which is no name); set it to your account's name at Fireworks",
    ):
        fetch_bills("fireworks", SINCE, NOW, NOW)

    assert api.asked == []


def test_a_report_that_is_not_opened_says_who_opens_it(api: Api) -> None:
    """Together opens its report by organization: the sentence of a 404 says so."""
    with pytest.raises(BillError, match="answered 404: no such thing; Together opens this report by organization"):
        fetch_bills("together", SINCE, NOW, NOW)


def test_rate_limits_are_waited_out(api: Api) -> None:
    """429, 529 and other errors of the server are asked again after as long as the API says."""
    api.say("/activity", {}, status=429, retry_after="0.01")
    api.say("/activity", {}, status=529, retry_after="0")
    api.say("/activity", OPENROUTER)

    (bill,) = fetch_bills("openrouter", SINCE, NOW, NOW)

    assert len(api.asked) == 3
    assert sum(line.amount or Decimal(0) for line in bill.lines) == Decimal("0.015")


@pytest.mark.parametrize(
    ("status", "page", "words"),
    [
        (401, {"error": {"message": f"bad key {KEY}"}}, "refuses the key in OPENROUTER_MANAGEMENT_KEY or"),
        (403, {}, "it takes an administrator's key"),
        (400, {"error": {"message": "no such group"}}, "answered 400: no such group"),
        (400, {"error": {"message": f"who is {KEY}?"}}, "answered 400"),
        (302, {}, "answered 302"),
        (200, "<html>", "is no JSON"),
        (200, {"rows": []}, "answered with no page of a report"),
        (503, {}, "answered 503 6 times; try again later"),
    ],
)
def test_what_goes_wrong_is_one_sentence_without_the_key(api: Api, status: int, page: Any, words: str) -> None:
    """The sentence names the address and what helps, never the key; nothing is followed elsewhere."""
    api.say("/activity", page, status=status, retry_after="0", location="http://127.0.0.1:1/")

    with pytest.raises(BillError) as caught:
        fetch_bills("openrouter", SINCE, NOW, NOW)

    assert words in str(caught.value)
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pages_that_never_end_are_left(api: Api) -> None:
    """An API that names the same next page again is not followed for ever."""
    api.say(USAGE, {**ANTHROPIC_USAGE, "has_more": True, "next_page": "again"})

    with pytest.raises(BillError, match="names the same next page again"):
        fetch_bills("anthropic", SINCE, NOW, NOW)


def test_keys_are_needed_and_only_sent_encrypted(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its variable the sentence names it; a key is never sent in the clear to another machine."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://example.com")
    with pytest.raises(BillError, match=r"ANTHROPIC_BASE_URL='http://example\.com' is not https"):
        fetch_bills("anthropic", SINCE, NOW, NOW)

    monkeypatch.delenv("OPENAI_ADMIN_KEY")
    with pytest.raises(BillError, match="OPENAI_ADMIN_KEY is not set"):
        fetch_bills("openai", SINCE, NOW, NOW)

    assert api.asked == []


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1@example.com", "holds a user or password"),
        ("https://user:hush@example.com", "holds a user or password"),
        ("ftp://localhost", "is not https"),
        ("https://", "is not https"),
        ("http://localhost.example.com", "is not https"),
    ],
)
def test_an_address_that_would_show_a_secret_is_refused(
    address: str, words: str, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked of an address in the clear or with a password in it, and no sentence repeats the password."""
    monkeypatch.setenv("OPENROUTER_BASE_URL", address)

    with pytest.raises(BillError, match=words) as caught:
        fetch_bills("openrouter", SINCE, NOW, NOW)

    assert "hush" not in str(caught.value)


def test_a_key_with_a_line_break_is_mended_and_one_with_signs_is_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """White space around a key, as files leave it, is dropped; what no header can hold is one sentence without it."""
    api.say("/activity", OPENROUTER)
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", f"{KEY}\n")
    fetch_bills("openrouter", SINCE, NOW, NOW)
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", f"{KEY}€\r\nX: y")
    with pytest.raises(BillError, match="OPENROUTER_MANAGEMENT_KEY holds a character that no key has") as caught:
        fetch_bills("openrouter", SINCE, NOW, NOW)

    assert [headers["authorization"] for _, _, headers in api.asked] == [f"Bearer {KEY}"]
    assert KEY not in str(caught.value)


def test_a_proxy_does_not_see_a_key_in_the_clear(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an address of this machine is asked without https, proxies of the environment are passed by."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    api.say("/activity", OPENROUTER)

    assert fetch_bills("openrouter", SINCE, NOW, NOW)


def test_an_answer_without_an_end_is_left(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is read up to a maximum, unpacked, and not for ever."""
    monkeypatch.setattr("farebox_ledger.reconcile._fetch.PAGE_BYTES_MAX", 1024)
    api.say("/activity", " " * 2000)

    with pytest.raises(BillError, match="/activity answers with more than 0 MB, or for longer than 10 minutes"):
        fetch_bills("openrouter", SINCE, NOW, NOW)


def test_the_command_fetches_keeps_and_never_stores_the_key(
    api: Api, audited: Store, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """What is fetched is a bill like any other; the key is in no table, no output and no log."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    api.say("/activity", {"data": [{**OPENROUTER["data"][0], "date": yesterday}]})

    code = main(["reconcile", "--fetch", "openrouter", "--since", "2d", "--json", "--dsn", str(audited.dsn)])

    out = capsys.readouterr()
    told = json.loads(out.out)
    kept = audited.client.query("SELECT toString(tuple(*)) FROM bills").result_rows
    kept += audited.client.query("SELECT toString(tuple(*)) FROM bill_imports").result_rows
    assert code == 1
    assert told["imported"][0]["source"] == "127.0.0.1/activity"
    assert {each["reason"] for each in told["findings"]} == {"foreign"}
    assert told["providers"][0]["difference"] == "0.015"
    assert len(kept) == 4
    assert KEY not in f"{out} {caplog.text} {kept}"
