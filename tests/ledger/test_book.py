"""The price book: files that people review, and tables that only grow."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from clickhouse_connect.driver.client import Client
from ledger.spans import attempt, rows, stored

from farebox_ledger import Store
from farebox_ledger._book import ALIASES, PRICES, _by_key, book_rows, reload_book, sync_book
from farebox_ledger._book_rows import PriceRow, price_row
from farebox_ledger.errors import BookError

LINE = {
    "provider": "acme",
    "region": "",
    "model": "m",
    "variant": "",
    "unit": "output_tokens",
    "tier_above": "0",
    "price": "0.15",
    "per": "1000000",
    "valid_from": "2026-11-01",
    "approximate": "approximate",
    "checked_on": "2026-11-20",
    "source": "a page",
    "note": "",
}


def add_price(ledger: Store, price: str | None, **columns: object) -> None:
    """Add a row to the table as a person or an import would, and load it."""
    row = {
        "provider": "acme",
        "region": "",
        "model": "m",
        "variant": "",
        "unit": "uncached_input_tokens",
        "tier_above": 0,
        "price": None if price is None else Decimal(price),
        "valid_from": datetime(1970, 1, 1, tzinfo=UTC),
        "approximate": False,
        "checked_on": date(2026, 11, 20),
        "source": "a test",
        "note": "",
        "book": "farebox",
        "added_at": datetime.now(UTC),
        **columns,
    }
    ledger.client.insert("prices", [list(row.values())], column_names=list(row))
    reload_book(ledger.client)


def cost(
    ledger: Store, usage: dict[str, int], started_at: datetime = datetime(2026, 11, 20, tzinfo=UTC)
) -> Decimal | None:
    """Price an attempt of acme's model m."""
    span = attempt("m", "acme", usage={"output_tokens": 0, **usage}, started_at=started_at)
    return stored(ledger.client, span, "list_cost")[0]


def test_a_line_is_read_exactly() -> None:
    """A price for a million becomes the price of one, with no rounding."""
    assert price_row(LINE) == PriceRow(
        provider="acme",
        region="",
        model="m",
        variant="",
        unit="output_tokens",
        tier_above=0,
        valid_from=datetime(2026, 11, 1, tzinfo=UTC),
        price=Decimal("0.000000150000"),
        currency="USD",
        approximate=True,
        checked_on=date(2026, 11, 20),
        source="a page",
        note="",
    )


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("price", "0.0000001", "'0.0000001' per '1000000' is not a price with at most 12 decimals per unit"),
        ("price", "cheap", "'cheap' per '1000000' is not a price with at most 12 decimals per unit"),
        ("per", "3", "'0.1' per '3' is not a price with at most 12 decimals per unit"),
        ("per", "0", "'0.15' per '0' is not a price with at most 12 decimals per unit"),
        ("price", "-1", "'-1' per '1000000' is not between 0 and 1000000 USD per unit"),
        ("unit", "weeks", "unit 'weeks' is none of"),
        ("model", "GPT-9", "model 'GPT-9' must be lower case: names are compared in lower case"),
        ("tier_above", "-1", "tier_above '-1' is not a number of tokens"),
        ("valid_from", "soon", "'soon' is not a day like 2026-11-23"),
        ("valid_from", "1969-12-31", "valid_from '1969-12-31' is not between 1970 and 2105"),
        ("approximate", "yes", "approximate 'yes' is neither empty nor the word approximate"),
        ("source", "", "provider, model and source must not be empty"),
    ],
)
def test_a_bad_line_is_refused_with_its_value(column: str, text: str, words: str) -> None:
    """What is no exact price, no unit or has no source is refused in words."""
    line = {**LINE, column: text, **({"price": "0.1"} if (column, text) == ("per", "3") else {})}

    with pytest.raises(ValueError) as refused:
        price_row(line)

    assert words in str(refused.value)


def test_two_rows_for_one_key_are_refused() -> None:
    """Which of two prices holds is never left to chance."""
    row = vars(price_row(LINE))

    with pytest.raises(BookError) as refused:
        _by_key(PRICES, [row, {**row, "price": Decimal(1)}])

    assert str(refused.value) == (
        "the price book has two rows for provider acme, model m, unit output_tokens, "
        "valid_from 2026-11-01 00:00:00+00:00, book farebox; remove one"
    )


def test_every_price_of_the_book_has_a_source_and_a_day() -> None:
    """Nothing in the book comes from nowhere."""
    rows = book_rows()[PRICES]

    assert [row for row in rows if not row["source"] or row["checked_on"] < date(2026, 1, 1)] == []
    assert {row["provider"] for row in rows} == {
        "alibaba",
        "anthropic",
        "azure",
        "bedrock",
        "cerebras",
        "cohere",
        "deepseek",
        "fireworks",
        "google",
        "groq",
        "minimax",
        "mistral",
        "moonshot",
        "novita",
        "openai",
        "openrouter",
        "perplexity",
        "together",
        "vertex",
        "voyage",
        "xai",
        "zai",
    }


def test_approximate_prices_are_marked(ledger_client: Client) -> None:
    """Qwen 3.5 Flash stands in no catalogue for three of its four hosts: those prices say that they are approximate."""
    found = ledger_client.query(
        "SELECT provider, min(approximate) FROM prices WHERE model = 'qwen3.5-flash' GROUP BY ALL ORDER BY ALL"
    ).result_rows

    assert found == [("alibaba", True), ("fireworks", True), ("openrouter", False), ("together", True)]


def test_every_alias_leads_to_a_model_of_the_book() -> None:
    """No alias of the files leads nowhere."""
    models = {(row["provider"], row["model"]) for row in book_rows()[PRICES]}
    aliases = [row for row in book_rows()[ALIASES] if row["field"] == "model" and row["match"] == "exact"]

    assert len(aliases) > 100
    assert [row for row in aliases if (row["provider"], row["value"]) not in models] == []


def test_syncing_twice_adds_nothing(fresh_store: Store) -> None:
    """The tables hold the files' rows already."""
    assert sync_book(fresh_store.client) == 0


def test_syncing_adds_what_differs_and_keeps_what_was(fresh_store: Store) -> None:
    """A price that differs from the file's is answered by a new row, and the former one stays readable."""
    add_price(
        fresh_store,
        "9",
        provider="anthropic",
        model="claude-haiku-4-5",
        unit="output_tokens",
    )

    added = sync_book(fresh_store.client)

    assert added == 1
    history = fresh_store.client.query(
        "SELECT price FROM prices WHERE provider = 'anthropic' AND model = 'claude-haiku-4-5' "
        "AND unit = 'output_tokens' AND variant = '' AND region = '' ORDER BY added_at"
    ).result_rows
    assert history == [(Decimal("0.000005"),), (Decimal(9),), (Decimal("0.000005"),)]
    assert stored(fresh_store.client, attempt(), "list_cost") == (Decimal("0.00105"),)


def test_a_changed_price_holds_for_what_comes_after_it(fresh_store: Store) -> None:
    """New rows are priced from the changed book; what was priced before keeps its figure and the book's version."""
    usage = {"uncached_input_tokens": 1, "output_tokens": 0}
    add_price(fresh_store, "1")
    early = attempt("m", "acme", usage=usage)
    first = stored(fresh_store.client, early, "list_cost, price_book_version")
    add_price(fresh_store, "2")

    second = stored(fresh_store.client, attempt("m", "acme", usage=usage), "list_cost, price_book_version")

    assert (first[0], second[0]) == (1, 2)
    assert first[1] < second[1]
    assert rows(fresh_store.client, [early], "list_cost, price_book_version") == [first]


def test_a_unit_keeps_its_price_when_another_changes(fresh_store: Store) -> None:
    """Each unit has a history of its own: a change of one leaves the others as they were."""
    add_price(fresh_store, "1")
    add_price(fresh_store, "10", unit="cache_read_tokens")
    add_price(fresh_store, "3", valid_from=datetime(2026, 7, 1, tzinfo=UTC))

    usage = {"uncached_input_tokens": 1, "cache_read_tokens": 1}

    assert cost(fresh_store, usage, datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)) == 11
    assert cost(fresh_store, usage, datetime(2026, 7, 1, tzinfo=UTC)) == 13


def test_a_tier_that_ends_gives_way_to_the_price_below(fresh_store: Store) -> None:
    """A withdrawn tier leaves the base price, and follows its later changes."""
    add_price(fresh_store, "1")
    add_price(fresh_store, "5", tier_above=100)
    add_price(fresh_store, None, tier_above=100, valid_from=datetime(2026, 3, 1, tzinfo=UTC))
    add_price(fresh_store, "2", valid_from=datetime(2026, 5, 1, tzinfo=UTC))

    costs = [
        cost(fresh_store, {"uncached_input_tokens": 101}, datetime(2026, month, 15, tzinfo=UTC)) for month in (2, 3, 5)
    ]

    assert costs == [505, 101, 202]


def test_a_price_that_is_withdrawn_is_unknown(fresh_store: Store) -> None:
    """After the end of a price the cost is NULL, not the former price and not 0."""
    add_price(fresh_store, "1")
    add_price(fresh_store, None, valid_from=datetime(2026, 3, 1, tzinfo=UTC))

    assert cost(fresh_store, {"uncached_input_tokens": 1}, datetime(2026, 2, 1, tzinfo=UTC)) == 1
    assert cost(fresh_store, {"uncached_input_tokens": 1}, datetime(2026, 3, 1, tzinfo=UTC)) is None


def test_a_price_of_0_is_a_price(fresh_store: Store) -> None:
    """Free models cost 0 and are priced; that is not the same as unknown."""
    add_price(fresh_store, "0")

    assert cost(fresh_store, {"uncached_input_tokens": 5}) == Decimal(0)


def test_the_users_book_goes_before_ours(fresh_store: Store) -> None:
    """A price of one's own holds, whichever was added later."""
    add_price(fresh_store, "7", book="user")
    add_price(fresh_store, "1")

    assert cost(fresh_store, {"uncached_input_tokens": 1}) == 7


def test_absurd_prices_are_refused(fresh_store: Store) -> None:
    """The table itself refuses a negative price, and one so large that a sum could overflow."""
    for price in ("-0.01", "1000001"):
        with pytest.raises(Exception, match="price_is_sane"):
            add_price(fresh_store, price)
