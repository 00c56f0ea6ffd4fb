"""The collector says of itself what it took, stored and refused: a row a minute, to Prometheus, and in its log."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from collector.pipeline import Pipeline, running
from farebox_up import Up
from otlp_messages import span, traces

from farebox_collector import _logging
from farebox_collector._counts import Counts, Recent
from farebox_collector._watch import Watch, prometheus_text
from farebox_ledger import Store, open_store


@pytest.fixture(scope="module")
def store(_shared_store: Store) -> Iterator[Store]:
    with open_store(replace(_shared_store.dsn, database="collector_watch")) as store:
        yield store


@pytest.fixture
def pipeline(store: Store, tmp_path: Path) -> Iterator[Pipeline]:
    with running(store, tmp_path) as made:
        yield made


@pytest.fixture
def watch(pipeline: Pipeline, store: Store) -> Iterator[Watch]:
    made = Watch(store.new_client(), pipeline.counts, pipeline.journal.gauges)
    yield made
    made.close(20)


def test_a_row_says_what_happened_since_the_last(pipeline: Pipeline, watch: Watch, store: Store) -> None:
    """Counts are of the time since the row before, so that sums are right; what came twice is a duplicate."""
    pipeline.spans(span(1), span(2))
    pipeline.spans(span(2), span(3))
    pipeline.settle()
    watch.write()
    pipeline.spans(span(4))
    pipeline.settle()
    watch.write()

    rows = store.client.query(
        "SELECT spans_stored, spans_duplicate, inserts > 0, lag_s > 0, insert_ms_max > 0, journal_segments, "
        "engine_memory_bytes > 1e6, process_memory_bytes > 1e6, seconds > 0, length(instance) "
        "FROM collector_health ORDER BY spans_stored DESC LIMIT 2"
    ).result_rows
    assert rows == [(4, 1, 1, 1, 1, 0, 1, 1, 1, 16), (1, 0, 1, 1, 1, 0, 1, 1, 1, 16)]


def test_a_minute_that_cannot_be_written(pipeline: Pipeline, watch: Watch, store: Store) -> None:
    """While the table is away nothing is lost: the next row covers the time since the last one that was written."""
    with store.new_client() as client:
        client.command("TRUNCATE TABLE collector_health")
        client.command("RENAME TABLE collector_health TO elsewhere")
        pipeline.spans(span(11))
        pipeline.settle()
        with pytest.raises(Exception, match="UNKNOWN_TABLE"):
            watch.write()
        client.command("RENAME TABLE elsewhere TO collector_health")
        watch.write()

        assert client.query("SELECT spans_stored, lag_s > 0 FROM collector_health").result_rows == [(1, 1)]


def test_every_column_has_its_meaning(store: Store) -> None:
    """A row fills each column of the table, and each column says what it holds."""
    columns = store.client.query(
        "SELECT name, comment FROM system.columns WHERE database = currentDatabase() AND table = 'collector_health'"
    ).result_rows
    counts = Counts()
    watch = Watch(store.new_client(), counts, lambda: {"journal_bytes": 0, "journal_segments": 0, "journal_age_s": 0})
    row = watch._row(Counter(), 60)
    watch.close(20)

    assert sorted(row) == sorted(name for name, _ in columns)
    assert all(comment for _, comment in columns)


def test_prometheus_over_http(up: Up) -> None:
    """/metrics is what Prometheus reads: a type for each metric, counters that end in _total, whole histograms."""
    up.post(traces(span(1)).SerializeToString())
    up.post(b"garbage")
    answer = requests.get(up.otlp + "/metrics", timeout=10)
    lines = answer.text.splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert all(
        re.fullmatch(r'\w+(\{\w+="[^"]*"\})? [-+0-9.einf]+|# TYPE \w+ (counter|gauge|histogram)', line)
        for line in lines
    )
    assert float(values['farebox_collector_requests_total{signal="traces"}']) >= 2
    assert float(values['farebox_collector_responses_total{status="400"}']) >= 1
    assert float(values["farebox_collector_spans_received_total"]) >= 1
    assert float(values["farebox_collector_ready"]) == 1
    assert float(values["farebox_collector_process_memory_bytes"]) > 1e7
    assert (
        values['farebox_collector_acknowledge_seconds_bucket{le="+Inf"}']
        == values["farebox_collector_acknowledge_seconds_count"]
    )
    types = [line.split()[2] for line in lines if line.startswith("#")]
    assert len(types) == len(set(types))


def test_histogram() -> None:
    """A duration counts in every bucket from its own bound on."""
    counts = Counts()
    for milliseconds in (0.5, 7.0, 1e6):
        counts.took("acknowledge_ms", milliseconds)
    text = prometheus_text(counts, {})

    assert 'acknowledge_seconds_bucket{le="0.001"} 1\n' in text
    assert 'acknowledge_seconds_bucket{le="0.01"} 2\n' in text
    assert 'acknowledge_seconds_bucket{le="+Inf"} 3\n' in text
    assert counts.take_tops() == {"acknowledge_ms_p99": 1e6}
    assert counts.take_tops() == {}


def test_what_comes_again() -> None:
    """Of what was seen lately each repetition is told; memory of it is bounded."""
    recent = Recent()

    assert [recent.count([1, 2, 2]), recent.count([2, 3])] == [1, 1]
    assert recent.count(list(range(10, 400_000))) == 0
    assert len(recent._older) + len(recent._newer) <= 400_000


@pytest.mark.parametrize("form", ["text", "json"])
def test_each_cause_is_logged_once(
    form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is said again within a minute is counted, and said afterwards with how often; JSON is an object a line."""
    logger = logging.getLogger("farebox")
    before, root = list(logger.handlers), list(logging.getLogger().handlers)
    _logging.log_to_stderr(form)
    now = [100.0]
    monkeypatch.setattr(_logging.time, "monotonic", lambda: now[0])
    try:
        for number in range(3):
            logging.getLogger("farebox.collector").warning("span %d is bad", number)
        logging.getLogger("farebox.collector").warning("another cause")
        now[0] += 61
        logging.getLogger("farebox.collector").warning("span %d is bad", 9)
    finally:
        logger.handlers[:] = before
        logging.getLogger("uvicorn.error").handlers[:] = []
        logging.getLogger().handlers[:] = root
    lines = capsys.readouterr().err.splitlines()
    if form == "json":
        lines = [json.loads(line)["message"] for line in lines]

    endings = ["span 0 is bad", "another cause", "span 9 is bad (2 more like it since)"]
    assert [line[-len(ending) :] for line, ending in zip(lines, endings, strict=True)] == endings
