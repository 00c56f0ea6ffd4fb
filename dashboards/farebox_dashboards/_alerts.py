"""Lays the ledger's alert rules out for Grafana's file provisioning, as YAML that people can read and edit.

One SQL question gives several numbers, and Grafana takes one at a time: each is a step of its own around the question,
and messages name it by its step. Where no contact point is given, alerts go where Grafana's own notification policy
sends them; the file has no policies, since a policy in a file replaces the whole tree.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

from farebox_dashboards._clickhouse import PLUGIN
from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards._places import DATASOURCE_UID, FOLDER_TITLE
from farebox_dashboards._yaml import as_yaml
from farebox_ledger.alerts import UNTIL, Rule, alert_sql

__all__ = ["UID_PREFIX", "Placed", "grafana_rule", "groups", "provisioning"]

UID_PREFIX = "farebox-"
EXPRESSION = "__expr__"
# Spans take a little to arrive; the last minute is not looked at.
LAG_S = 60
LOOK_BACK_S = 660
SHOWN_BEFORE_S, SHOWN_AFTER_S = 10_800, 900
HEADER = """\
# Written by `farebox dashboards build`; alert rules of farebox for Grafana's file provisioning (provisioning/alerting).
# Thresholds stand under `params`, times under `for`; `isPaused: true` switches a rule off.
"""
MOMENT = "toDateTime64($__toTime_ms, 3, 'UTC')"
# C is the condition; Y and Z say which time the link shows.
FACT_STEPS = "BDEFGHI"
VARIABLES = ("route", "model")

Placed = tuple[Rule, Dashboard, str]


def provisioning(rules: Sequence[Placed], receiver: str | None = None) -> str:
    """Write the file; each rule comes with the dashboard and the title of the panel that shows it."""
    return HEADER + as_yaml({"apiVersion": 1, "groups": groups(rules, receiver)})


def groups(rules: Sequence[Placed], receiver: str | None = None) -> list[dict[str, Any]]:
    """Lay the rules out by how often they are asked, as Grafana's files have them."""
    return [
        {
            "orgId": 1,
            "name": "farebox" if every_s == min(each.every_s for each, *_ in rules) else "farebox-slow",
            "folder": FOLDER_TITLE,
            "interval": _span(every_s),
            "rules": [grafana_rule(*placed, receiver) for placed in rules if placed[0].every_s == every_s],
        }
        for every_s in sorted({rule.every_s for rule, *_ in rules})
    ]


def grafana_rule(rule: Rule, dashboard: Dashboard, panel: str, receiver: str | None = None) -> dict[str, Any]:
    """Lay out one rule; each row of its answer is an alert of its own, labelled by the row's texts."""
    steps = {"value": "A", **dict(zip(rule.facts, FACT_STEPS, strict=False))}
    said = {"summary": _template(rule, rule.summary, steps), "description": _template(rule, rule.description, steps)}
    used = [name for name in rule.facts if f"$values.{steps[name]}." in said["summary"] + said["description"]]
    data = {
        "uid": UID_PREFIX + rule.name,
        "title": rule.title,
        "condition": "C",
        "data": [
            *(_number(rule, name, steps[name]) for name in ("value", *used)),
            _query("Y", f"SELECT toUnixTimestamp64Milli({MOMENT}) - {SHOWN_BEFORE_S * 1000} AS since_ms"),
            _query("Z", f"SELECT toUnixTimestamp64Milli({MOMENT}) + {SHOWN_AFTER_S * 1000} AS until_ms"),
            _threshold(rule),
        ],
        "for": _span(rule.pending_s),
        "keepFiringFor": _span(rule.keep_firing_s),
        "noDataState": "Alerting" if rule.silence_is_trouble else "OK",
        "execErrState": "Alerting" if rule.silence_is_trouble else "Error",
        "isPaused": not rule.on,
        "labels": {"severity": rule.severity, "source": "farebox"},
        "annotations": {
            **said,
            "link": _link(rule),
            "__dashboardUid__": dashboard.uid,
            "__panelId__": str(_panel_number(dashboard, panel)),
        },
    }
    return data if receiver is None else {**data, "notification_settings": {"receiver": receiver}}


def _number(rule: Rule, column: str, ref_id: str) -> dict[str, Any]:
    asked = alert_sql(rule.question).replace(UNTIL, MOMENT)
    columns = ", ".join([*rule.labels, column])
    return _query(ref_id, f"SELECT {columns}\nFROM\n(\n{asked}\n)")


def _query(ref_id: str, sql: str) -> dict[str, Any]:
    return {
        "refId": ref_id,
        "datasourceUid": DATASOURCE_UID,
        "relativeTimeRange": {"from": LOOK_BACK_S, "to": LAG_S},
        "model": {
            "refId": ref_id,
            "datasource": {"type": PLUGIN, "uid": DATASOURCE_UID},
            "editorType": "sql",
            "format": 1,
            "queryType": "table",
            "rawSql": sql,
        },
    }


def _threshold(rule: Rule) -> dict[str, Any]:
    condition: dict[str, Any] = {"evaluator": {"type": "gt", "params": [rule.above]}}
    if rule.until_below is not None:
        condition["unloadEvaluator"] = {"type": "lt", "params": [rule.until_below]}
    return {
        "refId": "C",
        "datasourceUid": EXPRESSION,
        "model": {
            "refId": "C",
            "type": "threshold",
            "expression": "A",
            "datasource": {"type": EXPRESSION, "uid": EXPRESSION},
            "conditions": [condition],
        },
    }


def _template(rule: Rule, text: str, steps: Mapping[str, str]) -> str:
    """Write a message in Grafana's template language: labels and numbers by the names it gives them."""
    written = []
    for literal, name, spec, _ in string.Formatter().parse(text):
        dollars = name is not None and literal.endswith("$")
        written.append(literal.removesuffix("$") if dollars else literal)
        if name in rule.labels:
            written.append(f"{{{{ $labels.{name} }}}}")
        elif name is not None:
            written.append(f"{{{{ {_formatted(f'$values.{steps[name]}.Value', spec or '', '$' * dollars)} }}}}")
    return "".join(written)


def _formatted(value: str, spec: str, before: str) -> str:
    """Write a number; a dollar sign before it stands inside, since Grafana takes `${` for a variable."""
    if spec == "duration":
        return f"humanizeDuration {value}"
    if spec.endswith("%"):
        return f"humanizePercentage {value}"
    return f'printf "{before}%{re.sub(",", "", spec)}" {value}'


def _link(rule: Rule) -> str:
    """Lead to the dashboard at that time; Grafana's own address ends in a slash."""
    chosen = "".join(f"&var-{name}={{{{ urlquery $labels.{name} }}}}" for name in VARIABLES if name in rule.labels)
    span = 'from={{ printf "%.0f" $values.Y.Value }}&to={{ printf "%.0f" $values.Z.Value }}'
    return f"{{{{ externalURL }}}}d/{rule.leads_to}?{span}{chosen}"


def _span(seconds: int) -> str:
    return f"{seconds // 60}m" if seconds % 60 == 0 and seconds else f"{seconds}s"


def _panel_number(dashboard: Dashboard, title: str) -> int:
    numbers = {panel["title"]: panel["id"] for panel in dashboard.as_data()["panels"]}
    found: int = numbers[title]
    return found
