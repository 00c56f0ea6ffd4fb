"""Background responses: ordered by one call, shown by many, billed once under ids of their own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from typing import Any

import openai
import pytest

import farebox
from farebox.testing import Captured
from instrumentation.provider import RESPONSE, Provider
from instrumentation.test_differential import RESPOND, acting, adrained, drained, plain, raised

CREATED, COMPLETED = 1795160000, 1795160042
_numbers = itertools.count(1)


def serve(provider: Provider, status: str = "completed", **fields: Any) -> str:
    """Let the provider make a response in the background that ends like this; returns its id."""
    response_id = f"resp_background_{next(_numbers)}"
    ended = {
        **RESPONSE,
        "id": response_id,
        "background": True,
        "status": status,
        "created_at": CREATED,
        "completed_at": COMPLETED if status == "completed" else None,
        **fields,
    }
    queued = {**ended, "status": "queued", "usage": None, "output": [], "completed_at": None}
    provider.files["POST /v1/responses"] = queued
    provider.files[f"/v1/responses/{response_id}"] = ended
    provider.files[f"POST /v1/responses/{response_id}/cancel"] = ended
    return response_id


def events_of(response: Mapping[str, Any]) -> list[dict[str, Any]]:
    begun = {**response, "status": "in_progress", "usage": None, "output": []}
    return [
        {"type": "response.created", "sequence_number": 0, "response": begun},
        {
            "type": "response.output_text.delta",
            "sequence_number": 1,
            "item_id": "m",
            "output_index": 0,
            "content_index": 0,
            "delta": "Hi",
            "logprobs": [],
        },
        {"type": "response.completed", "sequence_number": 2, "response": response},
    ]


def client(provider: Provider, *, wrapped: bool = True, **tags: Any) -> openai.OpenAI:
    made = openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1", max_retries=0)
    return farebox.wrap(made, provider="openai", **tags) if wrapped else made


def kinds(captured: Captured) -> list[str]:
    return [each.get("farebox.kind", "read") for each in captured.attempts()]


def test_a_background_response_is_billed_once(provider: Provider, captured: Captured) -> None:
    """The order bills nothing, polling bills nothing, and every look at the end gives one key with the usage."""
    response_id = serve(provider)
    ended = provider.files[f"/v1/responses/{response_id}"]
    with client(provider) as o:
        with farebox.tags(route="research"):
            o.responses.create(**RESPOND, background=True)
        provider.files[f"/v1/responses/{response_id}"] = {**ended, "status": "in_progress", "usage": None}
        o.responses.retrieve(response_id)
        provider.files[f"/v1/responses/{response_id}"] = ended
        o.responses.retrieve(response_id)
        o.responses.retrieve(response_id)

    order, read, result, _, again = captured.spans()
    attributes = dict(result.attributes or {})

    assert kinds(captured) == ["attempt", "read", "background_result", "read", "background_result"]
    assert order.attributes["farebox.usage.state"] == "none"
    assert order.attributes["farebox.outcome"] == "ok"
    assert "farebox.usage.output_tokens" not in order.attributes
    assert attributes["farebox.usage.state"] == "reported"
    assert attributes["farebox.usage.output_tokens"] == 20
    assert attributes["farebox.usage.cache_read_tokens"] == 64
    assert attributes["farebox.route"] == "research"
    assert "refusal" in attributes["farebox.checked"]
    assert attributes["farebox.duration_ms"] == 42_000
    assert attributes["gen_ai.response.id"] == response_id
    assert (result.start_time, result.end_time) == (CREATED * 10**9, COMPLETED * 10**9)
    assert (result.context.trace_id, result.context.span_id) == (again.context.trace_id, again.context.span_id)
    assert result.context.trace_id != order.context.trace_id
    assert result.links[0].context.span_id == read.context.span_id


def test_a_streamed_order_and_a_later_look_give_one_key(provider: Provider, captured: Captured) -> None:
    """A background response that was streamed to its end bills under the same ids as when it is retrieved."""
    response_id = serve(provider)
    ended = provider.files[f"/v1/responses/{response_id}"]
    provider.files["POST /v1/responses"] = events_of(ended)
    with client(provider) as o:
        drained(o.responses.create(**RESPOND, background=True, stream=True))
        o.responses.retrieve(response_id)

    order, streamed, _, retrieved = captured.spans()

    assert kinds(captured) == ["attempt", "background_result", "read", "background_result"]
    assert order.attributes["farebox.usage.state"] == "none"
    assert order.attributes["farebox.time_to_first_token_ms"] > 0
    assert streamed.attributes["farebox.usage.output_tokens"] == 20
    assert "farebox.time_to_first_token_ms" not in streamed.attributes
    assert streamed.context.span_id == retrieved.context.span_id
    assert (streamed.start_time, streamed.end_time) == (retrieved.start_time, retrieved.end_time)
    assert streamed.links[0].context.span_id == order.context.span_id


def test_a_retrieve_that_is_streamed_bills_at_its_last_event(provider: Provider, captured: Captured) -> None:
    """A streamed look bills when it comes to the end, and nothing when it is cut before."""
    response_id = serve(provider)
    ended = provider.files[f"/v1/responses/{response_id}"]
    provider.files[f"/v1/responses/{response_id}"] = events_of(ended)
    with client(provider) as o:
        raised(lambda: list(o.responses.retrieve(response_id, stream=True, **acting("cut:2"))))
        assert kinds(captured) == []
        drained(o.responses.retrieve(response_id, stream=True))

    assert kinds(captured) == ["read", "background_result"]


@pytest.mark.parametrize(
    ("status", "fields", "outcome", "state"),
    [
        ("incomplete", {"incomplete_details": {"reason": "max_output_tokens"}}, "ok", "reported"),
        ("cancelled", {}, "cancelled", "reported"),
        ("cancelled", {"usage": None}, "cancelled", "missing"),
        ("failed", {"usage": None, "error": {"code": "server_error", "message": "no"}}, "server_error", "missing"),
        (
            "failed",
            {"usage": None, "error": {"code": "rate_limit_exceeded", "message": "no"}},
            "rate_limited",
            "missing",
        ),
    ],
)
def test_other_ends_are_ends_too(
    status: str, fields: dict[str, Any], outcome: str, state: str, provider: Provider, captured: Captured
) -> None:
    """A response that was cut off, cancelled or failed is billed by what it tells; what it does not tell is missing."""
    response_id = serve(provider, status, **fields)
    with client(provider) as o:
        o.responses.cancel(response_id)
        o.responses.retrieve(response_id)

    results = [each for each in captured.attempts() if each.get("farebox.kind") == "background_result"]

    assert [(each["farebox.outcome"], each["farebox.usage.state"]) for each in results] == [(outcome, state)] * 2


def test_looking_at_any_other_response_bills_nothing(provider: Provider, captured: Captured) -> None:
    """A stored response that was answered at once was billed then."""
    response_id = serve(provider, background=False)
    with client(provider) as o:
        o.responses.retrieve(response_id)
        raised(lambda: o.responses.retrieve("resp_none"))

    assert captured.attempts() == []


def test_an_answer_that_comes_later_is_no_error(provider: Provider, captured: Captured) -> None:
    """A host that does not say that a queued response is a background one leaves its usage missing."""
    serve(provider, background=None)
    with client(provider) as o:
        o.responses.create(**RESPOND, background=True)

    (attempt,) = captured.attempts()
    assert (attempt["farebox.outcome"], attempt["farebox.usage.state"]) == ("ok", "missing")


def test_callers_cannot_tell(provider: Provider, captured: Captured) -> None:
    """Orders, looks and streams give the caller the same as a bare client, sync and async."""
    response_id = serve(provider)
    streamed = serve(provider)
    provider.files[f"/v1/responses/{streamed}"] = events_of(provider.files[f"/v1/responses/{streamed}"])

    def run(*, wrapped: bool) -> list[Any]:
        with client(provider, wrapped=wrapped) as o:
            return [
                plain(o.responses.create(**RESPOND, background=True)),
                plain(o.responses.retrieve(response_id)),
                plain(o.responses.cancel(response_id)),
                plain(o.responses.with_raw_response.retrieve(response_id).parse()),
                drained(o.responses.retrieve(streamed, stream=True)),
                raised(lambda: list(o.responses.retrieve(streamed, stream=True, **acting("cut:1")))),
                raised(lambda: o.responses.retrieve("resp_none")),
            ]

    async def arun(*, wrapped: bool) -> list[Any]:
        made = openai.AsyncOpenAI(api_key="k", base_url=f"{provider.base}/v1")
        async with farebox.wrap(made) if wrapped else made as o:
            return [
                plain(await o.responses.create(**RESPOND, background=True)),
                plain(await o.responses.retrieve(response_id)),
                await adrained(await o.responses.retrieve(streamed, stream=True)),
            ]

    assert run(wrapped=True) == run(wrapped=False)
    assert asyncio.run(arun(wrapped=True)) == asyncio.run(arun(wrapped=False))
