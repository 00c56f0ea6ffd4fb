"""Alert rules for Grafana's file provisioning: what is asked, above which threshold, for how long, and what is said.

Rules go where Grafana's own notification policy sends them; the file has no contact points and no policies, since a
policy in a file replaces the whole tree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from farebox_dashboards._clickhouse import PLUGIN
from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards._push import DATASOURCE_UID, FOLDER_TITLE
from farebox_dashboards._sql import alert_sql

__all__ = ["Rule", "provisioning"]

EXPRESSION = "__expr__"
# Spans take a little to arrive; the last minute is not looked at.
LAG_S = 60
LOOK_BACK_S = 660
HEADER = """\
# Written by `farebox dashboards build`; alert rules of farebox for Grafana's file provisioning (provisioning/alerting).
# Thresholds stand under `params`, times under `for`. Whom to tell is up to Grafana's notification policies.
"""


@dataclass(frozen=True)
class Rule:
    """One rule; each row of its answer is an alert of its own, labelled by the row's texts.

    question: a file of the ledger's `queries/alerts`, whose one number is held against `above`; an alert that fires
    ends below `until_below`. message_question: one more number for the message, as $values.B.
    """

    uid: str
    title: str
    question: str
    above: float
    summary: str
    description: str
    panel: str
    until_below: float | None = None
    pending: str = "0s"
    keep_firing: str = "0s"
    no_data: Literal["OK", "Alerting"] = "OK"
    error: Literal["Error", "Alerting"] = "Error"
    severity: Literal["page", "ticket"] = "ticket"
    message_question: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def as_data(self, dashboard: Dashboard) -> dict[str, Any]:
        """Lay it out as the file has it; `dashboard` is where its panel is."""
        number = str(_panel_number(dashboard, self.panel))
        asked = [_query("A", self.question)]
        if self.message_question:
            asked.append(_query("B", self.message_question))
        return {
            "uid": self.uid,
            "title": self.title,
            "condition": "C",
            "data": [*asked, self._threshold()],
            "for": self.pending,
            "keepFiringFor": self.keep_firing,
            "noDataState": self.no_data,
            "execErrState": self.error,
            "labels": {"severity": self.severity, "source": "farebox", **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "__dashboardUid__": dashboard.uid,
                "__panelId__": number,
            },
        }

    def _threshold(self) -> dict[str, Any]:
        condition: dict[str, Any] = {"evaluator": {"type": "gt", "params": [self.above]}}
        if self.until_below is not None:
            condition["unloadEvaluator"] = {"type": "lt", "params": [self.until_below]}
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


def provisioning(rules: Mapping[Rule, Dashboard] | list[tuple[Rule, Dashboard]]) -> str:
    """Write the file, as YAML with its SQL in blocks, so that people can read and edit it."""
    pairs = rules.items() if isinstance(rules, Mapping) else rules
    data = {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": "farebox",
                "folder": FOLDER_TITLE,
                "interval": "1m",
                "rules": [rule.as_data(dashboard) for rule, dashboard in pairs],
            }
        ],
    }
    return HEADER + "\n".join(_lines(data, 0)) + "\n"


def _query(ref_id: str, question: str) -> dict[str, Any]:
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
            "rawSql": alert_sql(question),
        },
    }


def _panel_number(dashboard: Dashboard, title: str) -> int:
    numbers = {panel["title"]: panel["id"] for panel in dashboard.as_data()["panels"]}
    found: int = numbers[title]
    return found


def _lines(value: Any, depth: int) -> Iterator[str]:
    """Write plain data as lines of YAML: strings quoted as in JSON, long ones as blocks."""
    pad = "  " * depth
    entries = value.items() if isinstance(value, dict) else (("-", each) for each in value)
    for key, each in entries:
        begin = f"{pad}-" if isinstance(value, list) else f"{pad}{key}:"
        if isinstance(each, dict | list) and each:
            nested = list(_lines(each, depth + 1))
            if isinstance(value, list):  # the first entry goes on the dash's own line
                yield f"{begin} {nested[0].lstrip()}"
                yield from nested[1:]
            else:
                yield begin
                yield from nested
        elif isinstance(each, str) and "\n" in each:
            yield f"{begin} |-"
            yield from (f"{pad}  {line}".rstrip() for line in each.splitlines())
        else:
            yield f"{begin} {json.dumps(each, ensure_ascii=False)}"
