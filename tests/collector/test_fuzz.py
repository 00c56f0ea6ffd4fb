"""Random bytes at the ports of OTLP get a status of the protocol, and leave nothing behind.

Some seconds with the other tests, five minutes by `make fuzz`: FAREBOX_FUZZ_S says how long, FAREBOX_FUZZ_SEED which.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import grpc
import pytest
import requests
from farebox_up import Up
from otlp_messages import log_record, logs, span, traces

# Read here: tests run without the shell's FAREBOX_ variables.
SECONDS = float(os.environ.get("FAREBOX_FUZZ_S", "4"))
SEED = int(os.environ.get("FAREBOX_FUZZ_SEED", "20261123"))
WAYS = 3
GROWTH_BYTES_MAX = 300 * 1024 * 1024
PATHS = ("/v1/traces", "/v1/logs", "/v1/metrics")
METHODS = tuple(f"/opentelemetry.proto.collector.{name}Service/Export" for name in ("trace.v1.Trace", "logs.v1.Logs"))
# Of a call whose bytes are no message, of one whose compression is none, and of one that is taken.
GRPC_STATUSES = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED}
GOOD = traces(*(span(number, {"text": "日本", "n": 1.5, "list": ["a", 1]}) for number in range(20, 40)))
WIRE = GOOD.SerializeToString()
RECORDS = logs(*(log_record(number) for number in range(3))).SerializeToString()
HEAD = (
    b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 9\r\n\r\n"
)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"


@pytest.fixture(scope="module")
def up(start_up: Callable[..., Up], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = start_up(tmp_path_factory.mktemp("fuzz") / "ledger")
    before = memory(started)
    yield started
    assert memory(started) - before < GROWTH_BYTES_MAX
    assert started.post(traces(span(7)).SerializeToString()).status_code == 200
    assert "Traceback" not in "".join(started.errors)
    assert started.stop() == 0


def memory(up: Up) -> float:
    """Bytes of the process that are in memory."""
    text = requests.get(up.otlp + "/metrics", timeout=10).text
    return float(text.partition("\nfarebox_collector_process_memory_bytes ")[2].split()[0])


def tries(number: int) -> Iterator[random.Random]:
    """Give dice again and again while the time of one way goes on, thirty times at least."""
    dice, until, given = random.Random(SEED + number), time.monotonic() + SECONDS / WAYS, 0
    while time.monotonic() < until or given < 30:
        given += 1
        yield dice


def broken(good: bytes, dice: random.Random) -> bytes:
    """Replace, remove and insert some bytes, or make all of them up."""
    body = bytearray(good if dice.random() < 0.7 else dice.randbytes(dice.randrange(2000)))
    for _ in range(dice.randrange(8) if body else 0):
        place = dice.randrange(len(body))
        body[place : place + dice.randrange(3)] = dice.randbytes(dice.randrange(4))
        body = body or bytearray(b"x")
    return bytes(body)


def test_bodies(up: Up) -> None:
    """A body that is broken, of another type or in another encoding than it says, gets 200, 400, 413 or 415."""
    seeds = [WIRE, RECORDS, gzip.compress(WIRE), json.dumps({"resourceSpans": []}).encode()]
    kinds, encodings = ["application/x-protobuf", "application/json", "text/plain"], ["", "gzip", "deflate", "zstd"]
    with requests.Session() as session:
        for dice in tries(1):
            body = broken(dice.choice(seeds), dice)
            headers = {"Content-Type": dice.choice(kinds), "Content-Encoding": dice.choice(encodings)}
            answer = session.post(up.otlp + dice.choice(PATHS), body, headers=headers, timeout=30)

            assert answer.status_code in (200, 400, 413, 415), (answer.status_code, body, headers)


def test_bytes_that_are_no_protocol(up: Up) -> None:
    """Whatever comes to the ports of HTTP and gRPC, each goes on with whoever speaks its protocol."""
    ports = [(int(up.otlp.rpartition(":")[2]), HEAD), (int(up.grpc.rpartition(":")[2]), PREFACE)]
    for dice in tries(2):
        port, head = dice.choice(ports)
        with socket.create_connection(("127.0.0.1", port), 10) as connection, suppress(OSError):
            connection.sendall(broken(head, dice) + dice.randbytes(dice.randrange(3000)))
            connection.settimeout(0.01)
            connection.recv(100)

    assert requests.get(up.otlp + "/healthz", timeout=10).status_code == 200


def test_calls(up: Up) -> None:
    """A call of gRPC with a broken message gets the status that says not to come back with it, or is taken."""
    with grpc.insecure_channel(up.grpc) as channel:
        calls = [channel.unary_unary(method) for method in METHODS]
        for dice in tries(3):
            body = broken(dice.choice([WIRE, RECORDS]), dice)
            code = dice.choice(calls).with_call
            try:
                status = code(body, timeout=30)[1].code()
            except grpc.RpcError as error:
                status = error.code()

            assert status in GRPC_STATUSES, (status, body)
