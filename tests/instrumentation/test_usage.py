"""Usage objects of providers split into leaves: the most dangerous arithmetic of the house."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox._usage import TokenUsage, anthropic_usage, openai_usage

COUNTS = st.integers(0, 10**9)


def test_anthropic_input_excludes_cache_and_split_is_kept() -> None:
    """Anthropic's input_tokens stands beside cache reads and writes, and 5m and 1h writes stay apart."""
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
        "output_tokens": 42,
        "output_tokens_details": {"thinking_tokens": 7},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
    }

    assert anthropic_usage(usage) == TokenUsage(
        leaves={
            "uncached_input_tokens": 10,
            "cache_read_tokens": 1000,
            "cache_write_5m_tokens": 100,
            "cache_write_1h_tokens": 200,
            "output_tokens": 42,
            "web_search_requests": 2,
            "web_fetch_requests": 0,
        },
        reasoning=7,
        input_total=1310,
        output_total=42,
    )


def test_a_split_smaller_than_its_total_leaves_the_rest_unsplit() -> None:
    """Cache writes that the split does not cover are priced too, as unsplit."""
    usage = {
        "input_tokens": 1,
        "output_tokens": 1,
        "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 0},
    }

    leaves = anthropic_usage(usage).leaves

    assert leaves["cache_write_unsplit_tokens"] == 200
    assert leaves["cache_write_5m_tokens"] == 100


def test_absent_is_not_zero() -> None:
    """A count that the provider left out is absent from the leaves, one it gave as zero is zero."""
    assert anthropic_usage({"input_tokens": 3, "output_tokens": None}).leaves == {"uncached_input_tokens": 3}
    assert openai_usage({"prompt_tokens": 3, "completion_tokens": 0}).leaves == {
        "uncached_input_tokens": 3,
        "output_tokens": 0,
    }


@pytest.mark.parametrize(
    ("usage", "leaves"),
    [
        pytest.param(
            {"prompt_tokens": 100, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 64}},
            {"uncached_input_tokens": 36, "cache_read_tokens": 64, "output_tokens": 9},
            id="openai",
        ),
        pytest.param(
            {"prompt_tokens": 100, "completion_tokens": 9, "cached_tokens": 64},
            {"uncached_input_tokens": 36, "cache_read_tokens": 64, "output_tokens": 9},
            id="together",
        ),
        pytest.param(
            {
                "prompt_tokens": 100,
                "completion_tokens": 9,
                "prompt_cache_hit_tokens": 64,
                "prompt_cache_miss_tokens": 36,
            },
            {"uncached_input_tokens": 36, "cache_read_tokens": 64, "output_tokens": 9},
            id="deepseek",
        ),
        pytest.param(
            {"prompt_tokens": 100, "completion_tokens": 9, "num_cached_tokens": 64},
            {"uncached_input_tokens": 36, "cache_read_tokens": 64, "output_tokens": 9},
            id="mistral",
        ),
        pytest.param(
            {
                "prompt_tokens": 36,
                "completion_tokens": 9,
                "total_tokens": 109,
                "cache_read_input_tokens": 64,
            },
            {"uncached_input_tokens": 36, "cache_read_tokens": 64, "output_tokens": 9},
            id="anthropic names beside the prompt",
        ),
        pytest.param(
            {
                "prompt_tokens": 100,
                "completion_tokens": 9,
                "total_tokens": 109,
                "cache_read_input_tokens": 64,
                "cache_creation_input_tokens": 6,
            },
            {
                "uncached_input_tokens": 30,
                "cache_read_tokens": 64,
                "cache_write_unsplit_tokens": 6,
                "output_tokens": 9,
            },
            id="anthropic names inside the prompt",
        ),
        pytest.param(
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 115,
                "completion_tokens_details": {"reasoning_tokens": 100},
            },
            {"uncached_input_tokens": 10, "output_tokens": 105},
            id="xai leaves reasoning out of its side",
        ),
        pytest.param(
            {
                "prompt_tokens": 9,
                "completion_tokens": 201,
                "total_tokens": 585,
                "prompt_tokens_details": {"audio_tokens": 375},
            },
            {"uncached_input_tokens": 9, "audio_input_tokens": 375, "output_tokens": 201},
            id="mistral leaves audio out of its side",
        ),
        pytest.param(
            {
                "input_tokens": 100,
                "input_tokens_details": {
                    "cached_tokens": 10,
                    "cache_write_tokens": 50,
                    "cache_write_tokens_details": {"ttl_30m_tokens": 20, "ttl_12h_tokens": 30},
                },
                "output_tokens": 1,
            },
            {
                "uncached_input_tokens": 40,
                "cache_read_tokens": 10,
                "cache_write_30m_tokens": 20,
                "cache_write_12h_tokens": 30,
                "output_tokens": 1,
            },
            id="responses with cache writes by time to live",
        ),
    ],
)
def test_each_hosts_spelling_gives_exclusive_leaves(usage: dict[str, Any], leaves: dict[str, int]) -> None:
    """However a host spells its caches, input plus cache is never counted twice."""
    assert openai_usage(usage).leaves == leaves


def test_a_part_above_its_whole_is_a_contradiction() -> None:
    """A host that reports more cached tokens than prompt leaves the uncached count unknown, with both numbers."""
    usage = openai_usage({"prompt_tokens": 7, "completion_tokens": 8, "prompt_tokens_details": {"cached_tokens": 161}})

    assert usage.leaves == {"cache_read_tokens": 161, "output_tokens": 8}
    assert usage.contradiction == "parts of the input are 161 tokens, above their total 7"


@pytest.mark.parametrize("nonsense", [True, "12", 1.5, [], {"a": 1}, Decimal("1.5")])
def test_a_count_that_is_no_whole_number_is_unknown(nonsense: Any) -> None:
    """Text, booleans and fractions are no counts."""
    assert openai_usage({"prompt_tokens": nonsense, "completion_tokens": 1}).leaves == {"output_tokens": 1}


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        ({"cost": Decimal("0.00001234")}, Decimal("0.00001234")),
        ({"cost": {"total_cost": Decimal("0.00501")}}, Decimal("0.00501")),
        ({"cost_in_usd_ticks": 3515000}, Decimal("0.0003515")),
        ({"cost": None}, None),
    ],
)
def test_the_hosts_own_cost_keeps_its_digits(usage: dict[str, Any], dollars: Decimal | None) -> None:
    """What a host says a call cost is kept exactly, beside our own figure."""
    assert openai_usage({"prompt_tokens": 1, "completion_tokens": 1, **usage}).reported_cost == dollars


@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_anthropic_leaves_sum_to_the_total(a: int, b: int, c: int, d: int, rest: int, out: int) -> None:
    """Whatever the counts, the leaves of an Anthropic message sum to what was reported."""
    usage = anthropic_usage(
        {
            "input_tokens": a,
            "cache_read_input_tokens": b,
            "cache_creation_input_tokens": c + d + rest,
            "cache_creation": {"ephemeral_5m_input_tokens": c, "ephemeral_1h_input_tokens": d},
            "output_tokens": out,
        }
    )

    assert sum(usage.leaves.values()) == a + b + c + d + rest + out
    assert usage.input_total == a + b + c + d + rest


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_openai_leaves_sum_to_the_total(fresh: int, cached: int, written: int, out: int) -> None:
    """Whatever the counts, the leaves of a chat completion sum to its total_tokens."""
    prompt = fresh + cached + written
    usage = openai_usage(
        {
            "prompt_tokens": prompt,
            "completion_tokens": out,
            "total_tokens": prompt + out,
            "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        }
    )

    assert sum(usage.leaves.values()) == prompt + out
    assert usage.contradiction is None
