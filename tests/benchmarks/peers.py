"""What peers record of calls that do not go smoothly: the README's comparison, to be run by whoever doubts it.

    python tests/benchmarks/peers.py            # pip install -e '.[bench]'

The real Anthropic SDK against a provider on this machine, each instrumentation in a process of its own, with its own
defaults but for content and for the SDK's own tracing, which are off. One line a call: how many spans came to an end,
and of the last one whether it says that something went wrong, and the tokens that it gives.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import anthropic

sys.path.insert(0, str(Path(__file__).parents[1]))

from instrumentation.provider import start

# Instrumentation, its distribution, its instrumentor.
PEERS = {
    "farebox": ("farebox", ""),
    "OpenTelemetry GenAI": (
        "opentelemetry-instrumentation-genai-anthropic",
        "opentelemetry.instrumentation.genai.anthropic.AnthropicInstrumentor",
    ),
    "OpenLLMetry": (
        "opentelemetry-instrumentation-anthropic",
        "opentelemetry.instrumentation.anthropic.AnthropicInstrumentor",
    ),
    "OpenInference": (
        "openinference-instrumentation-anthropic",
        "openinference.instrumentation.anthropic.AnthropicInstrumentor",
    ),
}
ASKED: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hello"}],
}
INPUT = ("gen_ai.usage.input_tokens", "llm.token_count.prompt")
OUTPUT = ("gen_ai.usage.output_tokens", "llm.token_count.completion")
STATE = "farebox.usage.state"
CAPTURES = ExitStack()  # for as long as the process runs


def retried(client: Any) -> None:
    """Two answers of 529, then one that is good."""
    client.messages.create(**ASKED, extra_headers={"x-scenario": "fail:2,529", "x-key": str(os.getpid())})


def left_early(client: Any) -> None:
    """A stream that its reader leaves after the first text."""
    with client.messages.create(**ASKED, stream=True) as stream:
        for event in stream:
            if event.type == "content_block_delta":
                break


def cut(client: Any) -> None:
    """A stream whose connection breaks in the middle."""
    for _ in client.messages.create(**ASKED, stream=True, extra_headers={"x-scenario": "cut"}):
        pass


def raw(client: Any) -> None:
    """A raw response, parsed by the caller."""
    client.messages.with_raw_response.create(**ASKED).parse()


# What is done, and what the provider did: requests, and the tokens of the last answer (of a broken one nobody knows).
CALLS: dict[str, tuple[Callable[[Any], None], str]] = {
    "retried twice": (retried, "3 requests; 1310 in, 42 out"),
    "left early": (left_early, "1 request, output unknown: the stream names 1 as a placeholder"),
    "cut": (cut, "1 request that failed, output unknown"),
    "raw response": (raw, "1 request; 1310 in, 42 out"),
}


def observe(peer: str, call: str, base: str) -> str:
    """Make one call under one instrumentation, and say what it recorded."""
    client = anthropic.Anthropic(api_key="k", base_url=base)
    spans = _set_up(peer, client)
    try:
        CALLS[call][0](client)
    except anthropic.APIError:
        pass
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("httpx", "httpx2", "httpcore"):
            raise
    found = spans()
    if not found:
        return "no span came to an end"
    has_failed, attributes = found[-1]
    state = f", {attributes[STATE]}" if STATE in attributes else ""
    tokens = f"{_first(attributes, INPUT)} in, {_first(attributes, OUTPUT)} out"
    return (
        f"{len(found)} span{'s' if len(found) > 1 else ''}, {'an error' if has_failed else 'no error'}; {tokens}{state}"
    )


def _first(attributes: Mapping[str, Any], names: Sequence[str]) -> object:
    return next((attributes[name] for name in names if name in attributes), "none")


def _set_up(peer: str, client: Any) -> Callable[[], list[tuple[bool, Mapping[str, Any]]]]:
    if peer == "farebox":
        import farebox
        from farebox import testing

        captured = CAPTURES.enter_context(testing.capture())
        farebox.wrap(client)
        return lambda: [_read(span) for span in captured.spans()]
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    os.environ.update(ANTHROPIC_OPEN_TELEMETRY="false", TRACELOOP_TRACE_CONTENT="false")
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    module, _, name = PEERS[peer][1].rpartition(".")
    getattr(import_module(module), name)().instrument(tracer_provider=provider)
    return lambda: [_read(span) for span in exporter.get_finished_spans()]


def _read(span: Any) -> tuple[bool, Mapping[str, Any]]:
    return span.status.status_code.name == "ERROR", dict(span.attributes or {})


def main() -> None:
    """Print the table, call by call."""
    if sys.argv[1:2] == ["--one"]:
        sys.stdout.write(json.dumps(observe(*sys.argv[2:5])) + "\n")
        return
    base = start().base
    for call, (_, truth) in CALLS.items():
        sys.stdout.write(f"\n{call}: {truth}\n")
        for peer, (distribution, _) in PEERS.items():
            try:
                release = version(distribution)
            except PackageNotFoundError:
                sys.stdout.write(f"  {peer:20} is not installed: pip install -e '.[bench]'\n")
                continue
            run = [sys.executable, __file__, "--one", peer, call, base]
            done = subprocess.run(run, capture_output=True, text=True, check=False)
            said = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else done.stderr.strip()[-200:]
            sys.stdout.write(f"  {peer:20} {release:8} {said}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
