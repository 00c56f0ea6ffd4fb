"""Runs the simulated providers inside the test's process, on a port of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import anthropic
import openai
import pytest
from demo.serving import serve

from farebox_demo.providers._delivery import Pace
from farebox_demo.providers._habits import Habits, Troubles
from farebox_demo.providers._hosts import HOSTS, Host
from farebox_demo.providers._invoice import Invoice
from farebox_demo.providers._server import Providers

CALM = Troubles(rate_limited=0, overloaded=0, server_error=0, slow=0, slow_when_long=0, cut=0)
QUICK = Pace(first_byte_min=0, first_byte_max=0.001, between_events=0.001, before_usage=0.01, retry_after=0.005)


@dataclass
class Simulation:
    """Running providers, clients of the real SDKs for them, and what they invoiced."""

    url: str
    invoice: Path
    providers: Providers

    def anthropic(self, **options: Any) -> anthropic.Anthropic:
        return anthropic.Anthropic(base_url=f"{self.url}/anthropic", api_key="test", **options)

    def openai(self, host: str = "openai", **options: Any) -> openai.OpenAI:
        path = HOSTS[host].path.removesuffix("/chat/completions")
        return openai.OpenAI(base_url=f"{self.url}/{host}{path}", api_key="test", **options)

    def lines(self, count: int | None = None) -> list[dict[str, Any]]:
        """Wait until the invoice has that many lines and nobody is being answered, and read it; None: however many."""
        until = time.monotonic() + 10
        while self.providers.invoice.lines < (count or 0) or self.providers.in_flight:
            assert time.monotonic() < until, f"{self.providers.invoice.lines} lines, expected {count}"
            time.sleep(0.005)
        lines = [json.loads(line) for line in self.invoice.read_text().splitlines()]
        assert count in (None, len(lines))
        return lines


@pytest.fixture
def simulate(tmp_path: Path) -> Iterator[Callable[..., Simulation]]:
    """Start providers with the troubles, habits, pace and clock a test names; calm and good otherwise.

    Habits "own" are those that each model has in the demo.
    """
    stops: list[Callable[[], None]] = []

    def start(
        seed: int = 7,
        troubles: Troubles = CALM,
        habits: Habits | Literal["own"] | None = None,
        pace: Pace = QUICK,
        clock: Callable[[], float] = time.monotonic,
    ) -> Simulation:
        invoice = tmp_path / f"invoice-{len(stops)}.jsonl"
        hosts = {name: _host(host, troubles, habits) for name, host in HOSTS.items()}
        providers = Providers(seed, Invoice(invoice), f"run {len(stops)}", hosts, pace, clock)
        port, stop = serve(providers)
        stops.append(stop)
        return Simulation(f"http://127.0.0.1:{port}", invoice, providers)

    yield start
    for stop in stops:
        stop()


def _host(host: Host, troubles: Troubles, habits: Habits | Literal["own"] | None) -> Host:
    models = {
        name: model if habits == "own" else replace(model, habits=habits or Habits())
        for name, model in host.models.items()
    }
    return replace(host, troubles=troubles, models=models)
