"""Kinds of panels that the page draws from a dashboard made for it, since farebox's own have no use for them yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dashboards.traffic import UNTIL
from viewer.boards import Kinds
from viewer.browser import Window, launch, opened
from viewer.conftest import SINCE, Viewer, milliseconds, serving

import farebox_dashboards
from farebox_ledger import Store

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RANGE = f"from={milliseconds(SINCE)}&to={milliseconds(UNTIL)}"
SIZE = (1280, 2200)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser that these tests share."""
    with launch() as running:
        yield running


@pytest.fixture(scope="module")
def kinds(seeded: Store) -> Iterator[Viewer]:
    """The viewer with a dashboard of all kinds of panels beside the usual ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(farebox_dashboards, "DASHBOARDS", (*farebox_dashboards.DASHBOARDS, Kinds()))
        with serving(seeded.dsn) as running:
            yield running


@pytest.fixture(scope="module", params=["dark", "light"])
def window(browser: Browser, kinds: Viewer, request: pytest.FixtureRequest) -> Iterator[Window]:
    """That dashboard, in the dark and in the light."""
    with opened(browser, kinds.url, SIZE, request.param) as one:
        one.go(f"/d/kinds?{RANGE}")
        one.keep(f"kinds-{request.param}")
        yield one
        assert one.wrong == []


def spends(seeded: Store) -> dict[str, Decimal]:
    """Ask the ledger itself for the money of each route."""
    return dict(seeded.client.query("SELECT route, sum(list_cost) FROM llm_attempts GROUP BY route").result_rows)


def test_all_are_drawn_legibly(window: Window) -> None:
    """No panel is in error, texts have enough contrast, and a kind that is not drawn is said not to be."""
    assert window.errors() == []
    assert window.faint() == []
    assert window.panel("Unknown").get_by_text("Panels of the type heatmap are not drawn here.").is_visible()


def test_bars_and_figures_are_the_ledgers(window: Window, seeded: Store) -> None:
    """A bar and a figure for each row, under its name, with its amount, and in the colour of its threshold."""
    amounts = [f"${amount:.3g}" for amount in sorted(map(float, spends(seeded).values()), reverse=True)]
    for panel in ("Bars", "Figures"):
        text = window.panel(panel).inner_text()

        assert [each for each in amounts if each not in text.replace(",", "")] == []
        assert all(route.split("&")[0] in text for route in spends(seeded))


def test_a_figure_with_several_links_has_a_menu(window: Window) -> None:
    """Where a figure leads to several places, a click or a key opens the choice, and Escape closes it."""
    figure = window.panel("Figures").get_by_role("button", name=re.compile("support"))
    figure.focus()
    window.page.keyboard.press("Enter")
    way = window.page.get_by_role("menuitem", name="Open the route")
    way.wait_for()

    assert f"var-route=support&{RANGE}" in (way.get_attribute("href") or "")
    window.page.keyboard.press("Escape")
    way.wait_for(state="detached")


def test_states_lie_where_they_lasted(window: Window) -> None:
    """A line a field, a bar as long as its state, in the mapping's words and colours; what is not known is left out."""
    panel = window.panel("States")
    bars = {
        str(bar.locator("title").text_content()).partition("\n")[0]: bar.bounding_box()
        for bar in panel.locator("svg[role=img] rect").all()
    }

    assert set(bars) == {"primary: up", "fallback: slow", "fallback: down"}
    assert panel.get_by_role("img", name="States: primary unknown, fallback down").is_visible()
    assert abs(bars["primary: up"]["width"] - bars["fallback: down"]["width"]) < 2
    assert abs(bars["primary: up"]["x"] + bars["primary: up"]["width"] - bars["fallback: down"]["x"]) < 2
    fills = {each.get_attribute("fill") for each in panel.locator("svg[role=img] rect").all()}
    assert len(fills) == 3


def test_the_states_are_a_table_too(window: Window) -> None:
    """What bars show stands in a table beside, for who does not see them."""
    window.panel("States").get_by_role("button", name="Data of States").click()
    rows = window.page.get_by_role("dialog").get_by_role("row").all_inner_texts()

    assert [row.split("\t")[1:] for row in rows] == [["primary", "fallback"], ["–", "down"], ["up", "slow"]]
    window.page.keyboard.press("Escape")


def test_words_are_markdown_and_no_markup(window: Window) -> None:
    """Headings, lists, emphasis, code and links are made; HTML stays text, and a link leads to a page or nowhere."""
    panel = window.panel("Words")

    assert panel.get_by_role("heading", name="What is drawn", level=4).is_visible()
    assert panel.locator("ul li").count() == 2
    assert panel.locator("strong").inner_text() == "Spend"
    assert panel.locator("code").inner_text() == "llm_attempts"
    links = panel.get_by_role("link").all()
    assert [link.get_attribute("href") for link in links] == [f"/d/farebox-overview?{RANGE}"]
    assert panel.locator("ol li").nth(1).inner_text() == "<img src=x onerror=alert(1)>"
    assert panel.locator("img").count() == 0


def test_a_file_holds_no_formula(window: Window) -> None:
    """A name that a spreadsheet would run is marked as text; numbers and exact amounts stay as they are."""
    window.panel("Names").get_by_role("button", name="Data of Names").click()
    with window.page.expect_download() as downloading:
        window.page.get_by_role("dialog", name="Data of Names").get_by_role("button", name="Download CSV").click()
    window.page.keyboard.press("Escape")

    told = Path(downloading.value.path()).read_bytes().decode()
    assert told == 'name,exact,unknown,number\r\n"\'=HYPERLINK(""http://x"",""y"")",-1.50,,-2\r\n'
