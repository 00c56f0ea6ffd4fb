"""Pushing alerts: rules and contact points reach Grafana as its API has them, again without a change, and alone."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from dashboards.fake_grafana import FakeGrafana

from farebox._cli import main
from farebox_dashboards._alerts import groups
from farebox_dashboards._contacts import CONTACTS, TEMPLATE, contact_points
from farebox_dashboards.alerts import PLACED

RULES = "/api/v1/provisioning/folder/farebox/rule-groups"
POINTS = "/api/v1/provisioning/contact-points"
ADDRESSES = {
    "FAREBOX_CONTACT_EMAIL": "a@example.com;b@example.com",
    "FAREBOX_CONTACT_SLACK": "https://hooks.example/T0/secret",
    "FAREBOX_CONTACT_WEBHOOK": "https://example.com/hook",
    "FAREBOX_CONTACT_PAGERDUTY": "key",
}


@pytest.fixture
def contacts(monkeypatch: pytest.MonkeyPatch) -> None:
    """All ways to tell people, set."""
    for name, value in ADDRESSES.items():
        monkeypatch.setenv(name, value)


def push(*arguments: str) -> int:
    return main(["dashboards", "push", *arguments])


def rules(grafana: FakeGrafana) -> dict[str, dict[str, Any]]:
    """The rules that it holds, by uid."""
    return {rule["uid"]: rule for group in grafana.groups.values() for rule in group["rules"]}


def test_rules_arrive_as_the_api_has_them(grafana: FakeGrafana) -> None:
    """One request a group, with its interval in seconds; each rule with its folder and group, open to editing."""
    push()
    filed = {rule["uid"]: rule for group in groups(PLACED) for rule in group["rules"]}
    sent = [(path, body) for method, path, body in grafana.requests if method == "PUT"]

    assert [(path, body["title"], body["folderUid"], body["interval"]) for path, body in sent] == [
        (f"{RULES}/farebox", "farebox", "farebox", 60),
        (f"{RULES}/farebox-slow", "farebox-slow", "farebox", 600),
    ]
    assert set(rules(grafana)) == set(filed)
    spike, wanted = rules(grafana)["farebox-spend-spike"], filed["farebox-spend-spike"]
    assert (spike["folderUID"], spike["ruleGroup"], spike["orgID"]) == ("farebox", "farebox", 1)
    assert (spike["for"], spike["keep_firing_for"], spike["condition"]) == ("1m", "10m", "C")
    assert [step["model"]["rawSql"] for step in spike["data"][:-1]] == [
        step["model"]["rawSql"] for step in wanted["data"][:-1]
    ]
    assert (spike["annotations"], spike["labels"]) == (wanted["annotations"], wanted["labels"])
    assert spike["provenance"] == ""
    assert "notification_settings" not in spike


def test_contact_points_come_from_the_environment(grafana: FakeGrafana, contacts: None, capsys) -> None:
    """Each variable that is set is a contact point under one name, and the rules go there; words come as a template."""
    assert push() == 0

    assert {uid: (held["name"], held["type"]) for uid, held in grafana.contacts.items()} == {
        f"farebox-{each.kind}": ("farebox", each.kind) for each in CONTACTS
    }
    addresses = {each.variable: grafana.contacts[each.uid]["settings"][each.address] for each in CONTACTS}
    assert addresses == ADDRESSES
    assert grafana.templates["farebox"]["template"] == TEMPLATE
    assert all(rule["notification_settings"] == {"receiver": "farebox"} for rule in rules(grafana).values())
    methods = [(method, path) for method, path in grafana.writes if "provisioning" in path]
    assert methods[:5] == [("PUT", "/api/v1/provisioning/templates/farebox"), *[("POST", POINTS)] * 4]
    assert "secret" not in capsys.readouterr().out


def test_pushing_again_writes_secrets_alone(grafana: FakeGrafana, contacts: None, capsys) -> None:
    """What is equal stays; an address that Grafana does not tell is written again, under the same uid."""
    push()
    grafana.requests.clear()
    capsys.readouterr()

    assert push("--json") == 0
    assert grafana.writes == [("PUT", f"{POINTS}/farebox-slack"), ("PUT", f"{POINTS}/farebox-pagerduty")]
    told = {each["name"]: each["action"] for each in json.loads(capsys.readouterr().out) if each["kind"] != "dashboard"}
    assert [name for name, action in told.items() if action != "unchanged"] == ["farebox-slack", "farebox-pagerduty"]


def test_a_dry_run_names_the_rules(grafana: FakeGrafana, contacts: None, capsys) -> None:
    """Rules that are new, other or gone are named, contact points that would change too; nothing is written."""
    push()
    held = grafana.groups["farebox"]["rules"]
    del held[0]
    held[0]["for"] = "5m"
    held.append({"uid": "farebox-former", "title": "Former", "labels": {"source": "farebox"}})
    grafana.contacts["farebox-email"]["settings"]["addresses"] = "c@example.com"
    grafana.requests.clear()
    capsys.readouterr()

    assert push("--dry-run") == 0
    assert grafana.writes == []
    out = capsys.readouterr().out
    assert (
        "alert rules farebox: would be updated\n  + Spend spike\n  ~ Spend spike on a quiet route\n  - Former\n" in out
    )
    assert "contact point farebox-email: would be updated\n  ~ addresses\n" in out
    assert "alert rules farebox-slow: unchanged\n" in out


@pytest.mark.parametrize(
    ("theirs", "sentence"),
    [
        ({"uid": "mine", "title": "Mine", "labels": {}}, "holds the rule 'Mine', which farebox did not make; move it"),
        ({"uid": "farebox-x", "title": "X", "labels": {}}, "holds the rule 'X', which farebox did not make; move it"),
        (
            {"uid": "farebox-spend-spike", "title": "S", "labels": {"source": "farebox"}, "provenance": "file"},
            "the alert rule farebox-spend-spike is provisioned from a file; change the file instead",
        ),
    ],
)
def test_rules_of_others_stay(theirs: dict[str, Any], sentence: str, grafana: FakeGrafana, capsys) -> None:
    """A group that holds a rule of somebody else, or of a file, is not written: that would delete or fight over it."""
    grafana.groups["farebox"] = {"title": "farebox", "interval": 60, "rules": [theirs]}

    assert push() == 2
    assert sentence in capsys.readouterr().err
    assert grafana.groups["farebox"]["rules"] == [theirs]


def test_a_contact_point_of_others_stays(grafana: FakeGrafana, contacts: None, capsys) -> None:
    """One under our uid by another name is not touched."""
    theirs = {"uid": "farebox-slack", "name": "on call", "type": "slack", "settings": {"url": "x"}}
    grafana.contacts["farebox-slack"] = theirs

    assert push() == 2
    assert "is called 'on call': farebox did not make it; rename it" in capsys.readouterr().err
    assert grafana.contacts["farebox-slack"] == theirs


def test_the_file_refers_to_variables() -> None:
    """No address is written down, and no other dollar sign is there for Grafana to take for a variable."""
    text = contact_points(CONTACTS)
    (point,) = yaml.safe_load(text)["contactPoints"]
    (template,) = yaml.safe_load(text)["templates"]

    filed = {each["uid"]: each["settings"] for each in point["receivers"]}
    assert {each.uid: filed[each.uid][each.address] for each in CONTACTS} == {
        each.uid: f"${each.variable}" for each in CONTACTS
    }
    assert text.count("$") == len(CONTACTS)
    assert (point["name"], template["name"], template["template"]) == ("farebox", "farebox", TEMPLATE)
    assert template["template"].count("{{") == template["template"].count("}}")
    opened = re.findall(r"\{\{-? (if|range|define) ", TEMPLATE)
    assert len(opened) == len(re.findall(r"\{\{-? end ", TEMPLATE)) > 0


def test_build_writes_contact_points_where_there_are_any(tmp_path, contacts: None) -> None:
    """With variables set, the files name the contact point and refer to the variables."""
    assert main(["dashboards", "build", "--out", str(tmp_path)]) == 0
    alerting = tmp_path / "provisioning" / "alerting"
    filed = yaml.safe_load((alerting / "farebox.yaml").read_text(encoding="utf-8"))

    assert (alerting / "contact-points.yaml").read_text(encoding="utf-8") == contact_points(CONTACTS)
    assert all(
        rule["notification_settings"] == {"receiver": "farebox"} for group in filed["groups"] for rule in group["rules"]
    )
