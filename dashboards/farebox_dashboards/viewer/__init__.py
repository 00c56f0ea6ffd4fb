"""The viewer: the dashboards in a browser, from the JSON that Grafana gets, with no Grafana."""

from farebox_dashboards.viewer._app import Ask, serve

__all__ = ["Ask", "serve"]
