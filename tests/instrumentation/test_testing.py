"""farebox.testing: what an application's own tests see of its calls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import anthropic
import pytest

import farebox
from farebox.testing import Captured, capture, counted_ids, fixed_clock
from instrumentation.provider import Provider
from instrumentation.test_differential import ASK, acting

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AT_NS = 1_795_435_200_000_000_000


def test_spans_are_the_same_at_every_run(provider: Provider) -> None:
    """With a fixed clock and counted ids, times, ids, numbers and the instance can be written down."""

    def run() -> list[Any]:
        client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base))
        with fixed_clock(AT) as clock, counted_ids(), capture() as captured:
            client.messages.create(**ASK, **acting("fail:1,529"))
            clock.advance(1.5)
            client.messages.create(**ASK)
            return [
                (span.context.trace_id, span.context.span_id, span.start_time, span.end_time, attributes["farebox.seq"])
                for span in captured.spans()
                if (attributes := span.attributes or {})["farebox.instance"] == "0" * 16
            ]

    first = run()

    assert first == run()
    assert first == [
        (1, 1, AT_NS, AT_NS, 0),
        (1, 2, AT_NS, AT_NS, 1),
        (3, 3, AT_NS + 1_500_000_000, AT_NS + 1_500_000_000, 2),
    ]


def test_time_and_chance_return_afterwards(provider: Provider, captured: Captured) -> None:
    """After the blocks spans have the real time, random ids and this process's instance again."""
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base))
    with pytest.raises(ZeroDivisionError), fixed_clock(AT), counted_ids():
        raise ZeroDivisionError
    client.messages.create(**ASK)

    [span] = captured.spans()

    assert span.context.span_id > 1000
    assert span.start_time != AT_NS
    assert (span.attributes or {})["farebox.instance"] != "0" * 16
