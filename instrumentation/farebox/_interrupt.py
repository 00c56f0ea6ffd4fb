"""Hears Ctrl-C while a library keeps the main thread, as an embedded ClickHouse does until a question is answered."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["EXIT_INTERRUPTED", "GRACE_S", "heard"]

EXIT_INTERRUPTED = 130
GRACE_S = 1.0


@contextmanager
def heard(at_end: Callable[[], None]) -> Iterator[None]:
    """End the process GRACE_S after Ctrl-C if KeyboardInterrupt has not ended the block by then.

    Nothing is half done by that: whoever writes must bear a kill at any moment. `at_end` is called before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, pythons = socket.socketpair()
    pythons.setblocking(False)
    done = threading.Event()

    def wait() -> None:
        while byte := ours.recv(1):
            if byte[0] == signal.SIGINT and not done.wait(GRACE_S):
                at_end()
                os._exit(EXIT_INTERRUPTED)

    before = signal.set_wakeup_fd(pythons.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=wait, name="farebox-interrupt", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        signal.set_wakeup_fd(before)
        pythons.close()
        watcher.join()
        ours.close()
