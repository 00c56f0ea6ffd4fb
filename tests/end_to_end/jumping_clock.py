"""Runs the `farebox` command with a clock that jumps: it shows what a file says that it is off by, in seconds.

Only Python's clock; ClickHouse has its own. Another file names the boot of the machine, which a cut of its disk's power
alone does not end.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

OFFSET, BOOT = Path(os.environ["CHAOS_CLOCK"]), Path(os.environ["CHAOS_BOOT"])
_time, _time_ns = time.time, time.time_ns


def _offset_s() -> float:
    try:
        return float(OFFSET.read_text() or 0)
    except (OSError, ValueError):
        return 0.0


if __name__ == "__main__":
    time.time = lambda: _time() + _offset_s()
    time.time_ns = lambda: _time_ns() + int(_offset_s() * 1e9)
    from farebox._cli import main
    from farebox_collector import _files

    _files.BOOT_ID = BOOT

    sys.exit(main())
