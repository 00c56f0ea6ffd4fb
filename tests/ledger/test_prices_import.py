"""Imported prices and a changed farebox.toml reach a ledger, held by a running `farebox up` or by nobody."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from farebox_up import Up, environment, start, wait_until
from otlp_messages import attempt, traces

CLI = [sys.executable, "-c", "import sys; from farebox._cli import main; sys.exit(main())"]
MINE = "provider,model,unit,price,valid_from,note\nacme,m-1,uncached_input_tokens,0.5,2026-01-01,contract 7\n"


def farebox(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, on the ledger in it."""
    command = [*CLI, *arguments, "--dsn", "chdb:ledger"]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment(), timeout=120)


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Up]:
    """A `farebox up` that holds the ledger of the test's folder."""
    monkeypatch.chdir(tmp_path)
    running = start(tmp_path / "ledger")
    yield running
    running.end()


def price_now(up: Up, number: int) -> tuple[str | None, str]:
    """Send a call of acme's m-1 and read what it cost."""
    attributes = {
        "farebox.provider": "acme",
        "gen_ai.response.model": "m-1",
        "farebox.usage.uncached_input_tokens": 1_000_000,
        "farebox.usage.output_tokens": 0,
    }
    assert up.post(traces(attempt(number, attributes)).SerializeToString()).status_code == 200
    asked = f"SELECT toString(list_cost), price_state FROM llm_attempts WHERE span_id = unhex('{number:016x}')"
    wait_until(lambda: bool(up.rows(asked)))
    ((cost, state),) = up.rows(asked)
    return cost, state


def test_an_import_is_kept_by_a_ledger_that_nobody_holds(tmp_path: Path) -> None:
    """It is read whole or not at all, counted, listed as one's own, and a second time adds nothing."""
    (tmp_path / "mine.csv").write_text(MINE, encoding="utf-8")

    first = farebox(tmp_path, "prices", "import", "mine.csv")
    again = farebox(tmp_path, "prices", "import", "mine.csv", "--json")
    listed = farebox(tmp_path, "prices", "list", "--own", "--json")

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("chdb:ledger: 1 prices read from mine.csv, ")
    assert json.loads(again.stdout) == {"source": "mine.csv", "rows": 1, "added": 0, "ended": 0}
    assert [(row["model"], row["uncached_input_tokens"]) for row in json.loads(listed.stdout)] == [
        ("m-1", "0.000000500000")
    ]


def test_a_file_that_replaces_ends_what_it_lacks(tmp_path: Path) -> None:
    """A later file of the same name leaves what only the former had in force, and says so; --replace ends it."""
    both = MINE + "acme,m-2,uncached_input_tokens,0.7,2026-01-01,\n"
    said = []
    for text, more in ((both, []), (MINE, []), (MINE, ["--replace"])):
        (tmp_path / "mine.csv").write_text(text, encoding="utf-8")
        done = farebox(tmp_path, "prices", "import", "mine.csv", *more)
        listed = farebox(tmp_path, "prices", "list", "--own", "--json")
        said.append((done.stdout.splitlines()[1:], [row["model"] for row in json.loads(listed.stdout)]))

    left = "1 prices of former files of this name are not in it and"
    assert said == [
        ([], ["m-1", "m-2"]),
        ([f"{left} stay in force; --replace ends them"], ["m-1", "m-2"]),
        ([f"{left} ended"], ["m-1"]),
    ]


NEWER = """
from datetime import date
from farebox_ledger import parse_dsn
from farebox_ledger._book_import import catalogue_rows, import_prices
from farebox_ledger._book_rows import alias_row, price_row
from dataclasses import replace
rows = catalogue_rows(date(2030, 1, 1))[1]
row = next(row for row in rows if (row.provider, row.model, row.unit) == ("groq", "llama3-8b-8192", "output_tokens"))
name = dict(provider="groq", field="model", match="exact", pattern="llama-3-8b", value="llama3-8b-8192")
name |= dict(checked_on="2030-01-01", source="a newer catalogue")
import_prices(parse_dsn("chdb:ledger"), [replace(row, price=row.price * 2)], "c.catalogue.csv", [alias_row(name)])
"""


def test_a_newer_catalogue_goes_before_the_shipped_book_and_behind_ones_own(tmp_path: Path) -> None:
    """Its prices hold since they were checked later, its names lead to models, and one's own prices stay in force."""
    own = "provider,model,unit,price\ngroq,llama3-70b-8192,uncached_input_tokens,7\n"
    (tmp_path / "mine.csv").write_text(own, encoding="utf-8")
    farebox(tmp_path, "prices", "import", "mine.csv")

    done = subprocess.run(
        [sys.executable, "-c", NEWER], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120
    )
    shown = json.loads(farebox(tmp_path, "prices", "show", "llama-3-8b", "--json").stdout)
    mine = json.loads(farebox(tmp_path, "prices", "list", "--own", "--json").stdout)
    checked = farebox(tmp_path, "prices", "check")

    assert (done.returncode, done.stderr) == (0, "")
    assert [(known["provider"], known["model"]) for known in shown] == [("groq", "llama3-8b-8192")]
    assert {row["book"] for row in shown[0]["history"]} == {"farebox", "imported"}
    ((price,),) = [{row["output_tokens"] for row in known["prices"]} for known in shown]
    assert price == "0.000000160000"
    assert [row["uncached_input_tokens"] for row in mine] == ["0.000007000000"]
    assert checked.returncode == 1
    assert "groq/llama3-8b-8192  output_tokens: book 0.000000160000, genai-prices" in checked.stdout


def test_a_running_up_sees_an_import_and_a_changed_file(up: Up, tmp_path: Path) -> None:
    """When the command returns, the next call has the imported price; farebox.toml is taken up by itself."""
    (tmp_path / "mine.csv").write_text(MINE, encoding="utf-8")
    before = price_now(up, 1)

    imported = farebox(tmp_path, "prices", "import", "mine.csv")
    after = price_now(up, 2)
    (tmp_path / "farebox.toml").write_text(
        '[[prices]]\nprovider = "acme"\nmodel = "m-1"\nvalid_from = 2026-01-01\nuncached_input_tokens = 0.75\n'
    )
    wait_until(lambda: "".join(up.errors).count("1 rows added to the price book") == 2)

    assert (imported.returncode, imported.stderr) == (0, "")
    assert imported.stdout == "chdb:ledger: 1 prices read from mine.csv, 1 new to the book\n"
    assert before == (None, "no_price")
    assert after == ("0.5", "priced")
    assert price_now(up, 3) == ("0.75", "priced")


def test_a_broken_file_leaves_the_running_book_alone(up: Up, tmp_path: Path) -> None:
    """The sentence says what is wrong, once; the ledger goes on with the former prices."""
    (tmp_path / "farebox.toml").write_text("[[prices]]\nprovider = 3\n")

    wait_until(lambda: "Prices stay as they were: farebox.toml: [[prices]] number 1" in "".join(up.errors))

    assert price_now(up, 1) == (None, "no_price")
    assert up.stop() == 0
