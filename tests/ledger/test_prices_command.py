"""`farebox prices` shows what the book holds and by whose word, imports, and says when the news is bad."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ledger.spans import attempt, store

from farebox._cli import main
from farebox_ledger import Store
from farebox_ledger._book import reload_book, sync_book
from farebox_ledger._book_import import catalogue_news, catalogue_rows
from farebox_ledger._book_own import read_own_book


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No farebox.toml of the machine takes part."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def book(_shared_store: Store) -> Store:
    """A ledger that nobody changes."""
    return _shared_store


def ask(ledger: Store, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command against a ledger."""
    code = main(["prices", *arguments, "--dsn", str(ledger.dsn)])
    return (code, *capsys.readouterr())


def answer(ledger: Store, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Run the command for JSON."""
    _, out, _ = ask(ledger, capsys, *arguments, "--json")
    return json.loads(out)


def test_the_book_is_listed_by_provider(book: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a filter a row a provider says how much there is and how old it is."""
    code, out, _ = ask(book, capsys, "list")

    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[0] == ["provider", "models", "prices", "of", "your", "own", "approximate", "checked"]
    assert {line[0] for line in lines} >= {"anthropic", "azure", "bedrock", "vertex", "deepseek", "groq", "mistral"}


def test_prices_are_listed_for_a_million_tokens(book: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Filters narrow the list to what one asks for, and every column that holds something is there."""
    code, out, _ = ask(book, capsys, "list", "--provider", "fireworks", "--model", "Qwen3.5-Flash")

    assert code == 0
    assert [line.rstrip() for line in out.splitlines()] == [
        "provider    model           variant   region   above   input   cache read   image in   output   from",
        "────────────────────────────────────────────────────────────────────────────────────────────────────────",
        "fireworks   qwen3.5-flash                              $0.30        $0.15      $0.30    $1.20          ≈",
        "1 row; ≈ is not the provider's own page; above is total input",
    ]


def test_lists_are_exact_in_json(book: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Prices are exact text for one unit, an unknown beginning is null, and so is what is not sold."""
    (found,) = answer(book, capsys, "list", "--provider", "fireworks", "--model", "qwen3.5-flash")

    assert {
        key: found[key] for key in ("model", "currency", "output_tokens", "hours", "valid_from", "approximate")
    } == {
        "model": "qwen3.5-flash",
        "currency": "USD",
        "output_tokens": "0.000001200000",
        "hours": None,
        "valid_from": None,
        "approximate": True,
    }


def test_a_list_is_of_one_time(book: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """--at gives the prices of that day; --since only those that began since."""

    def base(*arguments: str) -> list[tuple[str, str]]:
        rows = answer(book, capsys, "list", "--provider", "deepseek", "--model", "v4-flash", *arguments)
        return [(row["uncached_input_tokens"], row["valid_from"]) for row in rows if not row["variant"]]

    assert base("--at", "2026-08-01") == [("0.000000140000", None)]
    assert base("--at", "2026-08-20") == [("0.000000220000", "2026-08-17")]
    assert base("--since", "2026-09-01") == [("0.000000150000", "2026-09-10")]
    assert base("--since", "2026-09-11") == []


def test_show_says_by_whose_word(book: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A name is looked up as the ledger does; each price has its region, and its source and day below."""
    code, out, _ = ask(book, capsys, "show", "us.anthropic.claude-haiku-4-5-20251001-v1:0")

    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 0
    assert lines[0] == ("claude-haiku-4-5 of bedrock, the book's name of us.anthropic.claude-haiku-4-5-20251001-v1:0")
    assert "bedrock claude-haiku-4-5 global $1.00 $0.10 $1.25 $2.00 $1.25 $1.00 $5.00" in lines
    assert "https://aws.amazon.com/bedrock/pricing/ via genai-prices 0.2.3, checked 2026-11-23" in lines


def test_show_gives_every_price_ever_entered_in_json(book: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """The history has withdrawn prices as null, each row with its source."""
    (found,) = answer(book, capsys, "show", "claude-sonnet-4-6", "--provider", "anthropic")

    ended = [row for row in found["history"] if row["price"] is None]
    assert (found["provider"], found["model"]) == ("anthropic", "claude-sonnet-4-6")
    assert {(row["tier_above"], row["valid_from"], row["note"]) for row in ended} == {(200_000, "2026-03-13", "Ended")}
    assert all(row["source"] for row in found["history"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "claude-haiku-44-5"], "the price book knows no model 'claude-haiku-44-5'; spelt alike are claude-"),
        (["show", "x", "--provider", "acme"], "the price book has no provider 'acme'; it has alibaba, anthropic, "),
        (["list", "--provider", "acme"], "--provider 'acme' is not in the price book; it has alibaba, anthropic, "),
        (["list", "--since", "soon"], "--since 'soon' is no time; write a span back from now"),
        (["list", "--at", "0x"], "--at '0x' is no time; write a span back from now"),
        (["import", "nowhere.csv"], "nowhere.csv cannot be read as a CSV file: "),
        (["import", "empty.csv"], "empty.csv holds no prices; write one a line under its headings"),
        (["check", "--age-max", "old"], "--age-max 'old' is not a number of days above 0; write one like 90"),
        (["check", "--until", "2w", "--since", "1w"], "--until 2w is not after --since 1w"),
    ],
)
def test_bad_input_is_answered_in_one_sentence(
    book: Store, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    """What cannot be meant exits 2 with a sentence that says what is allowed, and no traceback."""
    Path("empty.csv").write_text("provider,model,unit,price\n", encoding="utf-8")

    code, out, errors = ask(book, capsys, *arguments)

    assert (code, out) == (2, "")
    assert errors.startswith(f"farebox: {words}")
    assert errors.count("\n") == 1


def test_check_is_content_with_a_fresh_book(fresh_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """All seen models priced, nothing old, nobody says otherwise: exit 0."""
    store(fresh_store.client, attempt(started_at=datetime.now(UTC)))

    code, out, _ = ask(fresh_store, capsys, "check", "--since", "1d")

    assert code == 0
    assert "1 attempts of 1 models" in out
    assert "0 prices differ from genai-prices" in out
    assert out.endswith("✓ nothing to worry about\n")


def test_check_names_what_is_bad(fresh_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A model without a price, a host that reports another cost, and a price that differs make exit 1."""
    now = datetime.now(UTC)
    store(
        fresh_store.client,
        attempt("claude-haiku-9", started_at=now),
        attempt("qwen/qwen3.5-flash-02-23", "openrouter", reported_cost="0.1", started_at=now),
        attempt("anthropic/claude-haiku-4.5", "openrouter", reported_cost="0.00105", started_at=now),
    )
    fresh_store.client.command(
        "INSERT INTO prices SELECT * REPLACE(price * 2 AS price, now64(6) AS added_at) FROM prices "
        "WHERE provider = 'groq' AND model = 'llama3-8b-8192' AND unit = 'output_tokens'"
    )
    reload_book(fresh_store.client)

    found = answer(fresh_store, capsys, "check", "--since", "1d")
    code, out, _ = ask(fresh_store, capsys, "check", "--since", "1d")

    assert code == 1
    assert found["unpriced"][0]["price_reason"] == "no price for model claude-haiku-9 of anthropic"
    assert [(row["provider"], row["model"], row["reported"]) for row in found["reported"]] == [
        ("openrouter", "qwen3.5-flash", "0.100000000000")
    ]
    assert [(each["model"], each["book"], each["other"]) for each in found["disagreements"]] == [
        ("llama3-8b-8192", "0.000000160000", "0.000000080000")
    ]
    assert found["bad_news"] == [
        "1 attempts of 1 models have no price; add one to farebox.toml or import it",
        "hosts report other costs than the book for 1 models",
        "1 prices differ from genai-prices 0.2.3; `farebox prices import genai-prices` takes them over",
    ]
    assert "✗ 1 attempts of 1 models have no price" in out


def test_check_lists_prices_that_hold_without_a_file(
    fresh_store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A file that is gone ends nothing, so what it had is named; an entry that was taken out of one has ended."""
    entry = '[[prices]]\nprovider = "acme"\nmodel = "m-1"\nuncached_input_tokens = 2\nvalid_from = 2026-01-01\n'
    file = tmp_path / "farebox.toml"
    told = []
    for text in (entry, None, ""):
        if text is None:
            file.unlink()
        else:
            file.write_text(text, encoding="utf-8")
        sync_book(fresh_store.client, read_own_book(fresh_store.dsn))
        told.append(answer(fresh_store, capsys, "check")["kept"])

    assert [[(row["model"], row["unit"], row["price"]) for row in kept] for kept in told] == [
        [],
        [("m-1", "uncached_input_tokens", "0.000002000000")],
        [],
    ]


def test_what_ended_is_shown_as_ended(fresh_store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`list --own` leaves it out and says so, `show` says since when and why."""
    entry = '[[prices]]\nprovider = "acme"\nmodel = "{}"\noutput_tokens = 2.5\n'
    for text in (entry.format("m-1") + entry.format("m-2"), entry.format("m-2")):
        (tmp_path / "farebox.toml").write_text(text, encoding="utf-8")
        sync_book(fresh_store.client, read_own_book(fresh_store.dsn))

    (shown,) = answer(fresh_store, capsys, "show", "m-1")
    own = answer(fresh_store, capsys, "list", "--own")
    printed = [ask(fresh_store, capsys, *words)[1] for words in (("show", "m-1"), ("list", "--own"))]

    assert [(row["unit"], row["former"]) for row in shown["ended"]] == [("output_tokens", "0.000002500000")]
    assert [row["model"] for row in own] == ["m-2"]
    for text in printed:
        assert "your own price of m-1 of acme, output (USD 2.50), ended 20" in " ".join(text.split())
        assert "farebox.toml no longer has it" in " ".join(text.split())


def test_an_old_book_is_bad_news(fresh_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A book that nobody checked for longer than --age-max days exits 1."""
    fresh_store.client.command(
        "ALTER TABLE prices UPDATE checked_on = '2025-01-01' WHERE 1 SETTINGS mutations_sync = 2"
    )

    found = answer(fresh_store, capsys, "check", "--age-max", "30")

    assert any("days ago, on 2025-01-01; upgrade farebox" in sentence for sentence in found["bad_news"])


def test_the_catalogue_that_is_shipped_is_the_one_installed() -> None:
    """Nothing is to be imported from the genai-prices that the book was generated from."""
    source, rows = catalogue_rows(datetime.now(UTC).date())

    assert source == "genai-prices 0.2.3"
    assert len(rows) > 8000
    assert catalogue_news(datetime.now(UTC).date()) == ([], [])
