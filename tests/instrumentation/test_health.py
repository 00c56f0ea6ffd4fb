"""What farebox lost in an application is told to the ledger, beside the money."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import farebox
from farebox import _health, _spans
from farebox._metrics import Health
from farebox._sender import Sender
from instrumentation.provider import Provider
from instrumentation.test_sender import Collector, call, fresh_sender

__all__ = ["fresh_sender"]


def counts_of(span: object) -> dict[str, int]:
    pairs = {each.key: each.value for each in span.attributes}  # type: ignore[attr-defined]
    return {
        key.removeprefix("farebox.health."): value.int_value
        for key, value in pairs.items()
        if key.startswith("farebox.health.")
    }


def test_a_loss_is_reported(provider: Provider, fresh_sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a span was dropped, the next recorded call brings a health span that counts it."""
    monkeypatch.setattr(_health, "LOOK_EVERY_S", 0.0)
    reports = _health.HealthReports(_spans.health)
    reports.due(leaving=True)  # what earlier tests lost is not this one's
    monkeypatch.setattr(_spans, "_health_reports", reports)
    with Collector().running() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        call(provider, 1)
        assert farebox.flush(5)
        assert "farebox.health" not in [span.name for span in collector.spans]
        fresh_sender.dropped += 2
        call(provider, 1)
        assert farebox.flush(5)

    (told,) = [span for span in collector.spans if span.name == "farebox.health"]
    assert counts_of(told)["spans_dropped"] == 2
    assert counts_of(told)["recorded"] >= 1
    assert "farebox.kind" not in {each.key for each in told.attributes}


def test_reports_are_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    """None while nothing is lost, soon after a loss, and none at the end that says nothing new."""
    now = [0.0]
    health = [Health()]
    monkeypatch.setattr(_health, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(_health, "swallowed_errors", dict)
    monkeypatch.setattr(_health, "LOOK_EVERY_S", 10.0)
    reports = _health.HealthReports(lambda: health[0])

    def due(at: float, *, leaving: bool = False, dropped: int = 0) -> bool:
        now[0], health[0] = at, Health(dropped=dropped)
        return reports.due(leaving=leaving) is not None

    assert not due(3600)
    assert not due(3601, dropped=1)
    assert due(3611, dropped=1)
    assert not due(3622, dropped=1)
    assert not due(3623, leaving=True, dropped=1)
    assert due(3624, leaving=True, dropped=2)
