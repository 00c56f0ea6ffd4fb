"""The FOCUS export has the specification's columns, no cost of what is not known, and adds up to the ledger."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger.spans import attempt, store

from farebox._cli import main
from farebox_ledger import Store
from farebox_ledger._book import sync_book
from farebox_ledger._book_own import read_own_book
from farebox_ledger._focus import COLUMNS, Export, export_focus
from farebox_ledger._period import Period
from farebox_ledger._report import Group, make_report
from farebox_ledger.reconcile._check import Terms
from farebox_ledger.reconcile._files import read_bills
from farebox_ledger.reconcile._run import reconcile

GOLDEN = Path(__file__).with_name("focus.golden.csv")
START = datetime(2026, 11, 3, tzinfo=UTC)
GOLDEN_DAY = Period(START - timedelta(days=40), START - timedelta(days=39))
ALL = Period(START, START + timedelta(days=5))
# Mandatory in FOCUS 1.2, and those of them that may be null; source: the specification at tag v1.2.
MANDATORY = {
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
}
MAY_BE_NULL = {"BillingAccountName", "ChargeClass", "ChargeDescription", "PricingQuantity", "PricingUnit"}
OWN = """
[[discounts]]
provider = "openai"
percent = 12.5

[[prices]]
provider = "alibaba"
model = "qwen-plus"
currency = "CNY"
uncached_input_tokens = 0.8
output_tokens = 2
"""


@pytest.fixture(scope="module")
def ledger(audited: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A ledger with a discount, another currency, tiers, cut streams and calls that have no price."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("own"))
    Path("farebox.toml").write_text(OWN, encoding="utf-8")
    sync_book(audited.client, read_own_book(audited.dsn))
    spans = [
        attempt(
            "claude-opus-4-6",
            usage={"uncached_input_tokens": 100_000, "output_tokens": 25_000},
            started_at=GOLDEN_DAY.since + timedelta(minutes=10 * number),
            organization="org-1",
            workspace="wrkspc_1",
            service_tier="standard",
            route="support",
        )
        for number in range(84)
    ]
    for number in range(60):
        at = START + timedelta(hours=number * 1.7)
        spans += [
            attempt("gpt-5.4-mini", "openai", usage=_usage(number), started_at=at, service_tier="flex", project="p"),
            attempt(
                "claude-haiku-4-5",
                usage={**_usage(number), "cache_write_1h_tokens": number, "cache_write_5m_tokens": 7},
                started_at=at,
                tenant=f"t{number % 3}",
            ),
        ]
    spans += [
        attempt("unheard-of", started_at=START),
        attempt(usage={}, usage_state="missing", outcome="timeout", started_at=START),
        attempt(usage={}, usage_state="none", outcome="rate_limited", started_at=START),
        attempt(usage_state="partial", outcome="abandoned", started_at=START),
        attempt("qwen-plus", "alibaba", started_at=START),
    ]
    store(audited.client, *spans)
    yield audited
    os.chdir(before)


@pytest.fixture(scope="module")
def whole(ledger: Store) -> Export:
    """All of the period at once."""
    return export_focus(ledger.client, ALL)


def _usage(number: int) -> dict[str, object]:
    return {"uncached_input_tokens": 1000 + 7 * number, "cache_read_tokens": number, "output_tokens": 3 * number + 1}


def total(export: Export, column: str = "ListCost", currency: str = "USD") -> Decimal:
    """Add a column up."""
    return sum((row[column] for row in export.rows if row["BillingCurrency"] == currency), Decimal(0))  # type: ignore[misc]


def test_the_specifications_own_example(ledger: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """8,400,000 tokens in at $5 and 2,100,000 out at $25 are 42.00 and 52.50; UPDATE_GOLDEN=1 writes the file anew."""
    arguments = f"export --focus --grain day --since {GOLDEN_DAY.since:%Y-%m-%d} --until {GOLDEN_DAY.until:%Y-%m-%d}"
    code = main([*arguments.split(), "--out", str(tmp_path), "--json", "--dsn", str(ledger.dsn)])

    told = json.loads(capsys.readouterr().out)
    text = (tmp_path / "farebox-focus.csv").read_text(encoding="utf-8")
    rows = [_steady(row) for row in csv.DictReader(text.splitlines())]
    if os.environ.get("UPDATE_GOLDEN"):
        with GOLDEN.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    assert code == 0
    assert told["totals"] == {"USD": {"ListCost": "94.5", "ContractedCost": "94.5"}}
    assert [(row["ConsumedQuantity"], row["ListUnitPrice"], row["ListCost"]) for row in rows] == [
        ("2100000", "25", "52.5"),
        ("8400000", "5", "42"),
    ]
    assert rows == list(csv.DictReader(GOLDEN.read_text(encoding="utf-8").splitlines()))


def _steady(row: dict[str, str]) -> dict[str, str]:
    """Leave out what differs from day to day."""
    return {**row, "x_PriceBookVersion": "", "x_FareboxVersion": "", "x_PriceSource": ""}


def test_every_mandatory_column_is_there_and_filled(ledger: Store) -> None:
    """What FOCUS 1.2 demands is in every row, and null only where it may be; custom columns come last, with x_."""
    rows = export_focus(ledger.client, ALL).rows

    empty = {name for row in rows for name in MANDATORY - MAY_BE_NULL if row[name] in (None, "")}
    custom = [name for name in COLUMNS if name.startswith("x_")]
    assert set(COLUMNS) >= MANDATORY
    assert empty == set()
    assert list(COLUMNS[-len(custom) :]) == custom == sorted(custom)
    assert {row["x_CostBasis"] for row in rows} == {"Estimated"}
    assert all(row["InvoiceId"] is None for row in rows)


def test_costs_are_unit_prices_times_quantities(ledger: Store) -> None:
    """ListCost is ListUnitPrice × PricingQuantity and ContractedCost the same with the discount, to the last digit."""
    rows = export_focus(ledger.client, ALL).rows

    for row in rows:
        assert row["ListUnitPrice"] * row["PricingQuantity"] == row["ListCost"]  # type: ignore[operator]
        assert row["ContractedUnitPrice"] * row["PricingQuantity"] == row["ContractedCost"]  # type: ignore[operator]
        assert row["BilledCost"] == row["EffectiveCost"] == row["ContractedCost"]
    paid = {row["ProviderName"]: row["ContractedCost"] / row["ListCost"] for row in rows}  # type: ignore[operator]
    assert paid == {"Anthropic": 1, "OpenAI": Decimal("0.875"), "Alibaba Cloud": 1}


@pytest.mark.parametrize("grain", ["hour", "day", "call"])
def test_totals_are_the_ledgers(grain: str, ledger: Store) -> None:
    """At every grain costs add up to list_cost and net_cost of the ledger, to the last digit."""
    export = export_focus(ledger.client, ALL, grain)

    bounds = {"since": ALL.since, "until": ALL.until}
    ((listed, paid),) = ledger.client.query(
        "SELECT sum(list_cost), sum(net_cost) FROM net_costs "
        "WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}",
        bounds,
    ).result_rows
    assert export.totals["USD"] == (listed, paid) == (total(export), total(export, "ContractedCost"))
    assert total(export, currency="CNY") == Decimal("0.00082")


@settings(max_examples=4)
@given(st.integers(0, 120), st.sampled_from(["hour", "day"]))
def test_split_and_merged_periods_agree(ledger: Store, whole: Export, hours: int, grain: str) -> None:
    """Cut anywhere, a period's two halves have the costs, calls and unpriced calls of the whole."""
    cut = START + timedelta(hours=hours)
    halves = [
        export_focus(ledger.client, Period(since, until), grain)
        for since, until in ((ALL.since, cut), (cut, ALL.until))
        if since < until
    ]

    assert sum(total(half) for half in halves) == total(whole)
    assert sum(total(half, "ConsumedQuantity") for half in halves) == total(whole, "ConsumedQuantity")
    assert sum(half.unpriced_calls for half in halves) == whole.unpriced_calls == 2


@settings(max_examples=2)
@given(st.integers(0, 7_200))
def test_reports_of_split_and_merged_periods_agree(ledger: Store, minutes: int) -> None:
    """Groups of a report add up to its total, and two halves, cut at any minute, to the whole."""
    cut = START + timedelta(minutes=minutes)
    whole, *halves = (
        make_report(ledger.client, each, ("route", "model"))
        for each in (ALL, Period(ALL.since, cut), Period(cut, ALL.until))
    )

    def sums(groups: Iterable[Group]) -> list[Decimal | int]:
        groups = list(groups)
        spend = sum((each.spend or Decimal(0) for each in groups), Decimal(0))
        return [
            spend,
            *(sum(getattr(each, name) for each in groups) for name in ("attempts", "calls", "no_price", "partial")),
        ]

    assert sums(whole.groups) == sums([whole.total]) == sums(half.total for half in halves)
    assert sums(group for half in halves for group in half.groups) == sums([whole.total])


def test_what_has_no_price_is_in_the_second_file(
    ledger: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Usage without a price and calls without usage are in no cost, but counted with the reason; --strict exits 1."""
    code = main(f"export --focus --strict --since {START:%Y-%m-%d} --out {tmp_path} --dsn {ledger.dsn}".split())

    rows = list(csv.DictReader((tmp_path / "farebox-unpriced.csv").read_text(encoding="utf-8").splitlines()))
    names = ("x_ModelId", "x_UsageLeaf", "ConsumedQuantity", "x_UnpricedCallCount", "x_PriceReason")
    out = capsys.readouterr().out
    assert code == 1
    assert "2 calls without a price, in no cost" in out
    assert "1 calls were cut" in out
    assert [[row[name] for name in names] for row in rows] == [
        ["claude-haiku-4-5", "", "", "1", "no usage came: timeout"],
        ["unheard-of", "output_tokens", "10", "0", "no price for model unheard-of of anthropic"],
        ["unheard-of", "uncached_input_tokens", "1000", "1", "no price for model unheard-of of anthropic"],
    ]


def test_parquet_holds_the_same_exactly(ledger: Store, tmp_path: Path) -> None:
    """Parquet has exact decimals, times with their zone, and the rows of the CSV file."""
    command = (
        f"export --focus --grain day --format parquet --since {START:%Y-%m-%d} --out {tmp_path} --dsn {ledger.dsn}"
    )
    assert main(command.split()) == 0

    table = pyarrow.parquet.read_table(tmp_path / "farebox-focus.parquet")
    export = export_focus(ledger.client, Period(START, START + timedelta(days=400)), "day")
    assert table.column_names == list(COLUMNS)
    assert table["ListCost"].to_pylist() == [row["ListCost"] for row in export.rows]
    assert table["ChargePeriodStart"].to_pylist() == [row["ChargePeriodStart"] for row in export.rows]
    assert str(table.schema.field("ContractedCost").type) == "decimal128(38, 20)"


def test_ones_own_export_reconciles(ledger: Store, tmp_path: Path) -> None:
    """Read back as a bill, the export matches the ledger to the last digit, and the next one says Reconciled."""
    main(f"export --focus --grain day --since {START:%Y-%m-%d} --out {tmp_path} --dsn {ledger.dsn}".split())

    told = reconcile(ledger.client, read_bills([tmp_path / "farebox-focus.csv"]), None, [], Terms(), "me", keep=True)

    again = export_focus(ledger.client, ALL)
    basis = {(row["ProviderName"], row["x_CostBasis"]) for row in again.rows}
    assert [(each["provider"], each["difference"], each["reasons"]) for each in told["providers"]] == [
        ("alibaba", "0", []),
        ("anthropic", "0", []),
        ("openai", "0", []),
    ]
    assert ("OpenAI", "Reconciled") in basis


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--tags route,colour", "--tags 'colour' is none of environment"),
        ("--since never", "--since 'never' is no time"),
        ("--out /dev/null/x", "/dev/null/x/farebox-focus.csv cannot be written"),
    ],
)
def test_misuse_is_one_sentence(arguments: str, words: str, ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be exported is named with what is allowed, exit 2."""
    code = main(["export", "--focus", *arguments.split(), "--dsn", str(ledger.dsn)])

    error = capsys.readouterr().err
    assert code == 2
    assert words in error
    assert error.count("\n") == 1
