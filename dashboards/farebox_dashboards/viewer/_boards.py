"""The dashboards as the viewer knows them: what the browser gets to see of them, and the queries it may name.

The browser never sends SQL and is not sent any: it names a dashboard and a panel, and the statement is taken from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from farebox_dashboards._dashboard import Dashboard
from farebox_dashboards._macros import VARIABLE
from farebox_dashboards.viewer.errors import UnknownError

__all__ = ["Board", "Boards", "Target"]

# What a target says to the viewer alone; Grafana's own keys for its plugin's editor mean nothing here.
HIDDEN = ("rawSql", "editorType", "pluginVersion", "queryType", "datasource")
# The one format in which no value can end its quotes; `_sql.py` says why.
BOUND_FORMAT = "queryparam"
# Values that the page gives Grafana's variables; the others come from the range and are numbers.
BUILT_IN = re.compile(r"__(from|to|interval|interval_ms)")


@dataclass(frozen=True)
class Target:
    """One query of a panel: its letter, its statement with macros in it, and whether it is a time series."""

    ref_id: str
    sql: str
    is_series: bool


@dataclass(frozen=True)
class Board:
    """One dashboard, taken apart."""

    uid: str
    shown: Mapping[str, Any]
    panels: Mapping[int, tuple[Target, ...]]
    variables: Mapping[str, str]  # statements of the variables that have one
    names: frozenset[str]  # of all variables
    annotations: Mapping[str, str]

    def targets(self, panel: int) -> tuple[Target, ...]:
        """Give the queries of a panel.

        Raises:
            UnknownError: the dashboard has no such panel.
        """
        if panel not in self.panels:
            raise UnknownError(f"the dashboard {self.uid} has no panel {panel}")
        return self.panels[panel]

    def variable(self, name: str) -> str:
        """Give the statement that lists a variable's values.

        Raises:
            UnknownError: the dashboard has no such variable, or it is not one that asks the ledger.
        """
        if name not in self.variables:
            raise UnknownError(f"the dashboard {self.uid} has no variable {name} that asks the ledger")
        return self.variables[name]


class Boards:
    """All dashboards, in their order."""

    def __init__(self, dashboards: Iterable[Dashboard]) -> None:
        self._boards = {each.uid: _taken_apart(each.as_data()) for each in dashboards}

    def __getitem__(self, uid: str) -> Board:
        if uid not in self._boards:
            raise UnknownError(f"there is no dashboard {uid}")
        return self._boards[uid]

    def listed(self) -> list[dict[str, Any]]:
        """Give what the list of dashboards shows of each."""
        keys = ("uid", "title", "description", "tags")
        return [{key: board.shown.get(key) for key in keys} for board in self._boards.values()]


def _taken_apart(data: dict[str, Any]) -> Board:
    panels: dict[int, tuple[Target, ...]] = {}
    for panel in _all_panels(data["panels"]):
        targets = panel.get("targets") or []
        panels[panel["id"]] = tuple(_target(each) for each in targets if not each.get("hide"))
        panel["targets"] = [_without_sql(each) for each in targets]
    variables: dict[str, str] = {}
    for variable in data["templating"]["list"]:
        query = variable.get("query")
        if variable["type"] == "query" and isinstance(query, dict):
            variables[variable["name"]] = _bound(query["rawSql"])
            variable["query"] = _without_sql(query)
    annotations: dict[str, str] = {}
    for annotation in data["annotations"]["list"]:
        if annotation.get("target", {}).get("rawSql"):
            annotations[annotation["name"]] = _bound(annotation["target"]["rawSql"])
            annotation["target"] = _without_sql(annotation["target"])
    names = frozenset(each["name"] for each in data["templating"]["list"])
    return Board(data["uid"], data, panels, variables, names, annotations)


def _all_panels(panels: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Go through panels and those that a folded row holds."""
    for panel in panels:
        yield panel
        yield from _all_panels(panel.get("panels") or ())


def _target(target: Mapping[str, Any]) -> Target:
    return Target(target["refId"], _bound(target["rawSql"]), is_series=target["format"] == 0)


def _bound(sql: str) -> str:
    """Pass a statement in which every variable stands in the one format that cannot change its meaning."""
    for found in VARIABLE.finditer(sql):
        name = found[1] or found[3]
        if name and not BUILT_IN.fullmatch(name) and found[2] != BOUND_FORMAT:
            raise ValueError(f"the variable {name} must be written ${{{name}:{BOUND_FORMAT}}}: {sql[:200]}")
    return sql


def _without_sql(query: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in query.items() if key not in HIDDEN}
