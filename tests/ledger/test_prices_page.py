"""The page on prices says what is so: its files are read, its commands run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from farebox_up import environment

from farebox_ledger import Dsn
from farebox_ledger._book_own import read_own_book, read_price_file

PAGE = (Path(__file__).parents[2] / "sql" / "PRICES.md").read_text(encoding="utf-8")
CLI = [sys.executable, "-c", "import sys; from farebox._cli import main; sys.exit(main())"]


def blocks(language: str) -> list[str]:
    """Give the page's blocks of code in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's files and a ledger that has taken them up."""
    path = tmp_path_factory.mktemp("page")
    (path / "farebox.toml").write_text(blocks("toml")[0], encoding="utf-8")
    (path / "mine.csv").write_text(blocks("csv")[0], encoding="utf-8")
    run(path, "farebox migrate")
    return path


def run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the page."""
    program, *arguments = shlex.split(command)
    assert program == "farebox"
    return subprocess.run(
        [*CLI, *arguments], capture_output=True, text=True, cwd=folder, env=environment(), timeout=120
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_runs(folder: Path, command: str) -> None:
    """Each line that the page shows exits 0 and prints something, on a ledger with the page's own files."""
    done = run(folder, command)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_the_pages_files_say_what_the_page_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The TOML and the CSV of the page are read whole."""
    monkeypatch.chdir(folder)
    own = read_own_book(Dsn("chdb", path=folder / "elsewhere"))

    assert [(row.provider, row.model, row.unit) for row in own.prices] == [
        ("anthropic", "claude-haiku-4-5", "uncached_input_tokens"),
        ("anthropic", "claude-haiku-4-5", "output_tokens"),
        ("self_hosted", "llama-5", "uncached_input_tokens"),
        ("self_hosted", "llama-5", "output_tokens"),
        ("self_hosted", "qwen3", "hours"),
        ("alibaba", "qwen-plus", "uncached_input_tokens"),
        ("alibaba", "qwen-plus", "output_tokens"),
    ]
    assert (len(own.discounts), len(own.aliases), len(read_price_file(folder / "mine.csv"))) == (1, 1, 2)


def test_ones_own_prices_are_listed_as_such(folder: Path) -> None:
    """After the page's commands, --own lists what its files hold."""
    run(folder, "farebox prices import mine.csv")

    listed = run(folder, "farebox prices list --own").stdout

    assert {line.split()[1] for line in listed.splitlines()[2:-1]} == {
        "m-1",
        "qwen-plus",
        "claude-haiku-4-5",
        "llama-5",
        "qwen3",
    }
    assert "CNY 0.80" in listed
    assert "$2.50" in listed
