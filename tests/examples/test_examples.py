"""The examples run as they stand, as scripts, and each is recorded as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from instrumentation.provider import Provider, start
from instrumentation.test_sender import Collector

FOLDER = Path(__file__).parents[2] / "instrumentation" / "examples"


@pytest.fixture(scope="module")
def provider() -> Provider:
    """Both providers, on this machine."""
    return start()


def run(name: str, provider: Provider, *arguments: str, **variables: str) -> tuple[list[dict[str, Any]], str]:
    """Run an example; returns the attributes of its spans, with name, trace and parent, and what it printed."""
    with Collector().running() as collector:
        environment = {
            **os.environ,
            "ANTHROPIC_API_KEY": "k",
            "ANTHROPIC_BASE_URL": provider.base,
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": f"{provider.base}/v1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            **variables,
        }
        done = subprocess.run(
            [sys.executable, str(FOLDER / f"{name}.py"), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    spans = [
        {each.key: each.value.string_value or each.value.int_value for each in span.attributes}
        | {"name": span.name, "trace": span.trace_id.hex(), "parent": span.parent_span_id.hex()}
        for span in collector.spans
    ]
    return spans, done.stdout


@pytest.mark.parametrize(
    ("prompt", "route", "model"),
    [
        ("What is the capital of France?", "easy", "qwen/qwen3.5-flash-02-23"),
        ("法国的首都是哪里？", "multilingual", "qwen/qwen3.5-flash-02-23"),
        ("word " * 5000, "hard", "claude-haiku-4-5"),
    ],
)
def test_hybrid_router(prompt: str, route: str, model: str, provider: Provider) -> None:
    """Each prompt goes to the model of its route, under the route's name."""
    (span,), printed = run("hybrid_router", provider, prompt)

    assert (span["farebox.route"], span["gen_ai.request.model"]) == (route, model)
    assert span["farebox.task"]
    assert printed.strip()


def test_agent_loop(provider: Provider) -> None:
    """All steps belong to one task, whose end is told; the loop stops at its bound."""
    spans, printed = run("agent_loop", provider)

    steps = [span for span in spans if span["name"].startswith("chat ")]
    (told,) = [span for span in spans if span["name"] == "farebox.outcome"]
    assert len(steps) == 4
    assert {span["farebox.task"] for span in spans} == {told["farebox.task"]}
    assert printed == "not finished\n"


def test_batch_job(provider: Provider) -> None:
    """The tags of the block are on the calls of all threads."""
    spans, printed = run("batch_job", provider)

    assert [(span["farebox.route"], span["farebox.tenant"]) for span in spans] == [("nightly-reviews", "acme")] * 2
    assert len(printed.splitlines()) == 2


def test_existing_otel(provider: Provider) -> None:
    """The call hangs below the application's own span, in its trace."""
    (span,), printed = run("existing_otel", provider)

    assert span["trace"] == printed.strip()
    assert re.fullmatch(r"[0-9a-f]{16}", span["parent"])


def test_gateways(provider: Provider) -> None:
    """A known host, a gateway whose provider is said, and a private address each have their provider."""
    base = f"{provider.base}/v1"
    addresses = dict.fromkeys(("OPENROUTER_BASE_URL", "GATEWAY_BASE_URL", "VLLM_BASE_URL"), base)
    spans, printed = run("gateways", provider, **addresses)

    providers = {str(span["farebox.route"]): span["farebox.provider"] for span in spans}
    assert providers == {"openrouter": "openrouter", "gateway": "fireworks", "vllm": "self_hosted"}
    assert len(printed.splitlines()) == 3
