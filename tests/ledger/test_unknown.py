"""Unknown is never zero: what contradicts itself has no cost, and no question returns money without what it lacks."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger.spans import NOW, Span, attempt, rows, store, stored

from farebox_ledger import Store

QUERIES = sorted(
    file.name.removesuffix(".sql")
    for file in files("farebox_ledger").joinpath("queries").iterdir()
    if file.name.endswith(".sql")
)
PARAMETER = re.compile(r"\{(\w+):([^{}]+)\}")
# What a question that reads attempts calls money: a sum or a figure of USD, exact.
MONEY = re.compile(r"Decimal")
# Questions about the book give prices of single units, not money that was spent.
OF_THE_BOOK = {"price_list", "price_ended", "price_history", "price_names", "price_providers"}
LEAVES = ("uncached_input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens")


def with_totals(span: Span, **totals: int) -> Span:
    """Add the totals that OTel's attributes name."""
    names = {f"gen_ai.usage.{name}": str(count) for name, count in totals.items()}
    return replace(span, attributes={**span.attributes, **names})


@pytest.mark.parametrize(
    ("usage", "totals", "reason"),
    [
        (
            {"uncached_input_tokens": 5, "cache_read_tokens": 6, "output_tokens": 1},
            {"input_tokens": 10},
            "parts of the input are 11 tokens, above their total 10",
        ),
        (
            {"uncached_input_tokens": 5, "output_tokens": 3, "audio_output_tokens": 2},
            {"output_tokens": 4},
            "parts of the output are 5 tokens, above their total 4",
        ),
        (
            {"uncached_input_tokens": 5, "output_tokens": 3, "reasoning_tokens": 4},
            {},
            "reasoning is 4 tokens, above the output of 3",
        ),
    ],
)
def test_parts_above_their_whole_have_no_cost(
    ledger_client: Client, usage: dict[str, int], totals: dict[str, int], reason: str
) -> None:
    """Counts that cannot all be true make the cost NULL and say which; none of them is cut to fit."""
    span = with_totals(attempt(usage=usage), **totals)

    row = stored(ledger_client, span, "list_cost, price_state, price_reason, uncached_input_tokens, output_tokens")

    assert row == (None, "no_usage", reason, 5, usage["output_tokens"])


def test_parts_that_fill_their_whole_are_priced(ledger_client: Client) -> None:
    """Totals that the parts reach, and totals that are no counts themselves, change nothing."""
    usage = {"uncached_input_tokens": 5, "cache_read_tokens": 6, "output_tokens": 3, "reasoning_tokens": 3}
    exact = with_totals(attempt(usage=usage), input_tokens=11, output_tokens=3)
    absurd = with_totals(attempt(usage=usage), input_tokens=-1, output_tokens=10**30)
    store(ledger_client, exact, absurd)

    assert rows(ledger_client, [exact, absurd], "list_cost, price_state") == [(Decimal("0.0000206"), "priced")] * 2


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    batch=st.lists(
        st.dictionaries(
            st.sampled_from((*LEAVES, "reasoning_tokens", "image_input_tokens", "sandbox_hours")),
            st.one_of(st.integers(-(10**20), 10**20), st.text(max_size=12), st.floats(), st.just("")),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_no_count_breaks_a_batch_or_costs_what_it_does_not_say(
    ledger_client: Client, batch: list[dict[str, Any]]
) -> None:
    """Whatever stands where counts belong, every span is stored, and has a cost only if every count of it is one."""
    spans = [attempt(usage=usage) for usage in batch]
    store(ledger_client, *spans)

    found = rows(ledger_client, spans, "list_cost, price_state, price_reason")

    assert len(found) == len(spans)
    for usage, (cost, state, reason) in zip(batch, found, strict=True):
        plain = all(re.fullmatch(r"\d{1,10}", str(count)) and int(str(count)) <= 10**9 for count in usage.values())
        assert (cost is None) == (state in ("no_price", "no_usage")), usage
        assert cost is not None or reason, usage
        assert cost is None or (plain and {"uncached_input_tokens", "output_tokens"} <= usage.keys()), usage


def value_for(name: str, kind: str) -> Any:
    """Choose the value of a query's parameter that takes everything in."""
    if name == "since":
        return NOW.replace(year=2026, month=11, day=1)
    if kind.startswith("Date"):
        latest = NOW.replace(month=12)
        return latest if kind.startswith("DateTime") else latest.date()
    if kind.startswith("Array"):
        return []
    return False if kind == "Bool" else 1 if "Int" in kind else ""


def columns_of(client: Client, query: str, parameters: dict[str, Any]) -> dict[str, str]:
    """Ask ClickHouse for the columns that a query returns, by name."""
    return {row[0]: row[1] for row in client.query(f"DESCRIBE ({query})", parameters).result_rows}


@pytest.fixture
def doubtful(fresh_store: Store) -> Client:
    """A ledger in which one attempt of four is priced: the others lack a price, usage, or an end."""
    said = {"reported_cost": "0.5"}
    store(
        fresh_store.client,
        attempt(**said),
        attempt("claude-haiku-9", flags='["loop"]', checked='["loop"]', **said),
        attempt(usage={}, usage_state="missing", outcome="timeout", **said),
        attempt(usage_state="partial", outcome="abandoned", **said),
    )
    return fresh_store.client


@pytest.mark.parametrize("name", QUERIES)
def test_no_question_returns_money_without_what_it_lacks(doubtful: Client, name: str) -> None:
    """Whatever sums USD returns beside it how many attempts it could not price, and finds them when they are there."""
    text = files("farebox_ledger").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")
    parameters = {parameter: value_for(parameter, kind) for parameter, kind in PARAMETER.findall(text)}
    columns = columns_of(doubtful, text, parameters)
    money = {column for column, kind in columns.items() if MONEY.search(kind)}
    if not money or name in OF_THE_BOOK:
        return

    beside = [{"unpriced"}, {"no_price", "no_usage"}]
    counted = next((each for each in beside if each <= columns.keys()), None)

    assert counted is not None, f"{name} returns {money} and no count of what it could not price"
    assert "partial" in columns or name == "other_currencies", f"{name} does not say what is only a lower bound"
    found = list(doubtful.query(text, parameters).named_results())
    assert not found or any(row[column] for row in found for column in counted), f"{name} did not count the unpriced"


def test_every_state_is_reached(doubtful: Client) -> None:
    """The ledger tells all five states apart."""
    store(doubtful, attempt(usage={}, usage_state="none", outcome="rate_limited", status=429))

    found = doubtful.query(
        "SELECT price_state, count(), countIf(list_cost IS NULL), sum(list_cost) FROM llm_attempts "
        "GROUP BY price_state ORDER BY price_state"
    ).result_rows

    assert found == [
        ("free", 1, 0, Decimal(0)),
        ("no_price", 1, 1, None),
        ("no_usage", 1, 1, None),
        ("partial", 1, 0, Decimal("0.00105")),
        ("priced", 1, 0, Decimal("0.00105")),
    ]
