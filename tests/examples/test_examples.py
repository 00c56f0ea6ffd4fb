"""The examples run as they stand, as scripts, and each is recorded as it says."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from farebox_up import wait_until
from instrumentation.provider import Provider, start
from instrumentation.test_sender import Collector

FOLDER = Path(__file__).parents[2] / "instrumentation" / "examples"


@pytest.fixture(scope="module")
def provider() -> Provider:
    """Both providers, on this machine."""
    return start()


@dataclass
class Started:
    """An example that runs; once it has ended, the attributes of its spans, with name, trace and parent."""

    process: subprocess.Popen[str]
    collector: Collector

    @property
    def spans(self) -> list[dict[str, Any]]:
        """What arrived of it."""
        return [
            {
                each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value")
                for each in span.attributes
            }
            | {"name": span.name, "trace": span.trace_id.hex(), "parent": span.parent_span_id.hex()}
            for span in self.collector.spans
        ]


@contextmanager
def started(name: str, provider: Provider, *arguments: str, **variables: str) -> Iterator[Started]:
    """Start an example as a script; it must be at its end when the block is."""
    with Collector().running() as collector:
        environment = provider.environment(collector.endpoint) | variables
        words = [sys.executable, str(FOLDER / f"{name}.py"), *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(words, env=environment, text=True, **pipes) as process:
            try:
                yield Started(process, collector)
            finally:
                process.kill()


def run(name: str, provider: Provider, *arguments: str, **variables: str) -> tuple[list[dict[str, Any]], str]:
    """Run an example to its end; returns its spans and what it printed."""
    with started(name, provider, *arguments, **variables) as example:
        printed, said = example.process.communicate(timeout=60)
    assert example.process.returncode == 0, said
    return example.spans, printed


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


def test_fastapi_tenants(provider: Provider) -> None:
    """Each request's call bears the tenant and user who asked, of an answer in one piece and of a streamed one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with started("fastapi_tenants", provider, str(port)) as service:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/docs"), timeout_s=60)
        whole, streamed = (
            requests.get(f"http://127.0.0.1:{port}/{path}", {"question": "Hello?"}, headers=headers, timeout=30)
            for path, headers in (
                ("answer", {"X-Tenant": "acme", "X-User": "u1"}),
                ("stream", {"X-Tenant": "globex"}),
            )
        )
        service.process.send_signal(signal.SIGINT)
        service.process.communicate(timeout=60)

    assert (whole.json(), streamed.text) == ("Hello wörld", "Hello wörld")
    found = [tuple(span.get(f"farebox.{name}") for name in ("route", "tenant", "user")) for span in service.spans]
    assert sorted(found, key=str) == [("answers", "acme", "u1"), ("streamed", "globex", None)]


def answers(url: str) -> bool:
    """Say whether anybody listens there."""
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def test_langchain_chain(provider: Provider) -> None:
    """Both steps of a chain are recorded once each, as one task with the block's tags, with their usage."""
    spans, printed = run("langchain_chain", provider)

    assert [(span["farebox.route"], span["farebox.tag.feature"]) for span in spans] == [("parcels", "help-page")] * 2
    assert len({span["farebox.task"] for span in spans}) == 1
    assert [span["farebox.usage.state"] for span in spans] == ["reported", "reported"]
    assert printed.strip()
