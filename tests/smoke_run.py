"""Run in a virtual environment that holds an installed farebox: does it start, and does a call reach the ledger?

    python smoke_run.py

Needs the extras collector, local and anthropic, and nothing of this repository.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

COMMAND = str(Path(sys.prefix) / "bin" / "farebox")
EXPECTED = Decimal("0.00105")  # 1,000 input tokens at $1 a million, 10 output tokens at $5
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [{"type": "text", "text": "Hello."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1000, "output_tokens": 10},
}


class Provider(BaseHTTPRequestHandler):
    """Answers every request with the same message."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(MESSAGE).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def provider() -> Iterator[str]:
    """Serve a provider on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@contextmanager
def up(folder: Path) -> Iterator[str]:
    """Run `farebox up` on any free ports; it must end well."""
    ports = {f"FAREBOX_{name}_PORT": "0" for name in ("OTLP", "CLICKHOUSE", "VIEWER")}
    process = subprocess.Popen(
        [COMMAND, "up", "--dsn", f"chdb:{folder}"], env=os.environ | ports, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("Ledger"):
                break
        yield re.findall(r"^OTLP/HTTP +(\S+?:\d+)", said, re.MULTILINE)[0]
    finally:
        process.terminate()
        ended = process.wait(timeout=30)
    assert ended == 0, f"farebox up ended with {ended}"


def call(base: str) -> None:
    """Make one call with a wrapped client, and deliver it."""
    import anthropic

    import farebox

    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=base), provider="anthropic", route="smoke")
    client.messages.create(model="claude-haiku-4-5", max_tokens=10, messages=[{"role": "user", "content": "Hello"}])
    assert farebox.flush(timeout_s=30), "the call was not delivered"


def farebox_says(*words: str) -> str:
    """Run the installed command."""
    return subprocess.run([COMMAND, *words], check=True, capture_output=True, text=True, timeout=60).stdout


def main() -> None:
    """Try it from one end to the other."""
    assert farebox_says("--version") == f"farebox {version('farebox')}\n"
    with tempfile.TemporaryDirectory() as scratch, provider() as base:
        ledger = Path(scratch) / "ledger"
        with up(ledger) as otlp:
            otlp = otlp if "://" in otlp else f"http://{otlp}"
            with urllib.request.urlopen(f"{otlp}/healthz", timeout=10) as answer:
                assert answer.status == 200
            os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = otlp
            call(base)
            asked = "SELECT route, count() AS attempts, sum(list_cost) AS usd FROM llm_attempts GROUP BY route"
            (row,) = json.loads(farebox_says("sql", asked, "--json", "--dsn", f"chdb:{ledger}"))
    assert (row["route"], int(row["attempts"]), Decimal(row["usd"])) == ("smoke", 1, EXPECTED), row
    python = ".".join(map(str, sys.version_info[:3]))
    sys.stdout.write(f"farebox {version('farebox')} on Python {python}: up, healthy, a call landed at ${EXPECTED}\n")


if __name__ == "__main__":
    main()
