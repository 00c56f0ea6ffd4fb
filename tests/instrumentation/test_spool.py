"""With a spool, a process may end or be killed while nobody listens: a later one delivers what it left, once."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from farebox._encode import Envelope
from farebox._sender import Delivery, Sender
from farebox._spool import Spool
from instrumentation.provider import Provider
from instrumentation.test_sender import Collector, run_script

NOBODY = "http://127.0.0.1:9"
KILLED = """
import anthropic, farebox, os, pathlib, sys, time
client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=sys.argv[1]))
client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "hi"}])
while not list(pathlib.Path(os.environ["FAREBOX_SPOOL_DIR"]).glob("*.otlp")):
    time.sleep(0.05)
os.kill(os.getpid(), 9)
"""


def files(folder: Path, kind: str = "*.otlp") -> list[Path]:
    return sorted(folder.glob(kind))


def test_what_a_script_left_is_delivered_by_the_next(provider: Provider, tmp_path: Path) -> None:
    """A short job with the collector down loses nothing: its spans wait in files that only their owner can read."""
    folder = tmp_path / "spool"
    run_script(provider, "plain", NOBODY, FAREBOX_SPOOL_DIR=str(folder))

    (left,) = files(folder)
    assert stat.S_IMODE(left.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with Collector().running() as collector:
        run_script(provider, "plain", collector.endpoint, FAREBOX_SPOOL_DIR=str(folder))

    assert len({span.span_id for span in collector.spans}) == len(collector.spans) == 2
    assert files(folder) == []


def test_a_killed_process_leaves_its_spans(provider: Provider, tmp_path: Path) -> None:
    """kill -9 loses nothing of what was written down."""
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": NOBODY, "FAREBOX_SPOOL_DIR": str(tmp_path)}
    killed = subprocess.run([sys.executable, "-W", "ignore", "-c", KILLED, provider.base], env=environment, timeout=30)
    assert killed.returncode == -signal.SIGKILL

    with Collector().running() as collector:
        run_script(provider, "plain", collector.endpoint, FAREBOX_SPOOL_DIR=str(tmp_path))

    assert len({span.span_id for span in collector.spans}) == 2
    assert files(tmp_path) == []


class Scripted:
    """A transport that gives the deliveries it is told to, and keeps what it was given."""

    def __init__(self, *deliveries: Delivery) -> None:
        self.deliveries, self.bodies = list(deliveries), []

    def send(self, body: bytes) -> Delivery:
        self.bodies.append(body)
        return self.deliveries.pop(0) if self.deliveries else Delivery(True)


def sender_to(transport: Scripted, folder: Path, bytes_max: int = 10_000) -> Sender:
    return Sender(lambda: transport, Envelope({}, "farebox", "1"), spool=Spool(folder, bytes_max))


def test_what_the_collector_refuses_is_set_aside(tmp_path: Path) -> None:
    """A permanent refusal is counted and its file kept for a person to look at; the next goes through."""
    sender = sender_to(Scripted(Delivery(False, retry=False, reason="HTTP 400")), tmp_path)
    sender.put(b"one")
    assert sender.drain(5, give_up=False)
    sender.put(b"two")
    assert sender.drain(5, give_up=False)
    sender.shutdown()

    assert (sender.refused, sender.sent, sender.spooled) == (1, 1, 0)
    assert files(tmp_path) == []
    assert len(files(tmp_path, "*.refused")) == 1


def test_a_full_spool_keeps_spans_in_memory(tmp_path: Path) -> None:
    """Beyond its bound nothing is written, and what waits in memory is delivered all the same."""
    transport = Scripted(*[Delivery(False, retry=True, retry_after_s=0.01)] * 5)
    sender = sender_to(transport, tmp_path, bytes_max=10)
    sender.put(b"a span longer than the spool")
    assert sender.drain(5, give_up=False)
    sender.shutdown()

    assert sender.sent == 1
    assert files(tmp_path) == []
    assert len(transport.bodies) == 6


def test_a_folder_that_takes_nothing_is_no_loss(tmp_path: Path, swallowed: list[BaseException]) -> None:
    """Where the spool cannot be written, spans wait in memory as without one, and the error is counted."""
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    sender = sender_to(Scripted(), in_the_way)
    sender.put(b"one")
    assert sender.drain(5, give_up=False)
    sender.shutdown()

    assert sender.sent == 1
    assert swallowed


def test_what_cannot_be_read_holds_up_nothing(tmp_path: Path, swallowed: list[BaseException]) -> None:
    """Something in the folder that is no readable file is counted, and what comes after it is delivered."""
    (tmp_path / "0-x-0-1.otlp").mkdir()
    sender = sender_to(Scripted(), tmp_path)
    sender.put(b"one")
    assert sender.drain(5, give_up=False)
    sender.shutdown()

    assert sender.sent == 1
    assert swallowed


def test_what_was_refused_takes_room(tmp_path: Path) -> None:
    """Files that were set aside count towards the spool's bound, so that a refusing collector fills no disk."""
    (tmp_path / "0-x-0-1.refused").write_bytes(b"x" * 95)
    spool = Spool(tmp_path, 100)

    assert not spool.keep(b"a body", 1)


def test_torn_files_are_never_sent(tmp_path: Path) -> None:
    """What a killed process had only begun to write is not sent, and removed after an hour."""
    young, old = tmp_path / "1-x-0-1.begun", tmp_path / "0-x-0-1.begun"
    for begun in (young, old):
        begun.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    transport = Scripted()
    sender = sender_to(transport, tmp_path)
    sender.put(b"one")
    assert sender.drain(5, give_up=False)
    sender.shutdown()

    assert [b"half" in body for body in transport.bodies] == [False]
    assert (young.exists(), old.exists()) == (True, False)


def test_two_processes_do_not_send_a_file_at_once(tmp_path: Path) -> None:
    """A request that one process is sending is left alone by the other, and is gone for it afterwards."""
    pytest.importorskip("fcntl")
    one, other = Spool(tmp_path, 10_000), Spool(tmp_path, 10_000)
    assert one.keep(b"body", 1)

    with one.oldest() as mine:
        assert mine is not None
        file, body = mine
        assert body == b"body"
        with other.oldest() as theirs:
            assert theirs is None
        file.done()
    with other.oldest() as theirs:
        assert theirs is None
