"""Serves the simulated providers from this process, on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from farebox_demo.providers._server import Providers

__all__ = ["serve"]


def serve(providers: Providers) -> tuple[int, Callable[[], None]]:
    """Start them; gives their port, and what stops them and closes their invoice."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    port = asyncio.run_coroutine_threadsafe(providers.server.start(), loop).result(10)

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(providers.server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
        providers.invoice.close()

    return port, stop
