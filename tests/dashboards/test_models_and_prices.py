"""Every figure of Models and prices, against a count in plain Python."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from dashboards.asking import ask, choice
from dashboards.traffic import DAY, PRICES, REPRICED_AT, ROUTES, UNTIL, Made, added, within

from farebox_ledger import Store

SINCE = UNTIL - DAY
MILLION = 1_000_000
HAIKU, SONNET, QWEN, UNKNOWN = "claude-haiku-4-5", "claude-sonnet-4-6", "qwen3.5-flash", "claude-haiku-9"
OUTPUT_NOW = {HAIKU: 5.0, SONNET: 15.0, QWEN: 1.8}
WRITTEN, READ = "cache_write_5m_tokens", "cache_read_tokens"


@pytest.fixture
def day(traffic: list[Made]) -> list[Made]:
    """The attempts of the last day."""
    return within(traffic, SINCE, UNTIL)


def priced(made: list[Made], model: str) -> list[Made]:
    """Those of a model that are priced in full."""
    return [each for each in made if each.model == model and each.tokens and not each.doubtful]


def tokens(made: list[Made], name: str) -> int:
    return sum(each.tokens.get(name, 0) for each in made)


def test_effective_against_list_price(busy: Store, day: list[Made]) -> None:
    """What a million tokens cost where they are priced in full, beside the book's price; a model without has none."""
    rows = {row["model"]: row for row in ask(busy.client, "price_effective", SINCE, UNTIL)}

    assert set(rows) == {HAIKU, SONNET, QWEN, UNKNOWN}
    for model in PRICES:
        row, made = rows[model], priced(day, model)
        money, outputs = added(made) or Decimal(0), tokens(made, "output_tokens")
        inputs = sum(each.input_tokens for each in made)
        out = sum((each.cost_out for each in made), Decimal(0))
        assert row["spend"] == float(added([each for each in day if each.model == model]) or 0)
        assert (row["input tokens"], row["output tokens"]) == (inputs, outputs)
        assert row["input, effective"] == pytest.approx(float(money - out) * MILLION / inputs)
        assert row["output, effective"] == pytest.approx(float(out) * MILLION / outputs)
        assert row["both, effective"] == pytest.approx(float(money) * MILLION / (inputs + outputs))
        assert row["both, discounted"] == pytest.approx(row["both, effective"])
        listed = float(PRICES[model][0]) * MILLION
        assert (row["input, list"], row["output, list"]) == (listed, OUTPUT_NOW[model])
        assert row["of list"] == pytest.approx(float(money) * MILLION / (listed * inputs + OUTPUT_NOW[model] * outputs))
    assert (rows[UNKNOWN]["spend"], rows[UNKNOWN]["both, effective"], rows[UNKNOWN]["input, list"]) == (None,) * 3
    assert rows[UNKNOWN]["not fully priced"] == sum(each.doubtful for each in day if each.model == UNKNOWN)


def test_the_price_over_time(busy: Store, day: list[Made]) -> None:
    """An interval's money for its tokens, by model."""
    intervals: dict[tuple[datetime, str], list[Made]] = defaultdict(list)
    for model in PRICES:
        for each in priced(day, model):
            start = each.started_at - timedelta(seconds=each.started_at.timestamp() % 7200)
            intervals[start.replace(tzinfo=None), model].append(each)
    found = {
        (row["time"], row["model"]): row["price"]
        for row in ask(busy.client, "price_over_time", SINCE, UNTIL, choice(), 7200)
    }

    assert found == {
        key: pytest.approx(
            float(added(made) or 0) * MILLION / sum(each.input_tokens + each.tokens["output_tokens"] for each in made)
        )
        for key, made in intervals.items()
    }


def test_the_history_of_prices(busy: Store) -> None:
    """The new price comes first, with what it was before and whose word it is; of models that were called alone."""
    rows = ask(busy.client, "price_history", SINCE, UNTIL)

    assert rows[0]["from"] == REPRICED_AT
    assert (rows[0]["model"], rows[0]["of what"]) == ("qwen3.5-flash at fireworks", "output_tokens")
    assert (rows[0]["a million"], rows[0]["before"], rows[0]["for one, exact"]) == (1.8, 1.2, "0.0000018")
    assert (rows[0]["change"], rows[0]["source"]) == (pytest.approx(0.5), "contract")
    assert {row["model"].partition(" at ")[0] for row in rows} == {HAIKU, SONNET, QWEN}


def test_caches_by_lifetime(busy: Store, day: list[Made]) -> None:
    """Written tokens cost a surcharge, read ones save; together that is what caching saved, as on Route."""
    rows = {(row["model"], row["what"]): row for row in ask(busy.client, "cache_by_lifetime", SINCE, UNTIL)}

    assert set(rows) == {(model, what) for model in (HAIKU, SONNET) for what in ("read", "written for 5 minutes")}
    for model in (HAIKU, SONNET):
        made = priced(day, model)
        plain, read, write, _ = (Decimal(price) for price in PRICES[model])
        of_read, of_written = rows[model, "read"], rows[model, "written for 5 minutes"]
        assert (of_read["tokens"], of_written["tokens"]) == (tokens(made, READ), tokens(made, WRITTEN))
        assert Decimal(of_read["saved, exact"]) == tokens(made, READ) * (plain - read)
        assert Decimal(of_written["saved, exact"]) == tokens(made, WRITTEN) * (plain - write)
        assert of_read["paid"] == float(tokens(made, READ) * read)
        assert of_written["reads to pay"] == pytest.approx(0.25 / 0.9)
        assert of_read["reads"] == pytest.approx(tokens(made, READ) / tokens(made, WRITTEN))
        cached = [each for each in day if each.model == model and tokens([each], READ) + tokens([each], WRITTEN)]
        assert of_read["not comparable"] == sum(each.doubtful for each in cached)
    whole = sum(row["saved"] or 0 for row in ask(busy.client, "cache_savings", SINCE, UNTIL))
    assert sum(row["saved"] for row in rows.values()) == pytest.approx(whole)


def test_models_in_doubt(busy: Store, day: list[Made]) -> None:
    """What has no price, no usage, or a lower bound only, by model and reason; counts are those of the ledger."""
    rows = ask(busy.client, "models_in_doubt", SINCE, UNTIL)
    unknown = [each for each in day if each.model == UNKNOWN and each.tokens]

    assert sum(row["not fully priced"] for row in rows) == sum(each.doubtful for each in day)
    assert (rows[0]["model"], rows[0]["state"]) == (UNKNOWN, "no_price")
    assert rows[0]["attempts"] == len(unknown)
    assert rows[0]["tokens"] == sum(each.input_tokens + each.tokens["output_tokens"] for each in unknown)
    assert rows[0]["spend"] is None


def test_spend_at_other_models_prices(busy: Store, day: list[Made]) -> None:
    """The same tokens at the price that most of the other model's attempts had; choices narrow the tokens alone."""
    route = ROUTES[0]
    rows = ask(busy.client, "spend_at_other_models", SINCE, UNTIL, choice(route=[route], model=[HAIKU]))
    made = [each for each in priced(day, HAIKU) if each.route == route]

    assert [(row["at the prices of"], row["offered by"]) for row in rows] == [
        (QWEN, "fireworks"),
        (SONNET, "anthropic"),
    ]
    for row in rows:
        plain, read, write, _ = (Decimal(price) for price in PRICES[row["at the prices of"]])
        out = Decimal(str(OUTPUT_NOW[row["at the prices of"]])) / MILLION
        prices = {"uncached_input_tokens": plain, READ: read, WRITTEN: write, "output_tokens": out}
        expected = sum((tokens(made, name) * price for name, price in prices.items()), Decimal(0))
        assert Decimal(row["would cost, exact"]) == expected
        assert row["spend"] == float(added(made) or 0)
        assert row["change"] == pytest.approx(float(expected - (added(made) or 0)))
        assert row["not fully priced"] == sum(
            each.doubtful for each in day if each.model == HAIKU and each.route == route
        )
