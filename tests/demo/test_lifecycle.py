"""The demo's processes come back when they are killed and are gone when the demo is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from farebox_demo.errors import DemoError
from farebox_demo.lifecycle import Child, Supervisor, clear_environment, free_port, wipe

UNTIL_STDIN_ENDS = ["-c", "import sys; print('ready', flush=True); sys.stdin.read()"]
PARENT = """
import sys, time
from pathlib import Path
from farebox_demo.lifecycle import Child
child = Child(["-c", "import sys; sys.stdin.read()"], Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(60)
"""


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Tell whether a process lives; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_killed_child_comes_back(tmp_path: Path) -> None:
    """A supervised process that is killed is started again, and the user is told."""
    said: list[str] = []
    supervisor = Supervisor("it", lambda: Child(UNTIL_STDIN_ENDS, tmp_path / "log"), said.append)
    first = supervisor.child.pid
    os.kill(first, signal.SIGKILL)

    wait_until(lambda: supervisor.restarts == 1 and bool(said))
    second = supervisor.child.pid
    supervisor.stop()

    assert said == [f"it (process {first}) was killed by signal 9; started it again as process {second}"]
    assert not is_running(second)


def test_child_that_cannot_live_is_given_up(tmp_path: Path) -> None:
    """A process that keeps dying at birth is given up, with its last words."""
    command = ["-c", "import sys; sys.exit('farebox: port 4318 is taken')"]
    supervisor = Supervisor("it", lambda: Child(command, tmp_path / "log"), lambda _: None)

    wait_until(lambda: supervisor.failure is not None)
    with pytest.raises(DemoError, match=r"exit code 1: .*farebox: port 4318 is taken"):
        supervisor.check()
    supervisor.stop()


def test_child_that_says_nothing(tmp_path: Path) -> None:
    """A process that ends before its first line is an error that quotes its log."""
    child = Child(["-c", "import sys; sys.exit('no such seed')"], tmp_path / "log", reads_output=True)
    with pytest.raises(DemoError, match="no such seed"):
        child.first_line()
    child.stop()


def test_children_of_a_killed_parent_end(tmp_path: Path) -> None:
    """Not even kill -9 of the demo leaves a child behind."""
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.kill()

        wait_until(lambda: not is_running(child))


def test_free_port() -> None:
    """The preferred port is taken if it is free, else another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert free_port(port) != port
    assert free_port(port) == port


def test_wipe_removes_only_a_demo(tmp_path: Path) -> None:
    """A folder with the demo's name but someone's files is left alone."""
    folder = tmp_path / ".farebox-demo"
    wipe(folder)
    (folder / "data").write_text("old")
    wipe(folder)

    assert [path.name for path in folder.iterdir()] == [".demo"]
    (folder / ".demo").unlink()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(DemoError, match="holds no demo data"):
        wipe(folder)
    assert (folder / "thesis.txt").read_text() == "mine"


def test_environment_sends_spans_to_the_demo_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_ variables of the user's shell do not disturb the demo, and proxies do not see its loopback."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://elsewhere")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    monkeypatch.setenv("NO_PROXY", "intranet")
    monkeypatch.setenv("no_proxy", "")

    clear_environment("http://127.0.0.1:4318")

    assert {name: value for name, value in os.environ.items() if name.startswith("OTEL_")} == {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"
    }
    assert os.environ["NO_PROXY"] == "intranet,127.0.0.1,localhost"
    assert os.environ["no_proxy"] == "127.0.0.1,localhost"
