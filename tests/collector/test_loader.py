"""What the journal holds gets into the tables once, whatever happens to the store; no row takes neighbours with it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from collector.pipeline import Pipeline, running
from farebox_up import wait_until
from otlp_messages import attempt, log_record, logs, span, traces

from farebox_collector._insert import OF_THE_ROWS, OF_THE_STORE, SETTINGS, insert
from farebox_collector._journal import Bounds
from farebox_collector._spans import rows_of
from farebox_collector.errors import JournalFullError, StoreError
from farebox_ledger import Store, open_store

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@pytest.fixture(scope="module")
def _module_store(_shared_store: Store) -> Iterator[Store]:
    with open_store(replace(_shared_store.dsn, database="collector_loader")) as store:
        yield store


@pytest.fixture
def store(_module_store: Store) -> Iterator[Store]:
    """A store with empty tables."""
    yield _module_store
    for table in ("otel_traces", "otel_logs", "stored_attempts"):
        _module_store.client.command(f"TRUNCATE TABLE {table}")


@pytest.fixture
def start(store: Store, tmp_path: Path) -> Callable[..., AbstractContextManager[Pipeline]]:
    """Run a pipeline on the test's folder until a block ends; again and again, like a process that is restarted."""
    return partial(running, store, tmp_path)


@pytest.fixture
def pipeline(start: Callable[..., AbstractContextManager[Pipeline]]) -> Iterator[Pipeline]:
    with start() as made:
        yield made


@pytest.fixture
def scratch(store: Store) -> Iterator[Client]:
    """A session in which the table `seen` and its view `seen_mv` may be made; they are dropped afterwards."""
    with store.new_client() as client:
        yield client
        client.command("DROP VIEW IF EXISTS seen_mv")
        client.command("DROP TABLE IF EXISTS seen")


@contextmanager
def poison_refused(store: Store) -> Iterator[None]:
    """The table refuses spans of one name, as it refuses a value that overflows a column."""
    with store.new_client() as client:
        client.command("ALTER TABLE otel_traces ADD CONSTRAINT no_poison CHECK SpanName != 'poison'")
        try:
            yield
        finally:
            client.command("ALTER TABLE otel_traces DROP CONSTRAINT no_poison")


@contextmanager
def table_gone(store: Store, table: str = "otel_traces") -> Iterator[None]:
    """The table is not there for a while."""
    with store.new_client() as client:
        client.command(f"RENAME TABLE {table} TO elsewhere")
        try:
            yield
        finally:
            client.command(f"RENAME TABLE elsewhere TO {table}")


def stored(store: Store, table: str = "otel_traces") -> list[int]:
    """Numbers of the spans in a table, in order, as often as they are there."""
    with store.new_client() as client:
        rows = client.query(f"SELECT SpanId FROM {table} ORDER BY SpanId").result_rows
    return [int(row[0], 16) for row in rows]


def test_acknowledged_is_stored(pipeline: Pipeline, store: Store) -> None:
    """What was acknowledged can be read once it has settled; its file goes when the store has it on the disk."""
    pipeline.send(traces(span(1), span(2)), logs(log_record(3)))
    pipeline.settle()

    assert stored(store) == [1, 2]
    assert stored(store, "otel_logs") == [3]
    wait_until(lambda: not list(pipeline.journal.folder.glob("*.journal")))


def test_what_needs_too_much_memory_at_once_goes_in_by_parts(pipeline: Pipeline, store: Store) -> None:
    """Rows that the engine's memory does not hold together are inserted by halves, until they fit; none is doubted."""
    pipeline.loader._client.set_client_setting("max_memory_usage", str(64 * 2**20))
    pipeline.spans(*(span(number, {"long": f"{number}" * 100_000}) for number in range(100, 200)))
    wait_until(lambda: pipeline.journal.gauges()["journal_segments"] == 0, 30)

    assert stored(store) == list(range(100, 200))
    assert pipeline.counts.all()["inserts_halved"] > 0
    assert pipeline.quarantine("*") == []


def test_waiting_bodies_share_an_insert(pipeline: Pipeline, store: Store) -> None:
    """Bodies that wait together are inserted together."""
    for number in range(1, 41):
        pipeline.spans(span(number))
    pipeline.settle()

    assert stored(store) == list(range(1, 41))
    assert pipeline.counts.all()["inserts"] < 10


def test_killed_before_it_was_stored(start: Callable[..., Any], store: Store) -> None:
    """What a process acknowledged and could not store, the next one stores."""
    with table_gone(store), start() as pipeline:
        pipeline.send(traces(span(1)), logs(log_record(2)))
        pipeline.until(lambda counts: counts.get("insert_failures", 0) > 0)
    with start() as pipeline:
        pipeline.settle()

        assert pipeline.counts.all()["bodies_replayed"] == 2
    assert (stored(store), stored(store, "otel_logs")) == ([1], [2])


def test_killed_after_it_was_stored(start: Callable[..., Any], store: Store, tmp_path: Path) -> None:
    """A segment that was stored, and is found again after a crash, adds nothing, poison and halves included."""
    saved = tmp_path / "saved"
    with poison_refused(store):
        with start() as pipeline:
            pipeline.send(traces(*(span(number, name="poison" if number == 7 else "chat") for number in range(1, 21))))
            pipeline.send(logs(log_record(30)))
            shutil.copytree(pipeline.journal.folder, saved)
            pipeline.settle()
        shutil.copytree(saved, tmp_path / "journal", dirs_exist_ok=True)
        with start() as pipeline:
            pipeline.settle()

            assert pipeline.counts.all()["bodies_replayed"] == 2
            assert len(pipeline.quarantine(".journal")) == 1
    assert stored(store) == [number for number in range(1, 21) if number != 7]
    assert stored(store, "otel_logs") == [30]


@pytest.mark.parametrize("poisoned", [[5], [1], [60], [1, 2, 30, 59, 60]])
def test_poison_stands_alone(pipeline: Pipeline, store: Store, poisoned: list[int]) -> None:
    """A row that cannot be stored goes to quarantine with the reason; every other row goes into the table."""
    spans = [span(number, name="poison" if number in poisoned else "chat") for number in range(1, 61)]
    with poison_refused(store):
        pipeline.send(traces(*spans[:20]), traces(*spans[20:40]), traces(*spans[40:]))
        pipeline.settle()

    assert stored(store) == [number for number in range(1, 61) if number not in poisoned]
    assert pipeline.counts.all()["spans_quarantined"] == len(poisoned)
    reasons = [json.loads(path.read_text())["reason"] for path in pipeline.quarantine(".json")]
    assert len(reasons) == len(poisoned)
    assert all("no_poison" in reason for reason in reasons)
    assert {path.stat().st_mode & 0o777 for path in pipeline.quarantine("")} == {0o600}
    assert pipeline.loader.failure is None


def test_quarantine_can_be_tried_again(start: Callable[..., Any], store: Store) -> None:
    """A file that is moved from quarantine into the journal is loaded at the next start: that span and no other."""
    sent = [span(1, span_id=b""), span(2, name="poison"), span(3)]
    with start() as pipeline:
        with poison_refused(store):
            pipeline.spans(*sent)
            pipeline.settle()
        (kept,) = pipeline.quarantine(".journal")
    kept.rename(pipeline.journal.folder / kept.name)
    before = stored(store)
    with start() as pipeline:
        pipeline.settle()

    assert before == [3]
    assert stored(store) == [2, 3]


def test_store_that_cannot_store(pipeline: Pipeline, store: Store) -> None:
    """While the store fails, what comes is acknowledged and waits; nothing is refused, readers are not held up."""
    with table_gone(store):
        pipeline.spans(span(1), span(2))
        pipeline.settle()
        pipeline.spans(span(3))

        assert "UNKNOWN_TABLE" in (pipeline.loader.failure or "")
        assert pipeline.journal.gauges()["journal_segments"] >= 1
    wait_until(lambda: pipeline.loader.failure is None)
    pipeline.settle()

    assert stored(store) == [1, 2, 3]
    assert pipeline.quarantine("") == []


def test_spans_are_stored_whatever_becomes_of_logs(pipeline: Pipeline, store: Store) -> None:
    """When the table of logs cannot take rows, spans of the same moment go in, and logs wait."""
    with table_gone(store, "otel_logs"):
        pipeline.send(logs(log_record(1)), traces(span(1)))
        wait_until(lambda: stored(store) == [1])
        wait_until(lambda: "UNKNOWN_TABLE" in (pipeline.loader.failure or ""))
    wait_until(lambda: stored(store, "otel_logs") == [1])
    assert stored(store) == [1]


def test_full_while_the_store_fails(start: Callable[..., Any], store: Store) -> None:
    """While the store fails the journal fills to its bound and no further; then it is taken up, and all is stored."""
    with start(Bounds(3000, 3600.0)) as pipeline:
        with table_gone(store):
            sent = fill(pipeline)
        wait_until(lambda: pipeline.journal.gauges()["journal_segments"] == 0)

        assert sent > 5
        assert stored(store) == list(range(1, sent + 1))


def fill(pipeline: Pipeline) -> int:
    """Send spans, one a body, until no more is taken; gives how many were."""
    for number in count(1):
        try:
            pipeline.spans(span(number))
        except JournalFullError:
            return number - 1
    raise AssertionError


def doubtful_view(scratch: Client) -> None:
    """A view that divides by zero for poison: an error that may be the row's or the schema's."""
    scratch.command("CREATE TABLE seen (n Int64) ENGINE = MergeTree ORDER BY n")
    scratch.command(
        "CREATE MATERIALIZED VIEW seen_mv TO seen AS "
        "SELECT intDiv(1, toInt64(if(SpanName = 'poison', 0, 1))) AS n FROM otel_traces"
    )


def test_doubtful_row_among_others(pipeline: Pipeline, store: Store, scratch: Client) -> None:
    """A row that fails for a reason unknown is the culprit if its neighbours can be stored."""
    doubtful_view(scratch)
    pipeline.spans(span(1), span(2, name="poison"), span(3))
    pipeline.settle()

    assert scratch.command("SELECT count() FROM seen") == 2
    assert {1, 3} <= set(stored(store))
    assert pipeline.counts.all()["spans_quarantined"] == 1


def test_doubtful_row_alone(pipeline: Pipeline, store: Store, scratch: Client) -> None:
    """A lone row that fails for a reason unknown waits, holds up nothing, and is judged when a later one is stored."""
    doubtful_view(scratch)
    pipeline.spans(span(1, name="poison"))
    pipeline.settle()
    doubted = pipeline.loader.failure
    pipeline.spans(span(2))
    wait_until(lambda: pipeline.counts.all().get("spans_quarantined") == 1)

    assert "Division by zero" in (doubted or "")
    assert stored(store)[-1] == 2
    wait_until(lambda: pipeline.loader.failure is None)


def test_broken_view_is_no_poison(pipeline: Pipeline, store: Store, scratch: Client) -> None:
    """When every row fails for a reason that may be the schema's, all wait; mended, all are stored."""
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
    pipeline.spans(*(span(number) for number in range(1, 101)))
    pipeline.settle()
    failing = pipeline.loader.failure
    pipeline.spans(span(101))
    time.sleep(0.2)
    scratch.command("DROP VIEW seen_mv")

    assert "BAD_ARGUMENTS" in (failing or "")
    wait_until(lambda: sorted(set(stored(store))) == list(range(1, 102)))
    assert pipeline.quarantine("") == []
    wait_until(lambda: pipeline.journal.gauges()["journal_segments"] == 0)


def test_damaged_file(start: Callable[..., Any], store: Store) -> None:
    """Damage in a segment is kept in quarantine and counted; every other body of it is loaded."""
    with table_gone(store), start() as pipeline:
        for number in range(1, 6):
            pipeline.spans(span(number))
    (path,) = pipeline.journal.folder.glob("*.journal")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data[:-10])
    with start() as pipeline:
        wait_until(lambda: pipeline.journal.gauges()["journal_segments"] == 0)
        counts = pipeline.counts.all()

        assert stored(store) == [1, 2, 4]
        assert (counts["journal_corrupt"], counts["journal_torn"]) == (1, 1)
        assert len(pipeline.quarantine(".bytes")) == 2


def test_file_that_cannot_be_read(start: Callable[..., Any], store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file that cannot be read stays where it is and does not keep others from the store for long."""
    monkeypatch.setattr("farebox_collector._loader.READ_S_MAX", 0.3)
    with table_gone(store), start() as pipeline:
        pipeline.spans(span(1))
    (pipeline.journal.folder / "000000000000-0123456789abcdef.journal").mkdir()
    with start() as pipeline:
        wait_until(lambda: stored(store) == [1])

        assert pipeline.counts.all()["segments_left"] == 1
        wait_until(lambda: pipeline.journal.gauges()["journal_segments"] == 0)


def test_same_token_mends_a_view(store: Store, scratch: Client) -> None:
    """An insert that is tried again reaches a view whose table lost the rows while the source table had kept them."""
    rows = rows_of(traces(span(1))).table
    scratch.command(
        "CREATE TABLE seen (id String) ENGINE = MergeTree ORDER BY id "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    scratch.command("CREATE MATERIALIZED VIEW seen_mv TO seen AS SELECT SpanId AS id FROM otel_traces")
    scratch.command("ALTER TABLE seen ADD CONSTRAINT closed CHECK 0")
    with pytest.raises(StoreError):
        insert(store.client, "otel_traces", rows, "token")
    scratch.command("ALTER TABLE seen DROP CONSTRAINT closed")
    insert(store.client, "otel_traces", rows, "token")

    assert scratch.query("SELECT id FROM seen").result_rows == [("0000000000000001",)]
    assert stored(store) == [1]


def test_spans_of_many_days(pipeline: Pipeline, store: Store) -> None:
    """Any mixture of clocks is stored, absurd ones too."""
    day = 86_400_000_000_000
    spans = [span(number, start_time_unix_nano=number * day * 90) for number in range(1, 151)]
    spans += [span(2000, start_time_unix_nano=0), span(2001, start_time_unix_nano=2**64 - 1)]
    pipeline.spans(*spans)
    pipeline.settle()

    assert len(stored(store)) == 152
    with store.new_client() as client:
        assert client.query(
            "SELECT toUnixTimestamp64Nano(Timestamp) FROM otel_traces "
            "WHERE SpanId IN {ids:Array(String)} ORDER BY SpanId",
            {"ids": [f"{number:016x}" for number in (1, 2000, 2001)]},
        ).result_rows == [(90 * day,), (0,), (2**63 - 1,)]


def test_names_and_settings_are_clickhouses(ledger_client: Any) -> None:
    """Every error name and setting that we rely on exists in ClickHouse."""
    known = {row[0] for row in ledger_client.query("SELECT errorCodeToName(number) FROM numbers(2000)").result_rows}
    settings = {row[0] for row in ledger_client.query("SELECT name FROM system.settings").result_rows}

    assert (OF_THE_ROWS | OF_THE_STORE) - known == set()
    assert {*SETTINGS, "insert_deduplication_token"} - settings == set()
    assert not OF_THE_ROWS & OF_THE_STORE


def test_values_reach_the_table(pipeline: Pipeline, store: Store) -> None:
    """What an attempt's span says is what the table holds."""
    pipeline.spans(attempt(1, {"farebox.flags": ["refusal.api"], "ratio": 0.5}))
    pipeline.settle()

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
