"""Calls whose content is looked at: clients, what is expected of a record, and fixtures that leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

import farebox
from farebox import _content, _guard, _spans, content
from farebox._recorder import recorder
from instrumentation.provider import Provider

__all__ = [
    "ASKED",
    "PNG",
    "USER",
    "Attributes",
    "_as_before",
    "assistant",
    "call",
    "claude",
    "gpt",
    "on",
    "only_content",
    "swallowed",
    "text",
    "user",
]

Attributes = dict[str, Any]

ASKED = "what the patient told the doctor"
PNG = "iVBORw0KGgo" + "Ab1" * 400
USER = {"role": "user", "content": "hi"}


_clients: list[Any] = []


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Begin with senders that have no connection; close the clients of a test, and take its redaction away."""
    recorder().drain(timeout_s=10)  # an earlier test's late record would connect them to nowhere
    for sender in (_spans.farebox_sender(), _content.content_sender()):
        if sender is not None:
            sender.shutdown()
            sender.after_fork()
    yield
    content.redact_with(None)
    while _clients:
        _clients.pop().close()


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Content is captured."""
    monkeypatch.setenv("FAREBOX_CAPTURE_CONTENT", "true")


@pytest.fixture
def swallowed() -> Iterator[list[BaseException]]:
    """What is swallowed, which is not raised at the end of this test."""
    seen: list[BaseException] = []
    former, _guard.on_swallow[:] = list(_guard.on_swallow), [seen.append]
    counted = dict(_guard._counts)
    _guard._counts.clear()
    yield seen
    _guard.on_swallow[:] = former
    _guard._counts.update(counted)


def claude(provider: Provider, **headers: str) -> anthropic.Anthropic:
    client = anthropic.Anthropic(api_key="k", base_url=provider.base, max_retries=0, default_headers=headers)
    _clients.append(client)
    return farebox.wrap(client)


def gpt(provider: Provider, **headers: str) -> openai.OpenAI:
    client = openai.OpenAI(api_key="k", base_url=provider.base + "/v1", max_retries=0, default_headers=headers)
    _clients.append(client)
    return farebox.wrap(client)


def text(said: str) -> Attributes:
    return {"type": "text", "content": said}


def user(*said: str) -> Attributes:
    return {"role": "user", "parts": list(map(text, said))}


def assistant(reason: str, *parts: Attributes) -> Attributes:
    return {"role": "assistant", "parts": list(parts), "finish_reason": reason}


def only_content(record: Any) -> Attributes:
    names = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions")
    return {name: value for name, value in record.items() if name in (*names, "farebox.content.truncated")}


def call(call_id: str | None, name: str, arguments: Any) -> Attributes:
    return {"type": "tool_call", **({} if call_id is None else {"id": call_id}), "name": name, "arguments": arguments}
