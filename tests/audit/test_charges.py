"""The view llm_charges takes each attempt apart by unit, and the parts are the whole, whatever becomes of the book."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger.spans import attempt, store

from farebox_ledger import Store
from farebox_ledger._book import sync_book
from farebox_ledger._book_own import read_own_book
from farebox_ledger._period import Period
from farebox_ledger._reprice import Reason, reprice

START = datetime(2026, 11, 3, tzinfo=UTC)
ALWAYS = Period(START - timedelta(days=1), START + timedelta(days=400))
LEAVES = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "web_search_requests",
)
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["claude-haiku-4-5", "claude-sonnet-4-6", "unheard-of"]),
        st.fixed_dictionaries({leaf: st.integers(0, 10**6) for leaf in LEAVES}),
        st.sampled_from(["reported", "partial", "missing", "none"]),
    ),
    min_size=12,
    max_size=30,
)
_routes = count()


@pytest.fixture(scope="module")
def ledger(audited: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A ledger whose book the tests change."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("own"))
    yield audited
    os.chdir(before)


def say(ledger: Store, output: Decimal, write: Decimal, percent: Decimal = Decimal(0)) -> None:
    """Let two prices of one model be others, and a discount hold."""
    Path("farebox.toml").write_text(
        f'[[prices]]\nprovider = "anthropic"\nmodel = "claude-haiku-4-5"\noutput_tokens = {output}\n'
        f'cache_write_1h_tokens = {write}\n[[discounts]]\nprovider = "anthropic"\npercent = {percent}\n',
        encoding="utf-8",
    )
    sync_book(ledger.client, read_own_book(ledger.dsn))


def apart(ledger: Store, route: str) -> list[tuple[object, ...]]:
    """Give the attempts of a route whose parts are not the whole."""
    return list(
        ledger.client.query(
            "SELECT whole.list_cost, parts.listed, whole.price_state FROM llm_attempts AS whole INNER JOIN "
            "(SELECT span_id, if(countIf(list_cost IS NULL) > 0, NULL, sum(list_cost)) AS listed FROM llm_charges "
            "WHERE route = {route:String} GROUP BY span_id) AS parts USING (span_id) "
            "WHERE route = {route:String} AND whole.list_cost IS DISTINCT FROM parts.listed",
            {"route": route},
        ).result_rows
    )


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=CALLS, output=st.integers(1, 99), write=st.integers(1, 99), percent=st.integers(0, 100))
def test_parts_are_the_whole_whatever_becomes_of_the_book(
    ledger: Store, calls: list[tuple[str, Mapping[str, int], str]], output: int, write: int, percent: int
) -> None:
    """Units add up to list_cost when stored, after the book changed, and after repricing; repricing twice is once."""
    route = f"route-{next(_routes)}"
    store(
        ledger.client,
        *(
            attempt(
                model,
                usage={} if state in ("missing", "none") else usage,
                usage_state=state,
                route=route,
                started_at=START,
            )
            for model, usage, state in calls
        ),
    )
    stored = apart(ledger, route)
    say(ledger, Decimal(output), Decimal(write), Decimal(percent))
    changed = apart(ledger, route)
    reason = Reason("tester", "the book changed")
    reprice(ledger.client, ALWAYS, reason, route)
    repriced, twice = apart(ledger, route), reprice(ledger.client, ALWAYS, reason, route)

    ((grouped, single),) = ledger.client.query(
        "SELECT (SELECT sum(multiplyDecimal(listed, factor, 20)) FROM (SELECT factor, unit, sum(list_cost) AS listed "
        "FROM llm_charges WHERE route = {route:String} AND list_cost IS NOT NULL GROUP BY factor, unit)), "
        "(SELECT sum(net_cost) FROM net_costs WHERE route = {route:String})",
        {"route": route},
    ).result_rows
    assert stored == changed == repriced == []
    assert twice == 0
    assert (grouped or 0) == (single or 0)


def test_each_unit_has_its_price(ledger: Store) -> None:
    """Rows say unit, quantity, price and cost; a component that the book no longer adds up to tells its own price."""
    say(ledger, Decimal(5), Decimal(2))
    usage = {"uncached_input_tokens": 1000, "cache_write_1h_tokens": 3, "cache_write_5m_tokens": 2, "output_tokens": 10}
    store(ledger.client, attempt(usage=usage, route="priced", started_at=START))
    before = charges(ledger, "priced")
    say(ledger, Decimal(7), Decimal(4))

    assert before == [
        (1, "uncached_input_tokens", 1000, Decimal("0.000001"), Decimal("0.001")),
        (2, "cache_write_5m_tokens", 2, Decimal("0.00000125"), Decimal("0.0000025")),
        (3, "cache_write_1h_tokens", 3, Decimal("0.000002"), Decimal("0.000006")),
        (4, "output_tokens", 10, Decimal("0.000005"), Decimal("0.00005")),
    ]
    assert charges(ledger, "priced") == [
        (1, "uncached_input_tokens", 1000, Decimal("0.000001"), Decimal("0.001")),
        (2, "cache_write_tokens", 5, None, Decimal("0.0000085")),
        (3, "output_tokens", 10, Decimal("0.000005"), Decimal("0.00005")),
    ]


def charges(ledger: Store, route: str) -> list[tuple[object, ...]]:
    """Read the rows of a route."""
    return list(
        ledger.client.query(
            "SELECT line, unit, quantity, list_unit_price, list_cost FROM llm_charges WHERE route = {route:String} "
            "ORDER BY line",
            {"route": route},
        ).result_rows
    )
