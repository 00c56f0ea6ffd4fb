"""How fast is the ledger, and how big? Seven core questions over a day and a month, against a plain table.

    python tests/benchmarks/ledger.py [--attempts 10000000] [--folder /tmp/ledger]

The same attempts, 1 % of them stored twice, stand in the ledger and in a plain MergeTree table without de-duplication,
which the plain form of each question reads. Printed are milliseconds, the least of five since other work may share the
cores: of the clock and, in brackets, of the CPU, engine and all, which bounds the clock's where nothing else runs; the
ratio of clocks, and the memory that a question needs. The day is asked twice: with every hour in the rollups, and with
its last hour stale, as the present hour always is. A folder that is named is kept, and used again if it is there.

Ten million attempts go through the formula; of more, all beyond are copies of them (`ledger_copies.py`): a hundred
million take three quarters of an hour of two cores less than through the formula, and 20 GB.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from ledger_copies import PLAIN, multiply

from farebox_ledger import Dsn, open_store, run_query
from farebox_ledger._query import query_text
from farebox_ledger._refresh import refresh_all

BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 30
CHUNK = 500_000
DUPLICATES = 0.01
TIMES = 5
LONG_S = 10.0
PRICED_MAX = 10_000_000
# The plain form of cost per success over the month holds every call in memory.
SPILL = {"max_bytes_before_external_group_by": 2_000_000_000}
MEMORY_MB = (16, 32, 64, 128, 256, 512, 1024, 2000, 4000, 8000)
END = BEGIN + timedelta(days=DAYS)
PERIODS = {"30 d": timedelta(days=DAYS), "24 h": timedelta(days=1), "24 h, stale": timedelta(days=1)}

GENERATE = """
INSERT INTO attempts_unpriced
WITH
    {first:UInt64} + number AS n,
    intDiv(n, 5) * 5 AS beginning, -- one call in five is a retried one
    if(n % 5 = 1, toUInt64(n - 1), n) AS call, -- of one type, else equal numbers have other hashes
    sipHash64(call) AS dice,
    if(call % 10 < 3, concat('task-', toString(intDiv(call, 37) * 5 + call % 5)), '') AS its_task
SELECT
    toDateTime64('2026-10-01', 6, 'UTC') + toIntervalMicrosecond(toUInt64(n * {step_us:Float64})) AS started_at,
    false AS clock_impossible,
    200 + (sipHash64(n, 1) % 100000) / 50 AS duration_ms,
    if(n % 3 = 0, 100 + sipHash64(n, 2) % 400, NULL) AS ttft_ms,
    toFixedString(sipHash128(call), 16) AS trace_id,
    toFixedString(reinterpretAsString(sipHash64(n, 3)), 8) AS span_id,
    toFixedString('', 8) AS parent_span_id,
    'attempt' AS kind,
    lower(hex(toFixedString(reinterpretAsString(sipHash64(call, 3)), 8))) AS call_id,
    n != call AS attempt,
    concat('instance-', toString(n % 20)) AS instance,
    intDiv(n, 20) AS seq,
    concat('service-', toString(dice % 8 % 3)) AS service,
    'production' AS environment,
    ['easy', 'hard', 'search', 'chat', 'summary', 'code', 'mail', 'other'][1 + dice % 8] AS route,
    concat('tenant-', toString(sipHash64(user_id) % 30)) AS tenant,
    concat('user-', toString(toUInt32(pow((dice % 1000003) / 1000003, 2) * 10000))) AS user_id,
    its_task AS task,
    concat('v', toString(intDiv(n, 1000000))) AS prompt_version,
    map() AS tags,
    ['anthropic', 'anthropic', 'openai', 'fireworks', 'together'][1 + dice % 5] AS provider,
    '' AS server_address,
    'chat' AS operation,
    '' AS request_model,
    [
        'claude-haiku-4-5',
        'claude-sonnet-4-6',
        'gpt-5.4-mini',
        'accounts/fireworks/models/qwen3p5-flash',
        if(dice % 1000 < 5, 'unknown-model', 'Qwen/Qwen3.5-Flash')
    ][1 + dice % 5] AS response_model,
    concat('msg_', hex(sipHash64(n, 4)), hex(sipHash64(n, 5))) AS response_id,
    concat('req_', hex(sipHash64(n, 6)), hex(sipHash64(n, 7))) AS request_id,
    '' AS service_tier,
    '' AS speed,
    '' AS region,
    '' AS organization,
    '' AS workspace,
    '' AS project,
    '' AS key_fingerprint,
    'en' AS language,
    'Latin' AS script,
    if(n = call AND call % 5 = 0, NULL, 100 + sipHash64(n, 8) % 5000) AS uncached_input_tokens,
    if(n = call AND call % 5 = 0, NULL, if(n % 4 = 0, sipHash64(n, 9) % 20000, 0)) AS cache_read_tokens,
    NULL AS cache_write_5m_tokens,
    NULL AS cache_write_1h_tokens,
    NULL AS cache_write_unsplit_tokens,
    NULL AS cache_write_30m_tokens,
    NULL AS cache_write_12h_tokens,
    NULL AS audio_input_tokens,
    NULL AS image_input_tokens,
    if(n = call AND call % 5 = 0, NULL, 1 + sipHash64(n, 10) % 800) AS output_tokens,
    NULL AS reasoning_tokens,
    NULL AS audio_output_tokens,
    NULL AS image_output_tokens,
    NULL AS web_search_requests,
    NULL AS web_fetch_requests,
    NULL AS estimated_output_tokens,
    if(n = call AND call % 5 = 0, 'none', 'reported') AS usage_state,
    if(n = call AND call % 5 = 0, 'rate_limited', 'ok') AS outcome,
    if(n = call AND call % 5 = 0, 429, 200) AS http_status,
    '' AS error_type,
    if(n = call AND call % 5 = 0, '', 'end_turn') AS stop_reason,
    if(sipHash64(n, 11) % 50 = 0, ['refusal.text'], []) AS flags,
    ['refusal', 'truncated', 'loop', 'empty'] AS checked,
    '' AS refusal_kind,
    NULL AS unsupported_citations,
    NULL AS tool_calls,
    NULL AS tool_calls_malformed,
    [] AS tool_names,
    [] AS malformed_tools,
    [] AS prefix_hashes,
    [] AS prefix_bytes,
    1000 + sipHash64(n, 12) % 20000 AS request_characters,
    sipHash64(n, 13) % 3000 AS response_characters,
    NULL AS reported_cost,
    map() AS other_units,
    [] AS unreadable,
    '' AS contradiction,
    sipHash64(n, 14) AS content
FROM numbers({count:UInt64})
WHERE {every:UInt64} = 1 OR sipHash64(n, 15) % {every:UInt64} = 0
"""

HOUR_ROUTE = "GROUP BY toStartOfHour(started_at) AS hour, route ORDER BY hour, route"
WHERE = "FROM plain WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}"
QUESTIONS = {
    "spend": ("hourly_spend", f"SELECT hour, route, sum(list_cost), countIf(list_cost IS NULL) {WHERE} {HOUR_ROUTE}"),
    "p95 latency": ("hourly_latency", f"SELECT hour, route, quantile(0.95)(duration_ms) {WHERE} {HOUR_ROUTE}"),
    "failure rate": ("hourly_failures", f"SELECT hour, route, countIf(outcome != 'ok') / count() {WHERE} {HOUR_ROUTE}"),
    "cost per success": (
        "hourly_cost_per_success",
        "SELECT toStartOfHour(start) AS hour, route, sum(cost), countIf(good) FROM (SELECT "
        "if(task = '', call_id, task) AS name, argMin(plain.route, started_at) AS route, min(started_at) AS start, "
        f"sum(list_cost) AS cost, argMax(outcome, started_at) = 'ok' AS good {WHERE} GROUP BY name) "
        "GROUP BY hour, route",
    ),
    "tokens": (
        "hourly_tokens",
        f"SELECT hour, route, sum(uncached_input_tokens), sum(output_tokens) {WHERE} {HOUR_ROUTE}",
    ),
    "cache hit rate": (
        "hourly_cache_hits",
        f"SELECT hour, route, sum(cache_read_tokens) / sum(uncached_input_tokens) {WHERE} {HOUR_ROUTE}",
    ),
    "top users": (
        "top_users",
        f"SELECT user_id, sum(list_cost) AS spend {WHERE} GROUP BY user_id ORDER BY spend DESC LIMIT 10",
    ),
}


def fill(client: Client, attempts: int) -> None:
    """Store attempts over the month, each chunk with copies of 1 % of it; in a plain table what is asked of them."""
    step_us = DAYS * 86_400e6 / attempts
    client.command(
        "CREATE TABLE plain ENGINE = MergeTree PARTITION BY toDate(started_at) ORDER BY started_at AS "
        f"SELECT {', '.join(PLAIN)} FROM stored_attempts LIMIT 0"
    )
    for first in range(0, attempts, CHUNK):
        chunk = {"first": first, "count": min(CHUNK, attempts - first), "step_us": step_us}
        client.command(GENERATE, {**chunk, "every": 1})
        client.command(GENERATE, {**chunk, "every": round(1 / DUPLICATES)})
    client.command(f"INSERT INTO plain ({', '.join(PLAIN)}) SELECT {', '.join(PLAIN)} FROM stored_attempts")


def filled(client: Client, attempts: int, minutes: float = 1e9) -> None:
    """Fill a ledger unless it is filled, and work through what waits."""
    if not client.query("EXISTS TABLE plain").result_rows[0][0]:
        began = time.perf_counter()
        fill(client, min(attempts, PRICED_MAX))
        print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)
    began = time.perf_counter()
    print(f"refreshed {refresh_all(client):,} arrivals in {time.perf_counter() - began:.0f} s", flush=True)
    if attempts > PRICED_MAX:
        multiply(client, attempts // PRICED_MAX, minutes)
        refresh_all(client)  # the days are closed anew


def make_stale(client: Client, attempts: int) -> None:
    """Store the last attempt once more: no figure changes, and its hour is counted by whoever asks."""
    priced = min(attempts, PRICED_MAX)
    last = {"first": priced - 1, "count": 1, "every": 1, "step_us": DAYS * 86_400e6 / priced}
    client.command(GENERATE, last)


def timed(ask: Callable[[], Any], times: int = TIMES) -> tuple[float, float]:
    """Ask a few times, once where it takes long; give the least milliseconds of the clock and of the CPU."""
    walls, cpus = [], []
    while len(walls) < times and sum(walls) < 1000 * LONG_S:
        wall, cpu = time.perf_counter(), time.process_time()
        ask()
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    return min(walls), min(cpus)


def memory_mb(client: Client, sql: str, parameters: dict[str, Any]) -> int:
    """Give the least bound of memory, of powers of two, within which a question is answered; 0: none up to 8 GB."""
    for bound in MEMORY_MB:
        try:
            client.query(sql, parameters, settings={"max_memory_usage": bound * 1_000_000})
        except ClickHouseError as error:
            if "MEMORY_LIMIT_EXCEEDED" not in str(error):
                raise
        else:
            return bound
    return 0


def compare(client: Client, period: str) -> None:
    """Print each question's time over a period in the ledger and in the plain table, and the memory that it needs."""
    asked = {"since": END - PERIODS[period], "until": END, "route": "", "model": "", "limit": 10}
    for question, (name, plain) in QUESTIONS.items():
        used = {key: asked[key] for key in asked if f"{{{key}:" in query_text(name)}
        between = {key: asked[key] for key in ("since", "until")}
        ours, cpu = timed(lambda name=name, used=used: run_query(client, name, used))
        theirs, _ = timed(lambda plain=plain, between=between: client.query(plain, between, settings=SPILL))
        memory = memory_mb(client, query_text(name), used)
        times = f"{ours:>6.0f} ({cpu:>4.0f}) ms{theirs:>7.0f} ms{ours / theirs:>8.2f}"
        print(f"{question:<18}{period:<12}{times}{f'<= {memory:,} MB':>12}", flush=True)


def weigh(client: Client) -> None:
    """Print bytes a row of each table, and of the dearest columns."""
    (rows,) = client.query("SELECT count() FROM llm_attempts").result_rows[0]
    tables = client.query(
        "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts WHERE database = currentDatabase() AND active "
        "AND table != 'plain' GROUP BY table HAVING sum(bytes_on_disk) > 1000000 ORDER BY 3 DESC"
    ).result_rows
    for table, held, size in tables:
        print(f"{table:<22}{held:>12,} rows{size / rows:>8.1f} B an attempt")
    columns = client.query(
        "SELECT table, column, sum(column_data_compressed_bytes) FROM system.parts_columns "
        "WHERE database = currentDatabase() AND active AND table IN ('stored_attempts', 'attempt_hours', 'task_hours') "
        "GROUP BY table, column ORDER BY 3 DESC LIMIT 30"
    ).result_rows
    for table, column, size in columns:
        print(f"  {table}.{column:<40}{size / rows:>8.2f} B")


def main() -> None:
    """Fill a ledger, refresh it, ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--minutes", type=float, default=1e9, help="of copying; the next run on the folder goes on")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as temporary,
        open_store(Dsn("chdb", path=options.folder or Path(temporary))) as ledger,
    ):
        client = ledger.client
        filled(client, options.attempts, options.minutes)
        if options.attempts <= PRICED_MAX:
            weigh(client)
        print(f"{'':<30}{'ledger (CPU)':>16}{'plain':>10}{'ratio':>8}{'memory':>12}")
        for period in PERIODS:
            if period.endswith("stale"):
                make_stale(client, options.attempts)
            compare(client, period)


if __name__ == "__main__":
    main()
