"""Passes that an Anthropic answer's top-level usage leaves out are billed on their own, once, at their own model."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2
import pytest

import farebox
from farebox._iterations import billed_apart
from farebox.testing import Captured
from instrumentation.test_differential import ASK


def one(kind: str, tokens: int, model: str | None = None) -> dict[str, Any]:
    counts = {
        "input_tokens": tokens,
        "output_tokens": 1,
        "cache_read_input_tokens": 0,
        "cache_creation_input_tokens": 0,
    }
    return {"type": kind, **counts, **({"model": model} if model else {})}


def top(tokens: int, passes: int) -> dict[str, Any]:
    return {"input_tokens": tokens, "output_tokens": passes}


@pytest.mark.parametrize(
    ("iterations", "usage", "apart"),
    [
        pytest.param([one("message", 10)], top(10, 1), [], id="one pass is the answer"),
        pytest.param([one("message", 10), one("message", 20)], top(30, 2), [], id="a tool loop is the answer"),
        pytest.param(
            [one("compaction", 99195), one("message", 162)], top(162, 1), [(0, "compaction", "m")], id="compaction"
        ),
        pytest.param(
            [one("message", 10), one("advisor_message", 70, "big"), one("message", 20)],
            top(30, 2),
            [(1, "advisor_message", "big")],
            id="advisor",
        ),
        pytest.param(
            [one("message", 10, "declined"), one("fallback_message", 11, "m")],
            top(11, 1),
            [(0, "message", "declined")],
            id="a declined hop",
        ),
        pytest.param(
            [one("message", 10, "other"), one("message", 20, "m")],
            top(30, 2),
            [],
            id="another model that the top level counts",
        ),
        pytest.param(["nonsense", None], top(1, 1), [(0, "unknown", "m"), (1, "unknown", "m")], id="nonsense"),
    ],
)
def test_only_what_the_top_level_omits_is_apart(
    iterations: list[Any], usage: dict[str, Any], apart: list[tuple[int, str, str]]
) -> None:
    """A pass is billed apart exactly when the top-level counts do not hold it."""
    assert [(each.index, each.kind, each.model) for each in billed_apart(iterations, usage, "m")] == apart


def test_a_compaction_has_a_span_of_its_own(captured: Captured) -> None:
    """The compaction's tokens stand in a span of kind `iteration`, whose id derives from the message's."""
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-6",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {**top(162, 1), "iterations": [one("compaction", 99195), one("message", 162)]},
    }
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=json.loads(json.dumps(body))))
    client = farebox.wrap(anthropic.Anthropic(api_key="k", http_client=httpx2.Client(transport=transport)), route="r")
    client.beta.messages.create(**ASK)
    client.beta.messages.create(**ASK)

    spans = captured.spans()
    first, extra, _, again = (dict(span.attributes or {}) for span in spans)

    assert first["farebox.usage.uncached_input_tokens"] == 162
    assert extra["farebox.kind"] == "iteration"
    assert extra["farebox.usage.uncached_input_tokens"] == 99195
    assert extra["gen_ai.response.model"] == "claude-sonnet-4-6"
    assert extra["farebox.route"] == "r"
    assert "farebox.flags" not in extra
    assert extra["farebox.call_id"] == first["farebox.call_id"]
    assert spans[1].parent.span_id == spans[0].context.span_id
    assert spans[1].context.span_id == spans[3].context.span_id
    assert extra["farebox.seq"] != again["farebox.seq"]
