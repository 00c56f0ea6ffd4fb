"""The shop of `week.py` as a process: real SDKs and real farebox, before providers that answer as the plan says.

Its clock stands at the moment of each call. Each line of stdin has a moment and a number of seconds: it goes on until
then, gives the delivery so long, and says on stdout how many attempts it has made and whether all were delivered.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import anthropic
import httpx2
import openai
from end_to_end.week import BEGIN, TOOK_S, Attempt, Call, plan, tasks

import farebox
from farebox.testing import FixedClock, fixed_clock

FIREWORKS = "https://api.fireworks.ai/inference/v1"
TEXTS = {"plain": "The parcel left Rotterdam on Monday and arrives on Thursday.",
         "refusal": "I'm sorry, but I can't help with that request.",
         "truncated": "The parcel left Rotterdam on"}  # fmt: skip
QUESTION = "Where is parcel {}? Answer in one sentence. "
HOSTS_NAMES = {"qwen3.5-flash": "accounts/fireworks/models/qwen3p5-flash", "gpt-5.4-mini": "gpt-5.4-mini-2026-03-17"}
STATUSES = {"rate_limited": 429, "server_error": 503}


class Providers(httpx2.BaseTransport):
    """All providers: each request gets the next planned answer, and takes the time that it took."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock
        self.script: deque[Attempt] = deque()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        attempt = self.script.popleft()
        self._clock.advance(TOOK_S[attempt.how])
        if attempt.how == "timeout":
            raise httpx2.ReadTimeout("the provider was silent", request=request)
        if attempt.how in STATUSES:
            headers = {"retry-after-ms": "1"}
            return httpx2.Response(STATUSES[attempt.how], headers=headers, json={"error": {"message": attempt.how}})
        if attempt.call.model[0] != "anthropic":
            return httpx2.Response(200, json=_completion(attempt))
        if json.loads(request.content).get("stream"):
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=_events(attempt))
        return httpx2.Response(200, json=_message(attempt))


def _id(attempt: Attempt) -> str:
    return f"{attempt.call.task}-{attempt.call.model[1]}-{attempt.number}"


def _message(attempt: Attempt) -> dict[str, Any]:
    used, answer = attempt.tokens, attempt.call.answer
    written = used.get("cache_write_5m", 0)
    usage = {
        "input_tokens": used["uncached_input"],
        "cache_read_input_tokens": used.get("cache_read", 0),
        "cache_creation_input_tokens": written,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": used["output"],
        "service_tier": "standard",
    }
    return {
        "id": f"msg_{_id(attempt)}",
        "type": "message",
        "role": "assistant",
        "model": attempt.call.model[1],
        "content": [{"type": "text", "text": TEXTS[answer]}],
        "stop_reason": "max_tokens" if answer == "truncated" else "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }


def _events(attempt: Attempt) -> Iterator[bytes]:
    """The stream that the caller leaves after the first words: its output is counted as 1 so far."""
    message = _message(attempt)
    message |= {"content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    events = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXTS["plain"]}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": attempt.tokens["output"]},
        },
        {"type": "message_stop"},
    ]
    return (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def _completion(attempt: Attempt) -> dict[str, Any]:
    used = attempt.tokens
    message = {"role": "assistant", "content": TEXTS[attempt.call.answer]}
    return {
        "id": f"chatcmpl-{_id(attempt)}",
        "object": "chat.completion",
        "created": round(attempt.at.timestamp()),
        "model": HOSTS_NAMES[attempt.call.model[1]],
        "service_tier": "default",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": used["uncached_input"],
            "completion_tokens": used["output"],
            "total_tokens": used["uncached_input"] + used["output"],
        },
    }


class Shop:
    """The application: it tags its calls, falls back and escalates, and knows nothing of the plan's numbers."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock
        self._now = BEGIN
        self._providers = Providers(clock)
        http = httpx2.Client(transport=self._providers)
        self._claude = farebox.wrap(anthropic.Anthropic(api_key="k", http_client=http))
        self._hosts = {
            "fireworks": farebox.wrap(openai.OpenAI(api_key="k", base_url=FIREWORKS, http_client=http)),
            "openai": farebox.wrap(openai.OpenAI(api_key="k", http_client=http)),
        }
        self.made = 0

    def make(self, call: Call) -> None:
        """Make one call with all its attempts."""
        self.wait_until(call.at)
        self._providers.script.extend(call.attempts)
        tags = {"prompt_version": call.prompt_version} if call.prompt_version else {}
        tagged = farebox.tags(route=call.route, task=call.task, tenant=call.tenant, **tags)
        with tagged, suppress(anthropic.APIError, openai.APIError):  # the next call of the task is the way out
            self._ask(call)
        assert not self._providers.script
        last = call.attempts[-1]
        self._now = last.at + timedelta(seconds=TOOK_S[last.how])
        self.made += len(call.attempts)

    def wait_until(self, moment: datetime) -> None:
        """Let time pass."""
        self._clock.advance((moment - self._now).total_seconds())
        self._now = moment

    def _ask(self, call: Call) -> None:
        provider, model = call.model
        last = call.attempts[-1]
        asked: Any = [{"role": "user", "content": QUESTION.format(call.task) + "Please. " * (call.input_tokens // 20)}]
        if provider != "anthropic":
            name = HOSTS_NAMES[model] if provider == "fireworks" else model
            self._hosts[provider].chat.completions.create(model=name, messages=asked, max_completion_tokens=1500)
        elif last.how == "abandoned":
            with self._claude.messages.stream(model=model, max_tokens=1500, messages=asked) as stream:
                next(iter(stream.text_stream))
        else:
            claude = self._claude.with_options(max_retries=0) if last.how == "timeout" else self._claude
            claude.messages.create(model=model, max_tokens=1500, messages=asked)


def main() -> None:
    """Go on from moment to moment until stdin ends."""
    calls = deque(plan())
    reopened = deque(task for task in tasks(calls) if task.reported is not None)
    with fixed_clock(BEGIN) as clock:
        shop = Shop(clock)
        for line in sys.stdin:
            moment, patience_s = line.split()
            until = datetime.fromisoformat(moment)
            while calls and calls[0].at < until:
                shop.make(calls.popleft())
            while reopened and reopened[0].calls[-1].at < until:
                farebox.outcome(task=reopened[0].name, success=reopened.popleft().reported)
            shop.wait_until(until)
            print(shop.made, farebox.flush(timeout_s=float(patience_s)), flush=True)


if __name__ == "__main__":
    main()
