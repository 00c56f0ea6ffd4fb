"""The page for who has no pointer, or does not see it: by keyboard alone, and as its accessibility tree tells it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from dashboards.traffic import HOSTILE, UNTIL
from playwright.sync_api import expect
from viewer.browser import Window, launch, opened
from viewer.conftest import SINCE, Viewer, milliseconds

from farebox_dashboards.viewer import _answers, _calls

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RANGE = f"from={milliseconds(SINCE)}&to={milliseconds(UNTIL)}"
TALL = (1440, 2400)
NARROW = (320, 640)
PAGES = ("/", "/live", "/d/farebox-overview", "/d/farebox-trace", "/d/none", "/nowhere/else")
# Roles that who uses them must be able to name. Source: WAI-ARIA 1.2, accessible name required.
NAMED = {
    "button", "checkbox", "combobox", "dialog", "grid", "heading", "image", "img", "link", "radio", "region",
    "searchbox", "textbox", "table", "tab", "menuitem", "navigation",
}  # fmt: skip
TABS_MAX = 80


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser that these tests share."""
    with launch() as running:
        yield running


@pytest.fixture
def window(browser: Browser, viewer: Viewer) -> Iterator[Window]:
    """A window of a laptop's size."""
    with opened(browser, viewer.url) as one:
        yield one


@pytest.fixture
def all_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the live page look far enough back to find the calls of the seeded day."""
    monkeypatch.setattr(_calls, "STRETCHES", (timedelta(days=10_000),))


def focused(window: Window) -> str:
    """Name what has the focus, as a screen reader would."""
    name: str = window.page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim()"
    )
    return name


def tab_to(window: Window, name: str, key: str = "Tab") -> None:
    """Press the tabulator until something of that name has the focus, with a ring around it."""
    for _ in range(TABS_MAX):
        window.page.keyboard.press(key)
        if re.fullmatch(name, focused(window)):
            ring = window.page.evaluate(
                """(() => {
                  const style = getComputedStyle(document.activeElement);
                  return style.outlineStyle !== 'none' || style.boxShadow !== 'none';
                })()"""
            )
            assert ring, f"no ring around {name}"
            return
    raise AssertionError(f"{name} cannot be reached by {key}; the last was {focused(window)}")


def press(window: Window, *keys: str) -> None:
    """Press keys one after the other."""
    for key in keys:
        window.page.keyboard.press(key)


def asked(window: Window) -> dict[str, list[str]]:
    """Read what the address says."""
    return parse_qs(urlsplit(window.page.url).query)


def test_the_keyboard_alone_goes_from_the_list_to_a_route(window: Window) -> None:
    """List, dashboard, time, variable, statement, order, and on to a route, by keys; boxes give the focus back."""
    window.go("/")
    tab_to(window, "OverviewWhat LLM calls cost.*")
    press(window, "Enter")
    window.settle()
    assert focused(window) == "Overview", "the heading of the new page takes the focus"

    tab_to(window, "Time range: .*")
    press(window, "Enter")
    assert focused(window) == "Last 24 hours", "the focus is on what is chosen"
    tab_to(window, "Last 12 hours", "Shift+Tab")
    press(window, "Enter")
    assert focused(window) == "Time range: Last 12 hours"
    assert asked(window)["from"] == ["now-12h"]

    window.go(f"/d/farebox-overview?{RANGE}")
    tab_to(window, "Model: All")
    press(window, "Enter", "Tab", "Space", "Tab", "Space", "Escape")
    assert focused(window).startswith("Model: claude")
    assert len(asked(window)["var-model"]) == 2
    press(window, "Enter", "Shift+Tab", "Space", "Escape")
    assert asked(window)["var-model"] == ["$__all"]

    window.settle()
    window.panel("Routes").focus()
    tab_to(window, "About Routes")
    window.page.get_by_role("tooltip").get_by_text("a click on a route opens it").wait_for()
    tab_to(window, "Data of Routes")
    tab_to(window, "SQL of Routes")
    press(window, "Enter")
    window.page.get_by_role("dialog", name="SQL of Routes").locator("pre").first.wait_for()
    press(window, "Escape")
    assert focused(window) == "SQL of Routes"

    tab_to(window, "spend")
    press(window, "Enter")
    window.page.locator("[role=columnheader][aria-sort=ascending]").get_by_text("spend", exact=True).wait_for()
    tab_to(window, re.escape(HOSTILE))
    press(window, "Enter")
    window.page.wait_for_url("**/d/farebox-route?**")
    assert asked(window)["var-route"] == [HOSTILE]
    assert asked(window)["from"] == [str(milliseconds(SINCE))]
    window.settle()
    assert focused(window) == "Route"
    assert window.wrong == []


def test_a_charts_points_lead_on_without_a_pointer(window: Window) -> None:
    """The names of a chart show a series alone, its figures are a table, and their heads lead where its points do."""
    window.go(f"/d/farebox-overview?{RANGE}")
    chart = window.panel("Spend by route")
    chart.focus()
    window.page.locator(".legend").first.wait_for()
    told = chart.get_by_role("img").get_attribute("aria-label") or ""
    assert re.search(r"support \$[\d.]+, from \$[\d.]+ to \$[\d.]+", told), told
    window.settle()
    tab_to(window, "Data of Spend by route")
    press(window, "Enter")
    table = window.page.get_by_role("dialog", name="Data of Spend by route").get_by_role("table").first
    assert table.get_by_role("row").count() > 20
    tab_to(window, "support")
    press(window, "Escape")
    assert focused(window) == "Data of Spend by route"
    support = chart.get_by_role("button", name="support", exact=True)
    tab_to(window, "support")
    press(window, "Enter")
    assert support.get_attribute("aria-pressed") == "true"
    assert chart.locator(".legend [aria-pressed=false]").count() == chart.locator(".legend button").count() - 1
    press(window, "Enter")
    assert chart.locator(".legend [aria-pressed=false]").count() == 0
    tab_to(window, "Data of Spend by route", "Shift+Tab")
    press(window, "Enter")
    tab_to(window, "support")
    press(window, "Enter")
    window.page.wait_for_url("**/d/farebox-route?**")

    assert asked(window)["var-route"] == ["support"]
    assert window.wrong == []


def test_the_head_can_be_skipped(window: Window) -> None:
    """The first link leads past the head: the next stop of the tabulator is in the page's main part."""
    window.go(f"/d/farebox-overview?{RANGE}")
    press(window, "Tab")
    assert focused(window) == "Skip to the content"
    press(window, "Enter", "Tab")

    assert window.page.evaluate("document.activeElement.closest('main') !== null")


def test_back_and_forward_keep_what_was_shown(window: Window) -> None:
    """Each choice is a step that the browser can take back, title and focus with it."""
    window.go(f"/d/farebox-overview?{RANGE}")
    window.page.get_by_role("button", name="Zoom out").click()
    wider = asked(window)["from"]
    assert int(wider[0]) < milliseconds(SINCE)
    window.page.get_by_role("button", name="Earlier by half the range").click()
    assert int(asked(window)["from"][0]) < int(wider[0])
    window.page.go_back()
    assert asked(window)["from"] == wider
    window.page.get_by_role("navigation").get_by_role("link", name="Trace").click()
    expect(window.page).to_have_title("farebox: Trace")
    assert asked(window)["from"] == wider
    window.page.go_back()
    expect(window.page).to_have_title("farebox: Overview")

    assert asked(window)["from"] == wider
    expect(window.page.get_by_role("heading", name="Overview", exact=True)).to_be_focused()


def test_a_screen_reader_is_told_once(window: Window) -> None:
    """What was asked for is reported once when all panels have it; a refresh by the clock says nothing."""
    window.go(f"/d/farebox-overview?{RANGE}")
    status = window.page.locator("main > [role=status]")
    expect(status).to_have_text(re.compile("^Panels are up to date"))
    first = status.inner_text()
    with window.page.expect_response("**/api/panel"):
        window.page.keyboard.press("r")
    window.settle()
    window.page.wait_for_timeout(1100)
    assert status.inner_text() == first
    window.page.get_by_role("button", name="Zoom out").click()

    expect(status).not_to_have_text(first)
    expect(status).to_have_text(re.compile("^Panels are up to date"))


def test_failures_are_told_once_and_where_they_are(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many panels that fail at once are one sentence; each says why, and so does a variable without values."""
    monkeypatch.setitem(_answers.SETTINGS, "max_result_bytes", "1")
    window.go(f"/d/farebox-overview?from={milliseconds(SINCE)}&to={milliseconds(UNTIL) - 11}")

    expect(window.page.locator("main > [role=status]")).to_have_text(re.compile(r"^\d+ panels have failed$"))
    expect(window.page.get_by_role("alert")).to_have_count(0)
    error = window.panel("Spend today").get_by_role("group", name="Error")
    assert "Limit for result exceeded" in error.inner_text()
    expect(error.get_by_text("SQL")).to_be_in_viewport(ratio=1)
    window.page.get_by_role("button", name="Route: All").click()
    assert "Limit for result exceeded" in window.page.get_by_role("dialog", name="Route: All").inner_text()


def tree(window: Window) -> list[dict[str, Any]]:
    """Read the page's accessibility tree from top to bottom, without what is left out of it."""
    session = window.page.context.new_cdp_session(window.page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    by_id = {node["nodeId"]: node for node in nodes}
    found, waiting = [], [nodes[0]]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += [by_id[each] for each in reversed(node.get("childIds", [])) if each in by_id]
    return [node for node in found if not node["ignored"]]


def role_and_name(node: dict[str, Any]) -> tuple[str, str]:
    """Give what a node is, and what it is called."""
    return str(node["role"]["value"]), str(node.get("name", {}).get("value", "")).strip()


def level(node: dict[str, Any]) -> int:
    """Give a heading's level."""
    (found,) = [each["value"]["value"] for each in node["properties"] if each["name"] == "level"]
    return int(found)


@pytest.mark.parametrize("path", PAGES)
def test_the_tree_is_whole(path: str, browser: Browser, viewer: Viewer, all_calls: None) -> None:
    """Everything that can be used has a name, headings go down by single steps, ids are unique, landmarks are there."""
    with opened(browser, viewer.url, TALL) as window:
        window.go(f"{path}?{RANGE}")
        window.page.locator("h1").wait_for()
        nodes = tree(window)
        nameless = [role for role, name in map(role_and_name, nodes) if role in NAMED and not name]
        levels = [level(node) for node in nodes if node["role"]["value"] == "heading"]
        ids = window.page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
        roles = Counter(role for role, _ in map(role_and_name, nodes))

        assert nameless == []
        assert levels.count(1) == 1
        assert [(one, next_) for one, next_ in pairwise(levels) if next_ > one + 1] == []
        assert [each for each, times in Counter(ids).items() if times > 1] == []
        assert (roles["banner"], roles["main"], roles["navigation"]) == (1, 1, 1)
        assert window.page.locator("html").get_attribute("lang") == "en"
        assert window.page.title() not in ("", "farebox")


def test_panels_are_third_level_headings_under_their_rows(window: Window) -> None:
    """The page's heading, a row's, a panel's: an outline that can be jumped through."""
    window.go(f"/d/farebox-overview?{RANGE}")
    nodes = [node for node in tree(window) if role_and_name(node)[0] == "heading"]
    headings = [(level(node), role_and_name(node)[1]) for node in nodes]

    assert headings[:4] == [(1, "Overview"), (2, "Now"), (3, "Spend today"), (3, "Month and forecast")]


@pytest.mark.parametrize("path", ["/", "/live", "/d/farebox-overview", "/d/farebox-trace"])
def test_the_page_reflows(path: str, browser: Browser, viewer: Viewer, all_calls: None) -> None:
    """At 320 pixels, which is 1280 at 400 %, nothing but tables scrolls sideways, and boxes stay in the window."""
    with opened(browser, viewer.url, NARROW, "light") as window:
        window.go(f"{path}?{RANGE}")
        width = "document.documentElement.scrollWidth"
        assert window.page.evaluate(width) == NARROW[0]
        for button in window.page.locator("header [aria-haspopup]").all():
            button.click()
            expect(window.page.locator(".popup-box")).to_be_in_viewport(ratio=1)
            assert window.page.evaluate(width) == NARROW[0]
            press(window, "Escape")


@pytest.mark.parametrize("size", [TALL, (390, 2400)], ids=["laptop", "phone"])
def test_what_is_pressed_is_large_enough(size: tuple[int, int], browser: Browser, viewer: Viewer) -> None:
    """Buttons and fields are 24 pixels wide and high at least, marks in charts too (WCAG 2.2, target size, AA)."""
    with opened(browser, viewer.url, size) as window:
        window.go(f"/d/farebox-overview?{RANGE}")
        window.page.locator(".mark").first.wait_for()
        small = window.page.evaluate(
            """[...document.querySelectorAll('button, input, select')].filter(each => each.checkVisibility())
            .filter(each => !each.closest('[role=columnheader]'))
            .filter(each => Math.min(each.getBoundingClientRect().width, each.getBoundingClientRect().height) < 24)
            .map(each => each.outerHTML)"""
        )

        assert small == []


def test_what_moves_can_be_stilled(browser: Browser, viewer: Viewer) -> None:
    """Who asks for less motion gets none: nothing is animated while panels load."""
    with opened(browser, viewer.url) as window:
        window.page.goto(f"{viewer.url}/d/farebox-overview?{RANGE}")
        window.page.locator(".panel").first.wait_for()
        moving = "document.getAnimations().filter(each => each.effect.getTiming().iterations === Infinity).length"

        assert window.page.evaluate(moving) == 0


def test_figures_tell_their_names(window: Window) -> None:
    """A panel of figures reads as names and values, in their order."""
    window.go(f"/d/farebox-overview?{RANGE}")
    text = window.panel("Failure rate").inner_text()

    assert re.search(r"failure rate\s+[\d.]+\s*%\s+at least\s+[\d.]+\s*%\s+at most", text), text
