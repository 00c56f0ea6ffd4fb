"""Every question says its unit, and none returns money without how much of it is not known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import farebox_ledger

QUERIES = sorted((Path(farebox_ledger.__file__).parent / "queries").rglob("*.sql"))
MONEY = re.compile(r"\bAS (\w*(?:spend|cost)\w*)")
DOUBT = re.compile(r"\bAS (\w*(?:unpriced|no_price|not_priced|partial|doubts?|at_least|lower_bound|priced)\w*)")


def named(path: Path) -> str:
    return str(path.relative_to(QUERIES[0].parent.parent))


# A panel of a dashboard draws one thing; what is not priced has a panel of its own.
@pytest.mark.parametrize("path", [path for path in QUERIES if "dashboard" not in path.parts], ids=named)
def test_a_query_that_sums_money_counts_what_it_could_not_price(path: Path) -> None:
    """`sum` skips NULL: beside each sum of money stands the number of rows that are not in it."""
    code = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
    money = MONEY.findall(code) if re.search(r"\bsum(If|Map)?\(", code) else []

    assert not money or DOUBT.search(code), money


@pytest.mark.parametrize("path", [path for path in QUERIES if "parts" not in path.parts], ids=named)
def test_a_query_begins_with_its_question(path: Path) -> None:
    """The first comment of a file asks what the query answers."""
    comment = "".join(
        line[3:] + " " for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("-- ")
    )

    assert path.read_text(encoding="utf-8").startswith("-- ")
    assert "?" in comment
