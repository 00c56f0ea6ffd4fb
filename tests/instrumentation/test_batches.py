"""Results of batches: one billed thing each, however often, by whomever and in however many pieces they are read."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import anthropic
import httpx2
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import farebox
from farebox import _billed
from farebox._recorder import recorder
from farebox.testing import Captured
from instrumentation.provider import Provider
from instrumentation.test_differential import adrained, araised, drained, left_early, plain, raised

ENDED_AT = "2026-11-20T10:00:00.250000Z"
ENDED_NS = 1795168800_250_000_000
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    """What another test's batches were is forgotten."""
    _billed._orders.clear()


def message(number: int, text: str = "Hello") -> dict[str, Any]:
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5-20251001",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10 + number, "output_tokens": 5, "service_tier": "batch"},
    }


def succeeded(number: int, text: str = "Hello") -> dict[str, Any]:
    return {"custom_id": f"r{number}", "result": {"type": "succeeded", "message": message(number, text)}}


def errored(custom_id: str, kind: str) -> dict[str, Any]:
    error = {"type": "error", "error": {"type": kind, "message": "no"}}
    return {"custom_id": custom_id, "result": {"type": "errored", "error": error}}


MIXED = [
    succeeded(1),
    succeeded(2, "wörld\u2028 é"),
    errored("bad", "invalid_request_error"),
    errored("busy", "overloaded_error"),
    {"custom_id": "late", "result": {"type": "expired"}},
    {"custom_id": "stopped", "result": {"type": "canceled"}},
]


def jsonl(rows: list[dict[str, Any]], *, end: str = "\n") -> bytes:
    return ("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + end).encode()


def serve_batch(provider: Provider, rows: list[dict[str, Any]], **fields: Any) -> str:
    """Let the provider have an ended batch with these results; returns its id."""
    batch_id = f"msgbatch_{next(_numbers)}"
    path = f"/v1/messages/batches/{batch_id}"
    counts = {"processing": 0, "succeeded": len(rows), "errored": 0, "canceled": 0, "expired": 0}
    provider.files[path] = {
        "id": batch_id,
        "type": "message_batch",
        "processing_status": "ended",
        "request_counts": counts,
        "created_at": "2026-11-20T09:00:00Z",
        "expires_at": "2026-11-21T09:00:00Z",
        "ended_at": ENDED_AT,
        "results_url": f"{provider.base}{path}/results",
        **fields,
    }
    provider.files[f"{path}/results"] = jsonl(rows)
    return batch_id


def client(provider: Provider, *, wrapped: bool = True, **tags: Any) -> anthropic.Anthropic:
    made = anthropic.Anthropic(api_key="k", base_url=provider.base, max_retries=0)
    return farebox.wrap(made, provider="anthropic", **tags) if wrapped else made


def acting(scenario: str) -> dict[str, Any]:
    return {"extra_headers": {"x-scenario": scenario}}


def lines_of(c: anthropic.Anthropic, batch_id: str) -> Any:
    with c.messages.batches.with_streaming_response.results(batch_id) as response:
        return list(response.iter_lines())


# name → (what a reader does with a batch, how many of the six results it sees whole)
READERS: dict[str, tuple[Callable[[anthropic.Anthropic, str], Any], int]] = {
    "all": (lambda c, b: drained(c.messages.batches.results(b)), 6),
    "beta": (lambda c, b: drained(c.beta.messages.batches.results(b)), 6),
    "gzip": (lambda c, b: drained(c.messages.batches.results(b, **acting("gzip"))), 6),
    "split": (lambda c, b: drained(c.messages.batches.results(b, **acting("split"))), 6),
    "cut": (lambda c, b: raised(lambda: list(c.messages.batches.results(b, **acting("cut")))), 4),
    "raw": (lambda c, b: drained(c.messages.batches.with_raw_response.results(b).parse()), 6),
    "lines": (lines_of, 6),
    "left": (lambda c, b: left_early(c.messages.batches.results(b, **acting("split:400")), 1, close=True), 1),
    "never read": (lambda c, b: c.messages.batches.results(b).close(), 0),
    "absent": (lambda c, b: raised(lambda: c.messages.batches.results("none")), 0),
    "retrieved": (lambda c, b: plain(c.messages.batches.retrieve(b)), 0),
}


def results(captured: Captured) -> list[Mapping[str, Any]]:
    return [each for each in captured.attempts() if each.get("farebox.kind") == "batch_result"]


@pytest.mark.parametrize("name", READERS)
def test_readers_of_results_cannot_tell(name: str, provider: Provider, captured: Captured) -> None:
    """Whoever reads a batch's results sees what a bare client sees; each result seen whole is recorded."""
    does, count = READERS[name]
    batch_id = serve_batch(provider, MIXED)
    with client(provider) as wrapped, client(provider, wrapped=False) as bare:
        assert does(wrapped, batch_id) == does(bare, batch_id)

    found = results(captured)
    assert len(found) == count or (name == "left" and 1 <= len(found) <= 2)


def test_async_readers_cannot_tell(provider: Provider, captured: Captured) -> None:
    """Async readers see the same too, whole, in pieces, compressed and cut."""
    batch_id = serve_batch(provider, MIXED)

    async def run(*, wrapped: bool) -> list[Any]:
        made = anthropic.AsyncAnthropic(api_key="k", base_url=provider.base, max_retries=0)
        async with farebox.wrap(made) if wrapped else made as c:
            read = c.messages.batches.results

            async def cut() -> None:
                await adrained(await read(batch_id, **acting("cut")))

            seen = [await adrained(await read(batch_id, **acting(how))) for how in ("", "split", "gzip")]
            return [*seen, await araised(cut())]

    assert asyncio.run(run(wrapped=True)) == asyncio.run(run(wrapped=False))
    assert len(results(captured)) == 3 * 6 + 4


def test_each_result_is_billed_at_the_time_and_under_the_ids_of_its_batch(
    provider: Provider, captured: Captured
) -> None:
    """A result is a span of its own trace: tier batch, the batch's end, its custom_id, its reader's link and tags."""
    batch_id = serve_batch(provider, MIXED)
    with client(provider) as c, farebox.tags(route="nightly"):
        drained(c.messages.batches.results(batch_id))

    read, *billed = captured.spans()
    first = dict(billed[0].attributes or {})

    assert [span.attributes["farebox.kind"] for span in billed] == ["batch_result"] * 6
    assert first["farebox.usage.uncached_input_tokens"] == 11
    assert first["farebox.usage.output_tokens"] == 5
    assert first["farebox.usage.state"] == "reported"
    assert first["farebox.service_tier"] == "batch"
    assert first["farebox.route"] == "nightly"
    assert first["farebox.tag.custom_id"] == "r1"
    assert first["farebox.tag.batch_id"] == batch_id
    assert first["gen_ai.response.id"] == "msg_1"
    assert first["gen_ai.operation.name"] == "chat"
    assert {"truncated", "refusal", "empty"} <= set(first["farebox.checked"])
    assert billed[0].start_time == billed[0].end_time == ENDED_NS
    assert billed[0].parent is None
    assert len({span.context.trace_id for span in billed}) == 1
    assert len({span.context.span_id for span in billed}) == 6
    assert billed[0].links[0].context.span_id == read.context.span_id
    assert billed[0].context.trace_id != read.context.trace_id
    assert read.name == "farebox.read"
    assert "farebox.kind" not in read.attributes
    assert read.attributes["farebox.read.results"] == 6


def test_results_that_are_no_answer_cost_nothing(provider: Provider, captured: Captured) -> None:
    """Errored, expired and canceled results are recorded with usage state none, and why."""
    with client(provider) as c:
        drained(c.messages.batches.results(serve_batch(provider, MIXED)))

    ends = [
        (each["farebox.tag.custom_id"], each["farebox.usage.state"], each["farebox.outcome"], each.get("error.type"))
        for each in results(captured)
    ]

    assert ends == [
        ("r1", "reported", "ok", None),
        ("r2", "reported", "ok", None),
        ("bad", "none", "client_error", "invalid_request_error"),
        ("busy", "none", "overloaded", "overloaded_error"),
        ("late", "none", "timeout", "timeout"),
        ("stopped", "none", "cancelled", "cancelled"),
    ]


def test_every_reader_gives_the_same_ids_and_times(provider: Provider, captured: Captured) -> None:
    """Read twice, in pieces, by another client and with a user's own tracer provider: the same keys each time."""
    batch_id = serve_batch(provider, MIXED)
    exporter, own = InMemorySpanExporter(), TracerProvider()
    own.add_span_processor(SimpleSpanProcessor(exporter))
    for how in ({}, acting("split"), acting("gzip")):
        with client(provider) as c:
            drained(c.messages.batches.results(batch_id, **how))
    with client(provider, tracer_provider=own) as c:
        drained(c.messages.batches.results(batch_id))
    recorder().drain(10)

    spans = [*captured.spans(), *exporter.get_finished_spans()]
    billed = [span for span in spans if (span.attributes or {}).get("farebox.kind") == "batch_result"]
    reads = {(span.context.trace_id, span.context.span_id) for span in spans if span.name == "farebox.read"}

    assert len(billed) == 4 * 6
    assert len({(span.context.trace_id, span.context.span_id, span.start_time) for span in billed}) == 6
    assert {(link.context.trace_id, link.context.span_id) for span in billed for link in span.links} == reads
    assert len(reads) == 4


def test_the_order_of_a_batch_lends_its_tags(provider: Provider, captured: Captured) -> None:
    """Tags of the call that created a batch hold for its results, unless their reader has its own."""
    batch_id = serve_batch(provider, [succeeded(1)])
    created = provider.files[f"/v1/messages/batches/{batch_id}"]
    provider.files["POST /v1/messages/batches"] = {**created, "processing_status": "in_progress", "ended_at": None}
    with client(provider, route="default_of_client") as c:
        with farebox.tags(route="nightly", task="t1"):
            c.messages.batches.create(requests=[])
        with farebox.tags(task="t2"):
            drained(c.messages.batches.results(batch_id))

    (result,) = results(captured)

    assert result["farebox.route"] == "nightly"
    assert result["farebox.task"] == "t2"
    assert len(captured.attempts()) == 2  # the order itself costs nothing and is no span: the result and its reading


def test_a_batch_of_unknown_end_is_billed_when_it_was_read(provider: Provider, captured: Captured) -> None:
    """Where nothing tells when a batch ended, a result starts with its reading; its ids are the same."""
    batch_id = serve_batch(provider, [succeeded(1)])
    with client(provider) as c:
        list(c.messages.batches.results(batch_id))
        recorder().drain(10)
        _billed._orders.clear()
        c.get(f"/v1/messages/batches/{batch_id}/results", cast_to=httpx2.Response)

    _, known, read, unknown = captured.spans()

    assert unknown.context.span_id == known.context.span_id
    assert unknown.start_time == read.start_time


def test_large_results_are_recorded_in_parts_and_none_is_lost(provider: Provider, captured: Captured) -> None:
    """Far more than may be kept of one response is recorded, and never more than a part of it waits."""
    rows = [succeeded(number, "x" * 10_000) for number in range(2500)]
    batch_id = serve_batch(provider, rows)
    with client(provider) as c:
        assert sum(1 for _ in c.messages.batches.results(batch_id)) == 2500

    found = results(captured)

    assert [each["farebox.tag.custom_id"] for each in found] == [f"r{number}" for number in range(2500)]
    assert sum(each["farebox.usage.uncached_input_tokens"] for each in found) == sum(range(10, 2510))
    reads = [each["farebox.read.results"] for each in captured.attempts() if "farebox.read.results" in each]
    assert reads == [2500]


@pytest.mark.parametrize("how", ["", "split:30000", "gzip"])
def test_what_does_not_fit_into_the_queue_is_boiled_down(
    how: str, provider: Provider, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the recorder is behind, results wait without their text, and each is still billed."""
    waiting = recorder()
    monkeypatch.setattr(waiting, "_bytes_max", 600_000)
    monkeypatch.setattr(waiting, "_take", lambda: None)  # the recorder stands still
    rows = [succeeded(number, "x" * 10_000) for number in range(200)]
    with client(provider) as c:
        assert len(list(c.messages.batches.results(serve_batch(provider, rows), **acting(how)))) == 200
    monkeypatch.undo()

    found = results(captured)

    assert waiting.dropped == 0
    assert len(found) == 200
    assert found[-1]["farebox.usage.uncached_input_tokens"] == 10 + 199
