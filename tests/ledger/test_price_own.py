"""Prices of one's own: farebox.toml, imported files, discounts, other currencies, machines paid by the hour."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger.spans import attempt, rows, store, stored

from farebox_ledger import Dsn, Store, open_store, run_query, watching
from farebox_ledger._book import sync_book
from farebox_ledger._book_own import OwnBook, read_own_book, read_price_file
from farebox_ledger.errors import BookError

USAGE = {"uncached_input_tokens": 1000, "output_tokens": 10}
ALWAYS = {"since": datetime(1970, 1, 1, tzinfo=UTC), "until": datetime(2100, 1, 1, tzinfo=UTC)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, where farebox.toml may lie."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def say(ledger: Store, toml: str) -> int:
    """Write farebox.toml and bring the ledger's book in step."""
    Path("farebox.toml").write_text(toml, encoding="utf-8")
    return sync_book(ledger.client, read_own_book(ledger.dsn))


def cost(ledger: Store, model: str, provider: str, month: int = 11) -> tuple[Decimal | None, str, str]:
    """Price a call of a thousand tokens in and ten out."""
    span = attempt(model, provider, usage=USAGE, started_at=datetime(2026, month, 15, tzinfo=UTC))
    found: tuple[Decimal | None, str, str] = stored(ledger.client, span, "list_cost, price_state, price_reason")
    return found


def test_a_price_of_ones_own_holds_from_its_day_on(fresh_store: Store, folder: Path) -> None:
    """It goes before the book's from valid_from on, whatever the book says later; before that the book's holds."""
    added = say(
        fresh_store,
        """
        [[prices]]
        provider = "anthropic"
        model = "claude-sonnet-4-6"
        valid_from = 2026-02-01
        uncached_input_tokens = 2.5
        output_tokens = "10"
        note = "contract 7"
        """,
    )

    found = [cost(fresh_store, "claude-sonnet-4-6", "anthropic", month)[0] for month in (1, 2, 11)]

    assert added == 2
    assert found == [Decimal("0.00315"), Decimal("0.0026"), Decimal("0.0026")]


def test_ones_own_price_holds_above_every_context_tier(fresh_store: Store, folder: Path) -> None:
    """The book's tiers do not come through a price that the user gave without tiers."""
    say(fresh_store, '[[prices]]\nprovider = "openai"\nmodel = "gpt-5.4"\nuncached_input_tokens = 1')
    span = attempt("gpt-5.4", "openai", usage={"uncached_input_tokens": 300_000, "output_tokens": 0})

    assert stored(fresh_store.client, span, "list_cost") == (Decimal("0.3"),)


def test_an_empty_price_ends_ones_own(fresh_store: Store, folder: Path) -> None:
    """From the day on which one's own price ends the book's holds again; nothing is ever removed."""
    entry = '[[prices]]\nprovider = "anthropic"\nmodel = "claude-haiku-4-5"\n'
    say(
        fresh_store,
        f"{entry}uncached_input_tokens = 9\nvalid_from = 2026-01-01\n"
        f'{entry}uncached_input_tokens = ""\nvalid_from = 2026-06-01',
    )

    found = [cost(fresh_store, "claude-haiku-4-5", "anthropic", month)[0] for month in (5, 6)]

    assert found == [Decimal("0.00905"), Decimal("0.00105")]


def test_a_machine_of_ones_own_may_be_paid_by_the_token(fresh_store: Store, folder: Path) -> None:
    """Self-hosted models have the price that the user says, under the name they answer to."""
    say(
        fresh_store,
        '[[prices]]\nprovider = "self_hosted"\nmodel = "Llama-5"\nuncached_input_tokens = 0.2\noutput_tokens = 0.4',
    )

    assert cost(fresh_store, "Llama-5", "self_hosted") == (Decimal("0.000204"), "priced", "")


def test_a_machine_paid_by_the_hour_is_shown_as_such(fresh_store: Store, folder: Path) -> None:
    """Hours are never spread over calls: those have no price of their own, and the reason says what an hour costs."""
    say(fresh_store, '[[prices]]\nprovider = "self_hosted"\nmodel = "qwen3"\nhours = 2.50')

    assert cost(fresh_store, "qwen3", "self_hosted") == (
        None,
        "no_price",
        "paid by the hour, 2.5 USD, not by the call",
    )


def test_another_currency_is_never_added_to_dollars(fresh_store: Store, folder: Path) -> None:
    """It is recorded as what it is: no USD, a reason, and the exact amount in its own currency apart."""
    say(
        fresh_store,
        '[[prices]]\nprovider = "alibaba"\nmodel = "qwen-plus"\ncurrency = "CNY"\n'
        "uncached_input_tokens = 0.8\noutput_tokens = 2",
    )

    assert cost(fresh_store, "qwen-plus", "alibaba") == (None, "no_price", "billed in CNY, not in USD")
    assert run_query(fresh_store.client, "other_currencies", ALWAYS) == [
        {
            "currency": "CNY",
            "provider": "alibaba",
            "model": "qwen-plus",
            "attempts": 1,
            "known_cost": Decimal("0.00082"),
            "unpriced": 0,
        }
    ]


def test_units_without_a_column_have_prices_too(fresh_store: Store, folder: Path) -> None:
    """Images, seconds and characters are priced, each in its own component; one without a price is named."""
    say(
        fresh_store,
        '[[prices]]\nprovider = "openai"\nmodel = "dall-e-3"\nimages = 0.04\n'
        "cache_read_audio_tokens = 1\naudio_input_seconds = 0.0001",
    )
    nothing = {"uncached_input_tokens": 0, "output_tokens": 0}
    every = attempt(
        "dall-e-3",
        "openai",
        usage={**nothing, "images": 2, "cache_read_audio_tokens": 1_000_000, "audio_input_seconds": 9},
    )
    some = attempt("dall-e-3", "openai", usage={**nothing, "images": 2, "input_characters": 5})
    garbled = attempt("dall-e-3", "openai", usage={**nothing, "images": "two"})
    store(fresh_store.client, every, some, garbled)

    found = rows(
        fresh_store.client,
        [every, some, garbled],
        "list_cost, cost_input, cost_cache_read, cost_output, price_state, price_reason",
    )

    assert found == [
        (Decimal("1.0809"), Decimal("0.0009"), Decimal(1), Decimal("0.08"), "priced", ""),
        (None, None, None, None, "no_price", "no price for input_characters"),
        (None, None, None, None, "no_usage", "unreadable count of images"),
    ]


def test_names_of_ones_own_lead_to_prices(fresh_store: Store, folder: Path) -> None:
    """A deployment's name, and an address's region, may be told in farebox.toml."""
    say(fresh_store, '[[aliases]]\nprovider = "azure"\npattern = "My-Deployment"\nvalue = "gpt-5-nano"')

    assert cost(fresh_store, "my-deployment", "azure") == (Decimal("0.000054"), "priced", "")


def test_discounts_leave_the_list_price_alone(fresh_store: Store, folder: Path) -> None:
    """What is paid stands beside the list price: a model's own discount, else its provider's, from a day on."""
    say(
        fresh_store,
        """
        [[discounts]]
        provider = "anthropic"
        percent = 12.5
        valid_from = 2026-06-01
        [[discounts]]
        provider = "anthropic"
        model = "claude-sonnet-4-6"
        percent = 20
        """,
    )
    spans = [
        attempt(model, provider, started_at=datetime(2026, month, 15, tzinfo=UTC))
        for model, provider, month in [
            ("claude-haiku-4-5", "anthropic", 5),
            ("claude-haiku-4-5", "anthropic", 6),
            ("claude-sonnet-4-6", "anthropic", 6),
            ("gpt-5.4-mini", "openai", 6),
            ("unheard-of", "anthropic", 6),
        ]
    ]
    store(fresh_store.client, *spans)

    found = fresh_store.client.query(
        "SELECT model, list_cost, factor, net_cost, price_state FROM net_costs ORDER BY started_at, model"
    ).result_rows

    assert found == [
        ("claude-haiku-4-5", Decimal("0.00105"), Decimal(1), Decimal("0.00105"), "priced"),
        ("claude-haiku-4-5", Decimal("0.00105"), Decimal("0.875"), Decimal("0.00091875"), "priced"),
        ("claude-sonnet-4-6", Decimal("0.00315"), Decimal("0.8"), Decimal("0.00252"), "priced"),
        ("gpt-5.4-mini", Decimal("0.000795"), Decimal(1), Decimal("0.000795"), "priced"),
        ("unheard-of", None, Decimal("0.875"), None, "no_price"),
    ]


def test_discounts_commute_with_grouping(fresh_store: Store, folder: Path) -> None:
    """The discounted sum of a group equals the sum of its discounted calls, to the last digit."""
    say(fresh_store, '[[discounts]]\nprovider = "anthropic"\npercent = 7.77')
    store(
        fresh_store.client,
        *(attempt(usage={"uncached_input_tokens": n, "output_tokens": 3 * n}) for n in range(1, 300)),
    )

    ((whole, parts),) = fresh_store.client.query(
        "SELECT multiplyDecimal(sum(list_cost), toDecimal64('0.9223', 8), 20), sum(net_cost) FROM net_costs"
    ).result_rows

    assert whole == parts > 0


def test_the_same_files_twice_add_nothing(fresh_store: Store, folder: Path) -> None:
    """Only rows that differ are added; a changed price is a new row, and the former stays readable."""
    entry = '[[prices]]\nprovider = "acme"\nmodel = "m"\noutput_tokens = '
    first = say(fresh_store, entry + "1")

    again, changed = say(fresh_store, entry + "1.0"), say(fresh_store, entry + "2")

    history = fresh_store.client.query("SELECT price, book FROM prices WHERE provider = 'acme' ORDER BY added_at")
    assert (first, again, changed) == (1, 0, 1)
    assert history.result_rows == [(Decimal("0.000001"), "user"), (Decimal("0.000002"), "user")]


def of_acme(ledger: Store) -> list[tuple[Decimal | None, bool, str]]:
    """Read what was ever said of acme's prices: what for a million, from today on, and why."""
    found = ledger.client.query(
        "SELECT price * 1000000, valid_from > '2026-11-01', note FROM prices WHERE provider = 'acme' "
        "ORDER BY added_at, price"
    )
    return [(price, bool(late), note) for price, late, note in found.result_rows]


def test_an_entry_that_is_taken_out_of_its_file_ends(fresh_store: Store, folder: Path) -> None:
    """It holds until then, for what was called before too; put back it holds again, and nothing is removed."""
    entry = '[[prices]]\nprovider = "acme"\nmodel = "m"\nuncached_input_tokens = 1\nvalid_from = 2026-01-01\n'
    added = [say(fresh_store, text) for text in (entry, entry, "", "")]
    now = datetime.now(UTC)
    ended = stored(fresh_store.client, attempt("m", "acme", usage=USAGE, started_at=now), "price_state, price_reason")
    before = stored(fresh_store.client, attempt("m", "acme", usage={**USAGE, "output_tokens": 0}), "list_cost")
    back = say(fresh_store, entry)

    assert (added, back) == ([1, 0, 1, 0], 1)
    assert ended == ("no_price", "no price for uncached_input_tokens, output_tokens")
    assert before == (Decimal("0.001"),)
    why = f"ended: {folder / 'farebox.toml'} no longer has it"
    assert of_acme(fresh_store) == [(Decimal(1), False, ""), (None, True, why), (Decimal(1), True, why)]


def test_a_price_that_is_taken_out_leaves_the_one_before_it(fresh_store: Store, folder: Path) -> None:
    """What the file still says holds from then on: an older price, or another beginning of the same."""
    entry = '[[prices]]\nprovider = "acme"\nmodel = "m"\nuncached_input_tokens = {}\nvalid_from = {}\n'
    older, newer = entry.format(1, "2026-01-01"), entry.format(2, "2026-06-01")
    moved, future = entry.format(2, "2026-05-01"), entry.format(3, "2027-06-01")

    added = [say(fresh_store, text) for text in (older + newer, older + moved, older + future, older)]

    # Another beginning of the same price ends nothing; then 1 holds from today on, and 3 will never begin.
    assert added == [2, 1, 2, 1]
    assert [(price, late) for price, late, _ in of_acme(fresh_store)] == [
        (Decimal(1), False),
        (Decimal(2), False),
        (Decimal(2), False),
        (Decimal(3), True),
        (Decimal(1), True),
        (Decimal(1), True),
    ]


def test_a_file_that_was_not_read_ends_nothing(
    fresh_store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another folder's farebox.toml, or none, says nothing of entries that it never had."""
    say(fresh_store, '[[prices]]\nprovider = "acme"\nmodel = "m"\nuncached_input_tokens = 1')
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")

    nowhere = sync_book(fresh_store.client, read_own_book(fresh_store.dsn))
    elsewhere = say(fresh_store, '[[prices]]\nprovider = "acme"\nmodel = "n"\nuncached_input_tokens = 1')
    monkeypatch.chdir(folder)
    Path("farebox.toml").unlink()
    gone = sync_book(fresh_store.client, read_own_book(fresh_store.dsn))

    assert (nowhere, elsewhere, gone) == (0, 1, 0)
    assert [price for price, _, _ in of_acme(fresh_store)] == [Decimal(1), Decimal(1)]


def test_names_and_discounts_that_are_taken_out_end_too(fresh_store: Store, folder: Path) -> None:
    """A name leads where the shipped book leads it again, a discount ends, a commitment is withdrawn."""
    say(
        fresh_store,
        '[[aliases]]\nprovider = "azure"\npattern = "my-deployment"\nvalue = "gpt-5-nano"\n'
        '[[aliases]]\nprovider = "openai"\nfield = "variant"\npattern = "fast"\nvalue = "flex"\n'
        '[[discounts]]\nprovider = "anthropic"\npercent = 50\n'
        '[[commitments]]\nprovider = "anthropic"\namount = 5\nstarts = 2026-01-01\nends = 2027-01-01\n',
    )
    say(fresh_store, "")
    span = attempt(usage=USAGE, started_at=datetime.now(UTC))
    store(fresh_store.client, span)

    values = fresh_store.client.query(
        "SELECT argMax(tuple(value), added_at).1 FROM price_aliases WHERE pattern IN ('my-deployment', 'fast') "
        "AND provider IN ('azure', 'openai') GROUP BY pattern ORDER BY pattern"
    ).result_rows
    amounts = fresh_store.client.query("SELECT amount FROM commitments ORDER BY added_at").result_rows
    factors = fresh_store.client.query("SELECT factor FROM net_costs").result_rows

    ties = fresh_store.client.query(
        "SELECT pattern FROM price_aliases GROUP BY provider, field, match, pattern "
        "HAVING uniqExact(added_at) < count()"
    ).result_rows

    assert ties == []  # of two rows of one moment chance would say which holds
    assert values == [("priority",), (None,)]
    assert amounts == [(Decimal(5),), (None,)]
    assert factors == [(Decimal(1),)]
    assert cost(fresh_store, "my-deployment", "azure")[1] == "no_price"


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[[prices]\n", "farebox.toml cannot be read as TOML"),
        ("prices = 3\n", "farebox.toml: prices is not a list of tables; write each under [[prices]]"),
        ('[[prices]]\nprovider = "a"\nmodel = "m"\n', "[[prices]] number 1: names no price; write one under the name"),
        ("[[prices]]\noutput_tokens = 1\n", "[[prices]] number 1: provider and model are needed"),
        ('[[prices]]\nprovider = "a"\nmodel = "m"\ncolour = 1\n', "[[prices]] number 1: 'colour' is none of provider"),
        ('[[prices]]\nprovider = "a"\nmodel = "m"\noutput_tokens = -1\n', "'-1' per '1000000' is not between 0 and"),
        ('[[prices]]\nprovider = "a"\nmodel = "m"\noutput_tokens = nan\n', "'NaN' per '1000000' is not between 0 and"),
        ('[[prices]]\nprovider = "a"\nmodel = "m"\noutput_tokens = true\n', "output_tokens is True, which is no text"),
        ('[[prices]]\nprovider = "a"\nmodel = "m"\noutput_tokens = 1\ncurrency = "euro"\n', "currency 'euro' is not a"),
        ('[[discounts]]\nprovider = "a"\npercent = 101\n', "[[discounts]] number 1: percent '101' is not between 0"),
        ('[[discounts]]\nprovider = "a"\n', "[[discounts]] number 1: percent is missing"),
        ('[[aliases]]\npattern = "(["\nmatch = "suffix"\nvalue = ""\n', "pattern '([' is no regular expression"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(folder: Path, toml: str, words: str) -> None:
    """A file that cannot be meant is refused whole, with its place and what is allowed."""
    Path("farebox.toml").write_text(toml, encoding="utf-8")

    with pytest.raises(BookError) as refused:
        read_own_book(Dsn("chdb", path=folder / "ledger"))

    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("provider,model,unit\n", "lacks the column 'price'; columns are provider, region"),
        ("provider,model,unit,price,colour\n", "has a column 'colour'; columns are provider"),
        ("provider,model,unit,price\na,m,output_tokens\n", "line 2: has not 4 columns; mend that line"),
        ("provider,model,unit,price\na,m,output_tokens,x\n", "line 2: 'x' per '1000000' is not a price with at most"),
        ("provider,model,unit,price\na,m,calls,1\n", "line 2: unit 'calls' is none of uncached_input_tokens"),
        ('provider,model,unit,price\n"a,m,output_tokens,1\n', "line 1: unexpected end of data; mend that line"),
        ("", "lacks the column 'provider'"),
    ],
)
def test_a_bad_file_names_its_line(tmp_path: Path, text: str, words: str) -> None:
    """A CSV file is refused whole, with the line and what is allowed."""
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BookError) as refused:
        read_price_file(path)

    assert words in str(refused.value)


@given(price=st.decimals(0, 1000, places=6), valid_from=st.dates(date(1970, 1, 1), date(2105, 12, 31)))
def test_any_price_of_six_decimals_for_a_million_is_exact(price: Decimal, valid_from: date) -> None:
    """What a price list can say is read without rounding."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mine.csv"
        path.write_text(
            f"provider,model,unit,price,valid_from\na,m,output_tokens,{price},{valid_from}\n", encoding="utf-8"
        )
        (row,) = read_price_file(path)

    assert row.price is not None
    assert (row.price * 10**6, row.valid_from.date()) == (price, valid_from)


@pytest.fixture
def watched(fresh_dsn: Dsn, folder: Path) -> Iterator[Store]:
    """A store that looks at the user's files all the time."""
    with open_store(fresh_dsn) as opened, watching(opened, poll_s=0.05):
        yield opened


def test_a_change_is_taken_up_while_the_ledger_is_open(watched: Store) -> None:
    """What is stored after farebox.toml changed has the new price; a broken file leaves the former in force."""
    entry = '[[prices]]\nprovider = "acme"\nmodel = "m"\nuncached_input_tokens = 0\noutput_tokens = '
    found = []
    for price in ("100", "200", "=", "300"):
        Path("farebox.toml").write_text(entry + price, encoding="utf-8")
        deadline = time.monotonic() + 5
        while price != "=" and time.monotonic() < deadline:
            found_now = cost(watched, "m", "acme")[0]
            if found_now == Decimal(price) / 100_000:
                break
            time.sleep(0.05)
        found.append(cost(watched, "m", "acme")[0])

    assert found == [Decimal("0.001"), Decimal("0.002"), Decimal("0.002"), Decimal("0.003")]


def test_no_rows_of_ones_own_means_no_rows(fresh_store: Store) -> None:
    """An empty book of the user's adds nothing."""
    assert sync_book(fresh_store.client, OwnBook()) == 0
