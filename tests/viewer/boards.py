"""A dashboard with panels of the kinds that the page draws and farebox's own dashboards have no use for yet."""

from __future__ import annotations

from typing import Any

__all__ = ["Kinds"]

# Two lines of states over the range, each changing in its middle; what the first is in the second half is not known.
STATES = """
WITH toUnixTimestamp64Milli($__fromTime_ms) AS since, toUnixTimestamp64Milli($__toTime_ms) AS until
SELECT
    fromUnixTimestamp64Milli(since + toInt64(number) * intDiv(until - since, 2), 'UTC') AS time,
    if(number = 0, 0, NULL) AS `primary`,
    number + 1 AS `fallback`
FROM numbers(2)
ORDER BY time
"""
SPEND = "SELECT route, toFloat64(sum(list_cost)) AS spend FROM llm_attempts GROUP BY route ORDER BY spend DESC"
NAMES = """SELECT '=HYPERLINK("http://x","y")' AS `name`, '-1.50' AS `exact`, NULL AS `unknown`, -2 AS `number`"""
WORDS = """## What is *drawn*

- **Spend** by route, of `llm_attempts`
- a [way](/d/farebox-overview?${__url_time_range}) to the overview, none to [elsewhere](javascript:void)

1. one
2. <img src=x onerror=alert(1)>
"""
DATASOURCE = {"type": "grafana-clickhouse-datasource", "uid": "${datasource}"}
MAPPINGS = [
    {
        "type": "value",
        "options": {
            "0": {"text": "up", "color": "green", "index": 0},
            "1": {"text": "slow", "color": "orange", "index": 1},
            "2": {"text": "down", "color": "red", "index": 2},
        },
    }
]
ROUTE = "${__data.fields.route:percentencode}"
LINKS = [
    {"title": "Open the route", "url": f"/d/farebox-route?var-route={ROUTE}&${{__url_time_range}}"},
    {"title": "Open the overview", "url": "/d/farebox-overview?${__url_time_range}"},
]  # fmt: skip


def _panel(number: int, kind: str, title: str, sql: str = "", form: int = 1, **more: Any) -> dict[str, Any]:
    target = {"refId": "A", "rawSql": sql, "format": form, "datasource": DATASOURCE}
    return {
        "id": number,
        "type": kind,
        "title": title,
        "description": f"A panel of the kind {kind}.",
        "gridPos": {"x": 0, "y": number * 8, "w": 24, "h": 8},
        "datasource": DATASOURCE,
        "targets": [target] if sql else [],
        "options": {},
        **more,
    }


def _field(unit: str, **more: Any) -> dict[str, Any]:
    steps = [{"color": "green", "value": None}, {"color": "red", "value": 1}]
    return {
        "defaults": {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}, **more},
        "overrides": [],
    }


class Kinds:
    """What `serve` takes a dashboard to be: a uid, and Grafana's JSON."""

    uid = "kinds"

    def as_data(self) -> dict[str, Any]:
        """Give the JSON."""
        each_row = {"calcs": ["lastNotNull"], "values": True, "fields": "/^spend$/"}
        bars = {"orientation": "horizontal", "displayMode": "gradient", "reduceOptions": each_row}
        money = _field("currencyUSD", links=LINKS, min=0)
        return {
            "uid": self.uid,
            "title": "Kinds",
            "description": "All kinds of panels",
            "tags": [],
            "time": {"from": "now-24h", "to": "now"},
            "templating": {"list": []},
            "annotations": {"list": []},
            "panels": [
                _panel(1, "bargauge", "Bars", SPEND, options=bars, fieldConfig=money),
                _panel(2, "state-timeline", "States", STATES, 0, fieldConfig=_field("none", mappings=MAPPINGS)),
                _panel(3, "text", "Words", options={"mode": "markdown", "content": WORDS}),
                _panel(4, "stat", "Figures", SPEND, options={"reduceOptions": each_row}, fieldConfig=money),
                _panel(5, "heatmap", "Unknown", SPEND),
                _panel(6, "table", "Names", NAMES),
            ],
        }  # fmt: skip
