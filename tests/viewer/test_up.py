"""`farebox up` serves the viewer beside its other ports, on loopback unless a token is set."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
import requests
from farebox_up import COMMAND, environment, start
from otlp_messages import attempt, traces
from viewer.conftest import Viewer, serving_app

from farebox_collector._viewer import ask_server
from farebox_dashboards._sql import VARIABLES
from farebox_dashboards.viewer import serve
from farebox_ledger import Dsn

OVERVIEW = "farebox-overview"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory):
    """A running collector with an empty ledger."""
    running = start(Path(tmp_path_factory.mktemp("up")) / "ledger")
    yield running
    running.stop()
    running.end()


def test_up_serves_the_viewer_and_says_where(up) -> None:
    """The page and the ledger's data are there, and other commands learn the port."""
    assert "<html" in requests.get(up.viewer, timeout=10).text
    assert requests.get(up.viewer + "/api/dashboards", timeout=10).json()["dashboards"]
    body = {"dashboard": "farebox-overview", "variable": "route", "from": 0, "to": 1, "variables": {}}
    asked = requests.post(up.viewer + "/api/variable", json=body, timeout=30)

    assert asked.json()["options"] == []
    assert f":{json.loads((up.folder / 'up.json').read_text())['viewer_port']}" in up.viewer


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"viewer_host": "0.0.0.0"}, "set FAREBOX_VIEWER_TOKEN"),
        ({"viewer_host": "everywhere"}, "is no IP address"),
    ],
)
def test_beyond_loopback_a_token_is_needed(settings: dict[str, str], words: str, tmp_path: Path) -> None:
    """Without a token no other machine gets to see the ledger: it does not start, and says what to do."""
    told = environment(otlp_port="0", clickhouse_port="0", **settings)
    done = subprocess.run(
        [*COMMAND, "--dsn", f"chdb:{tmp_path}"], capture_output=True, text=True, env=told, check=False, timeout=60
    )

    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_viewer_of_a_server_shows_the_same(up) -> None:
    """Over ClickHouse's HTTP interface instead of the embedded store: panels, variables and marks, the same answers."""
    assert up.post(traces(attempt(1)).SerializeToString()).status_code == 200
    here, now = Viewer(up.viewer), round(1000 * time.time())
    asked = here.question(**{"from": now - 3_600_000, "to": now + 60_000})
    panels = [each["id"] for each in here.get(f"/api/dashboards/{OVERVIEW}").json()["panels"] if each.get("targets")]
    questions = [
        ("/api/annotations", {}),
        *(("/api/variable", {"variable": name}) for name in VARIABLES),
        *(("/api/panel", {"panel": panel}) for panel in panels if panel != here.number(OVERVIEW, "Age of data")),
    ]

    with serving_app(serve(ask_server(Dsn("clickhouse", host="127.0.0.1", port=up.clickhouse_port)))) as there:
        for path, more in questions:
            answer = there.post(path, asked | more)

            assert answer.status_code == 200, answer.text
            found, expected = answer.json(), here.post(path, asked | more).json()
            assert {**found, "age_s": 0} == {**expected, "age_s": 0}  # how long ago it was asked is each one's own
