"""Where times and random ids come from, in one place, so that `farebox.testing` can fix them.

Used as `_clock.wall_ns()`: a name imported from here would not see what a test puts in its place.
"""

from __future__ import annotations

import os
import time

__all__ = ["noise", "ticks_s", "wall_ns"]

# Nanoseconds since 1970 UTC; seconds of a clock that never goes back; random bytes.
wall_ns = time.time_ns
ticks_s = time.perf_counter
noise = os.urandom  # not `random`: a host that seeds it would repeat our ids
