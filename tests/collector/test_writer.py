"""Over the ClickHouse interface an exporter inserts with a token made for that: into its tables, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from farebox_up import Up
from otlp_messages import attempt, traces

from farebox_collector._readonly import RefusedError
from farebox_collector._tokens import FILE, Gate, add_token
from farebox_collector._writer import Insert, insert_in
from farebox_collector.errors import UnauthorizedError

COLUMNS = "Timestamp, TraceId, SpanId, SpanName, ServiceName, ScopeName, SpanAttributes, Duration"
INTO = "INSERT INTO {} ({}) FORMAT Native"
# A span of another number, made of one that is there.
OTHER = "SELECT Timestamp, TraceId, '{:016x}' AS SpanId, SpanName, ServiceName, ScopeName, SpanAttributes, Duration "
OTHER += "FROM otel_traces WHERE otel_traces.SpanId = '0000000000000001' FORMAT Native"


@pytest.fixture(scope="module")
def up(start_up: Callable[..., Up], tmp_path_factory: pytest.TempPathFactory) -> Up:
    started = start_up(tmp_path_factory.mktemp("writer") / "ledger")
    assert started.post(traces(attempt(1)).SerializeToString()).status_code == 200
    return started


@pytest.fixture(scope="module")
def secret(up: Up) -> str:
    return add_token(up.folder / FILE, "otel", [], writes=True)


def block(up: Up, number: int) -> bytes:
    """Make a block as an exporter sends it."""
    with up.client() as client:
        made: bytes = client.raw_query(OTHER.format(number))
    return made


def insert(up: Up, body: bytes, secret: str = "", into: str = '"farebox"."otel_traces"') -> requests.Response:
    return requests.post(
        f"http://127.0.0.1:{up.clickhouse_port}/",
        body,
        params={"query": INTO.format(into, COLUMNS), "default_format": "Native", "async_insert": "true"},
        headers={"X-ClickHouse-User": "otel", "X-ClickHouse-Key": secret},
        timeout=30,
    )


def test_a_block_becomes_attempts(up: Up, secret: str) -> None:
    """What is inserted is priced like what comes over OTLP; the same block again adds nothing."""
    sent = block(up, 2)
    answers = [insert(up, sent, secret), insert(up, sent, secret), insert(up, block(up, 3), secret)]

    assert [each.status_code for each in answers] == [200, 200, 200]
    assert up.rows("SELECT hex(span_id), list_cost FROM llm_attempts ORDER BY span_id") == [
        (f"{number:016X}", Decimal("0.0015")) for number in (1, 2, 3)
    ]
    assert up.rows("SELECT count() FROM otel_traces") == [(3,)]


@pytest.mark.parametrize(
    ("shown", "into", "code"),
    [
        ("", "farebox.otel_traces", "516"),
        ("fbx_another", "farebox.otel_traces", "516"),
        ("{secret}", "farebox.llm_attempts", "164"),
        ("{secret}", "prices", "164"),
        ("{secret}", "system.otel_traces", "164"),
    ],
)
def test_nothing_else(up: Up, secret: str, shown: str, into: str, code: str) -> None:
    """Without the token, and into another table, nothing is inserted."""
    before = up.rows("SELECT count() FROM otel_traces")
    answer = insert(up, block(up, 9), shown.format(secret=secret), into)

    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (403, code)
    assert up.rows("SELECT count() FROM otel_traces") == before


def test_what_cannot_be_read_is_refused(up: Up, secret: str) -> None:
    """A block that is none gets ClickHouse's words, LZ4 a sentence with the remedy; it goes on after both."""
    broken = insert(up, b"\x08\x01no block", secret)
    packed = requests.get(f"http://127.0.0.1:{up.clickhouse_port}/?query=SELECT+1&compress=1", timeout=10)

    assert broken.status_code >= 400
    assert "Code: " in broken.text
    assert (packed.status_code, "compression to gzip" in packed.text) == (501, True)
    assert insert(up, b"", secret).status_code == 200


def test_a_token_is_for_one_thing(tmp_path: Path) -> None:
    """A token that writes sends no telemetry, and one that sends writes nothing."""
    writes = add_token(tmp_path / FILE, "otel", [], writes=True)
    sends = add_token(tmp_path / FILE, "shop", ["shop"])
    gate = Gate(tmp_path / FILE)
    gate.check_write(writes)

    assert gate.services(f"Bearer {sends}") == {"shop"}
    with pytest.raises(UnauthorizedError):
        gate.check_write(sends)
    with pytest.raises(UnauthorizedError):
        gate.services(f"Bearer {writes}")


@pytest.mark.parametrize("sql", ["SELECT 1", "", "DESCRIBE TABLE t", "EXPLAIN INSERT INTO t (a) FORMAT Native"])
def test_what_does_not_insert_is_for_others(sql: str) -> None:
    """Only what begins with INSERT is the writer's."""
    assert insert_in(sql, "farebox", "farebox") is None


def test_the_exporters_statement() -> None:
    """The exporter's own statement names its table and columns."""
    sql = 'INSERT INTO "farebox"."otel_traces" (\n    Timestamp,\n    Events.Name\n)  FORMAT Native'

    assert insert_in(sql, "default", "farebox") == Insert("otel_traces", ["Timestamp", "Events.Name"])


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO otel_traces SELECT 1",
        "INSERT INTO otel_traces (TraceId) VALUES ('a')",
        "INSERT INTO otel_traces (TraceId) FORMAT JSONEachRow",
        "INSERT INTO otel_traces (TraceId) SETTINGS async_insert = 1 FORMAT Native",
        "INSERT INTO FUNCTION file('x', 'Native') (TraceId) FORMAT Native",
        "INSERT INTO otel_traces (TraceId) FROM INFILE '/etc/passwd' FORMAT Native",
        "INSERT INTO otel_traces (`a`, b) FORMAT Native; DROP TABLE prices",
        "INSERT INTO otel_traces (a b) FORMAT Native",
        "INSERT INTO other.otel_traces (TraceId) FORMAT Native",
    ],
)
def test_other_inserts_are_refused(sql: str) -> None:
    """Whatever else inserts, or brings more with it, is refused."""
    with pytest.raises(RefusedError):
        insert_in(sql, "farebox", "farebox")
