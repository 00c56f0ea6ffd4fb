"""Runs a farebox command that ends with its parent: `python -m farebox_demo.leash farebox up …`.

The parent holds a pipe to this process's standard input. When the parent goes, even by kill -9, the pipe ends and the
command gets the SIGTERM that it would get from a careful parent.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from farebox._cli import main

__all__: list[str] = []

STDIN = 0
GRACE_S = 8.0


def _hold() -> None:
    # Not through sys.stdin: a thread that holds its lock makes the interpreter's end a fatal error.
    while os.read(STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_hold, daemon=True).start()
    sys.exit(main(sys.argv[2:]))
