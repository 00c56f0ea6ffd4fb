"""`wrap(client, budget=...)` refuses or warns before a call, from what the collector said, and nobody waits for it."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import pickle
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anthropic
import openai
import pytest

import farebox
from farebox import _budget_totals
from farebox._budget_totals import totals
from farebox._identity import keyed_hash
from farebox.budget import Budget, BudgetExceededError, BudgetUnknownError
from farebox.testing import Captured
from instrumentation.provider import Provider
from instrumentation.test_differential import ASK, ASYNC, CHAT, SYNC, AsyncClients, Clients, acting

SOON = 0.1
LATER = datetime.now(UTC) + timedelta(hours=1)


class Collector(ThreadingHTTPServer):
    """Answers GET /v1/budgets as `farebox up` does, or not at all, or late."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.budgets: list[dict[str, Any]] = []
        self.status, self.pause_s = 200, 0.0
        self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def exhaust(self, state: str = "exhausted", until: datetime = LATER, **applies_to: str) -> None:
        """Say that a budget is spent, and wait until this process knows."""
        self.budgets = [
            {
                "name": "b",
                "applies_to": applies_to,
                "amount": "5.000000000000",
                "spend": "5.25",
                "state": state,
                "period_end": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        ]
        self.wait_for_an_answer()

    def wait_for_an_answer(self) -> None:
        """Wait until a question that begins now has been answered, and the answer taken."""
        asked = self.asked
        while self.asked < asked + 2:
            time.sleep(0.005)
        time.sleep(0.02)


class _Answer(BaseHTTPRequestHandler):
    server: Collector

    def do_GET(self) -> None:
        time.sleep(self.server.pause_s)
        self.server.asked += 1
        known = self.path == "/v1/budgets"
        self.send_response(self.server.status if known else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"budgets": self.server.budgets}).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector, and a process that has not asked it yet."""
    server = Collector()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
    monkeypatch.setattr(_budget_totals, "_totals", None)
    yield server
    known = totals()
    known._guards.clear()
    known._wake.set()
    while known.asked:
        time.sleep(0.01)
    server.shutdown()
    server.server_close()


def guarded(provider: Provider, budget: Any = None, **tags: str) -> anthropic.Anthropic:
    client = anthropic.Anthropic(api_key="k", base_url=provider.base)
    return farebox.wrap(client, budget=budget or Budget(every_s=SOON), **tags)


def refused(call: Any) -> str:
    """Name the budget that a call was refused for; empty: it was made."""
    try:
        call()
    except BudgetExceededError as error:
        return error.budget
    return ""


def test_it_is_off_by_default(provider: Provider, collector: Collector) -> None:
    """A client that was told nothing of budgets asks nobody and stands as it did."""
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base))

    assert "request" not in vars(client)
    assert not totals().asked
    assert collector.asked == 0


def test_a_spent_budget_refuses_before_the_call(provider: Provider, collector: Collector, captured: Captured) -> None:
    """The error is typed and says what is spent; nothing reaches the provider; other routes go on."""
    client = guarded(provider, route="hard")
    collector.exhaust(route="hard")
    made = len(provider.requests)

    with pytest.raises(BudgetExceededError) as raised:
        client.messages.create(**ASK)
    assert str(raised.value).startswith("the budget 'b' is spent: $5.25 of $5.000000000000; this call was not made.")
    assert (raised.value.budget, raised.value.applies_to) == ("b", {"route": "hard"})
    assert len(provider.requests) == made
    assert captured.attempts() == []
    with farebox.tags(route="easy"):
        client.messages.create(**ASK)
    copied = pickle.loads(pickle.dumps(raised.value))
    assert (copied.spend, copied.period_end) == (raised.value.spend, raised.value.period_end)


def test_every_way_to_call_is_guarded(provider: Provider, collector: Collector) -> None:
    """Streams, helpers, raw responses, copies, the other SDK and async clients are refused; what is free is not."""
    a = guarded(provider)
    o = farebox.wrap(openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1"), budget=Budget(every_s=SOON))
    collector.exhaust()
    calls = [
        lambda: a.messages.create(**ASK, stream=True),
        lambda: a.messages.stream(**ASK).__enter__(),
        lambda: a.messages.with_raw_response.create(**ASK),
        lambda: a.messages.with_streaming_response.create(**ASK).__enter__(),
        lambda: a.with_options(timeout=5).messages.create(**ASK),
        lambda: a.copy().beta.messages.create(**ASK),
        lambda: a.messages.batches.create(requests=[]),
        lambda: o.chat.completions.create(**CHAT),
        lambda: o.responses.create(model="m", input="hi"),
        lambda: o.embeddings.create(model="m", input="hi"),
    ]

    async def ask() -> None:
        async with anthropic.AsyncAnthropic(api_key="k", base_url=provider.base) as client:
            await farebox.wrap(client, budget=Budget(every_s=SOON)).messages.create(**ASK)

    assert [refused(call) for call in [*calls, lambda: asyncio.run(ask())]] == ["b"] * (len(calls) + 1)
    assert a.messages.count_tokens(model="m", messages=ASK["messages"]) is not None
    farebox.unwrap(a)
    assert "request" not in vars(a)
    a.messages.create(**ASK)


@pytest.mark.parametrize(
    ("applies_to", "is_refused"),
    [
        ({}, True),
        ({"tenant": "acme"}, True),
        ({"tenant": "other"}, False),
        ({"route": "default", "user_id": "u1"}, True),
        ({"route": "hard", "user_id": "u1"}, False),
        ({"tag.team": "blue"}, True),
        ({"tag.team": "red"}, False),
        ({"key_fingerprint": keyed_hash("k")}, True),
        ({"key_fingerprint": keyed_hash("l")}, False),
    ],
)
def test_a_budget_is_for_whom_it_is_for(
    applies_to: dict[str, str], is_refused: bool, provider: Provider, collector: Collector
) -> None:
    """A call is refused by a budget if it is of all that the budget is for."""
    client = guarded(provider, tenant="acme", team="blue")
    collector.exhaust(**applies_to)

    with farebox.tags(user="u1"):
        assert bool(refused(lambda: client.messages.create(**ASK))) == is_refused


def test_users_are_compared_as_they_are_recorded(
    provider: Provider, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where users are hashed, a budget names the hash."""
    monkeypatch.setenv("FAREBOX_HASH_USERS", "true")
    client = guarded(provider, user="u1")
    collector.exhaust(user_id=keyed_hash("u1"))

    assert refused(lambda: client.messages.create(**ASK)) == "b"


def test_a_budget_of_what_a_call_does_not_show_is_told(
    provider: Provider, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    """A budget of a model is not enforced before the call, and that is logged once."""
    client = guarded(provider)
    with caplog.at_level(logging.WARNING, "farebox"):
        collector.exhaust(model="claude-haiku-4-5")

        assert refused(lambda: client.messages.create(**ASK)) == ""
    assert caplog.text.count("it is for a model, which a call does not show before it is made") == 1


def test_a_warning_lets_the_call_through(
    provider: Provider, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    """`warn` logs once a budget and period, and every call is made."""
    client = guarded(provider, Budget("warn", every_s=SOON))
    collector.exhaust()
    with caplog.at_level(logging.WARNING, "farebox"):
        client.messages.create(**ASK)
        client.messages.create(**ASK)

    assert caplog.text.count("the budget 'b' is spent: $5.250000 of $5.000000; calls go on.") == 1


def test_budgets_that_are_not_minded_do_not_count(provider: Provider, collector: Collector) -> None:
    """`only` names the budgets that a client minds; one at risk refuses nothing; nor does one whose period is over."""
    client = guarded(provider, Budget(every_s=SOON, only=frozenset({"c"})))
    all_of_them = guarded(provider)
    collector.exhaust()
    assert refused(lambda: client.messages.create(**ASK)) == ""
    assert refused(lambda: all_of_them.messages.create(**ASK)) == "b"
    collector.exhaust("at_risk")
    assert refused(lambda: all_of_them.messages.create(**ASK)) == ""
    collector.exhaust(until=datetime.now(UTC) - timedelta(seconds=1))
    assert refused(lambda: all_of_them.messages.create(**ASK)) == ""


def test_calls_go_through_when_the_ledger_cannot_be_reached(provider: Provider, collector: Collector) -> None:
    """Without answers for three times the interval nothing is known, and calls go on unless told otherwise."""
    client = guarded(provider)
    collector.exhaust()
    assert refused(lambda: client.messages.create(**ASK)) == "b"
    collector.status = 503
    collector.wait_for_an_answer()
    time.sleep(4 * SOON)

    assert refused(lambda: client.messages.create(**ASK)) == ""
    collector.status = 200
    collector.wait_for_an_answer()
    assert refused(lambda: client.messages.create(**ASK)) == "b"


def test_a_client_may_be_told_to_refuse_then(
    provider: Provider, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With when_unreachable="refuse" the first call waits for nobody, since `wrap` did, and silence refuses."""
    closed = Budget(every_s=SOON, when_unreachable="refuse")
    client = guarded(provider, closed)
    client.messages.create(**ASK)
    collector.status = 503
    collector.wait_for_an_answer()
    time.sleep(4 * SOON)

    with pytest.raises(BudgetUnknownError, match="the ledger does not say what is spent"):
        client.messages.create(**ASK)


def test_a_slow_ledger_makes_no_caller_wait(provider: Provider, collector: Collector) -> None:
    """While the collector takes its time, `wrap` and calls take none of it."""
    collector.pause_s = 1.0
    began = time.monotonic()
    client = guarded(provider)
    for _ in range(3):
        client.messages.create(**ASK)

    assert time.monotonic() - began < 0.9
    assert collector.asked == 0


def test_a_call_is_judged_once_whatever_its_retries(provider: Provider, collector: Collector) -> None:
    """A call that has begun is retried as ever, also when its budget is spent meanwhile."""
    client = guarded(provider, Budget(every_s=60))
    known = totals()
    while not known.known():
        time.sleep(0.005)
    checks = []
    guard = vars(client)["request"]._farebox_guard
    known.exhausted = (_budget_totals._spent({**_b(), "applies_to": {"route": "other"}}),)
    former = guard._refusal
    guard._refusal = lambda *args: checks.append(args) or former(*args)
    client.messages.create(**ASK, **acting("fail:2,529"))

    assert len(checks) == 1


def test_nobody_asks_once_no_client_is_left(provider: Provider, collector: Collector) -> None:
    """The thread that asks ends with the last client that minds budgets."""
    client = guarded(provider)
    collector.wait_for_an_answer()
    assert totals().asked
    del client
    gc.collect()
    until = time.monotonic() + 5
    while totals().asked and time.monotonic() < until:
        time.sleep(0.01)

    assert not totals().asked


@pytest.mark.parametrize("budget", ["stop", 5, Budget.__mro__])
def test_what_is_no_way_to_mind_budgets_is_refused(budget: Any, provider: Provider) -> None:
    """Misuse shows at start-up, with the value."""
    with pytest.raises(TypeError, match="is neither 'refuse' nor 'warn'"):
        farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base), budget=budget)
    with pytest.raises(TypeError, match=r"every_s=0 is not a number of seconds from 0\.1 on"):
        Budget(every_s=0)


KINDS = (
    "messages",
    "messages stream",
    "chat helper",
    "raw stream elapsed",
    "streaming lines",
    "retried stream",
    "refused",
)


@pytest.mark.parametrize("name", KINDS)
def test_callers_within_budget_cannot_tell(
    name: str, provider: Provider, collector: Collector, captured: Captured
) -> None:
    """A guarded client whose budget is not spent behaves as a bare one."""
    does, attempts = SYNC[name]
    bare = Clients(
        anthropic.Anthropic(api_key="k", base_url=provider.base),
        openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1"),
    )
    expected = does(bare)
    watched = Clients(
        guarded(provider),
        farebox.wrap(openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1"), budget="refuse"),
    )
    collector.exhaust(route="another")

    assert does(watched) == expected
    gc.collect()
    assert len(captured.attempts()) == attempts


@pytest.mark.parametrize("name", ["messages", "chat stream", "cancelled before the head", "retried"])
def test_async_callers_within_budget_cannot_tell(
    name: str, provider: Provider, collector: Collector, captured: Captured
) -> None:
    """Nor does an async one differ, cancellation included."""
    does, attempts = ASYNC[name]

    async def run(**budget: Any) -> Any:
        async with (
            anthropic.AsyncAnthropic(api_key="k", base_url=provider.base) as a,
            openai.AsyncOpenAI(api_key="k", base_url=f"{provider.base}/v1") as o,
        ):
            return await does(
                AsyncClients(farebox.wrap(a, **budget), farebox.wrap(o, **budget)) if budget else AsyncClients(a, o)
            )

    expected = asyncio.run(run())

    assert asyncio.run(run(budget=Budget(every_s=SOON))) == expected
    gc.collect()
    assert len(captured.attempts()) == attempts


def _b() -> dict[str, Any]:
    return {"name": "b", "applies_to": {}, "amount": "1", "spend": "1", "period_end": "2099-01-01T00:00:00Z"}
