"""The ClickHouse plugin's query, which the Foundation SDK has no model of, and the name of the data source."""

from __future__ import annotations

from typing import Any, Literal, Self

from farebox_dashboards._sdk import Dataquery, builder, common_models, runtime
from farebox_dashboards._sql import panel_sql

__all__ = ["DATASOURCE", "PLUGIN", "ClickHouseQuery", "Format", "Target", "plugin_model", "variable_query"]

PLUGIN = "grafana-clickhouse-datasource"
PLUGIN_VERSION = "4.20.0"
# The dashboards' own variable, so that one dashboard serves several ledgers.
DATASOURCE = common_models.DataSourceRef(type_val=PLUGIN, uid="${datasource}")

Format = Literal["timeseries", "table"]
FORMATS: dict[Format, int] = {"timeseries": 0, "table": 1}


class ClickHouseQuery(Dataquery):
    """A target in the plugin's own form; `editorType` opens Grafana's SQL editor instead of its query builder."""

    def __init__(self, sql: str, form: Format, ref_id: str) -> None:
        self.sql, self.form, self.ref_id = sql, form, ref_id

    def to_json(self) -> dict[str, object]:
        """Lay it out as the plugin stores it."""
        return {
            "datasource": DATASOURCE,
            "editorType": "sql",
            "format": FORMATS[self.form],
            "pluginVersion": PLUGIN_VERSION,
            "queryType": self.form,
            "rawSql": self.sql,
            "refId": self.ref_id,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        form: Format = "timeseries" if data["format"] == FORMATS["timeseries"] else "table"
        return cls(data["rawSql"], form, data["refId"])


class Target(builder.Builder[ClickHouseQuery]):
    """Builds the target that asks the ledger's question `name`."""

    def __init__(self, name: str, form: Format, ref_id: str = "A") -> None:
        self._query = ClickHouseQuery(panel_sql(name), form, ref_id)

    def build(self) -> ClickHouseQuery:
        """Return the query."""
        return self._query


def variable_query(name: str, variable: str) -> dict[str, object]:
    """Make the query of a dashboard variable: its first column holds values, its second texts."""
    return {"editorType": "sql", "format": FORMATS["table"], "rawSql": panel_sql(name), "refId": variable}


def plugin_model() -> runtime.DataqueryConfig:
    """Make what the SDK needs to read dashboards with such queries again."""
    return runtime.DataqueryConfig(identifier=PLUGIN, from_json_hook=ClickHouseQuery.from_json)
