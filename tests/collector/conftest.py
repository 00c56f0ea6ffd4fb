"""A running `farebox up` for the tests that talk to one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from farebox_up import Up, start


@pytest.fixture(scope="session")
def start_up() -> Iterator[Callable[..., Up]]:
    """Start a `farebox up` on a folder; those still running at the end are killed."""
    started: list[Up] = []

    def start_one(folder: Path, **settings: str) -> Up:
        started.append(start(folder, **settings))
        return started[-1]

    yield start_one
    for up in started:
        up.end()


@pytest.fixture(scope="session")
def up(start_up: Callable[..., Up], tmp_path_factory: pytest.TempPathFactory) -> Up:
    """The `farebox up` that tests share; use ids of your own."""
    return start_up(tmp_path_factory.mktemp("up") / "ledger")
