"""How many spans a second can `farebox up` keep and store, against two other ways of getting the same bytes in?

    PYTHONPATH=tests python tests/benchmarks/collector.py [--spans 100000]

A span has 26 attributes and about 1.1 KB. CPU seconds per 100,000 spans, one process each, engine and all; the ratios
are what to trust, a machine's own speed is in every figure:

    whole chain        farebox up: HTTP, decode, journal and fsync, insert, views and prices
    upb and rows       google's protobuf parser, a Python loop, clickhouse-connect's insert(), views and prices too
    ClickHouse itself  ClickHouse reads the same protobuf (ProtobufSingle) and throws it away after its own conversion

It prints also the time to acknowledge at half the load that the chain bears, and the largest memory of the process, and
of one that gets batches of 10,000 from 16 clients while its journal's disk takes 0.3 s for each sync.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import farebox_up
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_messages import attempt, traces

HEADERS = {"Content-Type": "application/x-protobuf"}
PER = 100_000
COLUMNS = [
    "TraceId",
    "SpanId",
    "SpanName",
    "ServiceName",
    "ResourceAttributes",
    "SpanAttributes",
    "Duration",
    "Timestamp",
]
SLOW_DISK = [
    sys.executable,
    "-c",
    "import sys, time; from farebox_collector import _journal; from farebox._cli import main; "
    "sync = _journal.sync_file; _journal.sync_file = lambda file: (time.sleep(0.3), sync(file)); sys.exit(main())",
    "up",
]
PROTO = """syntax = "proto3";
message Value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; }
message Pair { string key = 1; Value value = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated Pair attributes = 9;
}
message ScopeSpans { repeated Span spans = 2; }
message ResourceSpans { repeated ScopeSpans scope_spans = 2; }
message Request { repeated ResourceSpans resource_spans = 1; }
"""


def bodies(spans: int, batch: int, first: int = 1) -> list[bytes]:
    """Make requests of so many spans each; numbers never repeat."""
    extra = {f"farebox.tag.detail_{number}": f"value {number} of some length" for number in range(11)}
    made = [attempt(number, {**extra, "farebox.task": f"ticket-{number}"}) for number in range(first, first + spans)]
    return [traces(*made[at : at + batch]).SerializeToString() for at in range(0, spans, batch)]


def on_a_slow_disk(sent: list[bytes], folder: Path) -> int:
    """Most memory of a process whose journal waits for its disk, while many clients send large batches."""
    up = farebox_up.start(folder, SLOW_DISK)
    chain(up, sent, 16)
    peak = peak_of(up.process.pid)
    up.stop()
    up.end()
    return peak


def cpu_of(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_of(pid: int) -> int:
    """Most memory that a process has had, in bytes."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def chain(up: farebox_up.Up, sent: list[bytes], clients: int) -> tuple[float, float, list[float]]:
    """Send bodies from so many clients; CPU seconds, wall seconds until all is stored, and each time to acknowledge."""
    waits: list[float] = []
    lock, todo = threading.Lock(), list(reversed(sent))

    def client() -> None:
        with requests.Session() as session:
            while True:
                with lock:
                    if not todo:
                        return
                    body = todo.pop()
                began = time.monotonic()
                while session.post(up.otlp + "/v1/traces", body, headers=HEADERS, timeout=120).status_code != 200:
                    time.sleep(0.2)
                waits.append(time.monotonic() - began)

    cpu, began = cpu_of(up.process.pid), time.monotonic()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while up.gauges()["journal_segments"]:
        time.sleep(0.05)
    return cpu_of(up.process.pid) - cpu, time.monotonic() - began, sorted(waits)


def acknowledged_at_half_load(up: farebox_up.Up, sent: list[bytes], seconds_each: float) -> float:
    """Send a body now and then, at half the pace that the chain bears; p99 of acknowledgements in milliseconds."""
    waits = []
    with requests.Session() as session:
        for body in sent:
            began = time.monotonic()
            session.post(up.otlp + "/v1/traces", body, headers=HEADERS, timeout=120).raise_for_status()
            waits.append(time.monotonic() - began)
            time.sleep(max(2 * seconds_each - waits[-1], 0))
    return sorted(waits)[int(len(waits) * 0.99)] * 1000


def rows_way(sent: list[bytes], folder: Path) -> float:
    """CPU seconds of google's parser, a loop, and clickhouse-connect's rows, into a ledger like that of the chain."""
    from farebox_collector._attributes import attribute_text, service_of
    from farebox_collector._insert import SETTINGS
    from farebox_ledger import Dsn, open_store

    with open_store(Dsn("chdb", path=folder)) as store:
        began = time.process_time()
        for body in sent:
            rows = []
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                named = {pair.key: attribute_text(pair.value) for pair in resource.resource.attributes}
                service = service_of(resource.resource.attributes)
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        own = {pair.key: attribute_text(pair.value) for pair in span.attributes}
                        took = span.end_time_unix_nano - span.start_time_unix_nano
                        ids = (span.trace_id.hex(), span.span_id.hex(), span.name, service)
                        rows.append(
                            (*ids, named, own, took, datetime.fromtimestamp(span.start_time_unix_nano / 1e9, UTC))
                        )
            store.client.insert("otel_traces", rows, column_names=COLUMNS, settings=SETTINGS)
        return time.process_time() - began


def clickhouse_way(sent: list[bytes], folder: Path) -> float:
    """CPU seconds of ClickHouse reading the same protobuf and making rows of text of it."""
    import clickhouse_connect

    schema = folder.with_name("request.proto")
    schema.write_text(PROTO)
    structure = (
        "resource_spans Array(Tuple(scope_spans Array(Tuple(spans Array(Tuple(trace_id String, span_id String, "
        "trace_state String, parent_span_id String, name String, kind Int32, start_time_unix_nano UInt64, "
        "end_time_unix_nano UInt64, attributes Array(Tuple(key String, value Tuple(string_value String, "
        "bool_value Bool, int_value Int64, double_value Float64)))))))))"
    )
    sql = (
        "SELECT count(), sum(cityHash64(lower(hex(s.trace_id)), lower(hex(s.span_id)), s.name, s.end_time_unix_nano, "
        "CAST((arrayMap(a -> a.key, s.attributes), arrayMap(a -> multiIf(a.value.int_value != 0, "
        "toString(a.value.int_value), a.value.string_value), s.attributes)), 'Map(LowCardinality(String), String)'))) "
        "FROM (SELECT arrayJoin(arrayFlatten(arrayMap(r -> arrayMap(c -> c.spans, r.scope_spans), resource_spans))) "
        "AS s FROM file('{}', 'ProtobufSingle', '{}') SETTINGS format_schema = '{}')"
    )
    found = 0
    with clickhouse_connect.get_client(interface="chdb", path=str(folder)) as client:
        began = time.process_time()
        for number, body in enumerate(sent):
            file = folder.with_name(f"{number}.bin")
            file.write_bytes(body)
            asked = sql.format(file, structure, f"{schema}:Request")
            found += client.query(asked).result_rows[0][0]
        took = time.process_time() - began
    assert found, "ClickHouse read no span"
    return took


def in_a_process(work: Callable[[list[bytes], Path], float], sent: list[bytes], folder: Path) -> float:
    """Run a way in a process of its own: chDB opens one folder a process, and forks hang."""
    import subprocess

    folder.mkdir()
    for number, body in enumerate(sent):
        (folder / f"sent-{number:06d}").write_bytes(body)
    words = [sys.executable, __file__, "--way", work.__name__, "--folder", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1500:]
    return float(done.stdout)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--way", choices=["rows_way", "clickhouse_way"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.way:
        sent = [path.read_bytes() for path in sorted(args.folder.glob("sent-*"))]
        print(globals()[args.way](sent, args.folder / "store"))
        return
    scale = PER / args.spans
    with tempfile.TemporaryDirectory() as scratch:
        large = bodies(args.spans, 10_000)
        up = farebox_up.start(Path(scratch) / "ledger")
        chain(up, bodies(2_000, 500, 10_000_000), 4)  # first queries of a process are slow
        cpu, wall, _ = chain(up, large, 4)
        small = bodies(args.spans // 2, 500, 20_000_000)
        small_cpu, small_wall, _ = chain(up, small, 50)
        p99 = acknowledged_at_half_load(up, bodies(20_000, 500, 30_000_000), small_wall / len(small))
        peak = peak_of(up.process.pid)
        up.stop()
        up.end()
        slow = on_a_slow_disk(large, Path(scratch) / "slow")
        (Path(scratch) / "a").mkdir()
        rows = in_a_process(rows_way, large, Path(scratch) / "a" / "rows")
        itself = in_a_process(clickhouse_way, large, Path(scratch) / "a" / "itself")
    print(
        f"{len(large[0]) / min(10_000, args.spans):.0f} bytes a span; CPU s per {PER:,} spans, spans a second a core:"
    )
    print(f"  whole chain, 10,000 a batch          {cpu * scale:6.1f}  {args.spans / cpu:9,.0f}   (wall {wall:.1f} s)")
    print(f"  whole chain, 500 a batch, 50 clients {small_cpu * scale * 2:6.1f}  {args.spans / 2 / small_cpu:9,.0f}")
    print(f"  upb and rows                         {rows * scale:6.1f}  chain / it: {cpu / rows:.2f}")
    print(f"  ClickHouse itself                    {itself * scale:6.1f}  chain / it: {cpu / itself:.2f}")
    print(f"acknowledged at half load, p99: {p99:.0f} ms")
    print(f"largest memory: {peak / 1e6:.0f} MB; with 16 clients and a slow disk: {slow / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
