"""Send spans by OTLP: a bounded queue, a thread, and a batch that is kept until the collector has taken it.

The stock batch processor drops a batch whose export failed: fine for traces, not for money. With a spool a batch is
first written down, and then sent from there.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from farebox._encode import Envelope
from farebox._guard import swallow
from farebox._spool import Spool
from farebox.settings import setting

__all__ = ["Delivery", "Sender", "Transport"]

_log = logging.getLogger("farebox")

BATCH_SPANS_MAX = 512
# Of one request: collectors commonly take 4 MiB (gRPC's default) to 20 MiB.
BATCH_BYTES_MAX = 3 * 1024 * 1024
GATHER_S = 1.0
BACK_OFF_FIRST_S = 0.2
BACK_OFF_MAX_S = 30.0
SHUTDOWN_S = 1.0
# A collector that comes and goes is told of at most so often.
TELL_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a batch: taken, refused, or to be tried again (after `retry_after_s`, None: our own back-off).

    rejected: how many of a batch that was taken the collector will not keep, for the reason given.
    """

    taken: bool
    rejected: int = 0
    retry: bool = False
    retry_after_s: float | None = None
    reason: str = ""


class Transport(Protocol):
    """A connection to a collector."""

    def send(self, body: bytes) -> Delivery:
        """Send one encoded request and say what became of it."""


class Sender:
    """Keeps encoded spans, or log records, until they are delivered; counters: `sent`, `dropped`, `refused`.

    One thread puts (the recorder), one takes (the sender's own), so each counts its bytes without a lock.
    """

    def __init__(
        self,
        connect: Callable[[], Transport],
        envelope: Envelope,
        what: str = "spans",
        *,
        spool: Spool | None = None,
    ) -> None:
        self._connect, self._envelope, self._what = connect, envelope, what
        self._spool = spool
        self._bytes_max: int = setting("queue_bytes_max")
        self._waiting: deque[bytes] = deque()
        self.after_fork()

    def after_fork(self) -> None:
        """Start afresh: no thread, nothing waiting, no connection shared with the parent."""
        self._waiting.clear()
        self._in_flight = 0
        self._bytes_put = self._bytes_taken = 0
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._flushing = 0
        self._failures = 0
        self._failing = False
        self._told_at = -TELL_EVERY_S
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._transport: Transport | None = None
        self._back_off_s = BACK_OFF_FIRST_S
        self._spool_rests_until = 0.0
        if self._spool is not None:
            self._spool.after_fork()
        self.sent = self.dropped = self.refused = 0

    @property
    def waiting(self) -> int:
        """Spans that are not delivered yet."""
        return len(self._waiting) + self._in_flight + self.spooled

    @property
    def spooled(self) -> int:
        """Spans that are written down and not delivered yet."""
        return 0 if self._spool is None else self._spool.waiting

    @property
    def held_bytes(self) -> int:
        """Bytes of spans that are not delivered yet; at most queue_bytes_max."""
        return self._bytes_put - self._bytes_taken

    @property
    def behind(self) -> bool:
        """Whether the queue is half full while the collector takes what it gets: who can wait with more, should."""
        full = self.held_bytes > self._bytes_max // 2
        return full and not self._failing and not self._stop.is_set()

    def put(self, span: bytes) -> None:
        """Queue an encoded span; when the queue is full it is dropped and counted."""
        if self.held_bytes + len(span) > self._bytes_max:
            self.dropped += 1
            return
        self._bytes_put += len(span)
        self._waiting.append(span)
        if self._thread is None:
            self._start()
        if len(self._waiting) >= BATCH_SPANS_MAX or self._flushing:
            self._wake.set()

    def drain(self, timeout_s: float, *, give_up: bool) -> bool:
        """Deliver what waits; `give_up` ends at the first failure, as a process that is leaving should.

        Even then what waits in memory is spooled first, where there is a spool.
        """
        end = time.monotonic() + timeout_s
        failures = self._failures
        self._flushing += 1
        self._spool_rests_until = 0.0
        self._wake.set()
        if self.spooled and self._thread is None:
            self._start()
        try:
            while self._waiting or self._in_flight or self.spooled:
                safe = self._spool is None or not (self._waiting or self._in_flight)
                if time.monotonic() >= end or (give_up and safe and self._failures > failures):
                    return False
                time.sleep(0.005)
            return True
        finally:
            self._flushing -= 1

    def shutdown(self) -> None:
        """Stop sending; what still waits is lost, so drain first."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(SHUTDOWN_S)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="farebox-sender", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            woken = self._wake.wait(0 if self._flushing else GATHER_S)
            self._wake.clear()
            # Woken by a full batch, it leaves the rest to gather; a request costs as much as encoding twenty spans.
            while len(self._waiting) >= (BATCH_SPANS_MAX if woken and not self._flushing else 1):
                if self._stop.is_set():
                    return
                batch = self._take()
                body = self._envelope.around(batch)
                if self._spool is None or not self._spool.keep(body, len(batch)):
                    self._deliver(body, len(batch))
                self._bytes_taken += sum(map(len, batch))
                self._in_flight = 0
            try:
                self._deliver_spooled()
            except OSError as error:  # the folder's fault: what waits in memory is delivered all the same
                swallow("delivering from FAREBOX_SPOOL_DIR", error)
                self._spool_rests_until = time.monotonic() + BACK_OFF_MAX_S
            if self._flushing:
                time.sleep(0.002)

    def _take(self) -> list[bytes]:
        batch: list[bytes] = []
        size = 0
        while self._waiting and len(batch) < BATCH_SPANS_MAX:
            size += len(self._waiting[0])
            if batch and size > BATCH_BYTES_MAX:
                break
            self._in_flight += 1  # before it leaves the queue, so that `waiting` never misses it
            batch.append(self._waiting.popleft())
        return batch

    def _deliver(self, body: bytes, spans: int) -> None:
        """Send a batch from memory, however long it takes."""
        while not self._stop.is_set():
            pause = self._send(body, spans)
            if pause is None:
                return
            self._pause(pause)

    def _deliver_spooled(self) -> None:
        """Send what is written down, until nothing is left or the collector takes nothing."""
        while self._spool is not None and time.monotonic() >= self._spool_rests_until and not self._stop.is_set():
            with self._spool.oldest() as found:
                if found is None:
                    return
                file, body = found
                refused = self.refused
                pause = self._send(body, file.spans)
                if pause is not None:
                    self._spool_rests_until = time.monotonic() + pause
                elif self.refused > refused:
                    file.refused()
                else:
                    file.done()
            if self._waiting:
                return  # to be written down before anything else

    def _send(self, body: bytes, spans: int) -> float | None:
        """Send once; None when it is settled, else the seconds to wait before it is tried again."""
        delivery = self._try(body)
        self._failing = not delivery.taken
        if delivery.taken:
            self._back_off_s = BACK_OFF_FIRST_S
            self.sent += spans - delivery.rejected
            self.refused += delivery.rejected
            if delivery.rejected:
                self._log_refusal(delivery.rejected, delivery.reason)
            return None
        self._failures += 1
        if not delivery.retry:
            self.refused += spans
            self._log_refusal(spans, delivery.reason)
            return None
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            self._told_at = time.monotonic()
            _log.warning(
                "%s cannot be delivered yet (%s); %d wait", self._what, delivery.reason, max(spans, self.waiting)
            )
        pause = delivery.retry_after_s
        if pause is None:
            pause = self._back_off_s * random.uniform(0.5, 1)  # noqa: S311
        self._back_off_s = min(self._back_off_s * 2, BACK_OFF_MAX_S)
        return min(pause, BACK_OFF_MAX_S)

    def _log_refusal(self, spans: int, reason: str) -> None:
        _log.error("the collector refused %d %s for good (%s); they are lost", spans, self._what, reason)

    def _pause(self, seconds: float) -> None:
        """Wait, but not through a flush: someone is waiting for it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stop.is_set():
            time.sleep(min(0.1, seconds))
            if self._flushing:
                return

    def _try(self, body: bytes) -> Delivery:
        try:
            if self._transport is None:
                self._transport = self._connect()
            return self._transport.send(body)
        except Exception as error:  # noqa: BLE001
            swallow(f"sending {self._what}", error)
            return Delivery(False, retry=True, reason=type(error).__name__)
