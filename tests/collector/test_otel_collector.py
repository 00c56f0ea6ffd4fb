"""A real OpenTelemetry Collector, built from our manifest, passes on what a client sends, and keeps it meanwhile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import farebox_up
import pytest
import requests
import yaml
from farebox_up import Up, wait_until
from otlp_messages import attempt, traces

from farebox_collector._tokens import FILE, add_token
from farebox_demo.lifecycle import free_port

OTEL = Path(__file__).parents[2] / "collector" / "otel"
ASKED = os.environ.get("FAREBOX_OTEL_BUILD", "")
BUILD_S_MAX = 1800


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((OTEL / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", ["clickhouse.yaml", "farebox.yaml"])
def test_configurations_use_what_the_manifest_builds(name: str) -> None:
    """Every component of a pipeline is configured, is in the manifest, and what waits is on disk and never given up."""
    config, manifest = load(name), load("builder.yaml")
    modules = " ".join(
        each["gomod"] for kind in ("receivers", "processors", "exporters", "extensions") for each in manifest[kind]
    )
    built = {"otlp": "otlpreceiver", "memory_limiter": "memorylimiterprocessor", "clickhouse": "clickhouseexporter"}
    built |= {"otlphttp": "otlphttpexporter", "file_storage": "filestorage", "health_check": "healthcheckextension"}
    used = {each for pipeline in config["service"]["pipelines"].values() for kind in pipeline.values() for each in kind}
    exporters = list(config["exporters"].values())

    assert {*used, *config["service"]["extensions"]} == {
        each for kind in ("receivers", "processors", "exporters", "extensions") for each in config[kind]
    }
    assert all(built[each] in modules for each in used)
    assert [each["sending_queue"]["storage"] for each in exporters] == ["file_storage"]
    assert [each["retry_on_failure"]["max_elapsed_time"] for each in exporters] == ["0s"]
    assert not any(each.get("create_schema") for each in exporters)


def test_one_version_of_everything() -> None:
    """The manifest's modules are of one release: v0.x for components, v1.y that goes with it for what is stable."""
    text = (OTEL / "builder.yaml").read_text(encoding="utf-8")
    versions = set(re.findall(r" (v\d+\.\d+\.\d+)$", text, re.MULTILINE))

    assert versions == {"v0.161.0", "v1.67.0"}
    assert "builder@v0.161.0" in text


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The slim collector: FAREBOX_OTEL_BUILD names one that is built, or is `1` to build it, which takes minutes."""
    if not ASKED:
        pytest.skip("building an OpenTelemetry Collector takes minutes; FAREBOX_OTEL_BUILD=1 builds it")
    if ASKED != "1":
        return Path(ASKED)
    if shutil.which("go") is None:
        pytest.skip("there is no Go to build an OpenTelemetry Collector with")
    folder = tmp_path_factory.mktemp("otelcol")
    shutil.copy(OTEL / "builder.yaml", folder)
    builder = "go.opentelemetry.io/collector/cmd/builder@v0.161.0"
    subprocess.run(
        ["go", "run", builder, "--config", "builder.yaml"],
        cwd=folder,
        check=True,
        timeout=BUILD_S_MAX,
        capture_output=True,
    )
    return folder / "build" / "otelcol-farebox"


def test_client_to_collector_to_farebox(program: Path, start_up: Callable[..., Up], tmp_path: Path) -> None:
    """Spans go through a real collector into the ledger, once; what came while farebox was away comes after."""
    up = start_up(tmp_path / "ledger")
    port = int(up.otlp.rpartition(":")[2])
    listen = f"127.0.0.1:{free_port(0)}"
    settings = {"FAREBOX_OTLP": up.otlp, "FAREBOX_TOKEN": "none", "FAREBOX_LISTEN": listen}
    settings["FAREBOX_QUEUE"] = str(tmp_path / "queue")
    running = subprocess.Popen([program, "--config", OTEL / "farebox.yaml"], env={**os.environ, **settings})

    def send(*numbers: int) -> int:
        body = traces(*map(attempt, numbers)).SerializeToString()
        headers = {"Content-Type": "application/x-protobuf"}
        try:
            return requests.post(f"http://{listen}/v1/traces", body, headers=headers, timeout=10).status_code
        except requests.ConnectionError:
            return 0

    try:
        wait_until(lambda: send(1, 2) == 200, 60)
        wait_until(lambda: up.rows("SELECT count() FROM llm_attempts") == [(2,)], 60)
        up.stop()
        taken = send(3, 4)
        up = farebox_up.start(tmp_path / "ledger", otlp_port=port)
        wait_until(lambda: up.rows("SELECT count(), sum(list_cost) FROM llm_attempts")[0][0] == 4, 120)
    finally:
        running.kill()
        running.wait()
        up.process.terminate()
        ended = up.process.wait(20)
        up.end()

    assert taken == 200
    assert ended == 0


def test_its_clickhouse_exporter_writes_to_farebox(program: Path, start_up: Callable[..., Up], tmp_path: Path) -> None:
    """The exporter inserts into the ledger of a running `farebox up` with a token that writes, and is priced there."""
    up = start_up(tmp_path / "ledger")
    listen = [f"127.0.0.1:{free_port(0)}" for _ in range(3)]
    moved = {"receivers": {"otlp": {"protocols": {"http": {"endpoint": listen[0]}, "grpc": {"endpoint": listen[1]}}}}}
    moved["extensions"] = {"health_check": {"endpoint": listen[2]}}
    (tmp_path / "ports.yaml").write_text(yaml.safe_dump(moved))
    settings = {"FAREBOX_CLICKHOUSE": f"http://127.0.0.1:{up.clickhouse_port}?compress=gzip"}
    settings |= {"FAREBOX_CLICKHOUSE_USER": "otel", "FAREBOX_QUEUE": str(tmp_path / "queue")}
    settings["FAREBOX_CLICKHOUSE_PASSWORD"] = add_token(up.folder / FILE, "otel", [], writes=True)
    running = subprocess.Popen(
        [program, "--config", OTEL / "clickhouse.yaml", "--config", tmp_path / "ports.yaml"],
        env={**os.environ, **settings},
    )
    body = traces(*map(attempt, (1, 2, 3))).SerializeToString()
    headers = {"Content-Type": "application/x-protobuf"}

    def taken() -> bool:
        try:
            return requests.post(f"http://{listen[0]}/v1/traces", body, headers=headers, timeout=10).status_code == 200
        except requests.ConnectionError:
            return False

    try:
        wait_until(taken, 60)
        wait_until(lambda: up.rows("SELECT count() FROM llm_attempts") == [(3,)], 60)
    finally:
        running.kill()
        running.wait()

    assert up.rows("SELECT sum(list_cost) FROM llm_attempts") == [(Decimal("0.0045"),)]
    assert up.rows("SELECT DISTINCT StatusCode, SpanKind, ScopeName, ServiceName FROM otel_traces") == [
        ("Unset", "Client", "farebox", "shop")
    ]
