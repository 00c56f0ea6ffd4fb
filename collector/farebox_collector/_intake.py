"""Takes what came over any protocol: understands a body, journals it, and says what is to be answered."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import blake2b

from farebox_collector._bodies import Budget, Claim, decompress
from farebox_collector._counts import Counts
from farebox_collector._decode import ROWS, Body, count_metrics, decode
from farebox_collector._journal import Journal
from farebox_collector._otlp import Encoding
from farebox_collector._segment import Record

__all__ = ["EVERY_SERVICE", "Intake", "Limits", "reasons_in_words"]

REASONS_MAX = 5
# Bodies whose answer may have got lost: one that comes again, byte for byte, is answered again and kept once.
ANSWERED_MAX = 20_000
EVERY_SERVICE: frozenset[str] = frozenset()
# Understanding a body takes some ten times its size in memory: of large ones that is done one at a time, which takes no
# longer, since the interpreter does one thing at a time anyway. What is compressed counts as so many times larger.
LARGE_BYTES = 2 * 1024 * 1024
GROWTH = 8


@dataclass(frozen=True)
class Limits:
    """Most bytes of one body, compressed or not, and of all requests in work together."""

    body_bytes_max: int
    intake_bytes_max: int


@dataclass(frozen=True)
class _Kept:
    """What is known of a body once it is in the journal: reasons of rejected spans, what to count, and its rows."""

    rejected: Counter[str]
    counts: dict[str, int]
    rows: int


class Intake:
    """Keeps bodies within a budget of bytes; used on the event loop's thread only."""

    def __init__(
        self,
        journal: Journal,
        failure: Callable[[], str | None],
        workers: Executor,
        counts: Counts,
        limits: Limits,
    ) -> None:
        """Make one; `failure` says why nothing can be taken or stored now, None while all is well."""
        self.counts = counts
        self.failure = failure
        self.gauges = journal.gauges
        self.body_bytes_max = limits.body_bytes_max
        self.budget = Budget(limits.intake_bytes_max)
        self._journal = journal
        self._workers = workers
        self._large = asyncio.Lock()
        self._answered: dict[bytes, asyncio.Future[_Kept]] = {}

    async def keep(self, body: Body, claim: Claim, services: frozenset[str] = EVERY_SERVICE) -> Counter[str]:
        """Return once a body is in the journal, with the reasons why some of it are not.

        One that is being written or was written is not written again: its sender did not get the answer. `services`
        are those that the sender may speak for; none named means all.

        Raises:
            RequestError: it cannot be understood, or cannot be kept now.
        """
        kind = f"{body.table} {body.encoding.name} {body.compression}"[:64].encode()
        hashed = blake2b(body.content, digest_size=16, key=kind)
        hashed.update("\0".join(sorted(services)).encode())
        digest = hashed.digest()
        known = self._answered.get(digest)
        repeated = known is not None
        if known is None:
            known = self._answered[digest] = asyncio.ensure_future(self._write(body, claim, services))
            known.add_done_callback(lambda done: self._note(digest, done))
        began = time.monotonic()
        # Shielded: whoever goes away does not undo what others, or a retry, wait for.
        kept = await asyncio.shield(known)
        self.counts.took("acknowledge_ms", (time.monotonic() - began) * 1000)
        for name, number in kept.counts.items():
            self.counts.add(name, number)
        self.counts.add("bodies_repeated", repeated)
        self.counts.add(f"{ROWS[body.table]}_duplicate", kept.rows if repeated else 0)
        return kept.rejected

    async def count_metrics(self, content: bytes, encoding: Encoding, compression: str = "") -> None:
        """Count the metrics of a request: they are acknowledged and not stored.

        Raises:
            RequestError: it cannot be understood.
        """

        def count() -> int:
            return count_metrics(decompress(content, compression, self.body_bytes_max), encoding)

        metrics = await asyncio.get_running_loop().run_in_executor(self._workers, count)
        self.counts.add("metrics_acknowledged", metrics)

    def _note(self, digest: bytes, done: asyncio.Future[_Kept]) -> None:
        """Remember a body that was written, and forget one that was not, or the oldest."""
        if done.cancelled() or done.exception() is not None:
            self._answered.pop(digest, None)
        elif len(self._answered) > ANSWERED_MAX:
            self._answered.pop(next(iter(self._answered)))

    async def _write(self, body: Body, claim: Claim, services: frozenset[str]) -> _Kept:
        # A large body takes a while to understand: that is a worker's task.
        loop = asyncio.get_running_loop()
        large = len(body.content) * (GROWTH if body.compression else 1) > LARGE_BYTES
        async with self._large if large else nullcontext():
            decoded = await loop.run_in_executor(self._workers, decode, body, self.body_bytes_max, services)
        if decoded.rows.num_rows:
            claim.take(decoded.rows.nbytes)
            written = self._journal.append(Record(decoded.body, time.time_ns()), decoded.rows)
            await asyncio.wrap_future(written)
        return _Kept(decoded.rejected, decoded.counts, decoded.rows.num_rows)


def reasons_in_words(reasons: Counter[str], what: str) -> str:
    """Say why some were refused: the commonest reasons, each with its count."""
    return "; ".join(f"{number} {what}: {reason}" for reason, number in reasons.most_common(REASONS_MAX))
