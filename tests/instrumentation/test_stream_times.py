"""The times of a stream: to its first token, and how many tokens a second came after it."""

from __future__ import annotations

import anthropic

import farebox
from farebox.testing import Captured, fixed_clock
from instrumentation.provider import Provider
from instrumentation.test_differential import ASK, acting


def test_a_whole_stream_says_how_fast_it_came(provider: Provider, captured: Captured) -> None:
    """Output tokens after the first, over the time from the first to the end, as the caller read them."""
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base))
    with fixed_clock() as clock:
        stream = client.messages.create(**ASK, stream=True)
        clock.advance(0.25)
        seconds = 0.0
        for event in stream:
            if event.type == "content_block_delta":
                clock.advance(0.5)
                seconds += 0.5
        [attempt] = captured.attempts()

    assert attempt["farebox.time_to_first_token_ms"] == 250
    tokens = attempt["farebox.usage.output_tokens"]
    assert attempt["farebox.output_tokens_per_second"] == round((tokens - 1) / seconds, 3)


def test_a_cut_stream_says_nothing_of_its_speed(provider: Provider, captured: Captured) -> None:
    """Without the final count of tokens there is no speed."""
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base))
    stream = client.messages.create(**ASK, stream=True, **acting("slow"))
    for _ in zip(range(3), stream, strict=False):
        pass
    stream.close()
    [attempt] = captured.attempts()

    assert attempt["farebox.outcome"] == "abandoned"
    assert "farebox.output_tokens_per_second" not in attempt
