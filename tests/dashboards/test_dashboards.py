"""What every dashboard keeps to: places, ids, units, links, data source; and the built JSON is the committed one."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from dashboards.asking import Asked, asked, queries

from farebox_dashboards import DASHBOARDS, Dashboard, MacroError
from farebox_dashboards._clickhouse import plugin_model
from farebox_dashboards._panels import NOT_PRICED
from farebox_dashboards._sdk import JSONEncoder, models
from farebox_dashboards._sql import VARIABLES, panel_sql

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "dashboards" / "grafana" / "dashboards"
MONEY = "currencyUSD"
PLUGIN_MACROS = {"fromTime_ms", "toTime_ms", "interval_s", "all"}


def panels(dashboard: Dashboard) -> list[dict[str, Any]]:
    """Give the panels that ask something: neither rows nor notes."""
    return [panel for panel in dashboard.as_data()["panels"] if panel["type"] not in ("row", "text")]


def overrides(panel: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        each["matcher"]["options"]: {one["id"]: one["value"] for one in each["properties"]}
        for each in panel["fieldConfig"]["overrides"]
    }


@pytest.fixture(params=DASHBOARDS, ids=lambda each: each.uid)
def dashboard(request: pytest.FixtureRequest) -> Dashboard:
    """Each dashboard in turn."""
    found: Dashboard = request.param
    return found


def test_the_built_json_is_committed(dashboard: Dashboard) -> None:
    """The file that Grafana loads is what the code builds; `farebox dashboards build --out dashboards/grafana`."""
    assert (BUILT / f"{dashboard.uid}.json").read_text(encoding="utf-8") == dashboard.as_json()


def test_no_other_json_is_committed() -> None:
    """A dashboard that no longer exists leaves no file behind."""
    assert {path.stem for path in BUILT.glob("*.json")} == {each.uid for each in DASHBOARDS}


def test_uids_stay() -> None:
    """Links, bookmarks and alerts hold on to uids, so they are written down here too."""
    assert [each.uid for each in DASHBOARDS] == [
        "farebox-overview",
        "farebox-route",
        "farebox-cost-spike",
        "farebox-failure-modes",
        "farebox-models-and-prices",
        "farebox-pipeline",
        "farebox-trace",
    ]


def test_a_panel_says_what_it_shows(dashboard: Dashboard) -> None:
    """Each panel has a title, a description of one sentence, and a unit."""
    for panel in panels(dashboard):
        assert panel["title"]
        assert re.fullmatch(r"[A-Z][^.]*(\d\.\d[^.]*)*\.( [A-Z][^.]*\.)?", panel["description"]), panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]


def test_a_note_is_markdown(dashboard: Dashboard) -> None:
    """What a panel says without asking is Markdown, never HTML."""
    for panel in dashboard.as_data()["panels"]:
        if panel["type"] == "text":
            assert panel["options"]["mode"] == "markdown"
            assert "<" not in panel["options"]["content"]


def test_money_stands_beside_what_it_lacks(dashboard: Dashboard) -> None:
    """A panel of money shows how much of it is not priced: a column of its own, or a second target that counts it."""
    for panel in panels(dashboard):
        units = [panel["fieldConfig"]["defaults"]["unit"], *(each.get("unit") for each in overrides(panel).values())]
        if MONEY in units:
            statements = " ".join(target["rawSql"] for target in panel["targets"])
            assert f"AS `{NOT_PRICED}`" in statements or "`not comparable`" in statements, panel["title"]


def test_a_count_is_never_shown_as_money(dashboard: Dashboard) -> None:
    """Beside money, counts bear a unit of their own."""
    for panel in panels(dashboard):
        if panel["fieldConfig"]["defaults"]["unit"] == MONEY:
            assert overrides(panel)[NOT_PRICED]["unit"] == ("short" if panel["type"] == "timeseries" else "locale")


def test_texts_bear_no_unit(dashboard: Dashboard) -> None:
    """In a table an id of digits, or an exact amount, is shown as it is: Grafana would give it the panel's unit."""
    for panel in panels(dashboard):
        if panel["type"] == "table":
            (first, *others) = panel["fieldConfig"]["overrides"]
            assert first == {
                "matcher": {"id": "byType", "options": "string"},
                "properties": [{"id": "unit", "value": "string"}],
            }
            assert all(each["matcher"]["id"] == "byName" for each in others)


def test_panels_are_of_kinds_that_every_viewer_has(dashboard: Dashboard) -> None:
    """Kinds that Grafana's libraries export; gauges in cells have a scale, or they stay empty."""
    for panel in panels(dashboard):
        assert panel["type"] in ("stat", "table", "timeseries")
        for settings in overrides(panel).values():
            if settings.get("custom.cellOptions", {}).get("type") == "gauge":
                assert settings["min"] == 0
                assert settings.get("fieldMinMax") or settings["max"] == 1


def test_panels_do_not_overlap(dashboard: Dashboard) -> None:
    """Each panel has a place of its own within the width of 24."""
    places = [panel["gridPos"] for panel in dashboard.as_data()["panels"]]
    for place in places:
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
    for one, other in combinations(places, 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )


def test_panels_are_numbered(dashboard: Dashboard) -> None:
    """Ids are there and differ; the SDK leaves them out."""
    numbers = [panel["id"] for panel in dashboard.as_data()["panels"]]

    assert numbers == sorted(set(numbers))


def test_queries_are_as_the_plugin_wants_them(dashboard: Dashboard) -> None:
    """Each target opens in the SQL editor, names format and data source, and holds no word of ours any more."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            assert target["datasource"] == {"type": "grafana-clickhouse-datasource", "uid": "${datasource}"}
            assert target["editorType"] == "sql"
            assert target["format"] == (0 if panel["type"] == "timeseries" else 1)
            assert "@" not in target["rawSql"]


@pytest.mark.parametrize("each", asked(), ids=str)
def test_a_query_uses_what_is_safe(each: Asked) -> None:
    """Variables stand in quotes and as URL parameters; no macro depends on a time zone."""
    assert set(re.findall(r"\$__(\w+)", each.sql)) <= PLUGIN_MACROS
    assert re.sub(r"'\$\{\w+:queryparam\}'", "", each.sql).count("${") == 0
    assert each.sql.startswith("-- ")


def test_variables_are_kept_across_links(dashboard: Dashboard) -> None:
    """The menu of dashboards and every link of a panel carry time range, data source and all variables along."""
    data = dashboard.as_data()
    (menu,) = data["links"]
    assert menu["includeVars"]
    assert menu["keepTime"]
    links = re.findall(r'"url": "(/d/[^"]*)"', json.dumps(data))
    for link in links:
        assert "${__url_time_range}" in link
        for name in ("datasource", *VARIABLES):
            assert f"${{{name}:queryparam}}" in link or f"var-{name}=" in link
        assert link.partition("?")[0].removeprefix("/d/") in {each.uid for each in DASHBOARDS}


def test_single_calls_lead_to_their_trace() -> None:
    """Wherever a trace id is listed but on Trace itself, it leads there, within the same time."""
    for dashboard in DASHBOARDS[:-1]:
        for panel in panels(dashboard):
            if "AS `trace`" in " ".join(target["rawSql"] for target in panel["targets"]):
                (link,) = overrides(panel)["trace"]["links"]
                assert link["url"].startswith("/d/farebox-trace?var-trace=${__value.raw:percentencode}&")


def test_the_overview_links_to_routes() -> None:
    """The league table and the chart of routes lead to the route's own dashboard."""
    links = re.findall(r'"url": "([^"]*)"', DASHBOARDS[0].as_json())

    assert [link.partition("&")[0] for link in links] == [
        "/d/farebox-route?var-route=${__value.raw:percentencode}",
        "/d/farebox-route?var-route=${__field.labels.route:percentencode}",
    ]


def test_variables_take_many_values_or_all_and_none_of_ones_own(dashboard: Dashboard) -> None:
    """Route, provider, model and tenant are chosen from what the ledger has; all of it at first."""
    found = {each["name"]: each for each in dashboard.as_data()["templating"]["list"]}

    assert list(found) == ["datasource", *VARIABLES, *dashboard.texts]
    for name in VARIABLES:
        variable = found[name]
        assert (variable["multi"], variable["includeAll"], variable["allowCustomValue"]) == (True, True, False)
        assert (variable["current"]["value"], variable["skipUrlSync"]) == (["$__all"], False)


def test_the_sdk_reads_a_dashboard_again_as_it_was(dashboard: Dashboard) -> None:
    """Read by the SDK's own model and written again, nothing is lost or added but what is taken out on purpose."""
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.cog.runtime import register_dataquery_variant

    register_default_plugins()
    register_dataquery_variant(plugin_model())
    data = json.loads(dashboard.as_json())
    again = json.loads(JSONEncoder().encode(models.Dashboard.from_json(json.loads(dashboard.as_json()))))
    for each in [*again["links"], *again["annotations"]["list"]]:
        each.pop("placement", None)
    for panel in [*again["panels"], *data["panels"]]:
        panel.get("fieldConfig", {}).get("defaults", {}).pop("links", None)

    assert again == data


def test_every_question_of_the_dashboards_is_asked() -> None:
    """No file of the ledger's dashboard questions is left over."""
    folder = ROOT / "sql" / "farebox_ledger" / "queries" / "dashboard"
    used = {each.sql for dashboard in DASHBOARDS for each in queries(dashboard)}

    assert {path.stem for path in folder.glob("*.sql") if panel_sql(path.stem) not in used} == set()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("@nosuch(a)", "no word @nosuch"),
        ("@chosen(outcome)", "no variable"),
        ("@attempts(a)", "takes since, until, fine"),
        ("@query(report_unpriced)", "does not narrow"),
    ],
)
def test_a_wrong_word_is_named(sql: str, words: str) -> None:
    """What cannot be written out stops the build, and says why."""
    from farebox_dashboards._sql import _written_out

    with pytest.raises(MacroError, match=words):
        _written_out(sql)
