"""Bills of other grain, scope and currency are compared as far as they go; what is asked wrongly is one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ledger.spans import attempt, store

from farebox._cli import main
from farebox_ledger import Store
from farebox_ledger._book import sync_book
from farebox_ledger._book_own import read_own_book
from farebox_ledger.reconcile._check import Terms
from farebox_ledger.reconcile._lines import Line, make_bill
from farebox_ledger.reconcile._run import asked_of, reconcile, reconcile_as_asked

START = datetime(2026, 11, 3, tzinfo=UTC)
DAY = timedelta(days=1)
CNY = (
    '[[prices]]\nprovider = "alibaba"\nmodel = "qwen-plus"\ncurrency = "CNY"\nuncached_input_tokens = 0.8\n'
    "output_tokens = 2\n"
)
USAGE = {"uncached_input_tokens": 1_000_000, "output_tokens": 100_000}  # 1.5 dollars of Haiku


@pytest.fixture(scope="module")
def ledger(audited: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Calls with two keys at Anthropic, one price in CNY at Alibaba, and a month of calls at OpenAI."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("own"))
    Path("farebox.toml").write_text(CNY, encoding="utf-8")
    sync_book(audited.client, read_own_book(audited.dsn))
    noon = START + timedelta(hours=12)
    spans = [attempt(usage=USAGE, started_at=noon, key_fingerprint=key) for key in ("fp-a", "fp-a", "fp-b")]
    spans += [attempt("qwen-plus", "alibaba", usage=USAGE, started_at=noon)]
    spans += [
        attempt("gpt-5.4-mini", "openai", usage=USAGE, started_at=datetime(2026, 10, day, 12, tzinfo=UTC))
        for day in (1, 15, 31)
    ]
    store(audited.client, *spans)
    yield audited
    os.chdir(before)


def check(ledger: Store, provider: str, lines: list[Line], terms: Terms | None = None) -> dict[str, Any]:
    """Compare lines with the ledger, and keep nothing."""
    bill = make_bill(provider, "test", "a bill", lines)
    told = reconcile(ledger.client, [bill], None, [], terms or Terms(), "tester", keep=False)
    (found,) = told["providers"]
    return {**found, "findings": told["findings"]}


def haiku(key: str, units: int, unit: str = "uncached_input_tokens", amount: str | None = None) -> Line:
    """One line of Anthropic's."""
    return Line(
        START,
        START + DAY,
        "claude-haiku-4-5-20251001",
        unit,
        Decimal(units),
        None if amount is None else Decimal(amount),
        key_id=key,
    )


def by_reason(found: dict[str, Any]) -> dict[str, str]:
    """Say what each reason makes of the difference."""
    return {each["reason"]: each["difference"] for each in found["reasons"]}


KEYS = [
    haiku("key_1", 2_000_000),
    haiku("key_1", 200_000, "output_tokens"),
    haiku("key_2", 1_000_000),
    haiku("key_2", 100_000, "output_tokens"),
    haiku("key_3", 500_000),
]


def test_keys_are_joined_by_the_users_names(ledger: Store) -> None:
    """A bill's ids of keys lead to fingerprints; a key that farebox has never seen is somebody else's."""
    names = {("key", "key_1"): "fp-a", ("key", "key_2"): "fp-b"}

    found = check(ledger, "anthropic", KEYS, Terms(names=names))

    assert by_reason(found) == {"foreign": "0.5"}
    assert found["findings"][0]["key"] == "key_3"
    assert found["findings"][0]["evidence"] == "farebox has seen no call of key key_3"
    assert found["notes"] == []


def test_keys_that_cannot_be_joined_are_not_compared_by(ledger: Store) -> None:
    """Without names the sums of all keys are compared, and the note says what would join them."""
    found = check(ledger, "anthropic", KEYS)

    assert by_reason(found) == {"foreign": "0.5"}
    assert {each["key"] for each in found["findings"]} == {""}
    assert found["notes"] == [
        "not compared by key: the bill names key_1, key_2, key_3, the ledger others; join them with --names"
    ]


def test_a_bill_of_months_is_compared_by_months(ledger: Store) -> None:
    """A line for a month stands against the month's calls: its first and last day in, the next month out."""
    month = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    lines = [
        Line(*month, "gpt-5.4-mini", "uncached_input_tokens", Decimal(3_000_000), Decimal("2.25")),
        Line(*month, "gpt-5.4-mini", "output_tokens", Decimal(300_000), Decimal("1.35")),
    ]

    found = check(ledger, "openai", lines)

    assert (found["difference"], found["reasons"], found["recorded"]) == ("0", [], "3.6")


def test_days_of_another_zone_are_compared_as_they_are(ledger: Store) -> None:
    """Days that a bill itself puts elsewhere are no discrepancy: each is held against its own 24 hours."""
    start = datetime(2026, 10, 14, 16, tzinfo=UTC)  # the fifteenth in China
    days = [(start + DAY * number, units) for number, units in ((-1, 0), (0, 1_000_000), (1, 0))]
    lines = [
        Line(at, at + DAY, "gpt-5.4-mini", unit, Decimal(units if unit == "uncached_input_tokens" else units // 10))
        for at, units in days
        for unit in ("uncached_input_tokens", "output_tokens")
    ]

    found = check(ledger, "openai", lines)

    assert (found["difference"], found["reasons"], found["recorded"]) == ("0", [], "1.2")


def test_prices_in_another_currency_are_compared_in_it(ledger: Store) -> None:
    """Where book and bill have the same other currency, both stand in it, and no dollar is touched."""
    lines = [
        Line(START, START + DAY, "qwen-plus", "uncached_input_tokens", Decimal(1_000_000), Decimal("0.8"), "CNY"),
        Line(START, START + DAY, "qwen-plus", "output_tokens", Decimal(100_000), Decimal("0.25"), "CNY"),
    ]

    found = check(ledger, "alibaba", lines)

    assert (found["billed"], found["recorded"]) == ("0", "0")
    assert [(each["reason"], each["currency"], each["difference"]) for each in found["reasons"]] == [
        ("price", "CNY", "0.05")
    ]
    assert [(day["currency"], day["state"], day["billed"]) for day in found["by_day"]] == [
        ("CNY", "under_recorded", "1.05")
    ]


def test_a_rate_makes_another_currency_comparable(ledger: Store) -> None:
    """With --rate the amounts are compared in dollars; without it they are not, and the news is bad."""
    lines = [
        Line(START, START + DAY, "claude-haiku-4-5", "uncached_input_tokens", Decimal(3_000_000), Decimal(2), "EUR"),
        Line(START, START + DAY, "claude-haiku-4-5", "output_tokens", Decimal(300_000), Decimal(1), "EUR"),
    ]

    with_rate = check(ledger, "anthropic", lines, Terms(rates={"EUR": Decimal("1.5")}))
    without = check(ledger, "anthropic", lines)

    assert (with_rate["matched"], with_rate["difference"], with_rate["reasons"]) == (True, "0", [])
    assert without["matched"] is False
    assert [(each["reason"], each["difference"], each["size"]) for each in without["reasons"]] == [
        ("currency", None, "3")
    ]
    assert without["reasons"][0]["evidence"][0] == (
        "billed 2 EUR, recorded 3 USD, which would be a rate of 1.5; give yours with --rate"
    )


def test_what_is_asked_survives_the_way_to_the_ledgers_holder(ledger: Store) -> None:
    """The running `farebox up` is asked in JSON: the answer is the same as here."""
    bill = make_bill("anthropic", "test", "a bill", KEYS)
    terms = Terms({"EUR": Decimal("1.08")}, {("key", "key_1"): "fp-a", ("key", "key_2"): "fp-b"}, Decimal("0.01"), True)

    here = reconcile(ledger.client, [bill], None, [], terms, "tester", keep=False)
    there = reconcile_as_asked(ledger.client, json.loads(json.dumps(asked_of([bill], None, [], terms, "tester"))))

    assert there["findings"] == here["findings"]
    assert there["providers"] == here["providers"]


def test_the_latest_import_of_a_day_counts(ledger: Store) -> None:
    """A bill that is imported again, corrected, replaces the former of its days; both stay readable."""
    first = make_bill("openai", "test", "first", [_mini(1, "0.75"), _mini(2, "1")])
    second = make_bill("openai", "test", "second", [_mini(1, "0.5")])
    for bill in (first, second):
        reconcile(ledger.client, [bill], None, [], Terms(), "tester", keep=True)

    days = {each["day"]: each["billed"] for each in _kept(ledger)["by_day"]}
    lines = ledger.client.query("SELECT count() FROM bills FINAL WHERE provider = 'openai'").result_rows
    assert days == {"2026-10-01": "0.5", "2026-10-02": "1"}
    assert lines == [(3,)]


def _mini(day: int, amount: str) -> Line:
    start = datetime(2026, 10, day, tzinfo=UTC)
    return Line(start, start + DAY, "gpt-5.4-mini", "uncached_input_tokens", Decimal(10**6), Decimal(amount))


def _kept(ledger: Store) -> dict[str, Any]:
    from farebox_ledger._period import Period

    period = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 10, tzinfo=UTC))
    (found,) = reconcile(ledger.client, [], period, ["openai"], Terms(), "tester", keep=False)["providers"]
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--rate EUR", "--rate 'EUR' is no rate; write a currency and how many USD one of it is"),
        ("--rate EUR=-1", "--rate 'EUR=-1' is no rate"),
        ("--tolerance much", "--tolerance 'much' is no share between 0 and 1"),
        ("--tolerance 200%", "--tolerance '200%' is no share"),
        ("--names names.csv", "names.csv line 2: write kind (model, tier, workspace, project, key), billed and ledger"),
        ("--names none.csv", "none.csv cannot be read as a CSV file"),
        ("--mapping none.toml", "none.toml cannot be read as TOML"),
        ("none.json", "none.json cannot be read"),
        ("--fetch anthropic", "ANTHROPIC_ADMIN_KEY is not set"),
        ("names.csv --format generic", "the format generic needs --mapping FILE"),
        ("--format nosuch", "nosuch"),
    ],
)
def test_misuse_is_one_sentence(
    arguments: str,
    words: str,
    ledger: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was asked wrongly is named with its value and what is allowed, exit 2."""
    monkeypatch.chdir(tmp_path)
    for name in ("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_ADMIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    Path("names.csv").write_text("kind,billed,ledger\nkeys,a,b\n", encoding="utf-8")
    try:
        code = main(["reconcile", *arguments.split(), "--dsn", str(ledger.dsn)])
    except SystemExit as left:
        code = int(str(left.code))

    error = capsys.readouterr().err
    assert code == 2
    assert words in error
    assert error.count("\n") == 1
