"""Every question says its unit, and none returns money without how much of it is not known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import farebox_ledger
from farebox_dashboards import DASHBOARDS
from farebox_dashboards._sql import panel_sql

FOLDER = Path(farebox_ledger.__file__).parent / "queries"
QUERIES = sorted(FOLDER.rglob("*.sql"))
MONEY = re.compile(
    r"\bAS (\w*(?:spend|cost|usd)\w*|`(?:spend|cost|saved|today|forecast|on failures|per (?:success|call))`)"
)
DOUBT = re.compile(
    r"\bAS (?:\w*(?:unpriced|no_price|not_priced|partial|doubts?|doubtful|at_least|lower_bound|priced)\w*"
    r"|`not (?:fully priced|comparable)`)"
)
# Which of them say it elsewhere, and where: a chart draws one thing, and what is not priced beside it; an alert decides
# by what is known and bills nothing, and missing prices have an alert of their own.
ELSEWHERE = ("dashboard/spend_by_model.sql", "dashboard/spend_by_route.sql", "alerts/")


def named(path: Path) -> str:
    return str(path.relative_to(FOLDER))


@pytest.mark.parametrize("path", QUERIES, ids=named)
def test_a_query_that_sums_money_counts_what_it_could_not_price(path: Path) -> None:
    """`sum` skips NULL: beside each sum of money stands the number of rows that are not in it."""
    code = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
    money = MONEY.findall(code) if re.search(r"\bsum(If|Map)?\(", code) else []

    assert not money or DOUBT.search(code) or named(path).startswith(ELSEWHERE), money


def test_a_chart_of_money_draws_beside_it_what_is_not_priced() -> None:
    """Whichever panel draws money that does not say what it lacks asks for that too."""
    alone = {panel_sql(name) for name in ("spend_by_model", "spend_by_route")}
    panels = [panel for dashboard in DASHBOARDS for panel in dashboard.as_data()["panels"]]
    asked = [{target["rawSql"] for target in panel.get("targets", [])} for panel in panels]

    assert any(alone & each for each in asked)
    assert all(panel_sql("not_priced_over_time") in each for each in asked if alone & each)


@pytest.mark.parametrize("path", [path for path in QUERIES if "parts" not in path.parts], ids=named)
def test_a_query_begins_with_its_question(path: Path) -> None:
    """The first comment of a file asks what the query answers."""
    comment = "".join(
        line[3:] + " " for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("-- ")
    )

    assert path.read_text(encoding="utf-8").startswith("-- ")
    assert "?" in comment
