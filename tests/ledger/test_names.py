"""Names on the wire lead to keys of the price book."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.client import Client
from ledger.spans import attempt, rows, store, stored

NAMES = [
    ("anthropic", "claude-haiku-4-5", "claude-haiku-4-5"),
    ("anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
    ("anthropic", "Claude-Haiku-4-5-latest", "claude-haiku-4-5"),
    ("anthropic", "claude-4-5-haiku-20251001", "claude-haiku-4-5"),
    ("anthropic", "claude-sonnet-4-6", "claude-sonnet-4-6"),
    ("anthropic", "claude-sonnet-4-20250514", "claude-sonnet-4-0"),
    ("anthropic", "claude-3-5-haiku-20241022", "claude-3-5-haiku"),
    ("openai", "gpt-5.4-mini", "gpt-5.4-mini"),
    ("openai", "gpt-5.4-mini-2026-03-17", "gpt-5.4-mini"),
    ("openai", "gpt-5.4-mini-2027-01-01", "gpt-5.4-mini"),
    ("openai", "gpt-4o-2024-11-20", "gpt-4o"),
    ("openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
    ("fireworks", "accounts/fireworks/models/qwen3p5-flash", "qwen3.5-flash"),
    ("fireworks", "accounts/fireworks/models/qwen3p7-plus", "qwen3p7-plus"),
    ("together", "Qwen/Qwen3.5-Flash", "qwen3.5-flash"),
    ("alibaba", "qwen3.5-flash", "qwen3.5-flash"),
    ("alibaba", "qwen3.5-flash-2026-02-23", "qwen3.5-flash"),
    ("openrouter", "qwen/qwen3.5-flash-02-23", "qwen3.5-flash"),
    ("openrouter", "qwen/qwen3.5-flash-20260224", "qwen3.5-flash"),
    ("openrouter", "anthropic/claude-haiku-4.5", "claude-haiku-4-5"),
    ("openrouter", "anthropic/claude-4.6-sonnet-20260217", "claude-sonnet-4-6"),
    ("openrouter", "openai/gpt-5.4-mini", "gpt-5.4-mini"),
]
STRANGERS = [
    ("anthropic", "claude-haiku-4-5-turbo"),
    ("openai", "claude-haiku-4-5"),
    ("openai", "ft:gpt-4o-mini:acme::abc123"),
    ("fireworks", "accounts/acme/deployedModels/qwen3p7-plus"),
    ("openrouter", "anthropic/claude-haiku-4.5:nitro"),
    ("unknown", "gpt-5.4-mini"),
]


@pytest.mark.parametrize(("provider", "name", "model"), NAMES)
def test_a_name_leads_to_its_model(ledger_client: Client, provider: str, name: str, model: str) -> None:
    """Dates, prefixes, capitals and aliases lead to the canonical model, whose price holds."""
    row = stored(ledger_client, attempt(name, provider), "model, response_model, price_state")

    assert row == (model, name, "priced")


@pytest.mark.parametrize(("provider", "name"), STRANGERS)
def test_a_name_that_merely_resembles_one_is_not_priced(ledger_client: Client, provider: str, name: str) -> None:
    """What the rules do not lead to a model keeps its name, in lower case, and has no price."""
    row = stored(ledger_client, attempt(name, provider), "model, price_state, list_cost")

    assert row == (name.lower(), "no_price", None)


def test_the_response_names_the_model_before_the_request(ledger_client: Client) -> None:
    """The model that answered is priced; the one asked for where the answer's name is not known."""
    answered = attempt("claude-haiku-4-5", request_model="claude-sonnet-4-6")
    nameless = attempt("", request_model="claude-sonnet-4-6-20260101")
    strange = attempt("my-deployment", request_model="claude-sonnet-4-6")
    store(ledger_client, answered, nameless, strange)

    found = rows(ledger_client, [answered, nameless, strange], "model, price_state")

    assert found == [("claude-haiku-4-5", "priced"), ("claude-sonnet-4-6", "priced"), ("claude-sonnet-4-6", "priced")]


def test_every_model_of_the_book_answers_to_its_own_name(ledger_client: Client) -> None:
    """No model of the book is out of reach, and none answers to the name of another."""
    found = ledger_client.query(
        "SELECT provider, model, dictGetOrNull('price_name', 'value', (provider, 'model', model)) AS led "
        "FROM (SELECT DISTINCT provider, model FROM prices) WHERE led IS NULL OR led != model"
    ).result_rows

    assert found == []
