"""Panels as farebox's dashboards have them: a title, one sentence, a unit, and one of the ledger's questions each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

from farebox_dashboards._clickhouse import DATASOURCE, Target
from farebox_dashboards._sdk import common, common_models, dashboard, models, stat, table, text, timeseries

__all__ = [
    "CHANGE",
    "COUNT",
    "DAY",
    "NOT_PRICED",
    "SHARE",
    "WHOLE",
    "Column",
    "Panel",
    "Row",
    "Step",
    "chart",
    "figures",
    "listing",
    "note",
]

# Beside money: what the money lacks. Every question about money has this column, or the panel a target that has it.
NOT_PRICED = "not fully priced"

# Where Grafana chooses, names shrink until nobody can read them.
NAME_PX, FIGURE_PX = 12, 20

# A series is not drawn finer than this many points, so that long ranges read rollups by the hour.
POINTS_MAX = 200

Step = tuple[float | None, str]  # from this value on (None: from the lowest), this colour


class _Builder(Protocol):
    """What all of the SDK's panel builders have in common, as far as it is used here."""

    def build(self) -> models.Panel: ...


@dataclass(frozen=True)
class Panel:
    """A panel and the room it takes, in grid units: 24 are a dashboard's width."""

    builder: _Builder
    width: int
    height: int

    def build(self) -> models.Panel:
        """Build it, without a place yet."""
        return self.builder.build()


@dataclass(frozen=True)
class Row:
    """A heading and the panels under it, laid out from left to right."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Column:
    """How one column of an answer is shown, where it differs from its panel.

    right: points on an axis of their own, in a colour that no series of the panel has from Grafana's palette.
    """

    unit: str = ""
    decimals: int | None = None
    link: str = ""
    steps: Sequence[Step] = ()
    width: int | None = None
    gauge: bool = False
    right: bool = False
    colour: str = "text"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def settings_list(self) -> list[models.DynamicConfigValue]:
        """Write it as the settings of a Grafana override."""
        found: dict[str, Any] = {}
        if self.unit:
            found["unit"] = self.unit
        if self.decimals is not None:
            found["decimals"] = self.decimals
        if self.link:
            found["links"] = [{"title": "Open", "url": self.link}]
        if self.steps:
            found["thresholds"] = {"mode": "absolute", "steps": [{"color": c, "value": v} for v, c in self.steps]}
        if self.width is not None:
            found["custom.width"] = self.width
        if self.gauge:
            found |= {"custom.cellOptions": {"mode": "basic", "type": "gauge"}, "fieldMinMax": True, "min": 0}
        if self.right:
            found |= {
                "color": {"fixedColor": self.colour, "mode": "fixed"},
                "custom.axisPlacement": "right",
                "custom.drawStyle": "points",
                "custom.pointSize": 6,
                "custom.stacking": {"group": "B", "mode": "none"},
            }
        return [
            models.DynamicConfigValue(id_val=name, value=value) for name, value in {**found, **self.settings}.items()
        ]


# What has no price is a count, never money.
# In figures and lists every digit of it counts (2,058); on an axis a short form will do (2 K).
WHOLE = "locale"
# A date of the ledger, which is no moment.
DAY = "time:YYYY-MM-DD"
COUNT = Column(unit=WHOLE, decimals=0)
DOUBT = Column(unit=WHOLE, decimals=0, steps=((None, "text"), (1, "orange")))
SHARE = Column(unit="percentunit", decimals=1)
# A change of money: more is red, less is green.
CHANGE = Column(
    unit="currencyUSD",
    steps=((None, "green"), (0, "text"), (0.0001, "red")),
    settings={"custom.cellOptions": {"type": "color-text"}},
)
DOUBT_SERIES = Column(unit="short", decimals=0, right=True)


class _Fields(Protocol):
    """The part of a panel builder that says what is asked, and how fields are shown."""

    def title(self, title: str) -> Self: ...

    def description(self, description: str) -> Self: ...

    def datasource(self, datasource: common_models.DataSourceRef) -> Self: ...

    def with_target(self, target: Target) -> Self: ...

    def unit(self, unit: str) -> Self: ...

    def override_by_name(self, name: str, properties: list[models.DynamicConfigValue]) -> Self: ...

    def override_by_field_type(self, field_type: str, properties: list[models.DynamicConfigValue]) -> Self: ...


P = TypeVar("P", bound=_Fields)


def figures(
    title: str,
    description: str,
    question: str,
    unit: str,
    *,
    columns: Mapping[str, Column] | None = None,
    only: Sequence[str] = (),
    decimals: int | None = None,
    steps: Sequence[Step] = ((None, "text"),),
    width: int = 6,
    height: int = 4,
) -> Panel:
    """Show the one row of an answer as figures side by side, each under its column's name.

    only: the columns that are shown, where panels share a question, which the viewer asks once.
    """
    shown = common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
    if only:
        shown = shown.fields(f"/^({'|'.join(only)})$/")
    panel = (
        _asking(stat.Panel(), title, description, Target(question, "table"), unit)
        .no_value("–")
        .thresholds(_thresholds(steps))
        .color_mode(common_models.BigValueColorMode.VALUE)
        .graph_mode(common_models.BigValueGraphMode.NONE)
        .text_mode(common_models.BigValueTextMode.VALUE_AND_NAME)
        .orientation(common_models.VizOrientation.VERTICAL)
        .text(common.VizTextDisplayOptions().title_size(NAME_PX).value_size(FIGURE_PX))
        .reduce_options(shown)
        # A figure that stands alone has its name above it, as those do that stand together.
        .wide_layout(False)
    )
    if decimals is not None:
        panel = panel.decimals(decimals)
    return Panel(_shown(panel, {NOT_PRICED: DOUBT, **(columns or {})}), width, height)


def chart(
    title: str,
    description: str,
    question: str,
    unit: str,
    *,
    label: str = "",
    link: str = "",
    bars: bool = False,
    columns: Mapping[str, Column] | None = None,
    not_priced: str = "",
    since: str = "",
    points: int = POINTS_MAX,
    width: int = 12,
    height: int = 8,
) -> Panel:
    """Draw an answer over time: a series a column, or a series a value of the column `label`.

    not_priced: a second question, whose counts are drawn beside the money; since: a time range of the panel's own;
    points: how finely it is drawn, less for shares of few.
    """
    panel = (
        _asking(timeseries.Panel(), title, description, Target(question, "timeseries"), unit)
        .max_data_points(points)
        .draw_style(common_models.GraphDrawStyle.BARS if bars else common_models.GraphDrawStyle.LINE)
        .fill_opacity(70 if bars else 10)
        .line_width(1)
        # What is filled down to the axis is read from nothing upwards.
        .axis_soft_min(0)
        .show_points(common_models.VisibilityMode.AUTO)
        .legend(
            common.VizLegendOptions()
            .display_mode(common_models.LegendDisplayMode.LIST)
            .placement(common_models.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_models.TooltipDisplayMode.MULTI)
            .sort(common_models.SortOrder.DESCENDING)
        )
    )
    if bars:
        panel = panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A"))
    if label:
        panel = panel.display_name("${__field.labels." + label + "}")
    if link:
        panel = panel.data_links([dashboard.DashboardLink("Open ${__field.labels." + label + "}").url(link)])
    if since:
        panel = panel.time_from(since)
    if not_priced:
        beside = {"displayName": NOT_PRICED, "links": []}
        panel = panel.with_target(Target(not_priced, "timeseries", "B"))
        panel = panel.override_by_query("B", Column("short", 0, right=True, settings=beside).settings_list())
    return Panel(_shown(panel, {NOT_PRICED: DOUBT_SERIES, **(columns or {})}), width, height)


def listing(
    title: str,
    description: str,
    question: str,
    unit: str,
    *,
    columns: Mapping[str, Column] | None = None,
    width: int = 24,
    height: int = 9,
) -> Panel:
    """List an answer's rows as they come.

    Grafana gives a text that reads as a number, as an id or an exact amount does, the panel's unit; here it stays text.
    """
    panel = (
        _asking(table.Panel(), title, description, Target(question, "table"), unit)
        .no_value("–")
        .thresholds(_thresholds(((None, "text"),)))
        .cell_height(common_models.TableCellHeight.SM)
        .show_header(True)
        .override_by_field_type("string", Column(unit="string").settings_list())
    )
    return Panel(_shown(panel, {NOT_PRICED: DOUBT, **(columns or {})}), width, height)


def note(words: str, *, width: int = 24, height: int = 2) -> Panel:
    """Say in Markdown what no question answers: how to use the dashboard."""
    return Panel(text.Panel().content(words).transparent(True), width, height)


def _asking(panel: P, title: str, description: str, target: Target, unit: str) -> P:
    """Give a panel what every panel has: it asks farebox's datasource."""
    return panel.title(title).description(description).datasource(DATASOURCE).with_target(target).unit(unit)


def _shown(panel: P, columns: Mapping[str, Column]) -> P:
    for name, column in columns.items():
        panel = panel.override_by_name(name, column.settings_list())
    return panel


def _thresholds(steps: Sequence[Step]) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=colour) for value, colour in steps])
    )
