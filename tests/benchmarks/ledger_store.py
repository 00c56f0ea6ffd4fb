"""What does pricing add to the CPU of storing a span, and how many bytes is a span?

    PYTHONPATH=tests python tests/benchmarks/ledger_store.py [--rounds 5]

Spans are stored as the collector stores them in its largest batches: OTLP requests are decoded and put together, and
inserted with all views. That is done in turn by the ledger as it is, and with its pricing view replaced by one that
stores the same row without a price, each time with spans that are new. Printed are milliseconds of CPU of this process,
engine and all, the least of the rounds, what pricing adds to storing (decoding and inserting) and to inserting alone,
and bytes. Merges stand still meanwhile, and receiving by HTTP and keeping in the journal is left out: both would only
hide it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from otlp_messages import attempt, traces

from farebox_collector._decode import TRACES, Body, decode
from farebox_collector._insert import insert
from farebox_collector._otlp import Encoding
from farebox_ledger import Dsn, open_store

BATCH = 10_000  # what the collector stores at once under load
REQUEST = 500  # spans of a request
BYTES_MAX = 100_000_000
PRICING = "stored_attempts_mv"
WITHOUT_PRICES = (
    "SELECT *, now64(6, 'UTC') AS received_at, lower(response_model) AS model, "
    "bitAnd(bitNot(generateSnowflakeID()), 9223372036854775807) AS version FROM attempts_unpriced"
)


def requests(first: int, spans: int) -> list[bytes]:
    """Make OTLP requests of attempts whose ids are `first` and on, each of 27 attributes."""
    made = []
    for start in range(first, first + spans, REQUEST):
        of_request = [
            attempt(
                number,
                {
                    "farebox.tenant": f"tenant-{number % 30}",
                    "farebox.user": f"user-{number * 7919 % 10_007}",
                    "farebox.task": f"task-{number // 6}" if number % 3 == 0 else "",
                    "farebox.usage.cache_read_tokens": number * 31 % 20_000,
                    "farebox.usage.cache_write_5m_tokens": number * 17 % 100,
                    "farebox.checked": ["refusal", "truncated", "loop", "empty"],
                    "farebox.duration_ms": 200.0 + number * 13 % 5000,
                    "farebox.request_id": f"req_{number * 0x9E3779B97F4A7C15 % 2**128:032x}",
                    "gen_ai.response.id": f"msg_{number * 0xC2B2AE3D27D4EB4F % 2**128:032x}",
                    "gen_ai.response.finish_reasons": ["end_turn"],
                    "http.response.status_code": 200,
                    "deployment.environment.name": "production",
                },
            )
            for number in range(start, start + REQUEST)
        ]
        made.append(traces(*of_request).SerializeToString())
    return made


def store(client: Client, bodies: list[bytes], token: str) -> tuple[float, float]:
    """Store requests in one batch, as the collector does; give the seconds of CPU of decoding and of inserting."""
    began = time.process_time()
    rows = [decode(Body(TRACES, Encoding.PROTOBUF, "", body), BYTES_MAX).rows for body in bodies]
    table = pa.concat_tables(rows).combine_chunks()
    decoded = time.process_time()
    insert(client, TRACES, table, token)
    return decoded - began, time.process_time() - decoded


def weigh(client: Client) -> None:
    """Print bytes a row of spans and attempts."""
    for table in ("otel_traces", "stored_attempts"):
        client.command(f"OPTIMIZE TABLE {table} FINAL")
        ((rows, size),) = client.query(
            "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE database = currentDatabase() "
            "AND active AND table = {table:String}",
            {"table": table},
        ).result_rows
        print(f"{table:<18}{rows:>12,} rows{size / rows:>8.1f} B a row")


def main() -> None:
    """Store with prices and without, in turn, and weigh."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_store(Dsn("chdb", path=Path(folder))) as ledger:
        client = ledger.client
        ((priced,),) = client.query(
            "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = {name:String}",
            {"name": PRICING},
        ).result_rows
        client.command("SYSTEM STOP MERGES")
        took: dict[str, list[tuple[float, float]]] = {priced: [], WITHOUT_PRICES: []}
        for number in range(2 * options.rounds):
            view = (priced, WITHOUT_PRICES)[number % 2]
            client.command(f"ALTER TABLE {PRICING} MODIFY QUERY {view}")
            took[view].append(store(client, requests(1 + number * BATCH, BATCH), str(number)))
            if number == 0:
                took[view].clear()  # the first also warms the caches up
        decoding = min(each[0] for each in took[priced])
        ours, plain = (min(each[1] for each in took[view]) for view in (priced, WITHOUT_PRICES))
        print(
            f"{BATCH:,} spans: decoded in {1000 * decoding:.0f} ms of CPU, inserted without prices in "
            f"{1000 * plain:.0f}, with prices in {1000 * ours:.0f}"
        )
        print(f"pricing adds {(ours - plain) / (decoding + plain):.0%} to storing, {ours / plain - 1:.0%} to inserting")
        client.command("SYSTEM START MERGES")
        weigh(client)


if __name__ == "__main__":
    main()
