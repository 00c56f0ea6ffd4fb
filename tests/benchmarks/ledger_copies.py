"""Make a ledger of ten million priced attempts one of a hundred million: each attempt again under other ids.

The copies have other trace, span, call and task ids, stand some microseconds beside the attempt they are of, and cost
what it costs; so a day holds ten times as many, and every sum of an hour is ten times what it was. They go into the
ledger's own tables, day by day, past the formula and past `arrivals`; what finds an attempt's duplicates and tasks is
written as a refresh would. What users cost, and tasks that span hours, the ledger's own code counts for all hours. The
sums of attempts and tasks are multiplied, and then counted anew by that code for the last two days, which must change
nothing. Columns and rollups that none of the seven questions reads stay as they are: bytes are weighed before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any

from clickhouse_connect.driver.client import Client

from farebox_ledger import _refresh
from farebox_ledger._portions import portions

__all__ = ["multiply"]

# What the seven questions, what they are counted from, and the plain table read.
COPIED = [
    "clock_impossible",
    "duration_ms",
    "ttft_ms",
    "kind",
    "attempt",
    "service",
    "environment",
    "route",
    "tenant",
    "user_id",
    "provider",
    "model",
    "uncached_input_tokens",
    "cache_read_tokens",
    "output_tokens",
    "usage_state",
    "outcome",
    "flags",
    "checked",
    "list_cost",
    "cost_input",
    "cost_cache_read",
    "cost_cache_write",
    "cost_output",
    "cost_tools",
    "price_id",
    "price_state",
    "price_reason",
    "received_at",
    "version",
]
PLAIN = [
    "started_at",
    "route",
    "user_id",
    "task",
    "call_id",
    "outcome",
    "duration_ms",
    "uncached_input_tokens",
    "cache_read_tokens",
    "output_tokens",
    "list_cost",
]
COPY = f"""
INSERT INTO copies (started_at, trace_id, span_id, call_id, task, {", ".join(COPIED)})
SELECT
    started_at + toIntervalMicrosecond(copy) AS started_at,
    toFixedString(reinterpretAsString(bitXor(reinterpretAsUInt128(trace_id), bitShiftLeft(toUInt128(copy), 120))), 16) AS trace_id,
    toFixedString(reinterpretAsString(bitXor(reinterpretAsUInt64(span_id), bitShiftLeft(toUInt64(copy), 56))), 8) AS span_id,
    concat(substring(call_id, 1, 14), lower(hex(toUInt8(bitXor(reinterpretAsUInt8(unhex(substring(call_id, 15, 2))), copy))))) AS call_id,
    if(task = '', '', concat(task, '-', toString(copy))) AS task,
    {", ".join(COPIED)}
FROM stored_attempts
ARRAY JOIN range(1, {{times:UInt8}}) AS copy
WHERE toDate(started_at) = {{day:Date}} AND request_id != '' -- no copy
"""  # noqa: E501
NOTES = (
    "INSERT INTO attempt_hours SELECT span_id, trace_id, toStartOfHour(started_at) FROM copies",
    "INSERT INTO task_hours SELECT DISTINCT if(task = '', sipHash64(trace_id, call_id), sipHash64(task)), "
    "toStartOfHour(started_at) FROM copies",
    f"INSERT INTO plain ({', '.join(PLAIN)}) SELECT {', '.join(PLAIN)} FROM copies",
)
SPANNING = (
    "INSERT INTO spanning_tasks SELECT task_key FROM task_hours WHERE task_key % 32 = {slice:UInt8} "
    "GROUP BY task_key HAVING min(hour) != max(hour)"
)
MULTIPLIED = ("attempts_hourly", "tasks_hourly")
KEPT = ("by_tenant", "dearest")
COUNTED_DAYS = 2


def multiply(client: Client, times: int, minutes: float) -> None:
    """Make every attempt stand `times` times; ends after some minutes, and the next run goes on from there."""
    until = time.monotonic() + 60 * minutes
    client.command("CREATE TABLE IF NOT EXISTS copied (what String) ENGINE = MergeTree ORDER BY what")
    days = [day for (day,) in client.query("SELECT DISTINCT toDate(hour) FROM tasks_hourly ORDER BY 1").result_rows]
    for day in days:
        _once(client, until, f"attempts of {day}", lambda day=day: _copy_day(client, day, times))
    _once(client, until, "spanning tasks", lambda: _note_spanning(client))
    for table in MULTIPLIED:
        _once(client, until, f"sums of {table}", lambda table=table: _multiply_sums(client, table, times))
    for day in days:
        _once(client, until, f"users of {day}", lambda day=day: _count(client, [day], ("users_hourly",)))
    _once(client, until, "last days counted", lambda: _prove(client, days[-COUNTED_DAYS:]))


def _once(client: Client, until: float, what: str, do: Callable[[], None]) -> None:
    """Do what is not done yet, and note it; give up when time is."""
    if client.query("SELECT count() FROM copied WHERE what = {what:String}", {"what": what}).result_rows[0][0]:
        return
    if time.monotonic() > until:
        raise SystemExit(f"time is up before: {what}; run it again to go on")
    began, cpu = time.perf_counter(), time.process_time()
    do()
    client.insert("copied", [[what]], column_names=["what"])
    print(f"{what}: {time.perf_counter() - began:.0f} s, {time.process_time() - cpu:.0f} s of CPU", flush=True)


def _copy_day(client: Client, day: date, times: int) -> None:
    """Copy a day's attempts in a table beside, which no view watches, and move them in whole."""
    client.command("DROP TABLE IF EXISTS copies SYNC")
    client.command("CREATE TABLE copies AS stored_attempts")
    for table in ("copies", "plain"):
        client.command(f"SYSTEM STOP MERGES {table}")
    client.command(COPY, {"day": day, "times": times}, settings={"max_threads": 1})
    for note in NOTES:
        client.command(note)
    client.command(f"ALTER TABLE stored_attempts ATTACH PARTITION '{day}' FROM copies")
    client.command("DROP TABLE copies SYNC")


def _note_spanning(client: Client) -> None:
    for part in range(32):
        client.command(SPANNING, {"slice": part})


def _multiply_sums(client: Client, table: str, times: int) -> None:
    """Multiply every sum, count and sketch of a rollup; what names a group stays, and so does a maximum."""
    columns = client.query(
        "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String} "
        "ORDER BY position",
        {"table": table},
    ).result_rows
    terms = [_multiplied(name, kind, times) for name, kind in columns]
    client.command(f"INSERT INTO {table} SELECT {', '.join(terms)} FROM {table} FINAL")


def _multiplied(name: str, kind: str, times: int) -> str:
    if name == "rolled_at":
        return "now64(6, 'UTC')"
    if name in KEPT or kind.startswith(("LowCardinality", "DateTime")):
        return name
    if kind.startswith("Tuple"):  # of names, and of what is counted under each
        parts = [f"{name}.1"] + [
            f"arrayMap(each -> each * {times}, {name}.{number})" for number in range(2, kind.count("Array(") + 1)
        ]
        return f"({', '.join(parts)})"
    return f"{name} * {times}"


def _count(client: Client, days: list[date], rollups: tuple[str, ...]) -> None:
    """Count some days as a refresh does, in portions of hours."""
    hours = client.query(
        "SELECT toStartOfHour(started_at) AS hour, count() FROM stored_attempts "
        "WHERE toDate(started_at) IN {days:Array(Date)} GROUP BY hour ORDER BY hour",
        {"days": days},
    ).result_rows
    for some in portions(hours, _refresh.ATTEMPTS_MAX):
        _refresh._run(client, "count_spanning_calls", {"hours": some})
        for rollup in rollups:
            _refresh._count(client, rollup, some)


def _prove(client: Client, days: list[date]) -> None:
    """Count some days anew, and hold against it what the multiplied sums say."""
    before = _sums(client, days)
    _count(client, days, MULTIPLIED)
    after = _sums(client, days)
    if before != after:
        raise SystemExit(f"multiplied sums are not what the ledger counts: {before} is not {after}")


def _sums(client: Client, days: list[date]) -> list[Any]:
    """Add up what the last days come to, by every number that is a sum."""
    found = []
    for table in MULTIPLIED:
        columns = client.query(
            "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} "
            "AND (type LIKE '%Decimal(38%' OR type = 'UInt64') AND type NOT LIKE 'Tuple%'",
            {"table": table},
        ).result_rows
        sums = ", ".join(f"sum({table}.{name})" for (name,) in columns)
        found += client.query(
            f"SELECT by_tenant, {sums} FROM {table} FINAL WHERE toDate(hour) IN {{days:Array(Date)}} "
            "GROUP BY by_tenant ORDER BY by_tenant",
            {"days": days},
        ).result_rows
    return found
