"""Every cost is exact: equal to the last digit to what a second opinion works out from the book's files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger.second_opinion import COMPONENTS, INPUT, OUTPUT, TOOLS, Key, book, opinion
from ledger.spans import NOW, Span, attempt, rows, store

ATTEMPTS = 400
EXAMPLES = 4
BEGIN = datetime(2025, 6, 1, tzinfo=UTC)
KEYS = sorted(book())
LINES = [line for units in book().values() for lines in units.values() for line in lines]
MARKS = sorted({line.tier_above for line in LINES} - {0})
SEAMS = sorted({line.valid_from for line in LINES if BEGIN < line.valid_from < NOW})[-12:]
# What a span says where the book has a region of its own making.
REGIONS = {("bedrock", "us"): "us-east-1", ("bedrock", ""): "eu-west-1", ("vertex", "regional"): "europe-west1"}
INSTANT = timedelta(microseconds=1)

Drawn = tuple[Key, dict[str, int], str, datetime]


def draw(random: Random) -> Drawn:
    """Draw a key of the book, a usage, a state of it and a moment, mostly near where prices change."""
    state = random.choice(["reported"] * 8 + ["partial", "missing"])
    leaves = random.sample(INPUT + OUTPUT + TOOLS, random.randrange(7))
    if random.randrange(20):
        leaves += ["uncached_input_tokens", "output_tokens"]
    usage = {leaf: _count(random) for leaf in leaves} if state != "missing" else {}
    return random.choice(KEYS), usage, state, _moment(random)


def _count(random: Random) -> int:
    near_mark = random.choice(MARKS) + random.randint(-1, 1)
    return random.choice([0, 1, 10**9, near_mark, random.randrange(20_000), random.randrange(10**9)])


def _moment(random: Random) -> datetime:
    # A few days only: each day is a partition, and what differs between days is on which side of a seam they lie.
    near_seam = random.choice(SEAMS) + random.choice([-INSTANT, 0 * INSTANT, INSTANT])
    return random.choice(
        [near_seam, BEGIN + timedelta(days=45 * random.randrange(12), seconds=random.randrange(86_400))]
    )


def span_of(drawn: Drawn) -> Span:
    """Make the span that leads to a key of the book."""
    (provider, region, model, variant), usage, state, moment = drawn
    said: dict[str, Any] = {"service_tier": variant}
    if variant == "batch":
        said = {"kind": "batch_result"}
    elif (provider, variant) == ("anthropic", "fast"):
        said = {"speed": "fast"}
    return attempt(
        model,
        provider,
        usage=usage,
        usage_state=state,
        region=REGIONS.get((provider, region), region),
        started_at=moment,
        **said,
    )


def billed(drawn: Drawn) -> Drawn:
    """OpenAI's fast is billed as priority."""
    (provider, region, model, variant), *rest = drawn
    return ((provider, region, model, "priority" if (provider, variant) == ("openai", "fast") else variant), *rest)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_costs_equal_the_second_opinion(ledger_client: Client, seed: int) -> None:
    """Of hundreds of attempts, any mix of leaves, tiers, variants, regions and dates, every component is exact."""
    random = Random(seed)
    drawn = [draw(random) for _ in range(ATTEMPTS)]
    spans = [span_of(each) for each in drawn]
    store(ledger_client, *spans)

    found = rows(ledger_client, spans, f"price_state, list_cost, {', '.join(COMPONENTS)}")

    assert len(found) == len(drawn)
    for each, (state, cost, *components) in zip(drawn, found, strict=True):
        expected = opinion(*billed(each))
        assert (state, cost) == (expected.state, expected.cost), each
        assert components == list((expected.components or dict.fromkeys(COMPONENTS)).values()), each


def test_each_component_is_part_of_the_sum(ledger_client: Client) -> None:
    """In every row that has a cost, the components add up to it; in every other they are NULL too."""
    broken = ledger_client.query(
        "SELECT count() FROM llm_attempts WHERE ifNull(list_cost, -1) != "
        "ifNull(cost_input + cost_cache_read + cost_cache_write + cost_output + cost_tools, -1)"
    ).result_rows

    assert broken == [(0,)]
