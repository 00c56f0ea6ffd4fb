"""Fixtures of the instrumentation's tests: an in-memory sink, a clean environment, and no error swallowed unseen."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

from farebox import _guard
from farebox.testing import Captured, capture
from instrumentation.provider import Provider, start


@pytest.fixture(scope="session", autouse=True)
def _quick_collections() -> None:
    """Leave what is there before the first test out of garbage collections, which are then quick."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if (
            name.startswith(("OTEL_", "FAREBOX_", "ANTHROPIC_", "OPENAI_", "AZURE_OPENAI_"))
            and name != "FAREBOX_SHARED"
        ):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _swallowed_errors_are_raised() -> Iterator[list[BaseException]]:
    seen: list[BaseException] = []
    _guard.on_swallow.append(seen.append)
    yield seen
    _guard.on_swallow.remove(seen.append)
    if seen:
        raise seen[0]


@pytest.fixture(autouse=True)
def _no_reports_of_health(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test loses on purpose is not reported among the spans of another."""
    monkeypatch.setattr("farebox._health.LOOK_EVERY_S", float("inf"))


@pytest.fixture
def swallowed(_swallowed_errors_are_raised: list[BaseException]) -> Iterator[list[BaseException]]:
    """What was swallowed, for a test that means it to be."""
    yield _swallowed_errors_are_raised
    _swallowed_errors_are_raised.clear()


@pytest.fixture
def captured() -> Iterator[Captured]:
    gc.collect()  # streams that an earlier test dropped in a cycle end now, not in this test
    with capture() as sink:
        yield sink


@pytest.fixture(scope="session")
def _running_provider() -> Provider:
    return start()


@pytest.fixture
def provider(_running_provider: Provider) -> Provider:
    """A local server that speaks both providers' wire formats and misbehaves on demand."""
    _running_provider.files.clear()
    return _running_provider
