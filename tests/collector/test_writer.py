"""Batches are stored together, answered one by one, and no row takes its neighbours with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from otlp_messages import attempt, span, traces

from farebox_collector._counts import Counts
from farebox_collector._insert import OF_THE_ROWS, OF_THE_STORE, SETTINGS
from farebox_collector._spans import rows_of
from farebox_collector._writer import QUEUE_SPANS_MAX, Batch, Writer
from farebox_collector.errors import BusyError, StoreUnavailableError
from farebox_ledger import Store, open_store

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

DONE_S = 20
_numbers = count(1)


@pytest.fixture(scope="module")
def _module_store(_shared_store: Store) -> Iterator[Store]:
    with open_store(replace(_shared_store.dsn, database="collector_writer")) as store:
        yield store


@pytest.fixture
def store(_module_store: Store) -> Iterator[Store]:
    """A store with an empty table."""
    yield _module_store
    _module_store.client.command("TRUNCATE TABLE otel_traces")


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def writer(store: Store, counts: Counts) -> Iterator[Writer]:
    made = Writer(store.client, counts)
    yield made
    made.close(DONE_S)


@pytest.fixture
def scratch(store: Store) -> Iterator[Client]:
    """A session in which the table `seen` and its view `seen_mv` may be made; they are dropped afterwards."""
    with store.new_client() as client:
        yield client
        client.command("DROP VIEW IF EXISTS seen_mv")
        client.command("DROP TABLE IF EXISTS seen")


@pytest.fixture
def _poison_refused(store: Store) -> Iterator[None]:
    """The table refuses spans of one name, as it refuses a value that overflows a column."""
    with store.new_client() as client:
        client.command("ALTER TABLE otel_traces ADD CONSTRAINT no_poison CHECK SpanName != 'poison'")
        yield
        client.command("ALTER TABLE otel_traces DROP CONSTRAINT no_poison")


def batch(*spans: Any) -> Batch:
    request = traces(*spans)
    return Batch(rows_of(request).table, blake2b(request.SerializeToString()).digest())


def send(writer: Writer, *batches: Batch) -> list[Counter[str]]:
    for each in batches:
        writer.submit(each)
    return [each.settled.result(DONE_S) for each in batches]


def stored(store: Store) -> list[str]:
    """Span ids in the table."""
    with store.new_client() as client:
        return [row[0] for row in client.query("SELECT SpanId FROM otel_traces ORDER BY SpanId").result_rows]


def ids(*numbers: int) -> list[str]:
    return [f"{number:016x}" for number in numbers]


def test_answered_once_stored(writer: Writer, store: Store) -> None:
    """When a batch settles, its rows can be read."""
    assert send(writer, batch(span(1), span(2))) == [Counter()]
    assert stored(store) == ids(1, 2)


def test_waiting_batches_share_an_insert(writer: Writer, store: Store, counts: Counts) -> None:
    """Batches that wait together are inserted together."""
    send(writer, *(batch(span(number)) for number in range(1, 41)))

    assert stored(store) == ids(*range(1, 41))
    assert counts.all()["inserts"] < 10


def test_same_content_twice(writer: Writer, store: Store) -> None:
    """A retried batch adds nothing."""
    once = span(1)
    send(writer, batch(once))
    send(writer, batch(once))

    assert stored(store) == ids(1)


def test_retry_mends_a_view_that_was_cut_off(writer: Writer, store: Store, scratch: Client) -> None:
    """A retry reaches a view whose table lost the rows while the source table had kept them."""
    once = span(1)
    scratch.command(
        "CREATE TABLE seen (id String) ENGINE = MergeTree ORDER BY id "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    scratch.command("CREATE MATERIALIZED VIEW seen_mv TO seen AS SELECT SpanId AS id FROM otel_traces")
    scratch.command("ALTER TABLE seen ADD CONSTRAINT closed CHECK 0")
    assert sum(send(writer, batch(once))[0].values()) == 1
    scratch.command("ALTER TABLE seen DROP CONSTRAINT closed")

    send(writer, batch(once))

    assert scratch.query("SELECT id FROM seen").result_rows == [("0000000000000001",)]
    assert stored(store) == ids(1)


@pytest.mark.usefixtures("_poison_refused")
@pytest.mark.parametrize("poisoned", [[5], [1], [60], [1, 2, 30, 59, 60]])
def test_poison_stands_alone(writer: Writer, store: Store, poisoned: list[int]) -> None:
    """A row that cannot be stored is refused with the reason; every other row of the group is stored."""
    numbers = range(1, 61)
    spans = [span(number, name="poison" if number in poisoned else "chat") for number in numbers]
    batches = [batch(*spans[:20]), batch(*spans[20:40]), batch(*spans[40:])]

    settled = send(writer, *batches)

    assert stored(store) == ids(*(number for number in numbers if number not in poisoned))
    assert [sum(reasons.values()) for reasons in settled] == [
        sum(low < number <= low + 20 for number in poisoned) for low in (0, 20, 40)
    ]
    assert all("no_poison" in reason for reasons in settled for reason in reasons)


@pytest.mark.usefixtures("_poison_refused")
def test_lone_poison(writer: Writer, store: Store) -> None:
    """A batch that is one bad row is refused, and the store counts as working."""

    assert [sum(reasons.values()) for reasons in send(writer, batch(span(1, name="poison")))] == [1]
    assert writer.failure is None


def test_store_that_cannot_store(writer: Writer, store: Store) -> None:
    """While the store fails, batches are given back, not lost and not refused; afterwards they go in."""
    with store.new_client() as client:
        client.command("RENAME TABLE otel_traces TO elsewhere")
        failing = batch(span(1), span(2))
        writer.submit(failing)
        with pytest.raises(StoreUnavailableError, match="UNKNOWN_TABLE"):
            failing.settled.result(DONE_S)
        assert "UNKNOWN_TABLE" in (writer.failure or "")
        client.command("RENAME TABLE elsewhere TO otel_traces")

    send(writer, batch(span(1), span(2)))

    assert stored(store) == ids(1, 2)
    assert writer.failure is None


def test_broken_view_is_no_poison(writer: Writer, scratch: Client) -> None:
    """When every row fails for a reason that may be the schema's, nothing is refused for good."""
    scratch.command("CREATE TABLE seen (id UInt64, n UInt8) ENGINE = MergeTree ORDER BY id")
    scratch.command(
        "CREATE DICTIONARY numbers (id UInt64, n UInt8) PRIMARY KEY id "
        "SOURCE(CLICKHOUSE(TABLE 'seen')) LAYOUT(FLAT()) LIFETIME(0)"
    )
    scratch.command(
        "CREATE MATERIALIZED VIEW seen_mv TO seen AS "
        "SELECT toUInt64(1) AS id, dictGetUInt8('numbers', 'n', toUInt64(1)) AS n FROM otel_traces"
    )
    scratch.command("DROP DICTIONARY numbers", settings={"check_table_dependencies": 0})
    failing = batch(span(1), span(2), span(3))
    writer.submit(failing)

    with pytest.raises(StoreUnavailableError, match="BAD_ARGUMENTS"):
        failing.settled.result(DONE_S)


def test_spans_of_many_days(writer: Writer, store: Store) -> None:
    """Any mixture of clocks is stored, absurd ones too."""
    day = 86_400_000_000_000
    spans = [span(number, start_time_unix_nano=number * day * 90) for number in range(1, 151)]
    spans += [span(2000, start_time_unix_nano=0), span(2001, start_time_unix_nano=2**64 - 1)]

    send(writer, batch(*spans))

    assert len(stored(store)) == 152
    with store.new_client() as client:
        assert client.query(
            "SELECT toUnixTimestamp64Nano(Timestamp) FROM otel_traces "
            "WHERE SpanId IN {ids:Array(String)} ORDER BY SpanId",
            {"ids": ids(1, 2000, 2001)},
        ).result_rows == [(90 * day,), (0,), (2**63 - 1,)]


def test_nobody_waits_any_more(writer: Writer, store: Store) -> None:
    """A batch whose client has gone is stored all the same, and its neighbours are answered."""
    left, kept = batch(span(1)), batch(span(2))
    writer.submit(left)
    writer.submit(kept)

    assert not left.settled.cancel()
    assert kept.settled.result(DONE_S) == Counter()
    assert stored(store) == ids(1, 2)


def test_full_queue(writer: Writer) -> None:
    """More spans than may wait are turned away at once."""
    many = Batch(batch(span(1)).rows.take([0] * (QUEUE_SPANS_MAX + 1)), b"")

    with pytest.raises(BusyError, match="rows wait"):
        writer.submit(many)


def test_close_stores_what_waits(store: Store, counts: Counts) -> None:
    """Closing stores what is queued; later batches are turned away."""
    writer = Writer(store.client, counts)
    batches = [batch(span(number)) for number in range(1, 11)]
    for each in batches:
        writer.submit(each)

    assert writer.close(DONE_S)
    assert [each.settled.result(0) for each in batches] == [Counter()] * 10
    with pytest.raises(BusyError, match="stopping"):
        writer.submit(batch(span(11)))
    assert stored(store) == ids(*range(1, 11))


def test_names_and_settings_are_clickhouses(ledger_client: Any) -> None:
    """Every error name and setting that we rely on exists in ClickHouse."""
    known = {row[0] for row in ledger_client.query("SELECT errorCodeToName(number) FROM numbers(2000)").result_rows}
    settings = {row[0] for row in ledger_client.query("SELECT name FROM system.settings").result_rows}

    assert (OF_THE_ROWS | OF_THE_STORE) - known == set()
    assert {*SETTINGS, "insert_deduplication_token"} - settings == set()
    assert not OF_THE_ROWS & OF_THE_STORE


def test_values_reach_the_table(writer: Writer, store: Store) -> None:
    """What an attempt's span says is what the table holds."""
    send(writer, batch(attempt(1, {"farebox.flags": ["refusal.api"], "ratio": 0.5})))

    with store.new_client() as client:
        row = client.query(
            "SELECT ServiceName, ScopeName, SpanKind, Duration, SpanAttributes['farebox.flags'] AS flags, "
            "SpanAttributes['farebox.usage.output_tokens'] AS output, SpanAttributes['ratio'] AS ratio FROM otel_traces"
        ).first_item
    assert row == {
        "ServiceName": "shop",
        "ScopeName": "farebox",
        "SpanKind": "Client",
        "Duration": 1_000_000,
        "flags": '["refusal.api"]',
        "output": "100",
        "ratio": "0.5",
    }
