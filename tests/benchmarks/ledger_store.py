"""What does pricing add to the CPU of storing a span, and how many bytes is a span?

    python tests/benchmarks/ledger_store.py [--spans 100000]

The same spans are stored twice, as the collector stores them in its largest batches: by the ledger as it is, and with
the pricing view replaced by one that stores the same row without a price. Printed are seconds of CPU of this process,
engine and all, their ratio, and bytes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from clickhouse_connect.driver.client import Client

from farebox_collector._insert import SETTINGS
from farebox_ledger import Dsn, open_store

BATCH = 20_000  # what the collector stores at once under load
PRICING = "stored_attempts_mv"
SPANS = """
INSERT INTO otel_traces
(Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName, ScopeVersion,
 SpanAttributes, Duration, StatusCode)
SELECT
    now64(9, 'UTC') - INTERVAL 1 DAY + toIntervalMillisecond(n),
    lower(hex(sipHash128(n))),
    lower(hex(sipHash64(n))),
    '',
    'chat claude-haiku-4-5',
    'Client',
    'shop',
    map('service.name', 'shop', 'telemetry.sdk.language', 'python', 'deployment.environment.name', 'production'),
    'farebox',
    '0.1.0',
    map(
        'farebox.kind', 'attempt',
        'farebox.call_id', lower(hex(sipHash64(n))),
        'farebox.attempt', '0',
        'farebox.instance', concat('i', toString(n % 20)),
        'farebox.seq', toString(intDiv(n, 20)),
        'farebox.route', ['easy', 'hard', 'chat'][1 + n % 3],
        'farebox.tenant', concat('tenant-', toString(n % 30)),
        'farebox.user', concat('user-', toString(sipHash64(n, 1) % 10000)),
        'farebox.task', if(n % 3 = 0, concat('task-', toString(intDiv(n, 6))), ''),
        'farebox.provider', 'anthropic',
        'farebox.usage.uncached_input_tokens', toString(sipHash64(n, 2) % 5000),
        'farebox.usage.cache_read_tokens', toString(sipHash64(n, 3) % 20000),
        'farebox.usage.cache_write_5m_tokens', toString(sipHash64(n, 4) % 100),
        'farebox.usage.output_tokens', toString(sipHash64(n, 5) % 800),
        'farebox.usage.state', 'reported',
        'farebox.outcome', 'ok',
        'farebox.checked', '["refusal","truncated","loop","empty"]',
        'farebox.duration_ms', toString(200 + sipHash64(n, 6) % 5000),
        'farebox.request_id', concat('req_', hex(sipHash64(n, 7)), hex(sipHash64(n, 8))),
        'gen_ai.operation.name', 'chat',
        'gen_ai.request.model', 'claude-haiku-4-5',
        'gen_ai.response.model', 'claude-haiku-4-5-20251001',
        'gen_ai.response.id', concat('msg_', hex(sipHash64(n, 9)), hex(sipHash64(n, 10))),
        'gen_ai.response.finish_reasons', '["end_turn"]',
        'http.response.status_code', '200'
    ),
    1000000 * (200 + sipHash64(n, 6) % 5000),
    'Unset'
FROM (SELECT {first:UInt64} + number AS n FROM numbers({count:UInt64}))
"""


def store(client: Client, spans: int) -> float:
    """Store spans in batches, as the collector does, and return the seconds of CPU that took."""
    began = time.process_time()
    for first in range(0, spans, BATCH):
        client.command(SPANS, {"first": first, "count": min(BATCH, spans - first)}, settings=SETTINGS)
    return time.process_time() - began


def without_prices(client: Client) -> None:
    """Replace the pricing view by one that stores the same row and knows no price."""
    client.command(f"DROP VIEW {PRICING}")
    client.command(
        f"CREATE MATERIALIZED VIEW {PRICING} TO stored_attempts AS SELECT *, now64(6, 'UTC') AS received_at, "
        "lower(response_model) AS model, bitAnd(bitNot(generateSnowflakeID()), 9223372036854775807) AS version "
        "FROM attempts_unpriced"
    )


def main() -> None:
    """Store with prices and without, and weigh."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_store(Dsn("chdb", path=Path(folder))) as ledger:
        client = ledger.client
        store(client, BATCH)
        priced = store(client, options.spans)
        for table in ("otel_traces", "stored_attempts"):
            client.command(f"OPTIMIZE TABLE {table} FINAL")
            ((rows, size),) = client.query(
                "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE database = currentDatabase() "
                "AND active AND table = {table:String}",
                {"table": table},
            ).result_rows
            print(f"{table:<18}{rows:>12,} rows{size / rows:>8.1f} B a row")
        without_prices(client)
        store(client, BATCH)
        unpriced = store(client, options.spans)
        print(f"with prices {priced:.2f} s, without {unpriced:.2f} s of CPU: ratio {priced / unpriced:.2f}")


if __name__ == "__main__":
    main()
