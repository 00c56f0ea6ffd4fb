"""What docker-compose.yml starts: files that are there, passwords that must be chosen, a user that only reads.

Docker cannot run here. What can be held without it is held: every file parses, every path and variable leads somewhere,
and ClickHouse itself runs each panel's query as the user that Grafana gets.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml
from dashboards.asking import asked, choice
from dashboards.traffic import DAY, UNTIL

from farebox_dashboards import DASHBOARDS
from farebox_dashboards._clickhouse import PLUGIN
from farebox_dashboards._contacts import CONTACTS
from farebox_dashboards._macros import Range, expand
from farebox_dashboards._places import DATASOURCE_UID, FOLDER_UID
from farebox_ledger import Dsn, parse_dsn

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
PROVISIONING = ROOT / "dashboards" / "grafana" / "provisioning"
USERS = ROOT / "dashboards" / "compose" / "clickhouse-users.xml"
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def mounts() -> dict[str, Path]:
    """Where files of the repository are seen in containers."""
    found = {}
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source, target = volume.split(":")[:2]
            if source.startswith("./"):
                found[target] = ROOT / source
    return found


def environments() -> dict[str, str]:
    return {name: str(value) for each in SERVICES.values() for name, value in each.get("environment", {}).items()}


def test_what_is_mounted_is_there() -> None:
    """Every file and folder that a container is given exists, and is given read-only but to the one that writes it."""
    volumes = [volume for each in SERVICES.values() for volume in each.get("volumes", []) if volume[0] == "."]

    assert len(mounts()) == 5
    assert [path for path in mounts().values() if not path.exists()] == []
    assert [volume for volume in volumes if not volume.endswith(":ro")] == SERVICES["contacts"]["volumes"]


def test_volumes_and_dependencies_are_declared() -> None:
    """Named volumes and services that are waited for exist, and are healthy or done before anything builds on them."""
    declared = yaml.safe_load(COMPOSE)["volumes"]
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            assert volume[0] == "." or volume.split(":")[0] in declared
        for name, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[name]
            else:
                assert how["condition"] in ("service_completed_successfully", "service_started")


def test_what_keeps_running_says_how_it_is() -> None:
    """Each service that runs on has a health check, its image has, or another asks in its network, where it tells."""
    asked = {name: each.get("network_mode", "").removeprefix("service:") for name, each in SERVICES.items()}
    unasked = {
        name
        for name, each in SERVICES.items()
        if each.get("restart") and not {"healthcheck", "build"} & set(each) and name not in asked.values()
    }
    told = yaml.safe_load((ROOT / "dashboards/compose/otel-collector.yaml").read_text())["extensions"]["health_check"]

    assert unasked == set()
    assert "\nHEALTHCHECK " in (ROOT / SERVICES["farebox"]["build"]["dockerfile"]).read_text(encoding="utf-8")
    assert told["endpoint"].rpartition(":")[2] in SERVICES["otel-health"]["healthcheck"]["test"][-1]


def test_images_are_pinned() -> None:
    """No image floats, but the one that is built here."""
    for service in SERVICES.values():
        assert ("build" in service and service["image"] == "farebox") or re.search(
            r":\d+\.\d+(\.\d+)?$", service["image"]
        ), service["image"]


def test_ports_are_on_loopback() -> None:
    """Nothing listens beyond this machine, and each port is given once among what runs together."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert len(ports) == len(set(ports))
    assert {name: each["profiles"] for name, each in SERVICES.items() if "profiles" in each} == {
        "farebox": ["farebox"],
        "contacts": ["tools"],
        "migrate": ["otel"],
        "otel-collector": ["otel"],
        "otel-health": ["otel"],
    }


def test_no_password_has_a_default() -> None:
    """Each variable of the compose file stands in .env.example, empty, and compose refuses to start without it."""
    used = re.findall(r"\$\{(\w+)([^}]*)\}", COMPOSE)

    assert {name for name, _ in used} == {name for name in EXAMPLE if name != "COMPOSE_PROFILES"}
    opening = {"FAREBOX_CLICKHOUSE_PASSWORD", "FAREBOX_GRAFANA_READER_PASSWORD", "FAREBOX_GRAFANA_ADMIN_PASSWORD"}
    assert {name for name, how in used if how == ":?choose one in .env"} == opening
    assert {how for name, how in used if name not in opening} == {":-", ":-false"}
    assert {value for name, value in EXAMPLE.items() if "PASSWORD" in name or "CONTACT" in name} == {""}
    assert EXAMPLE["COMPOSE_PROFILES"] in ("farebox", "otel")
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_services_share_the_image_of_the_dockerfile() -> None:
    """Whatever runs farebox runs the image that collector/Dockerfile makes, with its journal in a volume."""
    built = {name: each["build"] for name, each in SERVICES.items() if "build" in each}
    image = {"context": ".", "dockerfile": "collector/Dockerfile"}

    assert built == dict.fromkeys(("farebox", "contacts", "migrate", "otel-health"), image)
    assert (ROOT / "collector" / "Dockerfile").exists()
    assert SERVICES["farebox"]["volumes"] == ["journal:/var/lib/farebox"]


def test_contact_points_are_written_where_grafana_reads_them() -> None:
    """The service that writes them is given what Grafana is given, and its folder is the one that Grafana reads."""
    written = mounts()[SERVICES["contacts"]["command"][-1]] / "provisioning"
    given = {f"{each.variable}": f"${{{each.variable}:-}}" for each in CONTACTS}

    assert written == PROVISIONING
    assert SERVICES["contacts"]["environment"] == given
    assert given.items() <= SERVICES["grafana"]["environment"].items()


@pytest.mark.parametrize("name", ["farebox", "migrate"])
def test_the_ledger_address_is_readable(name: str) -> None:
    """The address that a container is given is one that farebox reads, for the user that may write."""
    text = re.sub(r"\$\{\w+[^}]*\}", "secret", SERVICES[name]["environment"]["FAREBOX_DSN"])

    dsn = parse_dsn(text)
    assert (dsn.user, dsn.password, dsn.database, dsn.port) == ("farebox", "secret", "farebox", 8123)


def test_grafana_finds_its_dashboards() -> None:
    """The provider's folder is where the built dashboards are mounted, and home is one of them."""
    (provider,) = load(PROVISIONING / "dashboards" / "farebox.yaml")["providers"]
    folder = mounts()[provider["options"]["path"]]
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])

    assert {path.stem for path in folder.glob("*.json")} == {each.uid for each in DASHBOARDS}
    assert (mounts()[str(home.parent)] / home.name).exists()
    assert provider["folderUid"] == FOLDER_UID
    assert mounts()["/etc/grafana/provisioning"] == PROVISIONING


def test_grafana_finds_the_ledger() -> None:
    """The data source is the plugin that is installed, with a user and password that ClickHouse knows."""
    (source,) = load(PROVISIONING / "datasources" / "farebox.yaml")["datasources"]
    text = (PROVISIONING / "datasources" / "farebox.yaml").read_text(encoding="utf-8")
    given = SERVICES["grafana"]["environment"]
    users = ET.parse(USERS).getroot().find("users")
    assert users is not None

    assert (source["uid"], source["type"]) == (DATASOURCE_UID, PLUGIN)
    alerts = (PROVISIONING / "alerting" / "farebox.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r'datasourceUid: "([^"]+)"', alerts)) == {source["uid"], "__expr__"}
    assert given["GF_PLUGINS_PREINSTALL_SYNC"].startswith(f"{PLUGIN}@")
    assert set(re.findall(r"\$(\w+)", text)) <= set(given)
    assert given["FAREBOX_CLICKHOUSE_HOST"] in SERVICES
    user = users.find(source["jsonData"]["username"])
    assert user is not None
    assert user.find("password").get("from_env") == source["secureJsonData"]["password"][1:]  # type: ignore[union-attr]


def test_users_of_the_network_have_passwords() -> None:
    """Who has no password is let in from inside the container alone; all others take theirs from the environment."""
    users = ET.parse(USERS).getroot().find("users")
    assert users is not None
    for user in users:
        password = user.find("password")
        assert password is not None
        networks = {each.text for each in user.iter("ip")}
        if "from_env" in password.attrib:
            assert password.attrib["from_env"] in SERVICES["clickhouse"]["environment"]
        else:
            assert (user.tag, networks) == ("default", {"::1", "127.0.0.1"})


def test_the_stock_collector_writes_where_the_ledger_reads() -> None:
    """Its one pipeline of spans ends in otel_traces, which farebox made, and nothing drops or samples on the way."""
    config = load(ROOT / "dashboards" / "compose" / "otel-collector.yaml")
    exporter = config["exporters"]["clickhouse"]
    pipeline = config["service"]["pipelines"]["traces"]

    assert (exporter["database"], exporter["traces_table_name"], exporter["create_schema"]) == (
        "farebox", "otel_traces", False,
    )  # fmt: skip
    assert pipeline == {"receivers": ["otlp"], "processors": ["batch"], "exporters": ["clickhouse"]}
    assert set(config["service"]["extensions"]) == set(config["extensions"])
    assert exporter["sending_queue"]["storage"] in config["extensions"]
    assert re.fullmatch(r"\$\{env:(\w+)\}", exporter["password"])[1] in SERVICES["otel-collector"]["environment"]  # type: ignore[index]


LEDGER = """
import sys
from dashboards.traffic import make_traffic, spans
from ledger.spans import store
from farebox_ledger import open_store, parse_dsn
with open_store(parse_dsn(sys.argv[1])) as opened:
    store(opened.client, *spans(make_traffic()[-200:]))
"""
READER = """
import json, sys
from farebox_ledger import parse_dsn
from farebox_ledger._store import connect
client = connect(parse_dsn(sys.argv[1]), "farebox", None, {"config-file": sys.argv[2], "users_config": sys.argv[3]})
for statement in json.load(sys.stdin):
    try:
        print(json.dumps(len(client.query(statement).result_rows)))
    except Exception as error:
        print(json.dumps(str(error)[:300]))
"""


def run(script: str, *arguments: str, text: str = "") -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT / "tests",
        env={"PYTHONPATH": str(ROOT / "tests"), "PATH": ""},
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def users_as_the_reader(folder: Path) -> Path:
    """Write a file in which Grafana's user is the one as whom an embedded ClickHouse runs statements."""
    users = ET.parse(USERS)
    section = users.getroot().find("users")
    assert section is not None
    for user in list(section):
        if user.tag != "grafana":
            section.remove(user)
    (reader,) = section
    reader.tag = "default"
    password = reader.find("password")
    assert password is not None
    password.attrib.clear()
    users.getroot().append(ET.fromstring("<quotas><default/></quotas>"))
    profiles = users.getroot().find("profiles")
    assert profiles is not None
    profiles.append(ET.fromstring("<default/>"))
    users.write(folder / "users.xml")
    return folder / "users.xml"


def test_grafanas_user_may_ask_every_question_and_nothing_else(tmp_path: Path) -> None:
    """With the rights and limits of the file each query of the dashboards runs, and nothing is written or reached."""
    dsn = str(Dsn("chdb", path=tmp_path / "ledger"))
    run(LEDGER, dsn)
    (tmp_path / "config.xml").write_text("<clickhouse/>", encoding="utf-8")
    files = (str(tmp_path / "config.xml"), str(users_as_the_reader(tmp_path)))
    period = Range.of(UNTIL - DAY, UNTIL, 600)
    questions = [expand(each.sql, choice(), period) for each in asked()]
    forbidden = [
        "INSERT INTO otel_traces (TraceId) VALUES ('x')",
        "DROP TABLE prices",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    ]

    answers = run(READER, dsn, *files, text=json.dumps(questions + forbidden))
    assert [answer for answer in answers[: len(questions)] if isinstance(answer, str)] == []
    assert sum(answers[: len(questions)]) > len(questions)
    assert all(isinstance(answer, str) for answer in answers[len(questions) :])
