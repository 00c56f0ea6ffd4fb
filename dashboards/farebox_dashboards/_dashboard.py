"""Makes a dashboard of its rows: variables, links, annotations, places and ids, and the JSON that Grafana loads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from farebox_dashboards._clickhouse import DATASOURCE, PLUGIN, Target, variable_query
from farebox_dashboards._panels import Row
from farebox_dashboards._sdk import JSONEncoder, builder, dashboard, models
from farebox_dashboards._sql import VARIABLES

__all__ = ["TAG", "Dashboard", "link_to"]

TAG = "farebox"
WIDTH = 24
LINK_KEYS = ("title", "url", "targetBlank")


@dataclass(frozen=True)
class Dashboard:
    """One dashboard; `uid` never changes, since links, bookmarks and alerts hold on to it.

    since: where the time range begins at first; texts: variables into which people type, and what they are asked for.
    """

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    since: str = "now-24h"
    texts: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> str:
        """Write it as Grafana loads it: sorted keys, so that a change shows as what it is."""
        return json.dumps(self.as_data(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def as_data(self) -> dict[str, Any]:
        """Build it and give it as plain data."""
        built: dict[str, Any] = json.loads(JSONEncoder().encode(self._builder().build()))
        return _without_slips(built)

    def _builder(self) -> dashboard.Dashboard:
        made = (
            dashboard.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([TAG])
            .time(self.since, "now")
            .refresh("1m")
            .timezone("utc")
            .tooltip(models.DashboardCursorSync.CROSSHAIR)
            .with_variable(dashboard.DatasourceVariable("datasource").label("Ledger").type(PLUGIN))
            .annotation(_annotation("Price changes", "price_changes", "orange"))
            .annotation(_annotation("Deployments and other marks", "marks", "blue"))
            .annotation(_annotation("Alerts", "alert_changes", "red"))
            .link(
                dashboard.DashboardLink("farebox")
                .type(models.DashboardLinkType.DASHBOARDS)
                .tags([TAG])
                .include_vars(True)
                .keep_time(True)
            )
        )
        for name in VARIABLES:
            made = made.with_variable(_variable(name))
        for name, label in self.texts.items():
            made = made.with_variable(dashboard.TextBoxVariable(name).label(label).default_value(""))
        return self._filled(made)

    def _filled(self, made: dashboard.Dashboard) -> dashboard.Dashboard:
        """Place rows and panels from left to right and top to bottom, and number them."""
        number, top = 1, 0
        for row in self.rows:
            heading = dashboard.Row(row.title).id(number).grid_pos(models.GridPos(h=1, w=WIDTH, x=0, y=top))
            made = made.with_row(heading)
            number, top, left, line = number + 1, top + 1, 0, 0
            for panel in row.panels:
                if left + panel.width > WIDTH:
                    top, left, line = top + line, 0, 0
                made = made.with_panel(
                    _Placed(panel.build(), number, models.GridPos(h=panel.height, w=panel.width, x=left, y=top))
                )
                number, left, line = number + 1, left + panel.width, max(line, panel.height)
            top += line
        return made


class _Placed(builder.Builder[models.Panel]):
    """A built panel with its number and place, for the SDK's dashboard builder."""

    def __init__(self, panel: models.Panel, number: int, place: models.GridPos) -> None:
        panel.id_val, panel.grid_pos = number, place
        self._panel = panel

    def build(self) -> models.Panel:
        """Return the panel."""
        return self._panel


def link_to(uid: str, variable: str, value: str) -> str:
    """Make a link to a dashboard that sets one variable and keeps the time range and all others.

    value: Grafana's expression for it, without braces: `__value.raw`.
    """
    kept = [f"${{{name}:queryparam}}" for name in ("datasource", *VARIABLES) if name != variable]
    return f"/d/{uid}?" + "&".join([f"var-{variable}=${{{value}:percentencode}}", *kept, "${__url_time_range}"])


def _variable(name: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .description(f"Only what bears this {name}")
        .datasource(DATASOURCE)
        .query(variable_query(f"values_of_{name}", name))
        .multi(True)
        .include_all(True)
        .allow_custom_value(False)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.DISABLED)
        .current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _annotation(name: str, question: str, colour: str) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color(colour)
        .target(Target(question, "table", "Anno"))
    )


def _without_slips(built: dict[str, Any]) -> dict[str, Any]:
    """Take out what SDK 0.0.21 adds unasked: a menu as the place of links, keys that data links do not have."""
    for each in [*built["links"], *built["annotations"]["list"]]:
        each.pop("placement", None)
    for panel in built["panels"]:
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        if "links" in defaults:
            defaults["links"] = [{key: each[key] for key in LINK_KEYS if key in each} for each in defaults["links"]]
    return built
