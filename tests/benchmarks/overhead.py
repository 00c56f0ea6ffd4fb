"""What wrapping costs the caller: added microseconds a call, against a bare client and a hand-written span.

    python tests/benchmarks/overhead.py [--rounds 400] [--columns stream]
    python tests/benchmarks/overhead.py --peers genai,openllmetry,openinference     # pip install -e '.[bench]'

Real SDKs over an in-memory transport, sync, content off. Each round times one call of every variant in turn, so that a
slow moment of the machine hits all alike; the lower quartile of the differences to the bare call is printed.
With --peers: the CPU of the whole process a call, export to a local sink included, each variant in a process of its
own, as added to the bare call, in turns; the median of the turns.
"""

from __future__ import annotations

import argparse
import gc
import http.server
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import openai

SETTLE_S = 0.002


def sink() -> str:
    """Start an OTLP sink in a process of its own and return its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    multiprocessing.get_context("fork").Process(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


class Memory(httpx2.BaseTransport):
    """Answers from memory, as one body or as a list of chunks."""

    def __init__(self, content: bytes | list[bytes]) -> None:
        self.content = content

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if isinstance(self.content, bytes):
            return httpx2.Response(200, headers={"content-type": "application/json"}, content=self.content)
        chunks = self.content

        class Body(httpx2.SyncByteStream):
            def __iter__(self) -> Any:
                yield from chunks

        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())


TOOLS = [
    {
        "name": f"tool_{number}",
        "description": "Look something up " * 10,
        "input_schema": {"type": "object", "properties": {"q": {"type": "string"}, "n": {"type": "integer"}}},
    }
    for number in range(10)
]
OPENAI_TOOLS = [{"type": "function", "function": {**tool, "parameters": tool["input_schema"]}} for tool in TOOLS]
USAGE = {"input_tokens": 100, "output_tokens": 200, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 0}
CHAT_USAGE = {"prompt_tokens": 100, "completion_tokens": 200, "total_tokens": 300}
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "usage": USAGE}
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5.4-mini"}


def sse(data: Any, event: str = "") -> bytes:
    return (f"event: {event}\n" if event else "").encode() + b"data: " + json.dumps(data).encode() + b"\n\n"


def anthropic_stream() -> list[bytes]:
    start = {**MESSAGE, "content": [], "stop_reason": None, "stop_sequence": None}
    block = {"type": "text", "text": ""}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "some words "}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 200}}
    return [
        sse({"type": "message_start", "message": start}, "message_start"),
        sse({"type": "content_block_start", "index": 0, "content_block": block}, "content_block_start"),
        *[sse(delta, "content_block_delta")] * 200,
        sse({"type": "content_block_stop", "index": 0}, "content_block_stop"),
        sse(end, "message_delta"),
        sse({"type": "message_stop"}, "message_stop"),
    ]


def openai_stream() -> list[bytes]:
    def chunk(delta: Any, finish: Any = None) -> bytes:
        return sse({**CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    return [
        *[chunk({"content": "some words "})] * 200,
        chunk({}, "stop"),
        sse({**CHUNK, "choices": [], "usage": CHAT_USAGE}),
        b"data: [DONE]\n\n",
    ]


def message(*content: Any) -> bytes:
    return json.dumps({**MESSAGE, "content": content, "stop_reason": "end_turn", "stop_sequence": None}).encode()


def chat(reply: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **reply}, "finish_reason": "stop"}
    return json.dumps({**CHUNK, "object": "chat.completion", "choices": [choice], "usage": CHAT_USAGE}).encode()


TEXT = "A thousand characters of answer. " * 30
TOOL_USE = [
    {"type": "tool_use", "id": f"t{n}", "name": f"tool_{n}", "input": {"q": "x" * 50, "n": n}} for n in range(3)
]
TOOL_CALLS = [
    {"id": f"t{n}", "type": "function", "function": {"name": f"tool_{n}", "arguments": json.dumps({"q": "x", "n": n})}}
    for n in range(3)
]
ASK: dict[str, Any] = {"model": "claude-haiku-4-5", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}
LONG: dict[str, Any] = {**ASK, "messages": [{"role": "user", "content": "word " * 20_000}]}
CHAT: dict[str, Any] = {"model": "gpt-5.4-mini", "messages": ASK["messages"]}
USAGE_ASKED = {"stream": True, "stream_options": {"include_usage": True}}

# column → (SDK, what the transport answers, how the caller calls)
COLUMNS: dict[str, tuple[str, Any, Callable[[Any], Any]]] = {
    "anthropic text": ("a", message({"type": "text", "text": TEXT}), lambda c: c.messages.create(**ASK)),
    "anthropic tools": ("a", message(*TOOL_USE), lambda c: c.messages.create(**ASK, tools=TOOLS)),
    "anthropic stream": ("a", anthropic_stream(), lambda c: list(c.messages.create(**ASK, stream=True))),
    "anthropic 100 KB": ("a", message({"type": "text", "text": TEXT}), lambda c: c.messages.create(**LONG)),
    "openai text": ("o", chat({"content": TEXT}), lambda c: c.chat.completions.create(**CHAT)),
    "openai tools": (
        "o",
        chat({"content": None, "tool_calls": TOOL_CALLS}),
        lambda c: c.chat.completions.create(**CHAT, tools=OPENAI_TOOLS),
    ),
    "openai stream": ("o", openai_stream(), lambda c: list(c.chat.completions.create(**CHAT, **USAGE_ASKED))),
    "openai 100 KB": (
        "o",
        chat({"content": TEXT}),
        lambda c: c.chat.completions.create(model="gpt-5.4-mini", messages=LONG["messages"]),
    ),
}


def make(sdk: str, content: Any) -> Any:
    http_client = httpx2.Client(transport=Memory(content))
    if sdk == "a":
        return anthropic.Anthropic(api_key="k", http_client=http_client, max_retries=0)
    return openai.OpenAI(api_key="k", http_client=http_client, max_retries=0)


def hand_written(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The floor: a span of twelve attributes around the call, written by hand, with the stock batch processor."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("floor")

    def traced(client: Any) -> Any:
        with tracer.start_as_current_span("chat") as span:
            result = call(client)
            for number in range(12):
                span.set_attribute(f"attribute.{number}", number)
            return result

    return traced


def measure(column: str, rounds: int) -> dict[str, list[float]]:
    """Return, for each variant, the seconds of each round."""
    import farebox

    sdk, content, call = COLUMNS[column]
    floor_call = hand_written(call)
    variants: dict[str, tuple[Callable[[Any], Any], Any]] = {
        "bare": (call, make(sdk, content)),
        "hand-written span": (floor_call, make(sdk, content)),
        "farebox": (call, farebox.wrap(make(sdk, content))),
    }
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(20):
        for does, client in variants.values():
            does(client)
    gc.collect()
    gc.disable()
    order = list(variants)
    for _ in range(rounds):
        call(variants["bare"][1])  # warm after the pause
        random.shuffle(order)
        for name in order:
            does, client = variants[name]
            began = time.perf_counter()
            does(client)
            times[name].append(time.perf_counter() - began)
        time.sleep(SETTLE_S)
    gc.enable()
    farebox.flush(10)
    return times


def cpu(variant: str, column: str, calls: int) -> float:
    """Return the CPU microseconds of this whole process a call; it must have been started for this variant."""
    sdk, content, call = COLUMNS[column]
    client = make(sdk, content)
    finish = SET_UP[variant](client)
    for _ in range(20):
        call(client)
    finish()
    began = time.process_time()
    for _ in range(calls):
        call(client)
    finish()
    return (time.process_time() - began) / calls * 1e6


def no_set_up(client: Any) -> Callable[[], object]:
    return lambda: None


def farebox_set_up(client: Any) -> Callable[[], object]:
    import farebox

    farebox.wrap(client)
    return lambda: farebox.flush(30)


def peer_set_up(*names: str) -> Callable[[Any], Callable[[], object]]:
    """Instrument with a peer's instrumentors and the stock batch processor and exporter."""

    def set_up(client: Any) -> Callable[[], object]:
        from importlib import import_module

        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        os.environ.update(ANTHROPIC_OPEN_TELEMETRY="false", TRACELOOP_TRACE_CONTENT="false")
        os.environ.update(OPENINFERENCE_HIDE_INPUTS="true", OPENINFERENCE_HIDE_OUTPUTS="true")
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
        for name in names:
            module, _, cls = name.rpartition(".")
            getattr(import_module(module), cls)().instrument(tracer_provider=provider)
        return provider.force_flush

    return set_up


SET_UP: dict[str, Callable[[Any], Callable[[], object]]] = {
    "bare": no_set_up,
    "farebox": farebox_set_up,
    "genai": peer_set_up(
        "opentelemetry.instrumentation.genai.anthropic.AnthropicInstrumentor",
        "opentelemetry.instrumentation.genai.openai.OpenAIInstrumentor",
    ),
    "openllmetry": peer_set_up(
        "opentelemetry.instrumentation.anthropic.AnthropicInstrumentor",
        "opentelemetry.instrumentation.openai.OpenAIInstrumentor",
    ),
    "openinference": peer_set_up(
        "openinference.instrumentation.anthropic.AnthropicInstrumentor",
        "openinference.instrumentation.openai.OpenAIInstrumentor",
    ),
}


def compare_cpu(peers: list[str], columns: list[str], turns: int) -> None:
    """Print the added CPU of the whole process a call, farebox against peers."""
    variants = ["bare", "farebox", *peers]
    print(f"{'CPU us a call':18}" + "".join(f"{name:>15}" for name in variants) + "   (others: added to bare)")
    for column in columns:
        seen: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(turns):
            for name in variants:
                run = [sys.executable, __file__, "--one", name, "--columns", column]
                done = subprocess.run(run, capture_output=True, text=True, check=True)
                seen[name].append(float(done.stdout.split()[-1]))
        bare = statistics.median(seen["bare"])
        row = [bare, *(statistics.median(seen[name]) - bare for name in variants[1:])]
        print(f"{column:18}" + "".join(f"{each:15.0f}" for each in row))
        sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--columns", default="")
    parser.add_argument("--peers", default="")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--one", choices=SET_UP, help=argparse.SUPPRESS)
    args = parser.parse_args()
    columns = [column for column in COLUMNS if args.columns in column]
    if args.one:
        print(cpu(args.one, columns[0], 400 if "stream" not in columns[0] else 80))
        return
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = sink()
    if args.peers:
        compare_cpu(args.peers.split(","), columns, args.turns)
        return
    print(f"{'us a call':18} {'bare':>8} {'floor +':>8} {'farebox +':>9} {'ratio':>6}")
    for column in columns:
        times = measure(column, args.rounds if "stream" not in column else args.rounds // 4)
        bare, floor, ours = times["bare"], times["hand-written span"], times["farebox"]
        floor_added, ours_added = (lower_quartile(each, bare) for each in (floor, ours))
        typical = statistics.quantiles(bare, n=4)[0] * 1e6
        print(f"{column:18} {typical:8.0f} {floor_added:8.0f} {ours_added:9.0f} {ours_added / floor_added:6.2f}")
        sys.stdout.flush()


def lower_quartile(times: list[float], bare: list[float]) -> float:
    """Return the lower quartile of the added microseconds, round by round."""
    return statistics.quantiles([one - other for one, other in zip(times, bare, strict=True)], n=4)[0] * 1e6


if __name__ == "__main__":
    main()
