"""Asks the dashboards' questions as Grafana would: variables and macros written out, columns by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client
from dashboards.traffic import make_traffic, traced

from farebox_dashboards import DASHBOARDS, Dashboard
from farebox_dashboards._macros import ALL, Range, expand
from farebox_dashboards._sql import VARIABLES, panel_sql

__all__ = ["TRACED", "Asked", "ask", "asked", "choice", "queries"]


TRACED = traced(make_traffic())[-1].trace_id


@dataclass(frozen=True)
class Asked:
    """One query of a dashboard: a panel's target, a variable or an annotation."""

    where: str
    sql: str
    form: str
    panel: Mapping[str, Any]

    def __str__(self) -> str:
        return self.where


def choice(**chosen: Sequence[str] | str) -> dict[str, Sequence[str] | str]:
    """Choose values of some variables, and everything of the others."""
    texts = {"datasource": "farebox-clickhouse", "trace": TRACED}
    return {**{name: [ALL] for name in VARIABLES}, **texts, **chosen}


def queries(dashboard: Dashboard) -> Iterator[Asked]:
    """Go through everything that a dashboard asks."""
    data = dashboard.as_data()
    for panel in data["panels"]:
        for target in panel.get("targets", []):
            form = "timeseries" if target["format"] == 0 else "table"
            yield Asked(f"{dashboard.uid}: {panel['title']} {target['refId']}", target["rawSql"], form, panel)
    for variable in data["templating"]["list"]:
        if variable["type"] == "query":
            yield Asked(f"{dashboard.uid}: ${variable['name']}", variable["query"]["rawSql"], "variable", variable)
    for annotation in data["annotations"]["list"]:
        yield Asked(f"{dashboard.uid}: {annotation['name']}", annotation["target"]["rawSql"], "annotation", annotation)


def asked() -> list[Asked]:
    """Everything that all dashboards ask, each statement once."""
    found: dict[str, Asked] = {}
    for dashboard in DASHBOARDS:
        for each in queries(dashboard):
            found.setdefault(each.sql, each)
    return list(found.values())


def ask(
    client: Client,
    name: str,
    since: datetime,
    until: datetime,
    values: Mapping[str, Sequence[str] | str] | None = None,
    interval_s: int = 3600,
) -> list[dict[str, Any]]:
    """Ask one question by its file's name."""
    sql = expand(panel_sql(name), choice() if values is None else values, Range.of(since, until, interval_s))
    return [dict(row) for row in client.query(sql).named_results()]
