"""What the page asks of the ledger: dashboards without their SQL, panels by name, values that stay values."""

from __future__ import annotations

import asyncio
import json
import threading
from decimal import Decimal

import pytest
import requests
from dashboards.traffic import BACKSLASHES, HOSTILE, TENANT, UNTIL, Made, added, within
from viewer.conftest import SINCE, Viewer, milliseconds, serving_app

from farebox_dashboards import DASHBOARDS
from farebox_dashboards.viewer import _answers, serve
from farebox_dashboards.viewer._answers import Answers
from farebox_dashboards.viewer._frames import Table

BOARDS = [each.uid for each in DASHBOARDS]


def column(frame: dict[str, object], name: str) -> list[object]:
    """Give the values of one column of a frame."""
    names = [each["name"] for each in frame["schema"]["fields"]]  # type: ignore[index]
    values: list[object] = frame["data"]["values"][names.index(name)]  # type: ignore[index]
    return values


def test_the_list_has_every_dashboard(viewer: Viewer) -> None:
    """Uid, title and description of each, in their order."""
    listed = viewer.get("/api/dashboards").json()

    assert [each["uid"] for each in listed["dashboards"]] == BOARDS
    assert all(each["title"] and each["description"] for each in listed["dashboards"])
    assert listed["version"]


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_is_grafanas_json_without_the_sql(uid: str, viewer: Viewer) -> None:
    """The browser gets the same panels, overrides, variables and links as Grafana, and no statement."""
    (board,) = [each for each in DASHBOARDS if each.uid == uid]
    whole, shown = board.as_data(), viewer.get(f"/api/dashboards/{uid}").json()

    assert "rawSql" not in json.dumps(shown)
    for mine, theirs in zip(shown["panels"], whole["panels"], strict=True):
        assert {**mine, "targets": 0} == {**theirs, "targets": 0}
    assert shown["links"] == whole["links"]
    assert [each["name"] for each in shown["templating"]["list"]] == [
        each["name"] for each in whole["templating"]["list"]
    ]


def test_money_is_that_of_the_ledger(viewer: Viewer, viewed_traffic: list[Made]) -> None:
    """What the page is told a route has spent is what the attempts cost, as counted here in Python."""
    (routes,) = viewer.panel("farebox-overview", "Routes")
    told = dict(zip(column(routes, "route"), column(routes, "spend"), strict=True))
    made = within(viewed_traffic, SINCE, UNTIL)

    assert told == {
        route: float(added([each for each in made if each.route == route]) or Decimal(0))
        for route in {each.route for each in made}
    }


@pytest.mark.parametrize("route", [HOSTILE, BACKSLASHES, "x' OR 1=1 --", "$__fromTime", "\\'; DROP TABLE prices --"])
def test_a_value_stays_a_value(route: str, viewer: Viewer, viewed_traffic: list[Made]) -> None:
    """Whatever text a variable has, it chooses the route of that name, or nothing; it is never part of the SQL."""
    variables = {**viewer.question()["variables"], "route": [route]}
    (routes,) = viewer.panel("farebox-overview", "Routes", variables=variables)

    assert set(column(routes, "route")) == {each.route for each in viewed_traffic if each.route == route}


def test_a_variable_offers_what_the_ledger_has(viewer: Viewer) -> None:
    """Values with the texts that are shown for them; a tag that was not set shows as such."""
    answer = viewer.post("/api/variable", viewer.question(variable="tenant")).json()

    assert {"value": "", "text": "(none)"} in answer["options"]
    assert {"value": TENANT, "text": TENANT} in answer["options"]


def test_the_statement_is_one_click_away(viewer: Viewer) -> None:
    """On request the page is told what is asked, with macros and variables written out."""
    (target,) = viewer.post("/api/sql", viewer.question(panel=viewer.number("farebox-overview", "Routes"))).json()[
        "targets"
    ]

    assert str(milliseconds(UNTIL)) in target["sql"]
    assert "$__" not in target["sql"].replace("$__all", "")


def test_an_error_of_clickhouse_is_told_with_its_statement(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that takes too long is an answer with ClickHouse's words and the SQL; the next one is asked anew."""
    from farebox_dashboards.viewer import _answers

    later = viewer.question(panel=viewer.number("farebox-overview", "Routes"), to=milliseconds(UNTIL) - 1)
    with monkeypatch.context() as patch:
        patch.setitem(_answers.SETTINGS, "max_result_bytes", "1")
        answer = viewer.post("/api/panel", later)

    assert answer.status_code == 422
    assert answer.json()["error"].startswith("Code ")
    assert "FROM" in answer.json()["sql"]
    assert viewer.post("/api/panel", later).status_code == 200


def test_a_long_answer_is_cut_and_says_so(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit of rows a panel gets the first and a note."""
    from farebox_dashboards.viewer import _answers

    monkeypatch.setattr(_answers, "ROWS_MAX", 2)
    asked = viewer.question(panel=viewer.number("farebox-overview", "Routes"), to=milliseconds(UNTIL) - 2)
    answer = viewer.post("/api/panel", asked).json()

    assert len(answer["frames"][0]["data"]["values"][0]) == 2
    assert answer["notices"] == ["Only the first 5,000 rows are shown."]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"dashboard": "nosuch"}, 404),
        ({"dashboard": None}, 400),
        ({"panel": 9999}, 404),
        ({"panel": "2"}, 400),
        ({"panel": True}, 400),
        ({"from": "now-1h"}, 400),
        ({"from": -1}, 400),
        ({"from": 1e99}, 400),
        ({"to": 10**20}, 400),
        ({"to": 0}, 400),
        ({"interval": 0}, 400),
        ({"interval": 1}, 400),
        ({"variables": ["route"]}, 400),
        ({"variables": {}}, 400),
        ({"variables": {"nosuch": "x"}}, 400),
        ({"variables": {"route": {"a": 1}}}, 400),
        ({"variables": {"route": [1]}}, 400),
        ({"variables": {"route": ["x" * 5000]}}, 400),
        ({"variables": {"route": ["x"] * 1001}}, 400),
        ({"variables": {"route": "\ud800"}}, 400),
        ({"variables": {"route": ["x" * 4000] * 100}}, 413),
    ],
)
def test_a_question_that_the_page_would_not_ask_is_refused(
    change: dict[str, object], status: int, viewer: Viewer
) -> None:
    """Wrong names, times, intervals and values are answered 4xx, with a sentence."""
    answer = viewer.post("/api/panel", viewer.question(panel=2) | change)

    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"dashboard": "\xff"}', b"\x00" * 10])
def test_a_body_that_is_no_question_is_refused(body: bytes, viewer: Viewer) -> None:
    """Cut, deep, foreign or undecodable JSON is answered 400."""
    for path in ("/api/panel", "/api/sql", "/api/variable", "/api/annotations"):
        answer = requests.post(viewer.url + path, body, headers={"Content-Type": "application/json"}, timeout=30)
        assert answer.status_code == 400


def test_a_form_is_no_question(viewer: Viewer) -> None:
    """What a page of another site could send without asking first, a form or plain text, is refused."""
    body = json.dumps(viewer.question(panel=2))
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert (
            requests.post(viewer.url + "/api/panel", body, headers={"Content-Type": kind}, timeout=30).status_code
            == 400
        )


def test_viewers_of_the_same_panel_are_one_question() -> None:
    """Equal questions at a time are asked once, whoever leaves; one that nobody waits for any more is not asked."""
    asked: list[str] = []
    going_on = asyncio.Event()

    async def ask(sql: str, *_: object) -> bytes:
        asked.append(sql)
        await going_on.wait()
        return b'{"meta": [{"name": "n", "type": "UInt8"}], "data": [[1]]}'

    async def watch() -> list[Table]:
        answers = Answers(ask)
        first, *others = [asyncio.create_task(answers.table("SELECT 1")) for _ in range(10)]
        busy = [asyncio.create_task(answers.table(f"SELECT {number}")) for number in (2, 3)]
        left = asyncio.create_task(answers.table("SELECT 4"))
        for _ in range(10):
            await asyncio.sleep(0)
        first.cancel()
        left.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        going_on.set()
        return list(await asyncio.gather(*others, *busy))

    tables = asyncio.run(watch())

    assert [table.rows for table in tables] == [[[1]]] * 11
    assert asked == ["SELECT 1", "SELECT 2", "SELECT 3"]


def test_answers_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was answered a moment ago is said again with its age; beyond so many bytes the oldest is asked anew."""
    asked: list[str] = []
    monkeypatch.setattr(_answers, "KEPT_BYTES_MAX", 250)

    async def ask(sql: str, *_: object) -> bytes:
        asked.append(sql)
        return b'{"meta": [], "data": []}' + b" " * 76  # a hundred bytes

    async def watch() -> list[Table]:
        answers = Answers(ask)
        return [await answers.table(f"SELECT {number}") for number in (1, 2, 1, 3, 2, 3, 1)]

    first, _, again, *_ = asyncio.run(watch())

    assert again.asked_at == first.asked_at
    assert asked == ["SELECT 1", "SELECT 2", "SELECT 3", "SELECT 1"]


def test_a_page_that_is_left_leaves_no_work_behind() -> None:
    """Requests that a browser gives up while they wait are never put to ClickHouse."""
    begun: list[str] = []
    going_on = threading.Event()

    async def ask(sql: str, *_: object) -> bytes:
        begun.append(sql)
        await asyncio.to_thread(going_on.wait, 10)
        return b'{"meta": [], "data": []}'

    with serving_app(serve(ask)) as slow:
        given_up = []
        for panel in range(2, 8):
            asked = slow.question(panel=panel)
            given_up.append(threading.Thread(target=leave, args=(slow, asked)))
            given_up[-1].start()
        for each in given_up:
            each.join()
        # The server has heard of their leaving once it answers who came after.
        assert [slow.get("/api/dashboards").status_code for _ in range(3)] == [200, 200, 200]
        going_on.set()

    assert len(begun) == 2


def leave(viewer: Viewer, asked: dict[str, object]) -> None:
    """Ask for a panel, and go away before the answer."""
    with pytest.raises(requests.Timeout):
        requests.post(viewer.url + "/api/panel", json=asked, timeout=1)
