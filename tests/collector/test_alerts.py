"""`farebox up` watches: an alert reaches the webhook by itself, and not again after a restart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import farebox_up
import pytest
from farebox_up import Up, wait_until
from otlp_messages import attempt, traces
from webhook import Hook, hook

from farebox._cli import main

AGO_NS = 5 * 60 * 1_000_000_000
MODEL = {"gen_ai.request.model": "claude-haiku-9", "gen_ai.response.model": "claude-haiku-9"}


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """A webhook."""
    monkeypatch.chdir(tmp_path)
    with hook() as made:
        yield made


def start(folder: Path, told: Hook) -> Up:
    """Start `farebox up` that asks its rules every second."""
    return farebox_up.start(folder, alert_webhook=told.url, alert_every_s="1")


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A `farebox up` with nothing to tell."""
    up = farebox_up.start(tmp_path_factory.mktemp("quiet") / "ledger")
    yield up
    up.stop()
    up.end()


def test_marks_reach_a_ledger_that_is_held(quiet: Up, capsys: pytest.CaptureFixture[str]) -> None:
    """While `up` runs, `farebox annotate` marks by way of it, and as a span of OTLP; both say the same."""
    said = ["--at", "2026-11-20T12:00", "--route", "hard", "--who", "me"]
    assert main(["annotate", "deploy v7", *said, "--dsn", f"chdb:{quiet.folder}"]) == 0
    assert main(["annotate", "deploy v8", *said, "--otlp", quiet.otlp]) == 0
    sql = "SELECT toString(at), kind, text, route, who, service FROM annotations FINAL ORDER BY text"
    wait_until(lambda: len(quiet.rows(sql)) == 2)

    assert quiet.rows(sql) == [
        ("2026-11-20 12:00:00.000000", "deploy", text, "hard", "me", "farebox annotate")
        for text in ("deploy v7", "deploy v8")
    ]


def test_an_alert_is_posted_once_over_a_restart(tmp_path: Path, told: Hook) -> None:
    """A call of a model without a price is told in seconds, kept in the ledger, and not told again by the next `up`."""
    up = start(tmp_path / "ledger", told)
    try:
        begun = time.time_ns() - AGO_NS
        made = attempt(1, MODEL, start_time_unix_nano=begun, end_time_unix_nano=begun + 1_000_000)
        assert up.post(traces(made).SerializeToString()).status_code == 200
        wait_until(lambda: told.told == [("not-priced", "claude-haiku-9", "firing")], 60)
        assert up.rows("SELECT rule, state, told FROM alert_states FINAL") == [("not-priced", "firing", True)]
        assert up.stop() == 0
    finally:
        up.end()
    up = start(tmp_path / "ledger", told)
    try:
        time.sleep(3)  # some evaluations
        assert up.stop() == 0
    finally:
        up.end()

    assert told.told == [("not-priced", "claude-haiku-9", "firing")]
    assert not [line for line in up.errors if "lert" in line]
