"""The recorder: one background thread that turns ended attempts into spans, away from the caller's thread.

The caller's side is an append to a bounded queue. The thread lets work gather for a moment, then takes it in slices of
about a millisecond and steps aside in between, so that it never keeps the interpreter from the host for long.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue

from farebox._attempt import Attempt
from farebox._guard import swallow
from farebox.settings import setting

__all__ = ["Recorder", "recorder"]

# Work done in one go, with warm caches, takes half the processor time of work done call by call.
GATHER_S = 0.5
GATHERED_RECORDS = 256
# What is held is memory that the next calls cannot use again.
GATHERED_BYTES = 400_000
# The thread works for about so long before it steps aside; switching threads more often costs more than it spares.
SLICE_S = 0.001
# While fewer wait than this, it then rests as long as it worked.
UNHURRIED_MAX = 200


class Recorder:
    """A bounded queue of ended attempts and the thread that empties it.

    Counters: `recorded`, `dropped` (the queue was full; newest go first).
    """

    def __init__(self) -> None:
        self._records_max: int = setting("queue_records_max")
        self._bytes_max: int = setting("queue_bytes_max")
        self._waiting: deque[tuple[Attempt, int]] = deque()
        self._bytes = 0
        self._wake: SimpleQueue[None] = SimpleQueue()  # its put may be called from __del__, unlike an Event's set
        self._asleep = True
        self._gathering = False
        self._hurry = 0
        self._busy = False
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._numbers = itertools.count()
        self.recorded = 0
        self.dropped = 0

    def next_number(self) -> int:
        """Return the next `farebox.seq` of this process; a gap in the ledger means a record was lost."""
        return next(self._numbers)

    @property
    def waiting(self) -> int:
        """Attempts that are not spans yet."""
        return len(self._waiting)

    @property
    def held_bytes(self) -> int:
        """Bytes of requests and responses that wait; at most queue_bytes_max."""
        return self._bytes

    @property
    def crowded(self) -> bool:
        """Whether a quarter of what may wait is waiting."""
        return self._bytes > self._bytes_max // 4 or len(self._waiting) > self._records_max // 4

    def submit(self, attempt: Attempt) -> None:
        """Queue an ended attempt, from any thread and from finalizers; never blocks, never raises."""
        try:
            size = attempt.size()
            if len(self._waiting) >= self._records_max or self._bytes + size > self._bytes_max:
                self.dropped += 1
                return
            self._waiting.append((attempt, size))
            self._bytes += size
            if self._thread is None:
                self._start()
            if self._asleep:
                self._asleep = False
                self._wake.put(None)
            elif self._gathering and (len(self._waiting) >= GATHERED_RECORDS or self._bytes >= GATHERED_BYTES):
                self._gathering = False
                self._wake.put(None)
        except Exception as error:  # noqa: BLE001
            swallow("queueing an attempt", error)

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything queued so far has become spans; False when the time was up first."""
        end = time.monotonic() + timeout_s
        self._hurry += 1
        self._wake.put(None)
        try:
            while self._waiting or self._busy:
                if time.monotonic() >= end:
                    return False
                time.sleep(0.002)
            return True
        finally:
            self._hurry -= 1

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="farebox-recorder", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._asleep = True
            if not self._waiting:
                self._bytes = 0  # its sums are not locked; an empty queue is where they are put right
                self._wait_for_work()
            self._gathering = True
            self._asleep = False
            self._rest(GATHER_S)
            self._gathering = False
            began = time.thread_time()  # not the wall's: waiting for the interpreter keeps it from nobody
            while self._waiting:
                self._busy = True
                self._take()
                self._busy = False
                spent = time.thread_time() - began
                if spent >= SLICE_S:
                    self._rest(spent if len(self._waiting) < UNHURRIED_MAX else 0)
                    began = time.thread_time()

    def _wait_for_work(self) -> None:
        self._wake.get()
        while not self._wake.empty():
            self._wake.get()

    def _rest(self, seconds: float) -> None:
        """Let others run; `drain` cuts the rest short."""
        if self._hurry or seconds <= 0:
            time.sleep(0)
            return
        with suppress(Empty):
            self._wake.get(timeout=seconds)

    def _take(self) -> None:
        attempt, size = self._waiting.popleft()
        self._bytes -= size
        try:
            attempt.state.emit(attempt)
            self.recorded += 1
        except Exception as error:  # noqa: BLE001
            swallow("recording an attempt", error)


_recorder: Recorder | None = None
_making = threading.Lock()


def recorder() -> Recorder:
    """Return this process's recorder; a forked child starts with an empty one of its own."""
    global _recorder
    if _recorder is None:
        with _making:
            if _recorder is None:
                _recorder = Recorder()
    return _recorder


def _forget() -> None:
    global _recorder, _making
    _recorder, _making = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)
