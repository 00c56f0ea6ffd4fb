"""Brings an answer to the client, in the host's worse moments too, and notes how that ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from farebox_demo.providers._dice import Dice
from farebox_demo.providers._http import Exchange
from farebox_demo.providers._invoice import Line
from farebox_demo.providers._terms import Answer, Dialect, RefusedError

__all__ = ["Delivery", "Pace", "refuse"]

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream; charset=utf-8"}
LONG_PROMPT_TOKENS = 8_000


@dataclass(frozen=True)
class Pace:
    """How long things take, in seconds: about a tenth of what real models take, so that a demo is short.

    `slow` is how long a slow answer keeps the client waiting; `before_usage` gives a client that leaves a
    stream the time to be seen leaving.
    """

    first_byte_min: float = 0.02
    first_byte_max: float = 0.08
    between_events: float = 0.003
    before_usage: float = 0.03
    slow: float = 3.0
    retry_after: float = 0.1


async def refuse(exchange: Exchange, dialect: Dialect, line: Line, refusal: RefusedError, retry_after_s: float) -> None:
    """Answer with an error, which costs nothing; 0 seconds means that coming again is of no use."""
    line.status, line.http_status = "refused", refusal.status
    headers = JSON | dialect.headers(line.request_id)
    if retry_after_s:
        # Both SDKs read the milliseconds first; whole seconds are for everybody else.
        headers |= {
            "retry-after": str(max(round(retry_after_s), 1)),
            "retry-after-ms": f"{retry_after_s * 1000:.0f}",
        }
    body = dialect.error(refusal.status, refusal.kind, str(refusal), line.request_id)
    await exchange.reply(refusal.status, headers, body)


@dataclass
class Delivery:
    """One answer on its way; whatever happens to it, it is billed."""

    exchange: Exchange
    dialect: Dialect
    answer: Answer
    dice: Dice
    pace: Pace
    line: Line

    async def run(self) -> None:
        """Deliver; the line's status is right whenever and however this returns."""
        self.line.status = "timed_out"
        try:
            if await self.exchange.wait(self._first_byte_s()):
                await (self._stream() if self.answer.ask.stream else self._whole())
        except (ConnectionError, asyncio.CancelledError):
            if self.exchange.started and self.line.status == "timed_out":
                self.line.status = "abandoned"
            raise

    def _first_byte_s(self) -> float:
        troubles = self.answer.host.troubles
        long = self.answer.ask.input_tokens > LONG_PROMPT_TOKENS
        if self.dice.chance("slow", troubles.slow_when_long if long else troubles.slow):
            return self.pace.slow
        share = self.dice.between("first byte", 0, 1000) / 1000
        return self.pace.first_byte_min + share * (self.pace.first_byte_max - self.pace.first_byte_min)

    def _is_cut(self) -> bool:
        return self.dice.chance("cut", self.answer.host.troubles.cut)

    async def _whole(self) -> None:
        body = self.dialect.whole(self.answer)
        headers = JSON | self.dialect.headers(self.line.request_id)
        if self._is_cut():
            await self.exchange.reply(200, headers, body, sent=len(body) // 2)
            self.line.status = "cut"
        else:
            await self.exchange.reply(200, headers, body)
            self.line.status, self.line.usage_sent = "finished", True

    async def _stream(self) -> None:
        events = self.dialect.events(self.answer)
        usage_at = next((index for index, event in enumerate(events) if event.has_usage), len(events) - 1)
        cut_at = self.dice.between("cut at", 1, usage_at) if self._is_cut() else None
        await self.exchange.start(EVENTS | self.dialect.headers(self.line.request_id))
        for index, event in enumerate(events):
            pause_s = self.pace.before_usage if index == usage_at else self.pace.between_events
            if not await self.exchange.wait(pause_s) and index <= usage_at:
                self.line.status = "abandoned"
                return
            if index == cut_at:
                self.line.status = "cut"
                self.exchange.hang_up()
                return
            await self.exchange.chunk(event.data)
            if index >= usage_at:
                # The bill's figures are with the client, which may close before the last, empty chunk.
                self.line.status, self.line.usage_sent = "finished", self.answer.ask.usage_in_stream
        await self.exchange.finish()
