"""Names on the wire lead to keys of the price book."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from clickhouse_connect.driver.client import Client
from ledger.spans import Span, attempt, rows, store, stored
from shared import SHARED, load, needs_shared

from farebox._endpoints import provider_of

ARN = "arn:aws:bedrock:us-east-1:123456789012:"
# Provider, region, name on the wire, the book's name.
NAMES = [
    ("anthropic", "", "claude-haiku-4-5", "claude-haiku-4-5"),
    ("anthropic", "", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
    ("anthropic", "", "Claude-Haiku-4-5-latest", "claude-haiku-4-5"),
    ("anthropic", "", "claude-4-5-haiku-20251001", "claude-haiku-4-5"),
    ("anthropic", "", "claude-sonnet-4-6", "claude-sonnet-4-6"),
    ("anthropic", "us", "claude-sonnet-4-6", "claude-sonnet-4-6"),
    ("anthropic", "", "claude-sonnet-4-20250514", "claude-sonnet-4-0"),
    ("anthropic", "", "claude-3-5-haiku-20241022", "claude-3-5-haiku"),
    ("anthropic", "", "claude-2.1", "claude-2"),
    ("openai", "", "gpt-5.4-mini", "gpt-5.4-mini"),
    ("openai", "", "gpt-5.4-mini-2026-03-17", "gpt-5.4-mini"),
    ("openai", "", "gpt-5.4-mini-2027-01-01", "gpt-5.4-mini"),
    ("openai", "", "gpt-4o-2024-11-20", "gpt-4o"),
    ("openai", "", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
    ("openai", "", "ft:gpt-4o-mini-2024-07-18:acme::abc123", "ft:gpt-4o-mini"),
    ("openai", "", "ft:gpt-4o-mini-2024-07-18:acme:tone:abc123:ckpt-step-90", "ft:gpt-4o-mini"),
    ("openai", "", "ft:gpt-3.5-turbo-0125:acme:tone:abc123", "ft:gpt-3.5-turbo"),
    ("azure", "", "gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
    ("azure", "", "grok-4-1-fast-non-reasoning", "grok-4-1-fast-non-reasoning"),
    ("azure", "", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
    ("bedrock", "us-east-1", "anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"),
    ("bedrock", "us-east-1", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"),
    ("bedrock", "eu-central-1", "eu.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"),
    ("bedrock", "ap-northeast-1", "jp.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
    ("bedrock", "global", "global.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"),
    ("bedrock", "", "us.anthropic.claude-opus-4-6-v1:0", "claude-opus-4-6"),
    ("bedrock", "eu-west-1", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
    ("bedrock", "us-east-1", ARN + "inference-profile/us.anthropic.claude-sonnet-4-6-v1:0", "claude-sonnet-4-6"),
    ("bedrock", "us-west-2", "arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0", "amazon.nova-lite"),
    ("bedrock", "us-east-2", "us.meta.llama3-3-70b-instruct-v1:0", "meta.llama3-3-70b-instruct"),
    ("bedrock", "us-east-1", "openai.gpt-oss-20b-1:0", "openai.gpt-oss-20b-1"),
    ("bedrock", "us-east-1", "openai.gpt-oss-20b", "openai.gpt-oss-20b-1"),
    ("bedrock", "us-east-1", "amazon.titan-embed-text-v2:0", "amazon.titan-embed-text-v2"),
    ("vertex", "global", "claude-haiku-4-5@20251001", "claude-haiku-4-5"),
    ("vertex", "europe-west1", "claude-sonnet-4-6@default", "claude-sonnet-4-6"),
    ("vertex", "us-east5", "claude-sonnet-4@20250514", "claude-sonnet-4-0"),
    ("vertex", "global", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
    ("vertex", "us-central1", "google/gemini-2.5-flash", "gemini-2.5-flash"),
    ("google", "", "models/gemini-2.5-flash", "gemini-2.5-flash"),
    ("deepseek", "", "deepseek-v4-flash", "deepseek-v4-flash"),
    ("groq", "", "openai/gpt-oss-120b", "openai/gpt-oss-120b"),
    ("mistral", "", "mistral-small-latest", "mistral-small"),
    ("xai", "", "grok-4.3-latest", "grok-4.3"),
    ("moonshot", "", "kimi-k3", "kimi-k3"),
    ("fireworks", "", "accounts/fireworks/models/qwen3p5-flash", "qwen3.5-flash"),
    ("fireworks", "", "accounts/fireworks/models/qwen3p7-plus", "qwen3p7-plus"),
    ("fireworks", "", "accounts/fireworks/routers/kimi-k3-fast", "kimi-k3-fast"),
    ("together", "", "Qwen/Qwen3.5-Flash", "qwen3.5-flash"),
    ("alibaba", "", "qwen3.5-flash", "qwen3.5-flash"),
    ("alibaba", "intl", "qwen3.5-flash-2026-02-23", "qwen3.5-flash"),
    ("openrouter", "", "qwen/qwen3.5-flash-02-23", "qwen3.5-flash"),
    ("openrouter", "", "qwen/qwen3.5-flash-20260224", "qwen3.5-flash"),
    ("openrouter", "", "anthropic/claude-haiku-4.5", "claude-haiku-4-5"),
    ("openrouter", "", "anthropic/claude-4.5-haiku-20251001", "claude-haiku-4-5"),
    ("openrouter", "", "anthropic/claude-4.6-sonnet-20260217", "claude-sonnet-4-6"),
    ("openrouter", "", "anthropic/claude-haiku-4.5:batch", "anthropic/claude-haiku-4.5:batch"),
    ("openrouter", "", "openai/gpt-5.4-mini", "gpt-5.4-mini"),
    ("openrouter", "", "google/gemini-2.5-flash", "gemini-2.5-flash"),
]
# What looks like a name that is known, and may cost something else.
STRANGERS = [
    ("anthropic", "", "claude-haiku-4-5-turbo"),
    ("anthropic", "", "claude-haiku-4-5:fine-tuned"),
    ("openai", "", "claude-haiku-4-5"),
    ("openai", "", "ft:gpt-4.1-2025-04-14:acme::abc123"),
    ("openai", "", "ft:o4-mini-2025-04-16:acme::abc123"),
    ("openai", "", "ft:gpt-4-0613:acme::abc123"),
    ("openai", "", "gpt-4o-mini-search-preview-2025-03-11"),
    ("azure", "", "my-deployment"),
    ("azure", "", "gpt-4o-2024-08-06.ft-0123456789abcdef0123456789abcdef"),
    ("bedrock", "us-east-1", ARN + "application-inference-profile/a1b2c3"),
    ("bedrock", "us-east-1", ARN + "provisioned-model/a1b2c3"),
    ("bedrock", "us-east-1", ARN + "custom-model-deployment/a1b2c3"),
    ("bedrock", "us-east-1", "amazon.nova-lite-v1:0:300k"),
    ("bedrock", "us-east-1", "amazon.nova-lite-v2:0"),
    ("bedrock", "us-east-1", "global.anthropic.claude-haiku-9-v1:0"),
    ("vertex", "global", "claude-haiku-4-5@experimental"),
    ("fireworks", "", "accounts/acme/deployedModels/qwen3p7-plus"),
    ("fireworks", "", "accounts/acme/models/qwen3p5-flash"),
    ("fireworks", "", "accounts/fireworks/models/qwen3p5-flash#accounts/acme/deployments/a1"),
    ("openrouter", "", "anthropic/claude-haiku-4.5:nitro"),
    ("openrouter", "", "anthropic/claude-haiku-4.5:online"),
    ("openrouter", "", "perplexity/sonar"),
    ("ollama", "", "gpt-oss:120b"),
    ("self_hosted", "", "gpt-5.4-mini"),
    ("unknown", "", "gpt-5.4-mini"),
]
# Known models where their price is not: region, name, what the reason names.
ELSEWHERE = [
    ("bedrock", "eu-west-1", "amazon.nova-lite-v1:0"),
    ("bedrock", "us-gov-west-1", "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("bedrock", "", "amazon.nova-lite-v1:0"),
    ("vertex", "", "claude-haiku-4-5@20251001"),
    ("vertex", "europe-west1", "gemini-3.5-flash"),
]
# Recorded names without a price: hosts that the catalogue does not list or that bill in CNY, models that search at each
# request, retired models, names of deployments, and names that no provider knows.
UNPRICED = {
    ("alibaba", "qwen-plus"),
    ("alibaba", "qwen-turbo"),
    ("alibaba", "text-embedding-v1"),
    ("alibaba", "text-embedding-v3"),
    ("anthropic", "invalid-model-name"),
    ("azure", "embed-english-v3.0"),
    ("azure", "embedding"),
    ("azure", "openllmetry-testing"),
    ("mistral", "ministral-14b-latest"),
    ("ollama", "gpt-oss:120b"),
    ("openai", "gpt-4o-mini-search-preview-2025-03-11"),
    ("openai", "non-existent-embedding-model"),
    ("openai", "this-model-does-not-exist"),
    ("openrouter", "perplexity/sonar"),
    ("openrouter", "text-embedding-3-small"),
    ("perplexity", "sonar"),
    ("perplexity", "sonar-pro"),
    ("perplexity", "sonar-reasoning-pro"),
    ("self_hosted", "facebook/opt-125m"),
    ("self_hosted", "gpt-3.5-turbo"),
    ("self_hosted", "intfloat/e5-mistral-7b-instruct"),
    ("self_hosted", "meta-llama/Llama-3.2-1B-Instruct"),
    ("unknown", "granite3.2-vision"),
    ("unknown", "qwen-turbo"),
    ("unknown", "qwen3"),
    ("writer", "palmyra-x4"),
}
RESPONSE_MODEL = re.compile(r'\\?"model\\?": ?\\?"([^"\\]+)')


def wire(provider: str, region: str, name: str, **said: object) -> Span:
    """Make an attempt that says no more than what leads to the price."""
    embeds = "embed" in name or provider == "voyage"
    usage = {"uncached_input_tokens": 1000, **({} if embeds else {"output_tokens": 10})}
    operation = "embeddings" if embeds else "chat"
    return attempt(name, provider, usage=usage, region=region, operation=operation, **said)


def test_names_lead_to_their_models(ledger_client: Client) -> None:
    """Dates, prefixes, profiles, ARNs, capitals and aliases lead to the canonical model, whose price holds."""
    spans = [wire(provider, region, name) for provider, region, name, _ in NAMES]
    store(ledger_client, *spans)

    found = rows(ledger_client, spans, "provider, region, response_model, model, price_state")

    assert found == [(*each, "priced") for each in NAMES]


def test_a_name_that_merely_resembles_one_is_not_priced(ledger_client: Client) -> None:
    """What the rules do not lead to a model, a fine-tuned one above all, keeps its name and has no price."""
    spans = [wire(provider, region, name) for provider, region, name in STRANGERS]
    store(ledger_client, *spans)

    found = rows(ledger_client, spans, "provider, response_model, price_state, list_cost")

    assert found == [(provider, name, "no_price", None) for provider, _, name in STRANGERS]


def test_a_price_of_one_region_is_not_that_of_another(ledger_client: Client) -> None:
    """Where a region costs what the book does not know, or none is named and it matters, there is no price."""
    spans = [wire(provider, region, name) for provider, region, name in ELSEWHERE]
    store(ledger_client, *spans)

    found = rows(ledger_client, spans, "price_state, list_cost, startsWith(price_reason, 'no price at the time')")

    assert found == [("no_price", None, True)] * len(ELSEWHERE)


@pytest.mark.parametrize(
    ("region", "name", "cost"),
    [
        ("us-east-1", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "0.001155000000"),
        ("eu-west-3", "anthropic.claude-haiku-4-5-20251001-v1:0", "0.001155000000"),
        ("global", "global.anthropic.claude-haiku-4-5-20251001-v1:0", "0.001050000000"),
        ("us-east-1", "anthropic.claude-3-haiku-20240307-v1:0", "0.000262500000"),
    ],
)
def test_bedrocks_global_profiles_cost_less(ledger_client: Client, region: str, name: str, cost: str) -> None:
    """A region or a geography costs a tenth more than the global profile, of the models that have one."""
    asked = attempt("", "bedrock", request_model=name, region=region)

    assert stored(ledger_client, asked, "list_cost") == (Decimal(cost),)


def test_the_name_of_a_global_profile_tells_the_region(ledger_client: Client) -> None:
    """A span that names the region of the address, as a foreign one does, is still priced as global."""
    name = "arn:aws:bedrock:eu-west-1:1:inference-profile/global.anthropic.claude-haiku-4-5-20251001-v1:0"
    asked = attempt("claude-haiku-4-5-20251001", "bedrock", request_model=name, region="eu-west-1")

    assert stored(ledger_client, asked, "list_cost, price_id") == (
        Decimal("0.00105"),
        "bedrock/claude-haiku-4-5 in global",
    )


def test_a_profile_of_ones_own_says_what_was_assumed(ledger_client: Client) -> None:
    """An application inference profile hides its model: the answer names that, the reason what was assumed."""
    asked = attempt(
        "claude-haiku-4-5-20251001",
        "bedrock",
        request_model=ARN + "application-inference-profile/a1b2c3",
        region="us-east-1",
    )

    assert stored(ledger_client, asked, "list_cost, price_state, price_reason") == (
        Decimal("0.001155"),
        "priced",
        "the profile does not tell whether it is global; priced as that of a region",
    )


@pytest.mark.parametrize(("region", "cost"), [("global", "0.00105"), ("europe-west1", "0.001155"), ("us", "0.001155")])
def test_vertex_endpoints_of_a_region_cost_more(ledger_client: Client, region: str, cost: str) -> None:
    """From Sonnet 4.5 on, an endpoint of a region or of several costs a tenth more than the global one."""
    asked = wire("vertex", region, "claude-haiku-4-5@20251001")

    assert stored(ledger_client, asked, "list_cost") == (Decimal(cost),)


def test_an_address_tells_the_region_where_no_span_does(ledger_client: Client) -> None:
    """Alibaba's address in China bills in CNY, the international one in USD."""
    spans = [
        Span({**wire("alibaba", "", "qwen3.5-flash").attributes, "server.address": host})
        for host in ("dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com")
    ]
    store(ledger_client, *spans)

    assert rows(ledger_client, spans, "list_cost, price_state, price_reason") == [
        (
            None,
            "no_price",
            "no price at the time of the call for qwen3.5-flash of alibaba, in cn, billed in CNY, not in USD",
        ),
        (Decimal("0.000104"), "priced", ""),
    ]


@pytest.mark.parametrize(
    ("provider", "host", "name", "cost"),
    [
        ("openai", "api.openai.com", "gpt-5.4", "0.00265"),
        ("openai", "eu.api.openai.com", "gpt-5.4-2026-03-05", "0.002915"),
        ("openai", "us.api.openai.com", "gpt-4o", "0.0026"),
        ("openai", "eu.api.openai.com", "gpt-audio-mini", None),
        ("xai", "us.api.x.ai", "grok-4.6", "0.002266"),
        ("xai", "us.api.x.ai", "grok-4.3", None),
        ("together", "us-api.together.ai", "mistralai/Mixtral-8x7B-Instruct-v0.1", "0.00113625"),
    ],
)
def test_addresses_that_keep_data_in_a_region_have_their_price(
    ledger_client: Client, provider: str, host: str, name: str, cost: str | None
) -> None:
    """Regional addresses of OpenAI and xAI cost a tenth more for the models their pages name, Together's a quarter."""
    span = wire(provider, "", name)

    row = stored(ledger_client, Span({**span.attributes, "server.address": host}), "list_cost")

    assert row == (None if cost is None else Decimal(cost),)


def test_the_response_names_the_model_before_the_request(ledger_client: Client) -> None:
    """The model that answered is priced, or not known; the one asked for counts where the answer names none."""
    answered = attempt("claude-haiku-4-5", request_model="claude-sonnet-4-6")
    nameless = attempt("", request_model="claude-sonnet-4-6-20260101")
    strange = attempt("my-deployment", request_model="claude-sonnet-4-6")
    store(ledger_client, answered, nameless, strange)

    found = rows(ledger_client, [answered, nameless, strange], "model, price_state")

    assert found == [("claude-haiku-4-5", "priced"), ("claude-sonnet-4-6", "priced"), ("my-deployment", "no_price")]


@needs_shared
def test_every_model_of_the_recorded_traffic_is_known_or_unknown_for_a_reason(ledger_client: Client) -> None:
    """Of all names in recorded traffic, those without a price are these, each for the reason given."""
    spans = {}
    for case in load("corpus/replay.py").iter_cases(SHARED / "corpus"):
        host, provider = case["provider_host"], provider_of(case["provider_host"])
        region = "us-east-1" if provider == "bedrock" else ""
        for answered in set(RESPONSE_MODEL.findall(json.dumps(case["response"]))) or {""}:
            span = wire(provider, region, answered or case["model"], request_model=case["model"])
            spans[provider, answered or case["model"]] = Span({**span.attributes, "server.address": host})
    store(ledger_client, *spans.values())

    found = dict(zip(spans, rows(ledger_client, spans.values(), "price_state, price_reason"), strict=True))

    assert len(found) > 80
    assert {key for key, (state, _) in found.items() if state != "priced"} == UNPRICED
    assert {state for state, _ in found.values()} == {"priced", "no_price"}
    assert [key for key in UNPRICED if key[1].lower() not in found[key][1]] == []


def test_every_model_of_the_book_answers_to_its_own_name(ledger_client: Client) -> None:
    """No model of the book is out of reach, and none answers to the name of another."""
    found = ledger_client.query(
        "SELECT provider, model, dictGetOrNull('price_name', 'value', (provider, 'model', model)) AS led "
        "FROM (SELECT DISTINCT provider, model FROM prices) WHERE led IS NULL OR led != model"
    ).result_rows

    assert found == []
