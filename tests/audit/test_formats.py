"""Bills of every provider are read as they come, exactly, and what cannot be read is one sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from audit.exports import (
    ALIBABA,
    ANALYTICS,
    ANTHROPIC_COST,
    ANTHROPIC_USAGE,
    CSV_FILES,
    END,
    FIREWORKS_COSTS,
    FIREWORKS_USAGE,
    OPENAI_COSTS,
    OPENAI_USAGE,
    OPENROUTER,
    START,
    TOGETHER,
    UNIX,
)
from openai.types.admin.organization.usage_completions_response import UsageCompletionsResponse
from openai.types.admin.organization.usage_costs_response import UsageCostsResponse

from farebox_ledger.errors import BillError
from farebox_ledger.reconcile._files import read_bills
from farebox_ledger.reconcile._generic import read_mapping
from farebox_ledger.reconcile._lines import Bill, Line


def read(folder: Path, name: str, content: str) -> list[Bill]:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return read_bills([path])


def said(line: Line) -> dict[str, Any]:
    """What a line says beyond its period."""
    return {
        name: value for name, value in vars(line).items() if value not in ("", None) and name not in ("start", "end")
    }


@pytest.mark.parametrize(
    ("page", "format_name", "expected"),
    [
        (
            ANTHROPIC_USAGE,
            "anthropic-usage",
            [
                ("uncached_input_tokens", 1500),
                ("cache_read_tokens", 200),
                ("cache_write_5m_tokens", 500),
                ("cache_write_1h_tokens", 1000),
                ("output_tokens", 500),
                ("web_search_requests", 10),
            ],
        ),
        (ANTHROPIC_COST, "anthropic-cost", [("cache_write_1h_tokens", "1.2378912"), ("web_search_requests", "0.05")]),
        (ANALYTICS, "anthropic-analytics", [("output_tokens", "0.075")]),
        (
            OPENAI_USAGE,
            "openai-usage",
            [
                ("audio_input_tokens", 100),
                ("audio_output_tokens", 30),
                ("cache_read_tokens", 300),
                ("cache_write_tokens", 50),
                ("output_tokens", 50),
                ("uncached_input_tokens", 550),
            ],
        ),
        (OPENAI_COSTS, "openai-costs", [("cache_read_tokens", "0.06"), ("", "1.5")]),
        (OPENROUTER, "openrouter", [("input_tokens", 50), ("output_tokens", 125), ("", "0.015")]),
        (
            FIREWORKS_USAGE,
            "fireworks-usage",
            [("cache_read_tokens", 200), ("output_tokens", 30), ("uncached_input_tokens", 1000)],
        ),
        (FIREWORKS_COSTS, "fireworks-costs", [("", "1.25"), ("", "0.000000005")]),
        (TOGETHER, "together", [("output_tokens", "0.00108"), ("input_tokens", "0.30"), ("", "5")]),
        (ALIBABA, "alibaba", [("output_tokens", "0.025")]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_api_answer_is_read_exactly(
    page: dict[str, Any], format_name: str, expected: list[tuple[str, object]], tmp_path: Path
) -> None:
    """The format is told by the content; units lead to usage leaves, cents to dollars, decimals stay exact."""
    (bill,) = read(tmp_path, "page.json", json.dumps(page))

    found = [(line.unit, line.amount if line.amount is not None else line.quantity) for line in bill.lines]
    assert bill.format == format_name
    assert sorted(found) == sorted((unit, Decimal(str(value))) for unit, value in expected)
    assert {(line.start, line.end) for line in bill.lines} == {(START, END)}


def test_the_samples_of_openai_are_what_its_sdk_takes() -> None:
    """The shapes that are read here are those of the official SDK's types."""
    usage, costs = (
        UsageCompletionsResponse.model_validate(OPENAI_USAGE),
        UsageCostsResponse.model_validate(OPENAI_COSTS),
    )

    assert usage.data[0].results[0].model == "gpt-5.4-mini-2026-03-17"  # type: ignore[union-attr]
    assert costs.data[0].results[0].quantity_unit == "1000_tokens"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("gpt-5.4-mini-2026-03-17, input", ("gpt-5.4-mini-2026-03-17", "", "uncached_input_tokens")),
        ("gpt-5-mini, input_tokens", ("gpt-5-mini", "", "uncached_input_tokens")),
        ("gpt-5.6-terra, cache writes", ("gpt-5.6-terra", "", "cache_write_tokens")),
        ("priority | gpt-5.6-sol, output, long context", ("gpt-5.6-sol", "priority", "output_tokens")),
        ("flex | gpt-5-mini, cached input", ("gpt-5-mini", "flex", "cache_read_tokens")),
        ("batch api | gpt-5.1-2025-11-13, input", ("gpt-5.1-2025-11-13", "batch", "uncached_input_tokens")),
        ("gpt-image-1 text, input", ("gpt-image-1", "", "uncached_input_tokens")),
        ("gpt-image-2.5-flare image, output", ("gpt-image-2.5-flare", "", "image_output_tokens")),
        ("gpt-audio-mini-2025-12-15 audio, cached input", ("gpt-audio-mini-2025-12-15", "", "cache_read_audio_tokens")),
        ("gpt-realtime-2.1, audio input", ("gpt-realtime-2.1", "", "audio_input_tokens")),
        ("web search tool calls", ("", "", "web_search_requests")),
        ("whisper", ("", "", "")),
        ("Vector storage", ("", "", "")),
    ],
)
def test_line_items_of_openai_name_model_tier_and_kind(
    item: str, expected: tuple[str, str, str], tmp_path: Path
) -> None:
    """Line items are taken apart as they stand on real bills; what says no model and kind stays whole."""
    result = {"amount": {"value": 1.5, "currency": "usd"}, "line_item": item}
    (bill,) = read(tmp_path, "costs.json", json.dumps({"data": [{**UNIX, "results": [result]}]}))

    (line,) = bill.lines
    assert (line.model, line.service_tier, line.unit) == expected
    assert (line.description, line.amount) == (item, Decimal("1.5"))


def test_dimensions_are_kept(tmp_path: Path) -> None:
    """Model, tier, scope and key come along as the provider names them; speed and batch are tiers."""
    lines = [
        read(tmp_path, "page.json", json.dumps(page))[0].lines[0]
        for page in (ANTHROPIC_USAGE, ANALYTICS, OPENAI_USAGE, OPENAI_COSTS, FIREWORKS_USAGE, TOGETHER, ALIBABA)
    ]

    assert [(line.model, line.service_tier, line.workspace or line.project, line.key_id) for line in lines] == [
        ("claude-haiku-4-5-20251001", "batch", "wrkspc_01J", "apikey_01R"),
        ("claude-opus-5-5", "fast", "", ""),
        ("gpt-5.4-mini-2026-03-17", "batch", "proj_a", "key_1"),
        ("gpt-5.4-mini-2026-03-17", "", "proj_a", ""),
        ("accounts/fireworks/models/qwen3p5-flash", "", "", "key_9"),
        ("Qwen/Qwen3.5-Flash", "", "proj_1", "key_1"),
        ("qwen-plus", "", "llm-x", "12345"),
    ]


@pytest.mark.parametrize(
    ("name", "provider", "expected"),
    [
        (
            "anthropic-usage.csv",
            "anthropic",
            [
                {"unit": "uncached_input_tokens", "quantity": 10},
                {"unit": "cache_write_5m_tokens", "quantity": 20},
                {"unit": "cache_read_tokens", "quantity": 30},
                {"unit": "output_tokens", "quantity": 40},
            ],
        ),
        ("anthropic-cost.csv", "anthropic", [{"unit": "cache_write_5m_tokens", "amount": "0.25"}]),
        (
            "openai-usage.csv",
            "openai",
            [
                {"unit": "cache_read_tokens", "quantity": 400},
                {"unit": "uncached_input_tokens", "quantity": 600},
                {"unit": "output_tokens", "quantity": 100},
            ],
        ),
        ("openai-costs.csv", "openai", [{"unit": "output_tokens", "quantity": 1000, "amount": "0.895874"}]),
        (
            "openrouter.csv",
            "openrouter",
            [
                {"unit": "input_tokens", "quantity": 300},
                {"unit": "output_tokens", "quantity": 50},
                {"amount": "0.03"},
            ],
        ),
        (
            "fireworks.csv",
            "fireworks",
            [{"unit": "input_tokens", "quantity": 8}, {"unit": "output_tokens", "quantity": 5}],
        ),
        ("fireworks-costs.csv", "fireworks", [{"amount": "8.4"}]),
        ("alibaba.csv", "alibaba", [{"unit": "cache_read_tokens", "quantity": 3500, "amount": "0.1"}]),
        ("focus.csv", "anthropic", [{"unit": "uncached_input_tokens", "quantity": 8400000, "amount": "42.00"}]),
    ],
)
def test_a_csv_export_is_read_exactly(name: str, provider: str, expected: list[dict[str, Any]], tmp_path: Path) -> None:
    """Files are known by their headings; rows without a charge, taxes among them, are no usage."""
    (bill,) = read(tmp_path, name, CSV_FILES[name])

    numbers = ("unit", "quantity", "amount")
    found = [{key: value for key, value in said(line).items() if key in numbers} for line in bill.lines]
    exact = [{key: value if key == "unit" else Decimal(str(value)) for key, value in row.items()} for row in expected]
    assert bill.provider == provider
    assert found == exact


def test_quantities_are_in_tokens(tmp_path: Path) -> None:
    """Millions and thousands of tokens, as Together and Alibaba count, become tokens."""
    lines = [read(tmp_path, "page.json", json.dumps(page))[0].lines[0] for page in (TOGETHER, ALIBABA)]

    assert [line.quantity for line in lines] == [900, 12500]


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("Claude Haiku 4.5", "claude-haiku-4-5"),
        ("Claude Opus 5", "claude-opus-5"),
        ("Claude Haiku 3.5", "claude-3-5-haiku"),
        ("claude-sonnet-4-6", "claude-sonnet-4-6"),
    ],
)
def test_names_that_the_console_shows_are_the_apis(shown: str, name: str, tmp_path: Path) -> None:
    """Anthropic's cost files name models for people; the ledger knows them as the API does."""
    (bill,) = read(tmp_path, "cost.csv", CSV_FILES["anthropic-cost.csv"].replace("Claude Haiku 4.5", shown))

    assert bill.lines[0].model == name


def test_a_file_of_an_older_chinese_console_is_read(tmp_path: Path) -> None:
    """Files in Chinese encodings, by month, are read as those in UTF-8 are."""
    text = CSV_FILES["alibaba.csv"].replace("账单日期", "账单月份").replace("2026-11-03", "202611")
    (tmp_path / "bill.csv").write_bytes(text.encode("gb18030"))

    ((line,),) = (bill.lines for bill in read_bills([tmp_path / "bill.csv"]))

    assert (line.start, line.end) == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    assert (line.model, line.currency) == ("qwen-plus", "CNY")


def test_a_mapping_reads_any_csv_file(tmp_path: Path) -> None:
    """Columns, words for units, cents, other zones and constants are told in a small file."""
    (tmp_path / "bill.csv").write_text("Day;Kind;Count;Cents\n2026-11-03;prompt;1200;5\n")
    (tmp_path / "map.toml").write_text(
        'provider = "acme"\ntimezone_hours = 8\namount_scale = "cents"\n[columns]\nstart = "Day"\nunit = "Kind"\n'
        'quantity = "Count"\namount = "Cents"\n[units]\nprompt = "input_tokens"\n[constants]\nmodel = "m-1"\n'
    )

    (bill,) = read_bills([tmp_path / "bill.csv"], mapped=read_mapping(tmp_path / "map.toml"))

    (line,) = bill.lines
    assert line == Line(
        datetime(2026, 11, 2, 16, tzinfo=UTC),
        datetime(2026, 11, 3, 16, tzinfo=UTC),
        "m-1",
        "input_tokens",
        Decimal(1200),
        Decimal("0.05"),
    )


def test_empty_buckets_speak_for_their_days(tmp_path: Path) -> None:
    """A day on which nothing was billed is part of what a report covers."""
    later = {"starting_at": "2026-11-04T00:00:00Z", "ending_at": "2026-11-05T00:00:00Z", "results": []}
    (bill,) = read(tmp_path, "page.json", json.dumps({"data": [*ANTHROPIC_COST["data"], later]}))

    assert (bill.start, bill.end) == (START, datetime(2026, 11, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", "{", "a.json is no JSON"),
        ("a.json", '{"hello": 1}', "a.json is no bill that farebox knows; name its --format: anthropic-usage"),
        ("a.csv", "x,y\n1,2\n", "a.csv is no bill that farebox knows by its headings (x, y); say what they are with"),
        ("a.csv", "", "a.csv holds no line of a bill"),
        (
            "a.csv",
            "usage_date_utc,model,output_tokens\n2026-11-03,m,many\n",
            "a.csv, read as anthropic-csv: output_tokens is 'many', which is no number",
        ),
        (
            "a.csv",
            "usage_date_utc,model,output_tokens\nyesterday,m,1\n",
            "a.csv, read as anthropic-csv: usage_date_utc is 'yesterday', which is no time",
        ),
        (
            "a.json",
            json.dumps({"data": [{**UNIX, "results": [{"input_tokens": 1, "input_cached_tokens": 2}]}]}),
            "a.json, read as openai-usage: parts of the input are 2 tokens, above input_tokens, 1",
        ),
        (
            "a.json",
            json.dumps({"serverlessCosts": [{"modelName": "m", "promptTokens": "1"}]}),
            "a.json, read as fireworks-usage: serverlessCosts name no startTime; ask for each day by itself",
        ),
    ],
)
def test_what_cannot_be_read_is_one_sentence(name: str, content: str, words: str, tmp_path: Path) -> None:
    """The sentence names the file, the value and what helps."""
    with pytest.raises(BillError) as caught:
        read(tmp_path, name, content)

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("provider = 1", "provider, and start under [columns], are needed"),
        ('provider = "a"\n[columns]\nstarts = "x"', "'starts' is none of start, end"),
        ('provider = "a"\n[columns]\nstart = "x"', "name an amount or a quantity"),
        ('provider = "a"\n[columns]\nstart = "x"\nquantity = "q"\n[units]\nz = "tokens"', "unit 'tokens' is none of"),
        ("= 1", "cannot be read as TOML"),
    ],
)
def test_a_bad_mapping_is_one_sentence(text: str, words: str, tmp_path: Path) -> None:
    """What a mapping may not say is named with what it may."""
    path = tmp_path / "map.toml"
    path.write_text(text)

    with pytest.raises(BillError) as caught:
        read_mapping(path)

    assert words in str(caught.value)
