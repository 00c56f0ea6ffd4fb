"""A ledger goes into one file and comes back whole, and the engine keeps within the memory it is given."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from farebox_up import Up, environment
from otlp_messages import attempt, traces

CLI = [sys.executable, "-c", "import sys; from farebox._cli import main; sys.exit(main())"]


def farebox(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, *arguments], env=environment(), capture_output=True, text=True, timeout=120, check=False
    )


def test_backup_while_up_runs(start_up: Callable[..., Up], tmp_path: Path) -> None:
    """What was acknowledged before is in the file; restored elsewhere, every row and every figure is there."""
    up = start_up(tmp_path / "ledger", memory="3GB")
    file, dsn = tmp_path / "backup.tar.zst", f"chdb:{tmp_path}/restored"
    up.post(traces(*(attempt(number) for number in range(1, 51))).SerializeToString())
    made = farebox("backup", str(file), "--dsn", f"chdb:{up.folder}")
    cap = up.rows("SELECT toUInt64(value) FROM system.server_settings WHERE name = 'max_server_memory_usage'")
    refused = up.rows("SELECT count() FROM otel_traces")
    again = farebox("backup", str(file), "--dsn", f"chdb:{up.folder}")
    assert up.stop() == 0
    restored = farebox("restore", str(file), "--dsn", dsn)
    twice = farebox("restore", str(file), "--dsn", dsn)
    money = farebox("sql", "SELECT count(), sum(list_cost) FROM llm_attempts", "--dsn", dsn, "--json")

    assert (made.returncode, made.stderr) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    assert list((up.folder / "backups").iterdir()) == []
    assert cap == [(3_000_000_000,)]
    assert refused == [(50,)]
    assert "is there already" in again.stderr
    assert "50 attempts, 50 spans" in restored.stdout
    assert (twice.returncode, "there is a ledger" in twice.stderr) == (2, True)
    assert "0.075" in money.stdout
    assert "50" in money.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["backup", "x.zip"], "does not end in .tar.zst"),
        (["backup", "/nowhere/x.tar.zst"], "there is no folder"),
        (["backup", "x.tar.zst", "--dsn", "chdb:/nowhere/ledger"], "there is no ledger in /nowhere/ledger"),
        (["backup", "x.tar.zst", "--dsn", "clickhouse://host/farebox"], "is on a server"),
        (["restore", "/nowhere/x.tar.zst"], "there is no file"),
        (["restore", __file__], "cannot be restored"),
    ],
)
def test_misuse(tmp_path: Path, arguments: list[str], words: str) -> None:
    """What cannot be is one sentence, and leaves no ledger behind."""
    if "--dsn" not in arguments:
        arguments = [*arguments, "--dsn", f"chdb:{tmp_path}/ledger"]
    done = farebox(*arguments)

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr


def test_systemd_unit(tmp_path: Path) -> None:
    """`--systemd` prints a unit with the arguments it was given, and starts nothing."""
    done = farebox("up", "--dsn", f"chdb:{tmp_path}/50% ledger", "--systemd", "--memory", "2GB")

    assert done.returncode == 0
    assert f"up --dsn 'chdb:{tmp_path}/50%% ledger' --memory 2GB\n" in done.stdout
    assert "LimitFSIZE=infinity" in done.stdout
    assert not (tmp_path / "50% ledger").exists()


@pytest.mark.parametrize("size", ["much", "2 cups", "-1", "GB"])
def test_bad_size(size: str) -> None:
    """A size that is none is named with what is allowed."""
    done = farebox("up", f"--memory={size}")

    assert done.returncode == 2
    assert f"--memory={size!r} is not a size" in done.stderr
