"""Where farebox's things are in a Grafana: their folder, and the data source that they ask."""

from __future__ import annotations

__all__ = ["DATASOURCE_UID", "FOLDER_TITLE", "FOLDER_UID"]

FOLDER_UID = "farebox"
FOLDER_TITLE = "farebox"
DATASOURCE_UID = "farebox-clickhouse"
