"""Output files of OpenAI's batches: each answer is billed once, at its batch's time, whoever reads it."""

from __future__ import annotations

import openai
import pytest

import farebox
from farebox.testing import Captured
from instrumentation.provider import Provider
from instrumentation.test_batches import _nothing_noted, client, jsonl, results, serve_batch, succeeded

__all__ = ["_nothing_noted"]


OUTPUT = [
    {
        "id": "batch_req_1",
        "custom_id": "c1",
        "response": {
            "status_code": 200,
            "request_id": "req_a",
            "body": {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1795160000,
                "model": "gpt-5.4-mini-2026-03-17",
                "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            },
        },
        "error": None,
    },
    {
        "id": "batch_req_2",
        "custom_id": "c2",
        "response": {
            "status_code": 200,
            "request_id": "req_b",
            "body": {
                "id": "resp_1",
                "object": "response",
                "created_at": 1795160001,
                "status": "completed",
                "model": "gpt-5.4-mini-2026-03-17",
                "output": [],
                "usage": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10},
            },
        },
        "error": None,
    },
    {
        "id": "batch_req_3",
        "custom_id": "c3",
        "response": {
            "status_code": 200,
            "request_id": "req_c",
            "body": {
                "object": "list",
                "model": "text-embedding-3-small",
                "data": [],
                "usage": {"prompt_tokens": 8, "total_tokens": 8},
            },
        },
        "error": None,
    },
    {
        "id": "batch_req_4",
        "custom_id": "c4",
        "response": {"status_code": 400, "request_id": "req_d", "body": {"error": {"type": "invalid_request_error"}}},
        "error": None,
    },
    {"id": "batch_req_5", "custom_id": "c5", "response": None, "error": {"code": "batch_expired", "message": "late"}},
    {
        "id": "batch_req_6",
        "custom_id": "c6",
        "response": {"status_code": 200, "body": {"id": "modr-1", "model": "omni-moderation", "results": []}},
        "error": None,
    },
]
BATCH = {
    "id": "batch_1",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-in",
    "completion_window": "24h",
    "status": "completed",
    "created_at": 1795150000,
    "completed_at": 1795160500,
    "output_file_id": "file-out",
}


def openai_client(provider: Provider, *, wrapped: bool = True) -> openai.OpenAI:
    made = openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1", max_retries=0)
    return farebox.wrap(made, provider="openai") if wrapped else made


def test_openais_output_files_are_batch_results(provider: Provider, captured: Captured) -> None:
    """Each answered line of an output file is billed at its own time; refused ones and moderations cost nothing."""
    provider.files |= {"/v1/batches/batch_1": BATCH, "/v1/files/file-out/content": jsonl(OUTPUT)}

    def read(o: openai.OpenAI) -> bytes:
        with o:
            return o.files.content(o.batches.retrieve("batch_1").output_file_id or "").content

    assert read(openai_client(provider)) == read(openai_client(provider, wrapped=False))
    found = results(captured)
    chat, response, embedding, refused, expired = found
    starts = [span.start_time for span in captured.spans()[1:]]
    assert [each["gen_ai.operation.name"] for each in found] == ["chat", "chat", "embeddings", "chat", "chat"]
    assert chat["farebox.usage.uncached_input_tokens"] == 100
    assert response["farebox.usage.output_tokens"] == 3
    assert embedding["farebox.usage.uncached_input_tokens"] == 8
    assert chat["farebox.service_tier"] == "batch"
    assert chat["farebox.tag.custom_id"] == "c1"
    assert chat["farebox.tag.batch_id"] == "batch_1"
    assert chat["farebox.request_id"] == "req_a"
    assert (refused["farebox.usage.state"], refused["farebox.outcome"]) == ("none", "client_error")
    assert (expired["farebox.usage.state"], expired["farebox.outcome"]) == ("none", "timeout")
    assert starts[:3] == [1795160000_000_000_000, 1795160001_000_000_000, 1795160500_000_000_000]


def test_a_copy_of_an_output_file_is_the_same_results(provider: Provider, captured: Captured) -> None:
    """Under another name, unannounced and streamed, an output file gives the same ids."""
    provider.files |= {"/v1/files/file-a/content": jsonl(OUTPUT[:1]), "/v1/files/file-b/content": jsonl(OUTPUT[:1])}
    with openai_client(provider) as o:
        _ = o.files.content("file-a").content
        with o.files.with_streaming_response.content("file-b") as response:
            response.read()

    ids = [(span.context.trace_id, span.context.span_id) for span in captured.spans() if span.name.startswith("chat")]

    assert len(ids) == 2
    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n" * 50_000,
        b'{"custom_id": "c1", "method": "POST", "url": "/v1/chat/completions", "body": {}}\n' * 2000,
        b"[1]\nnull\n" + jsonl([{"custom_id": 5, "result": {}}, {"custom_id": "c", "response": 7}, {"custom_id": "d"}]),
    ],
    ids=["empty", "image", "input of a batch", "nonsense"],
)
def test_other_files_bill_nothing(content: bytes, provider: Provider, captured: Captured) -> None:
    """A file that is no batch's output is left alone."""
    provider.files["/v1/files/file-x/content"] = content
    with openai_client(provider) as o:
        assert o.files.content("file-x").content == content

    billed = [each for each in results(captured) if each["farebox.usage.state"] not in ("none", "missing")]
    assert billed == []


def test_a_line_longer_than_a_part_is_one_result(provider: Provider, captured: Captured) -> None:
    """A result of megabytes is put together again, whatever it came in."""
    rows = [succeeded(1, "x" * 3_000_000), succeeded(2)]
    with client(provider) as c:
        assert len(list(c.messages.batches.results(serve_batch(provider, rows)))) == 2

    assert [each["farebox.tag.custom_id"] for each in results(captured)] == ["r1", "r2"]


def test_compaction_in_a_batch_is_billed_apart_and_once(provider: Provider, captured: Captured) -> None:
    """Passes that a result's usage leaves out have spans of their own, in the result's trace, at batch price."""
    row = succeeded(1)
    row["result"]["message"]["usage"]["iterations"] = [
        {"type": "compaction", "input_tokens": 900, "output_tokens": 1},
        {"type": "message", "input_tokens": 11, "output_tokens": 5},
    ]
    batch_id = serve_batch(provider, [row])
    with client(provider) as c:
        list(c.messages.batches.results(batch_id))
        list(c.messages.batches.results(batch_id))

    _, result, extra, _, _, again = captured.spans()

    assert extra.attributes["farebox.kind"] == "iteration"
    assert extra.attributes["farebox.service_tier"] == "batch"
    assert extra.context.trace_id == result.context.trace_id
    assert (extra.context.span_id, extra.start_time) == (again.context.span_id, again.start_time)
