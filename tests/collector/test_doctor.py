"""`farebox doctor` walks the way of a call and names what is wrong with it, and the remedy."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from farebox_up import Up

NOBODY = "http://127.0.0.1:9"


def doctor(folder: Path, up: Up | None = None, **variables: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Run it beside a collector, or beside none; returns its exit code and the findings by what they are of."""
    environment: dict[str, Any] = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": NOBODY, **variables}
    environment.pop("FAREBOX_SHARED", None)  # of these tests alone
    arguments: list[str] = []
    if up is not None:
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = variables.get("OTEL_EXPORTER_OTLP_ENDPOINT", up.otlp)
        arguments = ["--dsn", f"chdb:{up.folder}"]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("farebox")), "doctor", "--json", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    found: dict[str, list[dict[str, str]]] = {}
    for finding in json.loads(done.stdout)["findings"]:
        found.setdefault(finding["what"], []).append(finding)
    return done.returncode, found


def test_all_is_well(up: Up, tmp_path: Path) -> None:
    """With a collector and its ledger, each station is fine, and the test call is found in the ledger, free."""
    code, found = doctor(tmp_path, up)

    assert code == 0
    assert {each["state"] for findings in found.values() for each in findings} == {"fine"}
    assert {"settings", "anthropic", "openai", "exporter", "test call", "collector", "journal"} <= set(found)
    assert {"ledger", "store", "disk", "clock", "prices", "models seen"} <= set(found)
    assert re.search(r"free, [0-9.]+ s after it was made", found["arrival"][0]["sentence"])


def test_nothing_runs(tmp_path: Path) -> None:
    """Without collector and ledger each is said to be missing, with what to start; exit 1."""
    code, found = doctor(tmp_path)

    assert code == 1
    assert found["exporter"][0]["state"] == found["ledger"][0]["state"] == "wrong"
    assert found["collector"][0]["state"] == "look"
    assert "farebox up" in found["collector"][0]["remedy"]
    assert "test call" not in found


def test_spans_that_go_elsewhere_are_missed(up: Up, tmp_path: Path) -> None:
    """Where the exporter leads to another collector than this ledger's, the test call does not arrive."""
    from instrumentation.test_sender import Collector

    with Collector().running() as other:
        code, found = doctor(tmp_path, up, OTEL_EXPORTER_OTLP_ENDPOINT=other.endpoint)

    assert code == 1
    assert found["test call"][0]["state"] == "fine"
    assert found["arrival"][0]["state"] == "wrong"
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in found["arrival"][0]["sentence"]


def test_misspelt_and_wrong_settings_are_named(tmp_path: Path) -> None:
    """A value that is not allowed, a variable and a key that nobody reads, and a disabled SDK are each a line."""
    (tmp_path / "farebox.toml").write_text("spool_dirr = 'x'\n")
    code, found = doctor(
        tmp_path, FAREBOX_DSM="x", FAREBOX_QUEUE_BYTES_MAX="many", FAREBOX_OWN="1", OTEL_SDK_DISABLED="true"
    )

    assert code == 1
    told = {(each["state"], each["remedy"]) for each in found["settings"]}
    assert told == {
        ("wrong", "FAREBOX_QUEUE_BYTES_MAX takes a number of bytes"),
        ("look", "did you mean FAREBOX_DSN?"),
        ("look", "remove it"),
        ("look", "did you mean spool_dir?"),
    }
    assert "OTEL_SDK_DISABLED" in found["exporter"][0]["sentence"]
