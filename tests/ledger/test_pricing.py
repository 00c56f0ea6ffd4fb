"""What an attempt costs, and when that is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from clickhouse_connect.driver.client import Client
from ledger.spans import attempt, rows, store, stored

COSTS = "list_cost, cost_input, cost_cache_read, cost_cache_write, cost_output, cost_tools"
NOTHING_KNOWN = (None,) * 6


def test_each_leaf_is_multiplied_by_its_own_price(ledger_client: Client) -> None:
    """Input, cache reads, 5m and 1h writes, output and searches have prices, and the cost is their sum."""
    usage = {
        "uncached_input_tokens": 1003,
        "cache_read_tokens": 7,
        "cache_write_5m_tokens": 11,
        "cache_write_1h_tokens": 13,
        "output_tokens": 17,
        "reasoning_tokens": 9,
        "web_search_requests": 2,
        "web_fetch_requests": 3,
    }

    row = stored(
        ledger_client, attempt("claude-haiku-4-5-20251001", usage=usage), f"{COSTS}, price_state, price_reason"
    )

    assert row == (
        Decimal("0.021128450000"),
        Decimal("0.001003000000"),
        Decimal("0.000000700000"),
        Decimal("0.000039750000"),
        Decimal("0.000085000000"),
        Decimal("0.020000000000"),
        "priced",
        "",
    )


@pytest.mark.parametrize(
    ("model", "provider", "cost"),
    [
        ("accounts/fireworks/models/qwen3p5-flash", "fireworks", "0.000327000000"),
        ("Qwen/Qwen3.5-Flash", "together", "0.000342000000"),
        ("qwen3.5-flash", "alibaba", "0.000106000000"),
        ("qwen/qwen3.5-flash-02-23", "openrouter", "0.000074100000"),
    ],
)
def test_one_model_has_a_price_on_each_host(ledger_client: Client, model: str, provider: str, cost: str) -> None:
    """Qwen 3.5 Flash costs on each host what that host asks, cached input among it."""
    usage = {"uncached_input_tokens": 1000, "cache_read_tokens": 100, "output_tokens": 10}

    row = stored(ledger_client, attempt(model, provider, usage=usage), "list_cost, model, provider, price_state")

    assert row == (Decimal(cost), "qwen3.5-flash", provider, "priced")


@pytest.mark.parametrize(
    ("attributes", "cost"),
    [
        ({}, "0.000795000000"),
        ({"service_tier": "default"}, "0.000795000000"),
        ({"service_tier": "flex"}, "0.000397500000"),
        ({"service_tier": "priority"}, "0.001590000000"),
        ({"service_tier": "fast"}, "0.001590000000"),
        ({"kind": "batch_result"}, "0.000397500000"),
    ],
)
def test_the_tier_of_the_response_decides(ledger_client: Client, attributes: dict[str, str], cost: str) -> None:
    """Flex and batch cost half, priority double; fast reads back as priority."""
    row = stored(ledger_client, attempt("gpt-5.4-mini", "openai", **attributes), "list_cost, price_state")

    assert row == (Decimal(cost), "priced")


def test_speed_has_a_price_of_its_own(ledger_client: Client) -> None:
    """Anthropic's fast mode is a variant; its standard speed is none."""
    fast = stored(ledger_client, attempt("claude-opus-5", speed="fast"), "list_cost, price_id")
    standard = stored(ledger_client, attempt("claude-opus-5", speed="standard"), "list_cost, price_id")

    assert fast == (Decimal("0.010500000000"), "anthropic/claude-opus-5 fast")
    assert standard == (Decimal("0.005250000000"), "anthropic/claude-opus-5")


@pytest.mark.parametrize(
    ("region", "cost"),
    [("", "0.003150000000"), ("global", "0.003150000000"), ("us", "0.003465000000")],
)
def test_inference_kept_in_the_us_costs_more(ledger_client: Client, region: str, cost: str) -> None:
    """Anthropic's global inference is the price without a region; the US costs 1.1 times as much."""
    assert stored(ledger_client, attempt("claude-sonnet-4-6", region=region), "list_cost") == (Decimal(cost),)


@pytest.mark.parametrize(
    ("uncached", "cached", "cost"),
    [(272_000, 0, "0.680150000000"), (271_999, 1, "0.680147750000"), (272_000, 1, "1.360225500000")],
)
def test_the_context_tier_counts_all_input(ledger_client: Client, uncached: int, cached: int, cost: str) -> None:
    """A tier begins above its mark, cached input counts towards it, and then every token has its price."""
    usage = {"uncached_input_tokens": uncached, "cache_read_tokens": cached, "output_tokens": 10}

    assert stored(ledger_client, attempt("gpt-5.4", "openai", usage=usage), "list_cost") == (Decimal(cost),)


@pytest.mark.parametrize(
    ("started_at", "cost"),
    [
        (datetime(2026, 3, 12, 23, 59, 59, 999999, tzinfo=UTC), "1.800225000000"),
        (datetime(2026, 3, 13, tzinfo=UTC), "0.900150000000"),
    ],
)
def test_the_price_at_the_start_holds(ledger_client: Client, started_at: datetime, cost: str) -> None:
    """Sonnet 4.6 had a tier above 200,000 tokens until 13 March 2026, to the microsecond."""
    span = attempt(
        "claude-sonnet-4-6", usage={"uncached_input_tokens": 300_000, "output_tokens": 10}, started_at=started_at
    )

    assert stored(ledger_client, span, "list_cost") == (Decimal(cost),)


def test_cache_writes_without_a_lifetime_have_the_default_price(ledger_client: Client) -> None:
    """They are billed as 5m writes, Anthropic's default, and the row says that this was assumed."""
    usage = {"uncached_input_tokens": 0, "cache_write_unsplit_tokens": 1000, "output_tokens": 0}

    row = stored(ledger_client, attempt(usage=usage), "list_cost, cost_cache_write, price_state, price_reason")

    assert row == (
        Decimal("0.001250000000"),
        Decimal("0.001250000000"),
        "priced",
        "cache_write_unsplit_tokens billed as cache_write_5m_tokens",
    )


def test_images_are_billed_as_input_where_the_book_says_so(ledger_client: Client) -> None:
    """An image leaf without a price of its own takes the one that the fallbacks name; an audio leaf has none."""
    usage = {"uncached_input_tokens": 1, "output_tokens": 0}
    image = attempt(usage={**usage, "image_input_tokens": 999})
    audio = attempt(usage={**usage, "audio_input_tokens": 999})

    assert stored(ledger_client, image, "list_cost") == (Decimal("0.001000000000"),)
    assert stored(ledger_client, audio, "list_cost, price_state, price_reason") == (
        None,
        "no_price",
        "no price for audio_input_tokens",
    )


@pytest.mark.parametrize(
    ("span", "state", "reason"),
    [
        (attempt("claude-haiku-9"), "no_price", "no price for model claude-haiku-9 of anthropic"),
        (attempt("Llama-5", "self_hosted"), "no_price", "no price for model llama-5 of self_hosted"),
        (attempt(""), "no_price", "no price for model (not named) of anthropic"),
        (
            attempt(service_tier="priority"),
            "no_price",
            "no price at the time of the call for claude-haiku-4-5 of anthropic, priority",
        ),
        (
            attempt(region="mars"),
            "no_price",
            "no price at the time of the call for claude-haiku-4-5 of anthropic, in mars",
        ),
        (
            attempt(usage={"uncached_input_tokens": 1, "output_tokens": 1, "cache_write_12h_tokens": 1}),
            "no_price",
            "no price for cache_write_12h_tokens",
        ),
        (
            attempt(
                "gpt-5.4-mini", "openai", usage={"uncached_input_tokens": 1, "output_tokens": 1, "sandbox_hours": 1}
            ),
            "no_price",
            "no price for sandbox_hours",
        ),
        (attempt(usage={"output_tokens": 1}), "no_usage", "uncached_input_tokens not reported"),
        (attempt(usage={"uncached_input_tokens": 1}), "no_usage", "output_tokens not reported"),
        (attempt(usage={}, usage_state="missing", outcome="timeout"), "no_usage", "no usage came: timeout"),
        (attempt(usage={}, usage_state="partial", outcome="cancelled"), "no_usage", "no usage came: cancelled"),
        (attempt(usage_state="guessed"), "no_usage", 'usage state is "guessed"'),
        (attempt(usage_state="none"), "no_usage", 'usage state is "none"'),
        (attempt(contradiction="parts are 5, above their total 3"), "no_usage", "parts are 5, above their total 3"),
    ],
)
def test_what_is_not_known_is_null_and_says_why(ledger_client: Client, span, state: str, reason: str) -> None:
    """No price and no usage make every cost NULL, never 0, with a state and a reason."""
    row = stored(ledger_client, span, f"{COSTS}, price_state, price_reason, price_id")

    assert row == (*NOTHING_KNOWN, state, reason, "")


@pytest.mark.parametrize(
    "text", ["-1", "1000000001", "99999999999999999999", "12.5", "1e3", "many", " 5", "NaN", "0x10"]
)
def test_absurd_counts_are_null_and_named(ledger_client: Client, text: str) -> None:
    """A count that is no whole number from 0 to 10^9 is NULL, the attempt has no usage, and its batch is stored."""
    span, neighbour = attempt(usage={"uncached_input_tokens": 5, "output_tokens": text}), attempt()
    store(ledger_client, span, neighbour)

    found = rows(
        ledger_client, [span, neighbour], "uncached_input_tokens, output_tokens, list_cost, price_state, price_reason"
    )

    assert found == [
        (5, None, None, "no_usage", "unreadable count of output_tokens"),
        (1000, 10, Decimal("0.001050000000"), "priced", ""),
    ]


def test_the_largest_counts_do_not_overflow(ledger_client: Client) -> None:
    """A billion tokens of every kind at once are priced exactly."""
    usage = dict.fromkeys(
        (
            "uncached_input_tokens",
            "cache_read_tokens",
            "cache_write_5m_tokens",
            "cache_write_1h_tokens",
            "cache_write_unsplit_tokens",
            "image_input_tokens",
            "output_tokens",
            "web_search_requests",
        ),
        10**9,
    )

    row = stored(ledger_client, attempt(usage=usage), "list_cost, price_state")

    assert row == (Decimal(10**9) * Decimal("0.0100116"), "priced")


def test_refused_requests_cost_nothing(ledger_client: Client) -> None:
    """An attempt refused before work is free: 0, not NULL."""
    row = stored(
        ledger_client,
        attempt(usage={}, usage_state="none", outcome="rate_limited", status=429),
        COSTS + ", price_state",
    )

    assert row == (Decimal(0),) * 6 + ("free",)


def test_counting_tokens_is_free(ledger_client: Client) -> None:
    """count_tokens costs nothing, whatever the model and the count."""
    span = attempt("claude-haiku-9", operation="count_tokens", usage={"uncached_input_tokens": 500})

    assert stored(ledger_client, span, "list_cost, price_state") == (Decimal(0), "free")


def test_embeddings_have_no_output(ledger_client: Client) -> None:
    """For embeddings an absent output is no gap."""
    span = attempt(
        "text-embedding-3-small", "openai", operation="embeddings", usage={"uncached_input_tokens": 1_000_000}
    )

    assert stored(ledger_client, span, "list_cost, price_state") == (Decimal("0.02"), "priced")


def test_a_cut_stream_has_a_lower_bound(ledger_client: Client) -> None:
    """Partial usage is priced as far as it was seen, and says so; the estimate is never priced."""
    usage = {"uncached_input_tokens": 1000, "output_tokens": 1, "estimated_output_tokens": 500}
    span = attempt(usage=usage, usage_state="partial", outcome="abandoned")

    row = stored(ledger_client, span, "list_cost, price_state, price_reason, estimated_output_tokens")

    assert row == (Decimal("0.001005"), "partial", "lower bound, the response was cut: abandoned", 500)


def test_the_hosts_own_figure_is_kept_beside_ours(ledger_client: Client) -> None:
    """reported_cost is stored exactly and changes nothing; one that is no number is NULL."""
    said = stored(ledger_client, attempt(reported_cost="0.000123456789"), "reported_cost, list_cost")
    garbled = stored(ledger_client, attempt(reported_cost="a lot"), "reported_cost, list_cost")

    assert said == (Decimal("0.000123456789"), Decimal("0.00105"))
    assert garbled == (None, Decimal("0.00105"))


def test_money_is_counted_once_for_farebox_spans_only(ledger_client: Client) -> None:
    """Spans of other scopes, and farebox's own health and outcome spans, make no attempts."""
    foreign = attempt(scope="com.anthropic.sdk.python")
    health = attempt(kind="health")
    store(ledger_client, foreign, health)

    assert rows(ledger_client, [foreign, health], "list_cost") == []


@pytest.mark.parametrize("started_at", [datetime(1970, 1, 2, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC)])
def test_an_impossible_clock_is_replaced_and_flagged(ledger_client: Client, started_at: datetime) -> None:
    """The start becomes 2020-01-01; the price holds if there never was another, else it is not known."""
    steady = stored(ledger_client, attempt(started_at=started_at), "started_at, clock_impossible, list_cost")
    changed = stored(
        ledger_client, attempt("claude-sonnet-4-6", started_at=started_at), "list_cost, price_state, price_reason"
    )

    assert steady == (datetime(2020, 1, 1, tzinfo=UTC), True, Decimal("0.00105"))
    assert changed == (None, "no_price", "impossible clock, and the price changed of claude-sonnet-4-6")


def test_a_clock_far_ahead_is_impossible_and_one_a_little_ahead_is_not(ledger_client: Client) -> None:
    """More than a day after the ledger stored it no attempt can have begun; an hour is a clock that is a little off."""
    now = datetime.now(UTC)
    far = stored(ledger_client, attempt(started_at=now + timedelta(hours=25)), "started_at, clock_impossible")
    near = stored(ledger_client, attempt(started_at=now + timedelta(hours=1)), "started_at, clock_impossible")

    assert far == (datetime(2020, 1, 1, tzinfo=UTC), True)
    assert near == (now + timedelta(hours=1), False)


def test_ids_that_are_none_do_not_make_all_spans_one(ledger_client: Client) -> None:
    """Spans with unreadable ids each get ids of their own, from their content."""
    before = ledger_client.query("SELECT count() FROM llm_attempts WHERE route = 'ids'").result_rows[0][0]
    spans = [attempt(route="ids", trace_id="zz", span_id="", task=task) for task in ("a", "b")]
    store(ledger_client, *spans)
    store(ledger_client, spans[0])

    after = ledger_client.query("SELECT count() FROM llm_attempts WHERE route = 'ids'").result_rows[0][0]

    assert after - before == 2


def test_columns_are_typed(ledger_client: Client) -> None:
    """Lists, maps, ids and durations arrive as such."""
    span = attempt(
        call_id="00000000000000aa",
        attempt=2,
        instance="i1",
        seq=7,
        route="hard",
        task="t1",
        flags='["truncated.json_eof"]',
        checked='["truncated", "empty"]',
        tool_names='["search"]',
        finish_reasons='["end_turn"]',
        status=200,
        duration_ms="12.5",
        time_to_first_token_ms="nan",
        **{"tag.team": "blue", "prefix.hashes": '["a", "b"]', "prefix.bytes": "[10, 20]"},
    )

    row = stored(
        ledger_client,
        span,
        "call_id, attempt, instance, seq, route, task, flags, checked, tool_names, stop_reason, http_status, "
        "duration_ms, ttft_ms, tags, prefix_hashes, prefix_bytes, input_tokens, good, service",
    )

    assert row == (
        "00000000000000aa", 2, "i1", 7, "hard", "t1", ["truncated.json_eof"], ["truncated", "empty"], ["search"],
        "end_turn", 200, 12.5, None, {"team": "blue"}, ["a", "b"], [10, 20], 1000, 0, "shop",
    )  # fmt: skip
