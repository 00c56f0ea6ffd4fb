"""Keeps what was acknowledged and can never be stored, with the reason, for people to look at and try again."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from farebox_collector._bodies import decompress
from farebox_collector._counts import Counts
from farebox_collector._decode import ROWS, TRACES, Body
from farebox_collector._files import create_file, make_folder, sync_file, write_all
from farebox_collector._logs import keeps_record
from farebox_collector._otlp import Encoding, encode, read_logs, read_traces
from farebox_collector._segment import MAGIC, Record, encode_record
from farebox_collector._spans import keeps_span
from farebox_collector.errors import RequestError

__all__ = ["Quarantine"]

# Beyond it nothing more is kept, only counted: whoever sends poison must not fill the disk.
BYTES_MAX = 256 * 1024 * 1024
UNBOUNDED = 2**31

_log = logging.getLogger("farebox.collector")


class Quarantine:
    """A folder of small journal files, one a span, each beside a JSON file that says why it is there.

    A `.journal` file that is moved back into the journal's folder is tried again at the next start.
    """

    def __init__(self, folder: Path, counts: Counts) -> None:
        self._folder = folder
        self._counts = counts
        self._bytes = sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0

    def keep_row(self, segment: str, number: int, record: Record, row: int, reason: str) -> None:
        """Keep the span or log record that became a row of a body; `number` tells it from others of its segment."""
        self._counts.add(f"{ROWS[record.body.table]}_quarantined")
        try:
            lone = Record(_alone(record.body, row), record.received_ns)
        except RequestError:  # it was read before; whatever changed since, the whole body is kept
            lone = record
        name = f"{number:012d}-{segment[-16:]}"
        self._keep(f"{name}.journal", MAGIC + encode_record(lone))
        self._explain(name, segment, reason)

    def keep_record(self, segment: str, number: int, record: Record, reason: str) -> None:
        """Keep a body that was understood when it came and is not understood now."""
        self._counts.add("bodies_quarantined")
        name = f"{number:012d}-{segment[-16:]}"
        self._keep(f"{name}.journal", MAGIC + encode_record(record))
        self._explain(name, segment, reason)

    def keep_damage(self, segment: str, start: int, data: bytes, torn: bool) -> None:
        """Keep bytes of a segment that are no records."""
        name = f"{segment}-{start}"
        self._keep(f"{name}.bytes", data)
        words = "the file ends in the middle of a record" if torn else "a checksum does not match"
        self._explain(name, segment, f"{words}: {len(data)} bytes from {start} on")

    def _explain(self, name: str, segment: str, reason: str) -> None:
        words = {"reason": reason, "segment": segment, "quarantined_ns": time.time_ns()}
        self._keep(f"{name}.json", json.dumps(words).encode())

    def _keep(self, name: str, data: bytes) -> None:
        if self._bytes + len(data) > BYTES_MAX:
            self._counts.add("quarantine_full")
            return
        path = self._folder / name
        try:
            make_folder(self._folder)
            descriptor = create_file(path)
        except FileExistsError:  # from before a crash: the same piece of the same segment
            return
        except OSError as error:
            self._unkept(path, error)
            return
        try:
            with open(descriptor, "wb", closefd=True) as file:
                write_all(file.fileno(), data)
                sync_file(file.fileno())
        except OSError as error:
            self._unkept(path, error)
        else:
            self._bytes += len(data)

    def _unkept(self, path: Path, error: OSError) -> None:
        self._counts.add("quarantine_failures")
        _log.warning("What cannot be stored could not be kept in %s: %s", path, error.strerror)


def _alone(body: Body, row: int) -> Body:
    """Make a body of the one span or log record that became a row."""
    content = decompress(body.content, body.compression, UNBOUNDED)
    lone = _lone_span(content, body.encoding, row) if body.table == TRACES else _lone_log(content, body.encoding, row)
    return Body(body.table, Encoding.PROTOBUF, "", encode(lone, Encoding.PROTOBUF))


def _lone_span(content: bytes, encoding: Encoding, row: int) -> ExportTraceServiceRequest:
    lone = ExportTraceServiceRequest()
    for resource in read_traces(content, encoding).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                if not keeps_span(span):
                    continue
                if row == 0:
                    made = lone.resource_spans.add(resource=resource.resource, schema_url=resource.schema_url)
                    made.scope_spans.add(scope=scope.scope, schema_url=scope.schema_url, spans=[span])
                    return lone
                row -= 1
    return lone


def _lone_log(content: bytes, encoding: Encoding, row: int) -> ExportLogsServiceRequest:
    lone = ExportLogsServiceRequest()
    for resource in read_logs(content, encoding).resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                if not keeps_record(record, scope):
                    continue
                if row == 0:
                    made = lone.resource_logs.add(resource=resource.resource, schema_url=resource.schema_url)
                    made.scope_logs.add(scope=scope.scope, schema_url=scope.schema_url, log_records=[record])
                    return lone
                row -= 1
    return lone
