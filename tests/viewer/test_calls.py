"""Single calls: the last that landed, and one with its attempts, with money to the last digit."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest
from dashboards.traffic import Made, added
from viewer.conftest import Viewer, milliseconds

from farebox_dashboards.viewer import _calls


@pytest.fixture(autouse=True)
def _whole_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """The traffic of these tests lies on a fixed day, however long ago that is."""
    monkeypatch.setattr(_calls, "STRETCHES", (timedelta(days=10_000),))


@pytest.fixture(scope="module")
def calls(viewed_traffic: list[Made]) -> dict[str, list[Made]]:
    """The attempts of each call, by its trace."""
    found: dict[str, list[Made]] = defaultdict(list)
    for each in viewed_traffic:
        found[each.trace_id].append(each)
    return found


def test_the_last_calls_are_those_of_the_ledger(viewer: Viewer, calls: dict[str, list[Made]]) -> None:
    """A hundred calls, the latest first, each with its route, money, outcome and flags; unknown money is null."""
    told = viewer.get("/api/calls").json()["calls"]

    assert len(told) == 100
    assert [each["landed"] for each in told] == sorted((each["landed"] for each in told), reverse=True)
    for each in told:
        made = calls[each["trace"]]
        cost = added(made)
        assert (each["cost"] if cost is None else Decimal(each["cost"])) == cost
        assert each["not_fully_priced"] == sum(one.doubtful for one in made)
        assert (each["route"], each["model"], each["attempts"]) == (made[0].route, made[-1].model, len(made))
        assert each["good"] == any(one.good for one in made)
        assert each["flags"] == sorted({flag for one in made for flag in one.flags})


def test_a_call_has_its_attempts_and_their_money(viewer: Viewer, calls: dict[str, list[Made]]) -> None:
    """Attempts in their order; components add up to each cost; whoever does not know when it began finds it too."""
    made = max(calls.values(), key=len)
    path = f"/api/calls/{made[0].trace_id}/{made[0].call_id}"
    told = viewer.get(f"{path}?at={milliseconds(made[0].started_at)}").json()["attempts"]

    assert [each["attempt"] for each in told] == [each.attempt for each in made]
    for each, one in zip(told, made, strict=True):
        assert each["outcome"] == one.outcome
        assert (None if each["list_cost"] is None else Decimal(each["list_cost"])) == one.cost
        if one.cost is not None:
            parts = ("cost_input", "cost_cache_read", "cost_cache_write", "cost_output", "cost_tools")
            assert sum(Decimal(each[part] or 0) for part in parts) == one.cost
        else:
            assert each["price_reason"]
    assert viewer.get(path).json()["attempts"] == told


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/calls/" + "0" * 32 + "/nosuch", 404),
        ("/api/calls/xyz/0000000000000001", 404),
        ("/api/calls/" + "0" * 31 + "1/x' OR 1=1 --", 404),
        ("/api/calls/" + "0" * 31 + "1/0000000000000001?at=yesterday", 400),
        ("/api/calls/" + "0" * 31 + "1/0000000000000001?at=" + "9" * 30, 400),
        ("/api/calls/" + "0" * 31 + "1/0000000000000001?at=-1", 400),
        ("/api/calls/" + "0" * 31 + "1/0000000000000001?at=%D9%A1", 400),
    ],
)
def test_what_is_no_call_is_answered_so(path: str, status: int, viewer: Viewer) -> None:
    """Unknown calls, names that are none and times that are none are 4xx, with a sentence."""
    answer = viewer.get(path)

    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_quiet_ledger_has_no_last_calls(empty_viewer: Viewer) -> None:
    """Where nothing has arrived the list is empty."""
    assert empty_viewer.get("/api/calls").json() == {"calls": []}
