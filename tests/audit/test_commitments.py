"""What was promised to a provider stands beside what is spent of it, and what it comes to at the pace of late."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from ledger.spans import attempt, store

from farebox._cli import main
from farebox_ledger import Store
from farebox_ledger._book import sync_book
from farebox_ledger._book_own import read_own_book
from farebox_ledger._commitments import read_commitments
from farebox_ledger.errors import BookError

TODAY = date(2026, 11, 20)
OWN = """
[[discounts]]
provider = "anthropic"
percent = 10

[[commitments]]
provider = "anthropic"
name = "order"
amount = {amount}
starts = 2026-11-01
ends = 2026-12-01

[[commitments]]
provider = "openai"
amount = 5
starts = 2026-10-01
ends = 2026-11-01

[[commitments]]
provider = "alibaba"
amount = 7
currency = "CNY"
starts = 2026-12-01
ends = 2027-01-01
"""


@pytest.fixture(scope="module")
def ledger(audited: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A dollar a day at Anthropic, one call of it without a price, and six dollars at OpenAI in October."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("own"))
    say(audited, OWN.format(amount=100))
    days = [datetime(2026, 10, 25, 12, tzinfo=UTC) + timedelta(days=number) for number in range(26)]
    million = {"uncached_input_tokens": 1_000_000, "output_tokens": 0}
    store(audited.client, *(attempt(usage=million, started_at=day) for day in days))
    store(audited.client, attempt("unheard-of", started_at=days[-1]))
    store(audited.client, *(attempt("gpt-5.4-mini", "openai", usage=million, started_at=days[0]) for _ in range(8)))
    yield audited
    os.chdir(before)


def say(ledger: Store, toml: str) -> int:
    """Write farebox.toml and bring the ledger in step."""
    Path("farebox.toml").write_text(toml, encoding="utf-8")
    return sync_book(ledger.client, read_own_book(ledger.dsn))


def test_what_is_used_and_what_it_comes_to(ledger: Store) -> None:
    """Spent is after discounts and within the days; the forecast adds days left at the pace; the rest is short."""
    alibaba, anthropic, openai = read_commitments(ledger.client, TODAY)

    # 0.9 dollars on each of 19 days, and eleven days left; the pace knows no day before the commitment.
    assert (anthropic.spent, anthropic.forecast, anthropic.shortfall) == (
        Decimal("17.1"),
        Decimal("27.00"),
        Decimal("73.00"),
    )
    assert (anthropic.unpriced, anthropic.at_least) == (1, True)
    assert (openai.spent, openai.forecast, openai.shortfall) == (Decimal(6), Decimal("6.00"), Decimal(0))
    assert (alibaba.spent, alibaba.forecast, alibaba.shortfall) == (Decimal(0), None, Decimal(7))


def test_a_commitment_that_changes_is_a_new_row(ledger: Store) -> None:
    """The latest word holds, an empty amount withdraws it, and what was promised before stays readable."""
    same, more = say(ledger, OWN.format(amount=100)), say(ledger, OWN.format(amount=20))
    changed = {each.provider: each.amount for each in read_commitments(ledger.client, TODAY)}
    gone = say(ledger, OWN.format(amount='""'))
    left = [each.provider for each in read_commitments(ledger.client, TODAY)]

    kept = ledger.client.query("SELECT amount FROM commitments WHERE provider = 'anthropic' ORDER BY added_at")
    say(ledger, OWN.format(amount=100))
    assert (same, more, gone) == (0, 1, 1)
    assert changed["anthropic"] == 20
    assert left == ["alibaba", "openai"]
    assert kept.result_rows == [(Decimal(100),), (Decimal(20),), (None,)]


def test_the_command_shows_them_and_exits_1_when_one_falls_short(
    ledger: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """People see promised, spent, used and the shortfall; programs exact decimals."""
    code = main(["prices", "commitments", "--dsn", str(ledger.dsn)])
    out = capsys.readouterr().out
    again = main(["prices", "commitments", "--json", "--dsn", str(ledger.dsn)])

    told = json.loads(capsys.readouterr().out)
    assert (code, again) == (1, 1)
    assert "order" in out
    assert "≥ " in out
    assert [each["amount"] for each in told] == ["7", "100", "5"]
    assert told[2]["ends"] == "2026-11-01"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("amount = 1\nstarts = 2026-02-01\nends = 2026-01-01", "ends 2026-01-01 is not after starts 2026-02-01"),
        ("amount = -1\nstarts = 2026-01-01\nends = 2026-02-01", "amount '-1' is not between 0 and"),
        ("starts = 2026-01-01\nends = 2026-02-01", "amount is missing"),
        ("amount = 1\ncurrency = 'usd'\nstarts = 2026-01-01\nends = 2026-02-01", "currency 'usd' is not a code"),
        ("amount = 1\nuntil = 2026-01-01", "'until' is none of provider, name, amount"),
    ],
)
def test_a_bad_commitment_is_one_sentence(
    entry: str, words: str, audited: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong in farebox.toml is named with its place and what is allowed."""
    monkeypatch.chdir(tmp_path)
    Path("farebox.toml").write_text(f'[[commitments]]\nprovider = "openai"\n{entry}\n', encoding="utf-8")

    with pytest.raises(BookError, match=r"\[\[commitments\]\] number 1") as caught:
        read_own_book(audited.dsn)

    assert words in str(caught.value)
