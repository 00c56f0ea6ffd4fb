"""A running `farebox up` for the tests that talk to one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from farebox_up import Up, start, wait_until
from starlette.types import ASGIApp

from farebox_collector._http import Server, listen


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


@pytest.fixture
def serve() -> Iterator[Callable[[ASGIApp], Server]]:
    """Serve an application from this process, on a thread of its own."""
    with ExitStack() as stack:

        def serve_one(app: ASGIApp) -> Server:
            server = Server(app, stack.enter_context(listen(0, "--port")))
            thread = threading.Thread(target=asyncio.run, args=(server.run_until_stopped(),))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.stop)
            wait_until(lambda: server.started)
            return server

        yield serve_one


@pytest.fixture(scope="session")
def up(start_up: Callable[..., Up], tmp_path_factory: pytest.TempPathFactory) -> Up:
    """The `farebox up` that tests share; use ids of your own."""
    return start_up(tmp_path_factory.mktemp("up") / "ledger")
