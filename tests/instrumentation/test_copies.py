"""Copies of a wrapped client are recorded as it is, whatever HTTP client they have."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import anthropic
import openai

import farebox
from farebox.testing import Captured
from instrumentation.provider import Provider
from instrumentation.test_differential import ASK, CHAT


def test_a_copy_with_its_own_http_client_is_recorded(provider: Provider, captured: Captured) -> None:
    """`with_options(http_client=...)` loses the seam, and gets it again; so do copies of copies."""
    a = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base), route="mine")
    o = farebox.wrap(openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1"), route="mine")
    own = anthropic.DefaultHttpxClient()
    copy = a.with_options(http_client=own)
    with copy, a, o:
        copy.messages.create(**ASK)
        with copy.copy(http_client=anthropic.DefaultHttpxClient()) as again:
            again.messages.create(**ASK)
        with o.copy(http_client=openai.DefaultHttpxClient()) as other:
            other.chat.completions.create(**CHAT)

    assert [attempt["farebox.route"] for attempt in captured.attempts()] == ["mine"] * 3
    assert type(copy) is anthropic.Anthropic
    assert isinstance(copy._client, type(own))
    assert "send" not in vars(own)


def test_async_copies_are_recorded(provider: Provider, captured: Captured) -> None:
    """The same for async clients."""

    async def run() -> Any:
        own = anthropic.DefaultAsyncHttpxClient()
        client = farebox.wrap(anthropic.AsyncAnthropic(api_key="k", base_url=provider.base))
        async with client, client.with_options(http_client=own) as copy:
            await copy.messages.create(**ASK)

    asyncio.run(run())

    assert len(captured.attempts()) == 1


def test_a_copy_is_made_as_without_us(provider: Provider) -> None:
    """The methods keep their signatures and errors, and unwrapping takes them back."""
    bare = anthropic.Anthropic(api_key="k", base_url=provider.base)
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base))

    assert inspect.signature(client.with_options) == inspect.signature(bare.with_options)
    assert client.copy.__doc__ == bare.copy.__doc__
    assert client.copy(timeout=3).timeout == bare.copy(timeout=3).timeout
    farebox.unwrap(client)
    assert not {"copy", "with_options"} & vars(client).keys()
