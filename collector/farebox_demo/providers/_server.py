"""Takes each attempt from request to invoice line: understand, maybe refuse, answer, count, deliver, bill."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from farebox_demo.providers import _anthropic, _openai
from farebox_demo.providers._caches import AutomaticCache, InputSplit, MarkedCache
from farebox_demo.providers._delivery import Delivery, Pace, refuse
from farebox_demo.providers._dice import Dice, digest
from farebox_demo.providers._generation import compose
from farebox_demo.providers._hosts import HOSTS, Host
from farebox_demo.providers._http import Exchange, HttpServer, Request
from farebox_demo.providers._invoice import Invoice, Line
from farebox_demo.providers._prices import PRICES, amount
from farebox_demo.providers._terms import Answer, Ask, Dialect, RefusedError, Reply, Usage

__all__ = ["Providers"]

DIALECTS: Mapping[str, Dialect] = {"anthropic": cast(Dialect, _anthropic), "openai": cast(Dialect, _openai)}
OVERLOADED_STATUS = {"anthropic": 529, "openai": 503}
REPLY_ID_PREFIXES = {"anthropic": "msg_", "openrouter": "gen-"}
OVERHEAD_TOKENS = 3
OVERHEAD_TOKENS_PER_CALL = 8


@dataclass
class Providers:
    """All simulated hosts behind one port; `/{host}{path}` is an endpoint, `/` tells how things stand.

    `run` makes request ids differ between runs of the same seed; nothing else depends on it. `clock` drives
    the lifetimes in the caches.
    """

    seed: int
    invoice: Invoice
    run: str = ""
    hosts: Mapping[str, Host] = field(default_factory=lambda: HOSTS)
    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.server = HttpServer(self._handle)
        self.in_flight = 0
        self._attempts: Counter[str] = Counter()
        self._marked = MarkedCache(self.clock)
        self._automatic = AutomaticCache(self.clock)
        self._paths = {f"/{host.name}{host.path}": host for host in self.hosts.values()}

    async def _handle(self, exchange: Exchange) -> None:
        host = self._paths.get(exchange.request.path.partition("?")[0])
        if host is None:
            await self._tell(exchange)
            return
        line = self._open_line(host, exchange.request)
        self.in_flight += 1
        try:
            await self._attempt(host, exchange, line)
        finally:
            self.invoice.write(line)
            self.in_flight -= 1

    async def _tell(self, exchange: Exchange) -> None:
        known = exchange.request.path == "/"
        told = {"in_flight": self.in_flight, "lines": self.invoice.lines, "total": f"{self.invoice.total:f}"}
        body = json.dumps(told if known else {"error": f"no such path: {exchange.request.path}"}).encode()
        await exchange.reply(200 if known else 404, {"content-type": "application/json"}, body)

    def _open_line(self, host: Host, request: Request) -> Line:
        started_at = datetime.now(UTC)
        return Line(
            provider=host.name,
            started_at=started_at,
            request_id=_request_id(self.run, started_at, self.invoice.lines, self.in_flight),
            client_request_id=request.headers.get("x-client-request-id"),
            retry=int(request.headers.get("x-stainless-retry-count", 0)),
        )

    async def _attempt(self, host: Host, exchange: Exchange, line: Line) -> None:
        dialect = DIALECTS[host.dialect]
        try:
            body = _json(exchange.request.body)
            line.model = str(body.get("model"))
            ask = dialect.parse(host, body)
        except RefusedError as error:
            await refuse(exchange, dialect, line, error, retry_after_s=0)
            return
        line.model = ask.model.billed_as
        count = self._attempts[ask.content]
        self._attempts[ask.content] += 1
        dice = Dice(self.seed, ask.content, count)
        line.request_id = _request_id(self.run, self.seed, ask.content, count)
        trouble = _trouble(host, dice)
        if trouble is not None:
            await refuse(exchange, dialect, line, trouble, self.pace.retry_after)
            return
        answer = self._answer(host, ask, dice, line)
        line.usage = answer.usage
        line.habits, line.chances = answer.reply.habits, answer.reply.chances
        await Delivery(exchange, dialect, answer, dice, self.pace, line).run()

    def _answer(self, host: Host, ask: Ask, dice: Dice, line: Line) -> Answer:
        reply = compose(ask, dice)
        usage = self._count(host, ask, reply)
        return Answer(
            host=host,
            ask=ask,
            reply=reply,
            usage=usage,
            amount=amount(PRICES[host.name, ask.model.billed_as], usage.billed()),
            reply_id=REPLY_ID_PREFIXES.get(host.name, "chatcmpl-") + digest("reply", line.request_id)[:24],
            created=int(line.started_at.timestamp()),
        )

    def _count(self, host: Host, ask: Ask, reply: Reply) -> Usage:
        split = self._split(host, ask)
        return Usage(
            uncached_input=split.uncached + OVERHEAD_TOKENS,
            output=_output_tokens(ask, reply),
            cache_read=split.read,
            cache_write_5m=split.write_5m,
            cache_write_1h=split.write_1h,
            reasoning=reply.reasoning_tokens,
        )

    def _split(self, host: Host, ask: Ask) -> InputSplit:
        model = ask.model
        scope = f"{host.name}/{model.billed_as}"
        if model.cache_minimum is None:
            return InputSplit(ask.input_tokens)
        if host.dialect == "anthropic":
            return self._marked.split(scope, ask.blocks, model.cache_minimum)
        return self._automatic.split(
            scope, ask.blocks[0].text, ask.input_tokens, model.tokens_per_kilobyte, model.cache_minimum
        )


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RefusedError(400, "invalid_request_error", "The request body is not a JSON object.")
    return value


def _trouble(host: Host, dice: Dice) -> RefusedError | None:
    """Throw for the host's failures to serve, which name no error type of their own: the dialect knows it."""
    if dice.chance("rate limited", host.troubles.rate_limited):
        return RefusedError(429, None, "Number of requests has exceeded your rate limit.")
    if dice.chance("overloaded", host.troubles.overloaded):
        return RefusedError(OVERLOADED_STATUS[host.dialect], None, "Overloaded")
    if dice.chance("server error", host.troubles.server_error):
        return RefusedError(500, None, "Internal server error")
    return None


def _output_tokens(ask: Ask, reply: Reply) -> int:
    """Count what was written and thought, max_tokens at most, and exactly that if it stopped the answer."""
    if reply.stop == "max_tokens":
        return ask.max_tokens
    calls = sum(
        ask.model.count(call.name) + ask.model.count(call.arguments) + OVERHEAD_TOKENS_PER_CALL
        for call in reply.tool_calls
    )
    text = ask.model.count(reply.text) if reply.text else 0
    return min(text + calls + reply.reasoning_tokens + OVERHEAD_TOKENS, ask.max_tokens)


def _request_id(*about: object) -> str:
    return f"req_{digest(*about)[:24]}"
