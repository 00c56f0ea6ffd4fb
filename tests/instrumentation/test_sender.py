"""Delivery: kept until the collector has taken it, and invisible to the host whatever the collector does."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import farebox
from farebox import _spans
from farebox._otlp_http import OtlpHttp
from farebox._sender import Sender
from instrumentation.loopback import Loopback
from instrumentation.provider import Provider
from instrumentation.test_differential import ASK


class Collector(Loopback):
    """A loopback OTLP endpoint that answers with the given statuses in turn, then 200."""

    def __init__(self, *answers: int, retry_after: str | None = None) -> None:
        self.spans: list[Any] = []
        self.statuses: list[int] = []
        waiting = list(answers)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805
                body = handler.rfile.read(int(handler.headers["content-length"]))
                status = waiting.pop(0) if waiting else 200
                self.statuses.append(status)
                if status == 200:
                    request = ExportTraceServiceRequest.FromString(body)
                    for resource in request.resource_spans:
                        for scope in resource.scope_spans:
                            self.spans.extend(scope.spans)
                handler.send_response(status)
                if retry_after is not None and status != 200:
                    handler.send_header("retry-after", retry_after)
                handler.send_header("content-length", "0")
                handler.end_headers()

            def log_message(self, *_: Any) -> None: ...

        super().__init__(Handler)


@pytest.fixture
def fresh_sender(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    """Farebox's sender with an empty queue and no connection, before and after."""
    _spans.output_to(None)
    sender = _spans.farebox_sender()
    assert sender is not None
    sender.shutdown()  # an earlier test's thread must not take this test's spans
    sender.after_fork()
    yield sender
    sender.shutdown()
    sender.after_fork()


def call(provider: Provider, times: int = 3) -> None:
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base))
    for _ in range(times):
        client.messages.create(**ASK)
    client.close()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_batch_is_kept_until_it_is_taken(
    status: int, provider: Provider, fresh_sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retryable answers delay a batch and lose nothing; each span arrives once."""
    with Collector(status, status, retry_after="0").running() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        call(provider)

        assert farebox.flush(5)
        assert len({span.span_id for span in collector.spans}) == len(collector.spans) == 3
        assert collector.statuses[:2] == [status, status]


def test_a_batch_refused_for_good_does_not_block_the_next(
    provider: Provider, fresh_sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A permanent refusal is counted, and what comes after it is delivered."""
    with Collector(400).running() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        call(provider, 1)
        assert farebox.flush(5)
        call(provider, 2)
        assert farebox.flush(5)

    assert fresh_sender.refused == 1
    assert len(collector.spans) == 2


def test_flush_says_no_when_nobody_listens(
    provider: Provider, fresh_sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no collector the calls go through, `flush()` returns False in time, and the spans wait."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    call(provider)

    assert not farebox.flush(0.5)


def test_the_exporter_obeys_the_standard_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signal-specific variables win over general ones, headers are parsed, and gzip is honoured."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general:4318/")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x,team=blue")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    transport = OtlpHttp.from_environment()

    assert transport._endpoint == "http://general:4318/v1/traces"
    assert transport._timeout_s == 3
    assert transport._session.headers["authorization"] == "Bearer x"
    assert transport._session.headers["Content-Encoding"] == "gzip"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://own:1/x")
    assert OtlpHttp.from_environment()._endpoint == "http://own:1/x"


SCRIPT = """
import anthropic, farebox, os, sys
client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=sys.argv[1]))
ask = dict(model="m", max_tokens=1, messages=[{"role": "user", "content": "hi"}])
ask["extra_headers"] = {"connection": "close"}  # parent and child must not share a socket to the provider
client.messages.create(**ask)
if sys.argv[2] == "fork":
    import random; random.seed(1)
    pid = os.fork()
    client.messages.create(**ask)
    if pid:
        assert os.waitpid(pid, 0)[1] == 0
"""


def run_script(provider: Provider, mode: str, endpoint: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **env}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, provider.base, mode],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )


def test_a_short_script_delivers_at_exit(provider: Provider) -> None:
    """A script that ends right after its call needs no flush."""
    with Collector().running() as collector:
        run_script(provider, "plain", collector.endpoint)

    assert len(collector.spans) == 1


def test_a_forked_child_records_with_ids_of_its_own(provider: Provider) -> None:
    """Parent and child each deliver their own attempts once, under different instances and span ids."""
    with Collector().running() as collector:
        run_script(provider, "fork", collector.endpoint)

    assert len(collector.spans) == 3
    assert len({span.span_id for span in collector.spans}) == 3
    instances = {
        attribute.value.string_value
        for span in collector.spans
        for attribute in span.attributes
        if attribute.key == "farebox.instance"
    }
    assert len(instances) == 2


def test_a_dead_collector_is_one_line_in_the_log(provider: Provider) -> None:
    """With nobody listening, a script ends quickly and normally."""
    done = run_script(provider, "plain", "http://127.0.0.1:9")

    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_the_disabled_sdk_records_nothing_and_says_so(provider: Provider) -> None:
    """OTEL_SDK_DISABLED is obeyed, and logged once."""
    with Collector().running() as collector:
        done = run_script(provider, "plain", collector.endpoint, OTEL_SDK_DISABLED="true")

    assert collector.spans == []
    assert "farebox records nothing" in done.stderr


def test_samplers_of_the_environment_do_not_apply(provider: Provider) -> None:
    """A ledger is never sampled, whatever OTEL_TRACES_SAMPLER says, nor are its attributes limited."""
    limits = {"OTEL_TRACES_SAMPLER": "always_off", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "2"}
    with Collector().running() as collector:
        run_script(provider, "plain", collector.endpoint, **limits)

    (span,) = collector.spans
    assert len(span.attributes) > 10
