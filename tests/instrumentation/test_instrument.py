"""`instrument()` wraps every client made afterwards, whenever its SDK is imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import anthropic
import openai
import pytest

import farebox
from farebox._seam import is_proxy
from farebox.testing import Captured
from instrumentation.provider import Provider
from instrumentation.test_differential import ASK, CHAT


@pytest.fixture
def instrumented() -> Iterator[None]:
    farebox.instrument(route="auto")
    yield
    farebox.uninstrument()


def test_new_clients_and_their_copies_are_wrapped_once(
    instrumented: None, provider: Provider, captured: Captured
) -> None:
    """A client made after `instrument()` records each call once, and so do its copies."""
    with (
        anthropic.Anthropic(api_key="k", base_url=provider.base) as a,
        openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1") as o,
    ):
        a.messages.create(**ASK)
        a.with_options(timeout=5).messages.create(**ASK)
        o.chat.completions.create(**CHAT)

    attempts = captured.attempts()

    assert len(attempts) == 3
    assert {attempt["farebox.route"] for attempt in attempts} == {"auto"}


def test_a_client_wrapped_by_hand_keeps_its_defaults(
    instrumented: None, provider: Provider, captured: Captured
) -> None:
    """`wrap()` after `instrument()` does not count a call twice, and its defaults win."""
    with anthropic.Anthropic(api_key="k", base_url=provider.base) as client:
        farebox.wrap(client, route="mine").messages.create(**ASK)

    (attempt,) = captured.attempts()
    assert attempt["farebox.route"] == "mine"


def test_uninstrument_leaves_new_clients_alone(provider: Provider) -> None:
    """After `uninstrument()` the SDKs' classes are as they were."""
    before = vars(anthropic._base_client.SyncAPIClient)["__init__"]
    farebox.instrument()
    farebox.uninstrument()

    assert vars(anthropic._base_client.SyncAPIClient)["__init__"] is before
    assert not is_proxy(anthropic.Anthropic(api_key="k")._client)


def test_an_sdk_imported_later_is_instrumented_too() -> None:
    """`instrument()` imports no SDK; one that is imported afterwards is wrapped all the same."""
    script = (
        "import sys, farebox; farebox.instrument()\n"
        "assert 'openai' not in sys.modules and 'anthropic' not in sys.modules\n"
        "import openai; from farebox._seam import is_proxy\n"
        "assert is_proxy(openai.OpenAI(api_key='k')._client)\n"
        "assert is_proxy(openai.AsyncOpenAI(api_key='k')._client)\n"
    )

    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
