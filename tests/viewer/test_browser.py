"""The page in a real browser: every dashboard is drawn, its numbers are the ledger's, links and variables work."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from dashboards.traffic import HOSTILE, UNTIL
from viewer.browser import Window, launch, opened
from viewer.conftest import SINCE, Viewer, milliseconds

from farebox_dashboards import DASHBOARDS
from farebox_ledger import Store

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BOARDS = [each.uid for each in DASHBOARDS]
RANGE = f"from={milliseconds(SINCE)}&to={milliseconds(UNTIL)}"
# Tall enough that every panel is in sight, and so asks.
TALL = (1440, 4000)
PHONE = (390, 8000)
FIRST_PAINT_MS_MAX = 1000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser that these tests share."""
    with launch() as running:
        yield running


@pytest.fixture
def window(browser: Browser, viewer: Viewer) -> Iterator[Window]:
    """A window on the viewer with a day of traffic."""
    with opened(browser, viewer.url, TALL) as one:
        yield one


@pytest.fixture
def small_window(browser: Browser, viewer: Viewer) -> Iterator[Window]:
    """A window of a laptop's size, in which only the panels in sight ask."""
    with opened(browser, viewer.url) as one:
        yield one


def spent(seeded: Store, condition: str = "1") -> Decimal:
    """Ask the ledger itself what was spent in the range."""
    within = "started_at >= %(since)s AND started_at < %(until)s"
    sql = f"SELECT sum(list_cost) FROM llm_attempts WHERE {within} AND {condition}"
    (row,) = seeded.client.query(sql, {"since": SINCE, "until": UNTIL}).result_rows
    return Decimal(row[0])


def figures(window: Window) -> dict[str, str]:
    """Read the panel of exact figures, which asks when it comes into sight."""
    window.panel("Exact figures").scroll_into_view_if_needed()
    window.panel("Exact figures").get_by_role("gridcell").first.wait_for()
    window.settle()
    return {row[0]: row[1] for row in window.rows("Exact figures")}


def is_shown(text: str, amount: Decimal) -> bool:
    """Tell whether a text such as $1.96 is the amount, to the digits that it shows."""
    shown = Decimal(text.replace("$", "").replace(",", ""))
    return abs(amount - shown) <= Decimal(1).scaleb(int(shown.as_tuple().exponent)) / 2


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_is_drawn(uid: str, window: Window) -> None:
    """On traffic: every panel has its data, none is in error, texts are legible in both themes, the console silent."""
    window.go(f"/d/{uid}?{RANGE}")
    window.keep(uid)
    faint = window.faint()
    window.page.get_by_role("button", name=re.compile("light", re.IGNORECASE)).click()
    window.settle()
    window.keep(f"{uid}-light")

    assert faint == []
    assert window.faint() == []
    assert window.errors() == []
    assert window.page.locator(".panel").count() == len([p for p in _panels(uid) if p["type"] != "row"])
    assert window.page.locator("[data-state=error]").count() == 0
    assert window.page.get_by_text("are not drawn here").count() == 0
    assert window.wrong == []


@pytest.mark.parametrize("uid", BOARDS)
def test_an_empty_ledger_is_drawn_too(uid: str, browser: Browser, empty_viewer: Viewer) -> None:
    """Where nothing has arrived, panels say so, and none is in error."""
    with opened(browser, empty_viewer.url, TALL) as window:
        window.go(f"/d/{uid}?{RANGE}")
        window.keep(f"{uid}-empty")

        assert window.errors() == []
        assert window.page.locator("[data-state=error]").count() == 0
        assert window.wrong == []


def test_the_numbers_are_those_of_the_ledger(window: Window, seeded: Store) -> None:
    """Exact figures to the last digit, and those of figures, tables and charts to the digits that they show."""
    window.go(f"/d/farebox-overview?{RANGE}")
    exact = figures(window)
    routes = {row[0]: row[1] for row in window.rows("Routes")}

    assert Decimal(exact["spend"]) == spent(seeded)
    assert is_shown(routes["support"], spent(seeded, "route = 'support'"))
    assert len(routes) == 4
    last = window.panel("Spend this month, adding up").get_by_role("img").get_attribute("aria-label") or ""
    assert "spend $" in last


def test_a_route_leads_to_its_dashboard(small_window: Window, seeded: Store) -> None:
    """A click keeps time and variables and chooses the route, whatever its name; the way back is the browser's own."""
    window = small_window
    window.go(f"/d/farebox-overview?{RANGE}&var-model=claude-haiku-4-5")
    window.panel("Routes").get_by_role("link", name=HOSTILE).click()
    window.page.wait_for_url("**/d/farebox-route?**")
    window.settle()
    asked = parse_qs(urlsplit(window.page.url).query)

    assert asked["var-route"] == [HOSTILE]
    assert asked["var-model"] == ["claude-haiku-4-5"]
    assert asked["from"] == [str(milliseconds(SINCE))]
    assert window.page.get_by_role("button", name=f"Route: {HOSTILE}").is_visible()
    exact = figures(window)
    hostile = "route LIKE 'agent%%' AND model = 'claude-haiku-4-5'"
    assert Decimal(exact["spend"]) == spent(seeded, hostile)
    window.page.go_back()
    window.settle()
    assert urlsplit(window.page.url).path == "/d/farebox-overview"
    assert window.wrong == []


def test_variables_narrow_every_panel_and_stay_in_the_address(small_window: Window, seeded: Store) -> None:
    """Several values may be chosen; without any it is all again. Another dashboard keeps them."""
    window = small_window
    window.go(f"/d/farebox-overview?{RANGE}")
    window.page.get_by_role("button", name="Model: All").click()
    for model in ("claude-haiku-4-5", "claude-sonnet-4-6"):
        window.page.get_by_role("checkbox", name=model).check()
    window.page.keyboard.press("Escape")
    window.settle()

    assert parse_qs(urlsplit(window.page.url).query)["var-model"] == ["claude-haiku-4-5", "claude-sonnet-4-6"]
    exact = figures(window)
    assert Decimal(exact["spend"]) == spent(seeded, "model IN ('claude-haiku-4-5', 'claude-sonnet-4-6')")
    window.page.get_by_role("navigation").get_by_role("link", name="Route", exact=True).click()
    window.settle()
    assert window.page.get_by_role("button", name="Model: claude-haiku-4-5 + claude-sonnet-4-6").is_visible()
    window.page.get_by_role("button", name=re.compile("^Model: ")).click()
    window.page.get_by_role("checkbox", name="All").check()
    assert parse_qs(urlsplit(window.page.url).query)["var-model"] == ["$__all"]


def test_time_is_chosen_and_stays_in_the_address(small_window: Window) -> None:
    """Presets, typed ranges and how often to ask are in the address; what cannot be read is said to be so."""
    window = small_window
    window.go("/")
    window.page.get_by_role("main").get_by_role("link", name="Overview").click()
    window.page.get_by_role("button", name="Time range: Last 24 hours").click()
    window.page.get_by_role("button", name="Last 6 hours").click()
    assert "from=now-6h&to=now" in window.page.url
    window.page.get_by_role("button", name="Time range: Last 6 hours").click()
    window.page.get_by_label("From").fill("2026-11-01 00:00")
    window.page.get_by_label("To", exact=True).fill("2026-11-02")
    window.page.get_by_role("button", name="Apply").click()

    assert window.page.get_by_role("button", name="Time range: 2026-11-01 00:00 to 2026-11-02 00:00").is_visible()
    window.page.get_by_label("Refresh every").select_option("30s")
    assert "refresh=30s" in window.page.url
    window.page.goto(window.url + "/d/farebox-overview?from=yesterday&to=now")
    assert "unreadable" in window.page.get_by_role("alert").inner_text()


def test_a_refused_question_is_told_with_its_statement(browser: Browser, viewer: Viewer, monkeypatch) -> None:
    """ClickHouse's words are readable, the SQL is one click away, and another try may succeed."""
    from farebox_dashboards.viewer import _answers

    with opened(browser, viewer.url) as window:
        with monkeypatch.context() as patch:
            patch.setitem(_answers.SETTINGS, "max_result_bytes", "1")
            window.go(f"/d/farebox-overview?from={milliseconds(SINCE)}&to={milliseconds(UNTIL) - 7}")
            alert = window.panel("Spend today").get_by_role("group", name="Error")

            assert "Limit for result exceeded" in alert.inner_text()
            alert.get_by_text("SQL").click()
            assert "SELECT" in alert.locator("pre").inner_text()
            window.keep("error")
        alert.get_by_role("button", name="Try again").click()
        alert.wait_for(state="detached")


def test_the_statement_of_a_panel_is_one_click_away(small_window: Window) -> None:
    """A panel's SQL opens in a box that Escape closes."""
    window = small_window
    window.go(f"/d/farebox-overview?{RANGE}")
    window.panel("Routes").get_by_role("button", name="SQL of Routes").click()
    box = window.page.get_by_role("dialog", name="SQL of Routes")

    assert "FROM" in box.locator("pre").first.inner_text()
    window.page.keyboard.press("Escape")
    box.wait_for(state="hidden")


def test_a_panels_data_is_a_file(small_window: Window, seeded: Store) -> None:
    """The exact figures come as CSV, to the last digit and with every name as it is."""
    window = small_window
    window.go(f"/d/farebox-overview?{RANGE}")
    window.panel("Routes").get_by_role("button", name="Data of Routes").click()
    with window.page.expect_download() as downloading:
        window.page.get_by_role("dialog", name="Data of Routes").get_by_role("button", name="Download CSV").click()
    file = downloading.value
    with Path(file.path()).open(newline="") as opened_file:
        rows = list(csv.DictReader(opened_file))

    assert file.suggested_filename == "routes.csv"
    assert {row["route"] for row in rows} >= {"support", HOSTILE}
    assert {row["route"]: Decimal(row["spend, exact"]) for row in rows}["support"] == spent(seeded, "route = 'support'")
    assert window.wrong == []


def test_a_cut_answer_says_so(small_window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit of rows the panel shows the first, with a note beside its title."""
    from farebox_dashboards.viewer import _answers

    monkeypatch.setattr(_answers, "ROWS_MAX", 2)
    window = small_window
    window.go(f"/d/farebox-overview?from={milliseconds(SINCE)}&to={milliseconds(UNTIL) - 9}")

    assert window.panel("Routes").get_by_text("Only the first 5,000 rows are shown.").is_visible()
    assert len(window.rows("Routes")) == 2


def test_a_chart_tells_what_is_under_the_pointer(small_window: Window) -> None:
    """A tooltip with time and values, a mark for what changed, and a legend that shows one series alone."""
    window = small_window
    window.go(f"/d/farebox-overview?{RANGE}")
    chart = window.panel("Spend by route")
    chart.scroll_into_view_if_needed()
    chart.get_by_role("button", name=re.compile("New price of qwen")).wait_for()
    window.settle()
    chart.locator(".u-over").hover(position={"x": 480, "y": 80})
    window.page.get_by_text(re.compile(r"2026-\d\d-\d\d \d\d:\d\d:\d\d UTC")).last.wait_for()
    chart.get_by_role("button", name="support", exact=True).click()

    assert window.wrong == []


def test_the_last_calls_lead_to_each_call(small_window: Window, seeded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The live page lists calls with their cost; a click shows one, its money to the last digit."""
    from farebox_dashboards.viewer import _calls

    monkeypatch.setattr(_calls, "STRETCHES", (timedelta(days=10_000),))
    window = small_window
    window.go("/live")
    window.keep("live")
    row = window.page.locator("tbody tr").filter(has_text="tool_call_malformed").first
    row.get_by_role("link").click()
    window.page.get_by_role("heading", name="Call", exact=True).wait_for()
    window.page.get_by_role("heading", name="Attempts", exact=True).wait_for()
    window.keep("call")
    trace = urlsplit(window.page.url).path.split("/")[2]

    assert window.page.get_by_text("The arguments of a tool call are not what the tool takes.").first.is_visible()
    shown = window.page.locator(".facts dd").first.inner_text()
    (cost,) = seeded.client.query(
        "SELECT sum(list_cost) FROM llm_attempts WHERE trace_id = unhex(%(trace)s)", {"trace": trace}
    ).result_rows[0]
    assert Decimal(shown.replace("$", "").replace("≥ ", "")) == cost
    assert window.wrong == []


@pytest.mark.parametrize("colours", ["dark", "light"])
def test_colours_follow_the_system_and_the_reader(colours: str, browser: Browser, viewer: Viewer) -> None:
    """Light and dark as the system has it, until the reader chooses, and that is remembered."""
    other = "light" if colours == "dark" else "dark"
    with opened(browser, viewer.url, colours=colours) as window:
        window.go("/")
        shown = window.page.locator("html")
        assert shown.get_attribute("data-theme") == colours
        window.page.get_by_role("button", name=f"Switch to {other} colours").click()
        window.page.reload()

        assert shown.get_attribute("data-theme") == other
        assert window.wrong == []


@pytest.mark.parametrize("uid", ["farebox-overview"])
def test_a_phone_shows_one_column(uid: str, browser: Browser, viewer: Viewer) -> None:
    """At a phone's width nothing sticks out at the side, and panels stand under each other."""
    with opened(browser, viewer.url, PHONE, "light") as window:
        window.go(f"/d/{uid}?{RANGE}")
        window.keep(f"{uid}-phone")
        lefts = {round(each.bounding_box()["x"]) for each in window.page.locator(".panel").all()}

        assert len(lefts) == 1
        assert window.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        assert window.errors() == []


def test_the_keyboard_reaches_everything(small_window: Window) -> None:
    """Buttons have names, boxes open and close by key and give the focus back, and `r` asks anew."""
    window = small_window
    window.go(f"/d/farebox-overview?{RANGE}")
    window.page.keyboard.press("Tab")
    assert window.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    variable = window.page.get_by_role("button", name="Route: All")
    variable.focus()
    window.page.keyboard.press("Enter")
    window.page.get_by_role("dialog", name="Route: All").wait_for()
    window.page.keyboard.press("Escape")
    assert variable.evaluate("button => button === document.activeElement")
    names = window.page.evaluate(
        """[...document.querySelectorAll('button, a, input, select')]
        .filter(each => each.offsetParent)
        .filter(each => !(each.getAttribute('aria-label') || each.textContent.trim() || each.labels?.length))
        .map(each => each.outerHTML)"""
    )
    assert names == []
    assert window.page.locator("h1").count() == 1
    with window.page.expect_request("**/api/panel"):
        window.page.keyboard.press("r")


def test_the_first_paint_comes_within_a_second(browser: Browser, viewer: Viewer) -> None:
    """With nothing in the browser's cache the page shows its first letters within a second; the best of three."""
    paints = []
    for _ in range(3):
        with opened(browser, viewer.url) as window:
            window.page.goto(viewer.url + "/")
            window.page.locator("main .list").wait_for()
            paints.append(window.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))

    assert min(paints) < FIRST_PAINT_MS_MAX


def test_who_asks_waits_and_the_page_by_itself_does_not(window: Window) -> None:
    """A refresh of its own takes an answer of a moment ago, and says so; opening a page and `r` want a new one."""
    with window.page.expect_request("**/api/panel") as opening:
        window.go(f"/d/farebox-overview?{RANGE}&refresh=5s")
    with window.page.expect_request(lambda sent: sent.url.endswith("/api/panel") and sent.post_data_json["again"]):
        pass
    window.settle()
    with window.page.expect_request("**/api/panel") as asked:
        window.page.keyboard.press("r")

    assert not opening.value.post_data_json["again"]
    assert not asked.value.post_data_json["again"]


def _panels(uid: str) -> list[dict[str, object]]:
    (board,) = [each for each in DASHBOARDS if each.uid == uid]
    found: list[dict[str, object]] = board.as_data()["panels"]
    return found
