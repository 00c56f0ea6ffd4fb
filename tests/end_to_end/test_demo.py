"""`farebox demo`, whole: real processes, one of them killed on the way, and not a cent lost or doubled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import farebox_up

FOLDER = ".farebox-demo"
WAIT_S = 90


def start(folder: Path, *options: str, dsn: str = "") -> subprocess.Popen[str]:
    """Start a demo in a folder of its own, on free ports."""
    ports = dict.fromkeys((f"FAREBOX_{each}_PORT" for each in ("OTLP", "GRPC", "CLICKHOUSE", "VIEWER")), "0")
    environment = {**os.environ, **ports, "FAREBOX_DSN": dsn}
    return subprocess.Popen(
        [sys.executable, "-c", farebox_up.HEARING, str(Path(sys.executable).with_name("farebox")), "demo", *options],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(condition: Callable[[], Any], process: subprocess.Popen[str]) -> Any:
    until = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def invoiced(folder: Path) -> int:
    """Count the lines that the providers have invoiced so far."""
    return sum(len(path.read_text().splitlines()) for path in (folder / FOLDER).glob("invoice-*.jsonl"))


def up_pid(folder: Path) -> int | None:
    try:
        pid: int = json.loads((folder / FOLDER / "up.json").read_text())["pid"]
    except (OSError, ValueError):
        return None
    return pid


def children(pid: int) -> set[int]:
    """List the processes whose parent this is."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return {int(word) for word in listed.stdout.split()}


def running(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def totals(audit: dict[str, Any]) -> dict[tuple[str, str], Decimal]:
    """Add up what was invoiced, by provider and model; which line carries a cache write may vary, the sums may not."""
    return {
        (account["provider"], account["model"]): Decimal(account["known_invoiced"])
        + Decimal(account["unknown_invoiced"])
        for account in audit["accounts"]
    }


def test_kill_of_up_in_the_middle(tmp_path: Path) -> None:
    """With `farebox up` killed half-way, ledger and invoices agree to the last digit and nothing stays behind.

    The failures that the models showed are the ones the ledger has.
    """
    with start(tmp_path, "--calls", "300", "--seed", "3", "--json") as demo:
        wait_until(lambda: invoiced(tmp_path) > 100, demo)
        killed = up_pid(tmp_path)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        family = children(demo.pid) | {killed}
        out, said = demo.communicate(timeout=WAIT_S)

    assert demo.returncode == 0, said
    told = json.loads(out)
    assert told["audit"]["discrepancies"] == []
    assert told["audit"]["passed"] is True
    assert {account["difference"] for account in told["audit"]["accounts"]} <= {"0", "0.000000000000"}
    assert sum(account["known"] + account["unknown"] for account in told["audit"]["accounts"]) == invoiced(tmp_path)
    assert sum(each["happened"] for each in told["failures"]) > 0
    assert [each for each in told["failures"] if each["missed"] or each["mistaken"]] == []
    assert f"farebox up (process {killed}) was killed by signal 9; started it again" in said
    assert running(family) == set()


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C in the middle ends the demo with all it started."""
    with start(tmp_path, "--calls", "5000") as demo:
        wait_until(lambda: invoiced(tmp_path) > 20, demo)
        family = children(demo.pid)
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=WAIT_S)

    assert len(family) == 2
    assert demo.returncode == 130
    assert running(family) == set()


def test_a_running_up_is_used_and_left_alone(tmp_path: Path) -> None:
    """A demo beside a running `farebox up` writes to that one's ledger, and again, and leaves it running."""
    up = farebox_up.start(tmp_path / "ledger")
    try:
        audits = []
        for _ in range(2):
            with start(tmp_path, "--calls", "20", "--json", dsn=f"chdb:{up.folder}") as demo:
                out, said = demo.communicate(timeout=WAIT_S)
            assert demo.returncode == 0, said
            audits.append(json.loads(out)["audit"])
        (held,) = up.rows("SELECT count() FROM llm_attempts")

        assert f"Using the `farebox up` that runs on chdb://{up.folder} (process {up.process.pid})." in said
        assert totals(audits[0]) == totals(audits[1])
        assert held[0] == 2 * sum(account["known"] + account["unknown"] for account in audits[0]["accounts"])
        assert up.process.poll() is None
        assert not (tmp_path / FOLDER / "up.json").exists()
    finally:
        up.end()


def test_two_demos_in_one_folder(tmp_path: Path) -> None:
    """A second demo in the folder of a running one says so and exits 2, and the first goes on."""
    with start(tmp_path, "--calls", "5000") as first:
        wait_until(lambda: up_pid(tmp_path), first)
        with start(tmp_path) as second:
            _, said = second.communicate(timeout=WAIT_S)
        held_by = up_pid(tmp_path)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=WAIT_S)

    assert second.returncode == 2
    assert said == (
        f"farebox: another demo runs in {FOLDER} (process {held_by}); stop it, or start this one elsewhere\n"
    )
    assert first.returncode == 128 + signal.SIGTERM
    assert running({held_by or 0}) == set()
