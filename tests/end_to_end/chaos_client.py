"""A client that sends attempts over bad lines and keeps a book of what was acknowledged, and what it would cost."""

from __future__ import annotations

import gzip
import http.client
import json
import random
import socket
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import urlsplit

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otlp_messages import attempt, traces

__all__ = ["Client", "unit_cost"]

ANSWER_S_MAX = 5.0
FINISH_S_MAX = 90.0
DAY_NS = 86_400 * 10**9


def unit_cost(uncached_input: int, output: int) -> Decimal:
    """USD of an attempt of Claude Haiku 4.5: 1 a million input tokens, 5 a million output tokens."""
    return Decimal(uncached_input) * Decimal("0.000001") + Decimal(output) * Decimal("0.000005")


class Client(threading.Thread):
    """Sends batch after batch, each until it is acknowledged, unless its dice say that it goes away before.

    `acknowledged` and `unanswered` hold the cost of each span by number; whether the latter are in the ledger is open.
    """

    def __init__(self, first: int, dice: random.Random, address: Callable[[], str]) -> None:
        super().__init__(daemon=True)
        self.acknowledged: dict[int, Decimal] = {}
        self.unanswered: dict[int, Decimal] = {}
        self.faults: list[str] = []
        self._next = first
        self._dice = dice
        self._address = address
        self._finishing = threading.Event()
        self._given_up = False
        self._held: list[tuple[list[Span], dict[int, Decimal]]] = []
        self._sent: list[list[Span]] = []

    def finish(self) -> None:
        """Send what was begun, and no more."""
        self._finishing.set()

    def give_up(self) -> None:
        """End soon, whatever is left."""
        self._finishing.set()
        self._given_up = True

    def run(self) -> None:
        try:
            while not self._finishing.is_set():
                self._misbehave()
                self._send_until_acknowledged(*self._in_another_order(*self._batch()))
            for spans, costs in self._held:
                self._send_until_acknowledged(spans, costs)
        except Exception as error:  # a client that ends early would make the books look right
            self.faults.append(f"a client failed: {error!r}")

    def _batch(self) -> tuple[list[Span], dict[int, Decimal]]:
        spans, costs = [], {}
        for _ in range(self._dice.choice([1, 1, 5, 20, 100])):
            number, self._next = self._next, self._next + 1
            tokens = {
                "uncached_input_tokens": self._dice.randint(0, 10**6),
                "output_tokens": self._dice.randint(0, 10**5),
            }
            spans.append(attempt(number, {f"farebox.usage.{name}": value for name, value in tokens.items()}))
            costs[number] = unit_cost(tokens["uncached_input_tokens"], tokens["output_tokens"])
            if self._dice.random() < 0.05:  # the client's clock has jumped
                years = self._dice.choice([-30.0, -0.1, -0.003, 0.001, 100.0, 250.0])
                spans[-1].start_time_unix_nano += int(years * 365) * DAY_NS
        return spans, costs

    def _in_another_order(self, spans: list[Span], costs: dict[int, Decimal]) -> tuple[list[Span], dict[int, Decimal]]:
        """Hold a batch back at times, and send an older one in its place."""
        if self._dice.random() < 0.2:
            self._held.append((spans, costs))
            return self._held.pop(0)
        return spans, costs

    def _misbehave(self) -> None:
        """Do what a bad line or a dying client does; nothing of it may leave a trace in the money."""
        roll = self._dice.random()
        if roll < 0.08:
            self._cut_off(self._batch()[0])
        elif roll < 0.14:
            spans, costs = self._batch()
            self.unanswered |= costs
            self._hang_up(traces(*spans).SerializeToString())
        elif (
            roll < 0.22 and self._sent
        ):  # sent again in other company, at times with other content: the first one counts
            old = [self._copy(span) for span in self._dice.choice(self._sent)]
            spans, costs = self._batch()
            self._send_until_acknowledged(old + spans, costs)

    def _copy(self, span: Span) -> Span:
        copied = Span()
        copied.CopyFrom(span)
        if self._dice.random() < 0.3:
            copied.start_time_unix_nano += 3600 * 10**9
            for pair in copied.attributes:
                if pair.key.startswith("farebox.usage.output"):
                    pair.value.int_value += 1000
        return copied

    def _send_until_acknowledged(self, spans: list[Span], costs: dict[int, Decimal]) -> None:
        invalid = [Span()] if self._dice.random() < 0.1 else []
        request = traces(*spans, *invalid)
        body, headers = request.SerializeToString(), {"Content-Type": "application/x-protobuf"}
        way = self._dice.random()
        if way < 0.2:
            body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        elif way < 0.3:
            body, headers["Content-Type"] = _json(request), "application/json"
        deadline: float | None = None
        while not self._given_up:
            if self._post(body, headers, len(invalid)):
                self.acknowledged |= costs
                self._sent = [*self._sent[-20:], spans]
                if self._dice.random() < 0.1:  # the answer got lost, as far as the sender knows
                    self._post(body, headers, len(invalid))
                return
            if self._finishing.is_set():
                deadline = deadline or time.monotonic() + FINISH_S_MAX
                if time.monotonic() > deadline:
                    break
            time.sleep(0.05)
        self.unanswered |= costs

    def _post(self, body: bytes, headers: dict[str, str], invalid: int) -> bool:
        parts = urlsplit(self._address())
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_S_MAX)
        try:
            connection.request("POST", "/v1/traces", body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if answer.status == 200:
            self._check(content, headers, invalid)
            return True
        if answer.status not in (408, 429, 502, 503, 504):
            self.faults.append(f"answered {answer.status}: {content[:200]!r}")
            self._given_up = True
        return False

    def _check(self, content: bytes, headers: dict[str, str], invalid: int) -> None:
        if headers["Content-Type"] == "application/json":
            rejected = int(json.loads(content).get("partialSuccess", {}).get("rejectedSpans", 0))
        else:
            rejected = ExportTraceServiceResponse.FromString(content).partial_success.rejected_spans
        if rejected != invalid:
            self.faults.append(f"{rejected} spans rejected instead of {invalid}")

    def _cut_off(self, spans: list[Span]) -> None:
        """Announce a body and send a part of it, at times after a pause: it can never be acknowledged."""
        body = traces(*spans).SerializeToString()
        self._talk(_head(len(body)) + body[: self._dice.randrange(len(body))], self._dice.choice([0.0, 0.0, 0.3]))

    def _hang_up(self, body: bytes) -> None:
        """Send a whole body and go away before the answer."""
        self._talk(_head(len(body)) + body, self._dice.choice([0.0, 0.001, 0.01]))

    def _talk(self, data: bytes, pause_s: float) -> None:
        parts = urlsplit(self._address())
        try:
            with socket.create_connection((parts.hostname, parts.port or 0), ANSWER_S_MAX) as connection:
                connection.sendall(data)
                time.sleep(pause_s)
        except OSError:
            pass


def _head(length: int) -> bytes:
    return (
        b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
        b"Content-Length: %d\r\n\r\n" % length
    )


def _json(request: ExportTraceServiceRequest) -> bytes:
    document = MessageToDict(request)
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in span.keys() & {"traceId", "spanId"}:
                    span[name] = b64decode(span[name]).hex()
    return json.dumps(document).encode()
