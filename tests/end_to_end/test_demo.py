"""`farebox demo`, whole: real processes, one of them killed on the way, and not a cent lost or doubled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = ".farebox-demo"
WAIT_S = 90


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    """Start a demo in a folder of its own, on free ports."""
    environment = {**os.environ, "FAREBOX_OTLP_PORT": "0", "FAREBOX_CLICKHOUSE_PORT": "0"}
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("farebox")), "demo", *options],
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


def test_kill_of_up_in_the_middle(tmp_path: Path) -> None:
    """With `farebox up` killed half-way, ledger and invoices agree to the last digit and nothing stays behind."""
    with start(tmp_path, "--calls", "400", "--seed", "3", "--json") as demo:
        wait_until(lambda: invoiced(tmp_path) > 120, demo)
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
