"""Each command that a page shows can be typed, and all that this machine can carry out are, on one seeded ledger."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from audit.test_formats import ANTHROPIC_COST, ANTHROPIC_USAGE
from audit.test_whatif import HAIKU, QWEN, calls
from ledger.spans import NOW, Span, store

from documentation.pages import PAGES, ROOT, blocks, named
from farebox._cli import main, whole_parser
from farebox_ledger import Dsn, Store, open_store

# What is not carried out here, by its beginning, and what holds it instead.
ELSEWHERE = {
    "make": "CI runs them; tests/follow_readme.py",
    "pip install": "tests/follow_readme.py",
    "cp .env.example": "tests/dashboards/test_provisioning.py",
    "docker compose": "tests/dashboards/test_provisioning.py; there is no Docker here",
    "farebox up": "tests/collector/test_up.py",
    "farebox doctor": "tests/collector/test_doctor.py",
    "farebox backup": "tests/collector/test_backup.py",
    "farebox restore": "tests/collector/test_backup.py",
    "farebox dashboards push": "tests/dashboards/test_command.py",
    "farebox migrate --dsn clickhouse": "tests/collector/test_server.py",
    "farebox reconcile --fetch": "tests/audit/test_fetch.py",
    "farebox tokens": "tests/collector/test_tokens.py",
    "export": "sets a variable",
}
# Their commands run in tests of their own.
OWN = {"PRICES.md"}


def lines() -> Iterator[tuple[str, str]]:
    """Give each line of the pages' shell blocks, with the page it is on."""
    for page in PAGES:
        for block in blocks(page, "sh"):
            for line in block.text.replace("\\\n", " ").splitlines():
                if page.name not in OWN and (command := re.split(r"\s+# ", line)[0].strip()):
                    yield named(page), command


def is_elsewhere(command: str) -> bool:
    """Tell whether a command is carried out by another test."""
    return any(command.startswith(beginning) for beginning in ELSEWHERE)


HERE = [each for each in lines() if not is_elsewhere(each[1])]


def recent(span: Span) -> Span:
    """Move a span of the tests' fixed day into the last hours."""
    return replace(span, started_at=span.started_at + (datetime.now(UTC) - timedelta(hours=3) - NOW))


@pytest.fixture(scope="module")
def seeded(ledger_folder: Path, ledger_client: object) -> Iterator[Store]:
    """A ledger in which a support route has tasks on two models, some with marked caches."""
    marked = {"uncached_input_tokens": 100, "cache_read_tokens": 900, "cache_write_5m_tokens": 50, "output_tokens": 10}
    plain, cached = calls(40, "support", QWEN, "fireworks", bad=4), calls(40, "support", HAIKU, bad=2)
    cached = [
        replace(each, attributes={**each.attributes, **{f"farebox.usage.{leaf}": str(n) for leaf, n in marked.items()}})
        for each in cached
    ]
    with open_store(Dsn("chdb", "pages", path=ledger_folder)) as opened:
        store(opened.client, *map(recent, [*plain, *cached]))
        yield opened
        opened.client.command("DROP DATABASE pages SYNC")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the pages' commands name."""
    path = tmp_path_factory.mktemp("pages")
    (path / "resolved.csv").write_text("ticket,resolved\nticket-4711,true\n")
    (path / "usage_report.json").write_text(json.dumps(ANTHROPIC_USAGE))
    (path / "cost_report.json").write_text(json.dumps(ANTHROPIC_COST))
    (path / "mine.toml").write_text(blocks(ROOT / "sql" / "BILLS.md", "toml")[0].text)
    (path / "export.csv").write_text("Date,Model Name,Type,Count,Cost\n2026-11-03,m-1,prompt,1200,0.05\n")
    (path / "our-packages.txt").write_text("our_package\n")
    return path


def test_a_page_shows_only_commands_that_can_be_typed() -> None:
    """Every `farebox …` line of every page is one that the parser takes, also in blocks without a language."""
    parser, shown = whole_parser(), []
    for page in PAGES:
        for block in blocks(page):
            if block.language in ("", "sh"):
                shown += re.findall(r"^farebox [a-z].*$", block.text.replace("\\\n", " "), re.MULTILINE)
    for line in shown:
        command = re.split(r"\s+# | > | &$", line)[0]
        parser.parse_args(shlex.split(command)[1:])

    assert len(shown) > 80


@pytest.mark.parametrize(("page", "command"), HERE)
def test_a_command_of_a_page_runs(
    page: str,
    command: str,
    seeded: Store,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It says something and exits 0, or 1 for bad news; never 2."""
    monkeypatch.chdir(folder)
    if command.startswith("python "):
        arguments = [sys.executable, *shlex.split(command)[1:]]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60, env=os.environ)
        assert done.returncode == 0, done.stderr
        return
    monkeypatch.setenv("FAREBOX_DSN", f"chdb:{seeded.dsn.folder}?database={seeded.dsn.database}")
    code = main(shlex.split(command)[1:])
    out, errors = capsys.readouterr()

    assert (code in (0, 1), errors) == (True, "")
    assert out.strip()


def test_what_is_not_run_here_has_a_test_elsewhere() -> None:
    """Each entry of the table of exceptions is needed, and the files that it names exist."""
    shown = [command for _, command in lines()]

    assert [each for each in ELSEWHERE if not any(command.startswith(each) for command in shown)] == []
    for held in ELSEWHERE.values():
        assert all((ROOT / path).is_file() for path in re.findall(r"tests/[\w/]+\.py", held)), held


def test_sql_on_pages_runs(seeded: Store) -> None:
    """Each statement that a page shows is one that the ledger answers."""
    for page in PAGES:
        for block in blocks(page, "sql"):
            seeded.client.query(block.text)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml")], ids=named)
def test_toml_on_pages_is_read(page: Path) -> None:
    """Each block of TOML is TOML."""
    for block in blocks(page, "toml"):
        assert tomllib.loads(block.text)
