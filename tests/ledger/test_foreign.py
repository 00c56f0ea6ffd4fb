"""Calls that other instrumentations report count once, at the same prices, unless farebox reports them too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from ledger.spans import NOW, Span, attempt, store

from farebox_ledger import Dsn, Store, open_store
from farebox_ledger._refresh import refresh, refresh_all

SDK = "com.anthropic.sdk.python"
_numbers = count(10**9)


@pytest.fixture(scope="module")
def foreign(ledger_folder, ledger_client) -> Iterator[Store]:
    """A ledger of this module; use ids of your own."""
    with open_store(Dsn("chdb", "foreign", path=ledger_folder)) as opened:
        yield opened
        opened.client.command("DROP DATABASE foreign SYNC")


def span(scope: str, parent_id: str = "", trace_id: str | None = None, **attributes: object) -> Span:
    """Make a span of another instrumentation; _ stands for the points of names after gen_ai, __ for those of others."""
    texts = {
        name.replace("__", ".") if "__" in name else f"gen_ai.{name.replace('_of_', '.')}": str(value)
        for name, value in attributes.items()
    }
    ids = {} if trace_id is None else {"trace_id": trace_id}
    return Span({key: text for key, text in texts.items() if text}, scope=scope, parent_id=parent_id, **ids)


def sdk_span(**changed: object) -> Span:
    """Make the span that anthropic 2.12 makes of a call by itself, as it was seen."""
    number = next(_numbers)
    given: dict[str, object] = {
        "server__address": "api.anthropic.com",
        "provider_of_name": "anthropic",
        "operation_of_name": "chat",
        "request_of_model": "claude-haiku-4-5",
        "usage_of_input_tokens": 20,
        "http__response__status_code": 200,
        "response_of_id": f"msg_{number}",
        "response_of_model": "claude-haiku-4-5-20251001",
        "usage_of_cache_write_of_input_tokens": 3,
        "usage_of_cache_read_of_input_tokens": 7,
        "anthropic__usage__cache_creation__ephemeral_5m_input_tokens": 1,
        "anthropic__usage__cache_creation__ephemeral_1h_input_tokens": 2,
        "anthropic__response__service_tier": "standard",
        "usage_of_output_tokens": 5,
        "anthropic__message__stop_reason": "end_turn",
    }
    return span(SDK, **{**given, **changed})  # type: ignore[arg-type]


def rows(ledger: Store, columns: str, *spans: Span) -> list[tuple[Any, ...]]:
    """Read the ledger's rows of some spans, in their order; one that is not there is left out."""
    found = {
        row[0]: tuple(row[1:])
        for row in ledger.client.query(f"SELECT lower(hex(span_id)), {columns} FROM llm_attempts").result_rows
    }
    return [found[each.span_id] for each in spans if each.span_id in found]


def decisions(ledger: Store, *spans: Span) -> list[tuple[str, str]]:
    """Say what became of some spans."""
    found = {
        row[0]: (row[1], row[2])
        for row in ledger.client.query(
            "SELECT lower(hex(span_id)), decision, because FROM foreign_attempts"
        ).result_rows
    }
    return [found[each.span_id] for each in spans]


def decide(ledger: Store) -> None:
    """Decide at once."""
    refresh(ledger.client, foreign_wait_s=0)


def test_the_sdks_own_span_is_priced_like_ours(foreign: Store) -> None:
    """What the Anthropic SDK reports by itself is taken apart into leaves and priced by the same formula."""
    seen = sdk_span()
    store(foreign.client, seen)
    decide(foreign)

    leaves = "uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens"
    (row,) = rows(foreign, f"{leaves}, provider, model, price_state, list_cost, stop_reason", seen)
    # $1 input, $0.10 read, $1.25 and $2 written, $5 output for a million
    expected = (10 * 1000 + 7 * 100 + 1 * 1250 + 2 * 2000 + 5 * 5000) * Decimal("1e-9")
    assert row == (10, 7, 1, 2, 5, "anthropic", "claude-haiku-4-5", "priced", expected, "end_turn")


def test_what_is_not_decided_is_pending_and_no_money(foreign: Store) -> None:
    """For a few minutes a foreign span is counted apart: farebox may still report the call."""
    seen = sdk_span()
    store(foreign.client, seen)
    refresh(foreign.client)

    assert decisions(foreign, seen) == [("pending", "")]
    assert rows(foreign, "list_cost", seen) == []


def test_a_copy_counts_once(foreign: Store) -> None:
    """A foreign span that comes again, before or after it is decided, changes nothing."""
    seen = sdk_span()
    store(foreign.client, seen, seen)
    decide(foreign)
    store(foreign.client, seen)
    decide(foreign)

    counted = foreign.client.query(
        "SELECT count() FROM llm_attempts WHERE response_id = {id:String}",
        {"id": seen.attributes["gen_ai.response.id"]},
    ).result_rows
    assert counted == [(1,)]


@pytest.mark.parametrize("relation", ["child", "parent", "sibling", "grandchild", "response"])
def test_a_call_that_farebox_reports_too_counts_once(foreign: Store, relation: str) -> None:
    """A span of farebox that is related in the trace, or has the same response id, covers the foreign one."""
    seen = replace(sdk_span(), parent_id="00000000000000aa")
    own = attempt(trace_id=seen.trace_id)
    between = replace(sdk_span(), trace_id=seen.trace_id, parent_id=seen.span_id, scope="langchain")
    if relation == "child":
        own = replace(own, parent_id=seen.span_id)
    elif relation == "parent":
        seen = replace(seen, parent_id=own.span_id)
    elif relation == "sibling":
        own = replace(own, parent_id=seen.parent_id)
    elif relation == "grandchild":
        own = replace(own, parent_id=between.span_id)
        store(foreign.client, between)
    else:
        own = attempt(response_id=seen.attributes["gen_ai.response.id"])
        own = replace(own, attributes={**own.attributes, "gen_ai.response.id": seen.attributes["gen_ai.response.id"]})
    store(foreign.client, seen, own)
    decide(foreign)

    because = "response_id" if relation == "response" else "trace"
    assert decisions(foreign, seen) == [("covered", because)]
    assert rows(foreign, "list_cost", seen, own) == [(Decimal("0.00105"),)]


@pytest.mark.parametrize("relation", ["child", "sibling", "response"])
def test_a_span_of_farebox_that_comes_late_covers_too(foreign: Store, relation: str) -> None:
    """A foreign span that counts already leaves the ledger when farebox's own span of the call comes at last."""
    seen = replace(sdk_span(), parent_id="00000000000000ab")
    store(foreign.client, seen)
    decide(foreign)
    own = attempt(trace_id=None if relation == "response" else seen.trace_id)
    own = replace(own, parent_id={"child": seen.span_id, "sibling": seen.parent_id}.get(relation, ""))
    if relation == "response":
        own = replace(own, attributes={**own.attributes, "gen_ai.response.id": seen.attributes["gen_ai.response.id"]})
    store(foreign.client, own)
    refresh(foreign.client)
    refresh(foreign.client)

    assert decisions(foreign, seen) == [("covered", "response_id" if relation == "response" else "trace")]
    assert rows(foreign, "list_cost", seen, own) == [(Decimal("0.00105"),)]
    sums = "SELECT (SELECT sum(spend) FROM attempts_by_hour), (SELECT sum(list_cost) FROM llm_attempts)"
    ((by_hour, exact),) = foreign.client.query(sums).result_rows
    assert by_hour == exact


def test_what_is_covered_leaves_tasks_of_several_hours(foreign: Store) -> None:
    """A foreign call that leaves the ledger leaves its task, also where only another hour of it is counted anew."""
    early = attempt(task="long", started_at=NOW - timedelta(hours=3), outcome="timeout", usage_state="missing")
    seen = sdk_span()
    seen = replace(seen, attributes={**seen.attributes, "farebox.task": "long"})
    store(foreign.client, early, seen)
    decide(foreign)
    own = replace(attempt(task="long", trace_id=seen.trace_id, outcome="timeout"), parent_id=seen.span_id)
    store(foreign.client, own)
    refresh_all(foreign.client)
    store(foreign.client, attempt(started_at=NOW - timedelta(hours=3)))

    spend = "SELECT (SELECT sum(spend) FROM tasks_by_hour), (SELECT sum(list_cost) FROM llm_attempts)"
    ((by_hour, exact),) = foreign.client.query(spend).result_rows
    mended = foreign.client.query(
        f"SELECT sum(by_call) FROM failures_between(since = '{NOW - timedelta(days=1):%Y-%m-%d %H:%M:%S}', "
        f"until = '{NOW + timedelta(days=1):%Y-%m-%d %H:%M:%S}', by_tenant = 0)"
    ).result_rows
    assert (by_hour, mended) == (exact, [(0,)])


def test_an_unrelated_span_of_farebox_covers_nothing(foreign: Store) -> None:
    """Another call of farebox in the same trace leaves the foreign one counted."""
    seen = sdk_span()
    own = replace(attempt(trace_id=seen.trace_id), started_at=NOW + timedelta(minutes=3))
    store(foreign.client, seen, own)
    decide(foreign)

    assert decisions(foreign, seen) == [("counts", "")]
    assert len(rows(foreign, "list_cost", seen, own)) == 2


def test_two_other_instrumentations_count_one_call_once(foreign: Store) -> None:
    """Of two foreign reports of a call the one nearer to the wire counts; side by side, one of them."""
    outer = span(
        "opentelemetry.instrumentation.anthropic",
        system="anthropic",
        operation_of_name="chat",
        request_of_model="claude-haiku-4-5",
        usage_of_input_tokens=20,
        usage_of_output_tokens=5,
    )
    inner = replace(sdk_span(), trace_id=outer.trace_id, parent_id=outer.span_id)
    one = sdk_span()
    other = replace(sdk_span(response_of_id=one.attributes["gen_ai.response.id"]), scope="openlit.otel.tracing")
    store(foreign.client, outer, inner, one, other)
    decide(foreign)

    assert decisions(foreign, outer, inner) == [("covered", "instrumentation"), ("counts", "")]
    assert sorted(decisions(foreign, one, other)) == [("counts", ""), ("covered", "instrumentation")]


def test_an_agents_span_is_no_call(foreign: Store) -> None:
    """Spans that repeat what their calls say are passed over."""
    seen = sdk_span(operation_of_name="invoke_agent")
    store(foreign.client, seen)
    decide(foreign)

    assert rows(foreign, "list_cost", seen) == []
    assert foreign.client.query(
        "SELECT count() FROM foreign_spans WHERE lower(hex(span_id)) = {id:String}", {"id": seen.span_id}
    ).result_rows == [(0,)]


OLD_NAMES = {
    "system": "anthropic",
    "llm__request__type": "chat",
    "request_of_model": "claude-haiku-4-5",
    "usage_of_prompt_tokens": 110,
    "usage_of_completion_tokens": 5,
    "usage_of_cache_read_input_tokens": 70,
    "usage_of_cache_creation_input_tokens": 30,
}
OPENINFERENCE = {
    "openinference__span__kind": "LLM",
    "llm__provider": "anthropic",
    "llm__model_name": "claude-haiku-4-5",
    "llm__token_count__prompt": 110,
    "llm__token_count__completion": 5,
    "llm__token_count__prompt_details__cache_read": 70,
    "llm__token_count__prompt_details__cache_write": 30,
}
OPENLIT = {
    "system": "anthropic",
    "operation_of_name": "chat",
    "request_of_model": "claude-haiku-4-5",
    "usage_of_input_tokens": 10,
    "usage_of_output_tokens": 5,
    "usage_of_cache_read_of_input_tokens": 70,
    "usage_of_cache_creation_of_input_tokens": 30,
}


@pytest.mark.parametrize(
    ("scope", "attributes"),
    [
        ("opentelemetry.instrumentation.anthropic", OLD_NAMES),
        ("openinference.instrumentation.anthropic", OPENINFERENCE),
        ("openlit.otel.tracing", OPENLIT),
    ],
)
def test_every_spelling_leads_to_the_same_cost(foreign: Store, scope: str, attributes: dict[str, Any]) -> None:
    """Old and new names, OpenInference's, and an input count without caches give the same leaves and cost."""
    seen = span(scope, **attributes)
    store(foreign.client, seen)
    decide(foreign)

    found = rows(
        foreign, "uncached_input_tokens, cache_read_tokens, cache_write_unsplit_tokens, output_tokens, list_cost", seen
    )
    cost = (10 * 1000 + 70 * 100 + 30 * 1250 + 5 * 5000) * Decimal("1e-9")
    assert found == [(10, 70, 30, 5, cost)]


@pytest.mark.parametrize(
    ("changed", "state", "reason"),
    [
        ({"usage_of_cache_read_of_input_tokens": 90}, "no_usage", "cached tokens 93 exceed input_tokens 20"),
        ({"usage_of_input_tokens": -4}, "no_usage", "unreadable count of input_tokens"),
        ({"usage_of_input_tokens": ""}, "no_usage", "uncached_input_tokens not reported"),
        ({"usage_of_input_tokens": "", "usage_of_output_tokens": ""}, "no_usage", "no usage came: ok"),
    ],
)
def test_what_cannot_be_is_not_priced(foreign: Store, changed: dict[str, object], state: str, reason: str) -> None:
    """Parts above their whole, counts that are none and missing ones have a reason instead of a cost."""
    seen = sdk_span(**changed)
    store(foreign.client, seen)
    decide(foreign)

    assert rows(foreign, "price_state, price_reason, list_cost", seen) == [(state, reason, None)]


def test_the_host_says_who_bills(foreign: Store) -> None:
    """A client of OpenAI's SDK that asks another host is billed by that host."""
    asked = {"system": "openai", "operation_of_name": "chat", "request_of_model": "m", "usage_of_input_tokens": 1}
    hosts = ["api.fireworks.ai", "api.together.xyz", "api.openai.com", "localhost", "llm.example.com", ""]
    seen = [span("opentelemetry.instrumentation.openai_v2", server__address=host, **asked) for host in hosts]
    store(foreign.client, *seen)
    decide(foreign)

    assert [row for (row,) in rows(foreign, "provider", *seen)] == [
        "fireworks",
        "together",
        "openai",
        "self_hosted",
        "unknown",
        "openai",
    ]
