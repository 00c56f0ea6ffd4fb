"""A collector that dies, stalls, refuses and flaps costs the host nothing, and no record goes missing uncounted.

Runs for a few seconds; FAREBOX_CHAOS_S makes it longer, FAREBOX_CHAOS_SEED replays a run.
"""

from __future__ import annotations

import asyncio
import http.server
import os
import random
import statistics
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import anthropic
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import farebox
from farebox import _spans
from farebox._recorder import recorder
from farebox._sender import Sender
from farebox._spans import health
from farebox.settings import setting
from instrumentation.loopback import Loopback
from instrumentation.provider import Provider
from instrumentation.test_differential import ASK, acting
from instrumentation.test_sender import fresh_sender

__all__ = ["fresh_sender"]

THREADS, TASKS = 16, 200
# Read here: tests run without the shell's FAREBOX_ variables.
SECONDS = float(os.environ.get("FAREBOX_CHAOS_S", "4"))
SEED = int(os.environ.get("FAREBOX_CHAOS_SEED", "7"))


MOODS = ("well", "slow", "refusing", "closing")


class Moody(Loopback):
    """An OTLP endpoint in a mood: `well`, `slow`, `refusing`, `closing`; it keeps the ids it has acknowledged."""

    def __init__(self) -> None:
        self.mood = "well"
        self.acknowledged: Counter[bytes] = Counter()
        moody = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if moody.mood == "closing":
                    self.connection.close()
                    return
                if moody.mood == "slow":
                    time.sleep(0.3)
                status = 503 if moody.mood == "refusing" else 200
                if status == 200:
                    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                        moody.acknowledged.update(span.span_id for span in resource.scope_spans[0].spans)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def handle(self) -> None:
                with suppress(OSError, ValueError):  # the mood closed the connection
                    super().handle()

            def finish(self) -> None:
                with suppress(OSError, ValueError):
                    super().finish()

            def log_message(self, *_: Any) -> None: ...

        super().__init__(Handler)


class Host:
    """Threads and tasks that make mixed calls until told to stop, and count what they asked for and what went wrong."""

    SCENARIOS = ("", "", "", "split", "gzip", "error", "fail:1,529")

    def __init__(self, provider: Provider, collector: Moody) -> None:
        self._base = provider.base
        self._collector = collector
        self._times: dict[str, list[float]] = {mood: [] for mood in MOODS}
        self._stop = threading.Event()
        self.attempts = 0
        self.surprises: list[BaseException] = []
        self._lock = threading.Lock()

    def medians(self) -> dict[str, float]:
        """Milliseconds of a plain call in a thread, by the collector's mood at its start."""
        return {mood: round(statistics.median(times) * 1000, 1) for mood, times in self._times.items() if times}

    def run_for(self, seconds: float) -> None:
        workers = [threading.Thread(target=self._thread, args=(number,)) for number in range(THREADS)]
        workers.append(threading.Thread(target=lambda: asyncio.run(self._tasks())))
        for worker in workers:
            worker.start()
        time.sleep(seconds)
        self._stop.set()
        for worker in workers:
            worker.join(30)

    def _note(self, scenario: str) -> None:
        with self._lock:
            self.attempts += 2 if scenario.startswith("fail") else 1

    def _thread(self, number: int) -> None:
        dice = random.Random(number)
        client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=self._base, timeout=60))
        while not self._stop.is_set():
            scenario = dice.choice(self.SCENARIOS)
            streamed = dice.random() < 0.5 or scenario == "error"
            self._note(scenario)
            mood, began = self._collector.mood, time.perf_counter()
            try:
                answer = client.messages.create(**ASK, stream=streamed, **acting(scenario))
                if streamed:
                    for _ in answer:
                        pass
                elif not scenario:
                    self._times[mood].append(time.perf_counter() - began)
            except anthropic.APIStatusError:
                pass  # the scenario's own error
            except BaseException as error:
                self.surprises.append(error)
        client.close()

    async def _tasks(self) -> None:
        client = farebox.wrap(anthropic.AsyncAnthropic(api_key="k", base_url=self._base, timeout=60))

        async def one(number: int) -> None:
            while not self._stop.is_set():
                self._note("")
                try:
                    await client.messages.create(**ASK)
                except BaseException as error:
                    self.surprises.append(error)
                await asyncio.sleep(0.02 * (number % 5))

        await asyncio.gather(*(one(number) for number in range(TASKS)))
        await client.close()


def test_whatever_the_collector_does_the_host_notices_nothing(
    provider: Provider, fresh_sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls go through under every mood of the collector; in the end each attempt was delivered, or counted as lost."""
    dice, before = random.Random(SEED), health()
    with Moody().running() as collector:
        host = Host(provider, collector)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        over, most_held = threading.Event(), [0]

        def moods() -> None:
            while not over.wait(dice.uniform(0.1, 0.5)):
                collector.mood = dice.choice(MOODS)
                most_held.append(recorder().held_bytes + fresh_sender.held_bytes)

        changing = threading.Thread(target=moods)
        changing.start()
        host.run_for(SECONDS)
        over.set()
        changing.join()
        collector.mood = "well"
        delivered = farebox.flush(60)
        after = health()

    print(f"{host.attempts} attempts, at most {max(most_held)} bytes held; median ms a call by mood: {host.medians()}")
    assert host.surprises == []
    assert max(most_held) <= 2 * setting("queue_bytes_max")
    assert delivered, f"seed {SEED}"
    lost = (after.dropped - before.dropped) + fresh_sender.dropped + fresh_sender.refused
    assert after.recorded - before.recorded == fresh_sender.sent + fresh_sender.dropped + fresh_sender.refused
    assert len(collector.acknowledged) == host.attempts - lost, f"seed {SEED}"
    assert _spans.farebox_sender() is fresh_sender
