"""`farebox dashboards`: files that Grafana loads, and a push that may be repeated and harms nothing of others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dashboards.fake_grafana import FakeGrafana

from farebox._cli import main
from farebox_dashboards import DASHBOARDS
from farebox_dashboards.alerts import ALERTS, PLACED

GROUPS = ("farebox", "farebox-slow")

DSN = "clickhouse://grafana:pa'ss@clickhouse:8123/farebox"


def push(*arguments: str) -> int:
    return main(["dashboards", "push", *arguments])


def test_build_writes_what_grafana_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON file a dashboard, by its uid, and the alert rules, in a folder that is made if need be."""
    folder = tmp_path / "new" / "folder"

    assert main(["dashboards", "build", "--out", str(folder)]) == 0
    assert {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.*")} == {
        **{f"dashboards/{each.uid}.json": each.as_json() for each in DASHBOARDS},
        "provisioning/alerting/farebox.yaml": ALERTS,
    }
    said = f"{len(DASHBOARDS)} dashboards and {len(PLACED)} alert rules written to {folder}\n"
    assert capsys.readouterr().out == said


def test_build_into_a_file_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that cannot be written is named, and exits 2."""
    (tmp_path / "file").touch()

    assert main(["dashboards", "build", "--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.startswith(f"farebox: --out {tmp_path / 'file'} cannot be written (")


def test_push_brings_everything_in(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]) -> None:
    """Folder, data source and dashboards, each where it belongs."""
    assert push("--datasource", DSN) == 0

    assert grafana.writes == [
        ("POST", "/api/folders"),
        ("POST", "/api/datasources"),
        *[("POST", "/api/dashboards/db")] * len(DASHBOARDS),
        *[("PUT", f"/api/v1/provisioning/folder/farebox/rule-groups/{name}") for name in GROUPS],
    ]
    assert grafana.folders == {"farebox": {"title": "farebox", "uid": "farebox"}}
    assert grafana.datasources["farebox-clickhouse"] == {
        "access": "proxy",
        "jsonData": {
            "defaultDatabase": "farebox",
            "host": "clickhouse",
            "port": 8123,
            "protocol": "http",
            "secure": False,
            "username": "grafana",
        },
        "name": "farebox",
        "secureJsonData": {"password": "pa'ss"},
        "type": "grafana-clickhouse-datasource",
        "uid": "farebox-clickhouse",
    }
    for each in DASHBOARDS:
        held = grafana.dashboards[each.uid]
        assert {**each.as_data(), "id": 7, "version": 1} == held["dashboard"]
        assert held["meta"]["folderUid"] == "farebox"
    assert capsys.readouterr().out.splitlines() == [
        "folder farebox: created",
        "data source farebox-clickhouse: created",
        *(f"dashboard {each.uid}: created" for each in DASHBOARDS),
        *(f"alert rules {name}: created" for name in GROUPS),
    ]


def test_pushing_again_changes_nothing(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there already is only read."""
    push()
    grafana.requests.clear()
    capsys.readouterr()

    assert push("--json") == 0
    assert grafana.writes == []
    told = json.loads(capsys.readouterr().out)
    assert [each["action"] for each in told] == ["unchanged"] * (1 + len(DASHBOARDS) + len(GROUPS))


def test_a_dry_run_tells_what_would_change_and_changes_nothing(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
) -> None:
    """Panels that are new, other or gone are named; Grafana is only read."""
    push()
    held = grafana.dashboards["farebox-overview"]["dashboard"]
    panels = [each for each in held["panels"] if each["title"] != "Spend today"]
    panels[-1]["description"] = "Mine."
    held["panels"] = [*panels, {"type": "text", "title": "Note"}]
    held["refresh"] = "5m"
    grafana.requests.clear()
    capsys.readouterr()

    assert push("--dry-run", "--datasource", DSN) == 0
    assert grafana.writes == []
    assert capsys.readouterr().out.splitlines() == [
        "folder farebox: unchanged",
        "data source farebox-clickhouse: would be created",
        "dashboard farebox-overview: would be updated",
        "  + Spend today",
        "  ~ Why attempts are not fully priced",
        "  - Note",
        "  ~ settings",
        *(f"dashboard {each.uid}: unchanged" for each in DASHBOARDS[1:]),
        *(f"alert rules {name}: unchanged" for name in GROUPS),
    ]


def test_what_differs_is_overwritten(grafana: FakeGrafana) -> None:
    """A dashboard of ours that somebody changed is ours again after a push."""
    push()
    grafana.dashboards["farebox-route"]["dashboard"]["panels"] = []

    assert push() == 0
    assert grafana.dashboards["farebox-route"]["dashboard"] == {**DASHBOARDS[1].as_data(), "id": 7, "version": 2}


def test_a_data_source_is_written_again_with_its_password(grafana: FakeGrafana) -> None:
    """Grafana does not tell a password, so one that is given is written; without one, what is equal stays."""
    push("--datasource", DSN)
    push("--datasource", DSN.replace("pa'ss", "new"))
    assert grafana.datasources["farebox-clickhouse"]["secureJsonData"] == {"password": "new"}
    grafana.requests.clear()

    assert push("--datasource", "clickhouse://grafana@clickhouse:8123/farebox") == 0
    assert grafana.writes == []


def test_what_farebox_did_not_make_stays(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]) -> None:
    """A dashboard under our uid without our tag, or a data source of another kind, is not touched."""
    theirs = {"dashboard": {"uid": "farebox-overview", "tags": ["mine"], "panels": []}, "meta": {}}
    grafana.dashboards["farebox-overview"] = theirs

    assert push() == 2
    assert capsys.readouterr().err == (
        "farebox: the dashboard farebox-overview lacks the tag farebox, so farebox did not make it; "
        "give it another uid\n"
    )
    assert grafana.dashboards == {"farebox-overview": theirs}
    grafana.datasources["farebox-clickhouse"] = {"uid": "farebox-clickhouse", "type": "prometheus"}
    assert push("--datasource", DSN) == 2
    assert "is of type prometheus: farebox did not make it" in capsys.readouterr().err


def test_a_provisioned_dashboard_is_left_to_its_file(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]) -> None:
    """What Grafana loads from a file is changed in the file."""
    push()
    grafana.dashboards["farebox-overview"]["meta"]["provisioned"] = True

    assert push() == 2
    assert "is provisioned from a file; change the file instead" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--url", "http://127.0.0.1:1"],
            "no Grafana answers at http://127.0.0.1:1 (connection refused); check",
        ),
        (
            ["--url", "localhost:3000"],
            "--url 'localhost:3000' is no address of a Grafana; write it as http://localhost:",
        ),
        (["--token", "wrong"], "does not know the token; make one for a service account of role Admin"),
        (["--datasource", "chdb:.farebox"], "chdb:.farebox is a folder; give Grafana the server's address, as"),
        (["--datasource", "mysql://x"], "starts with no scheme that farebox knows"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    arguments: list[str], sentence: str, grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unreachable, unknown token, bad address: one sentence with the remedy, exit 2, no traceback."""
    assert push(*arguments) == 2

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("farebox: ")
    assert sentence in err


@pytest.mark.parametrize(
    ("status", "message"),
    [(403, "You need the permission dashboards:create"), (500, "database is locked"), (412, "no")],
)
def test_a_refusal_is_told_in_grafanas_words(
    status: int, message: str, grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]
) -> None:
    """What Grafana refuses, and why, is one sentence, exit 2."""
    grafana.refusal = (status, message)

    assert push() == 2
    err = capsys.readouterr().err
    assert err.startswith("farebox: Grafana refuses the folder: ")
    assert message in err


def test_an_old_grafana_is_told_apart(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]) -> None:
    """The plugin needs 11.6; an older Grafana would show nothing but errors."""
    grafana.version = "11.5.2"

    assert push() == 2
    assert "is 11.5.2; its ClickHouse plugin needs 11.6 or newer" in capsys.readouterr().err
    assert grafana.writes == []


def test_a_token_is_needed_and_never_shown(
    grafana: FakeGrafana, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a token there is a sentence; with one, neither it nor a password of the address is in any message."""
    monkeypatch.delenv("GRAFANA_TOKEN")
    assert push() == 2
    assert "no token for Grafana" in capsys.readouterr().err

    assert push("--token", "wrong-secret", "--url", grafana.url.replace("//", "//user:hidden@")) == 2
    err = capsys.readouterr().err
    assert "secret" not in err
    assert "hidden" not in err
