"""A journal and its loader on a folder, as `farebox up` has them, without a network before it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farebox_up import wait_until
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from otlp_messages import traces

from farebox_collector._counts import Counts
from farebox_collector._decode import LOGS, TRACES, Body, decode
from farebox_collector._journal import Bounds, Journal
from farebox_collector._loader import Loader
from farebox_collector._otlp import Encoding
from farebox_collector._quarantine import Quarantine
from farebox_collector._segment import Record
from farebox_ledger import Store

__all__ = ["DONE_S", "Pipeline", "body_of", "running"]

DONE_S = 20
ROOMY = Bounds(2**30, 3600.0)


def body_of(request: Any) -> Body:
    """Make the body of a request, in protobuf."""
    table = LOGS if isinstance(request, ExportLogsServiceRequest) else TRACES
    return Body(table, Encoding.PROTOBUF, "", request.SerializeToString())


@dataclass
class Pipeline:
    """What is sent here is acknowledged by the journal and loaded into the store."""

    folder: Path
    counts: Counts
    journal: Journal
    loader: Loader

    def send(self, *requests: Any) -> None:
        """Journal requests and return once all are acknowledged."""
        written = []
        for request in requests:
            body = body_of(request)
            written.append(self.journal.append(Record(body, time.time_ns()), decode(body, 2**20).rows))
        for each in written:
            each.result(DONE_S)

    def spans(self, *spans: Any) -> None:
        """Journal one request of spans."""
        self.send(traces(*spans))

    def settle(self) -> None:
        """Wait until all that was acknowledged is stored, or cannot be stored now."""
        self.journal.settled().result(DONE_S)

    def until(self, condition: Callable[[dict[str, int]], bool]) -> None:
        """Wait for something to become true of the counts."""
        wait_until(lambda: condition(self.counts.all()))

    def quarantine(self, ending: str) -> list[Path]:
        """List the files of one kind in quarantine."""
        return sorted((self.folder / "quarantine").glob(f"*{ending}"))


@contextmanager
def running(store: Store, folder: Path, bounds: Bounds = ROOMY, embedded: bool = True) -> Iterator[Pipeline]:
    """Run a pipeline into a store until the block ends; what is left by then stays in the folder."""
    counts = Counts()
    client = store.new_client()
    journal = Journal(folder / "journal", bounds, counts)
    quarantine = Quarantine(folder / "quarantine", counts)
    loader = Loader(client, journal, quarantine, counts, store.dsn.folder if embedded else None)
    try:
        yield Pipeline(folder, counts, journal, loader)
    finally:
        journal.close(DONE_S)
        loader.close(DONE_S)
        journal.unlock()
        client.close()
