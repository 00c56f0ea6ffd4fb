"""Fixtures of the detectors' tests: switches as they were before each test, and no error swallowed unseen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farebox import _guard
from farebox.detectors import _registry


@pytest.fixture(autouse=True)
def _registry_as_before() -> Iterator[None]:
    detectors, switches = dict(_registry._detectors), dict(_registry._switches)
    yield
    for now, before in ((_registry._detectors, detectors), (_registry._switches, switches)):
        now.clear()
        now.update(before)
    _registry._enabled.clear()


@pytest.fixture
def swallowed() -> Iterator[list[BaseException]]:
    """The errors that are swallowed during a test that expects some."""
    seen: list[BaseException] = []
    _guard.on_swallow.append(seen.append)
    yield seen
    _guard.on_swallow.remove(seen.append)


@pytest.fixture(autouse=True)
def _swallowed_errors_are_raised(request: pytest.FixtureRequest) -> Iterator[None]:
    seen: list[BaseException] = []
    _guard.on_swallow.append(seen.append)
    yield
    _guard.on_swallow.remove(seen.append)
    if seen and "swallowed" not in request.fixturenames:
        raise seen[0]
