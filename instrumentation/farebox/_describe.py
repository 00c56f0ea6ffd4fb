"""Describe an attempt as span attributes: what was asked, what came back, what it used, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from farebox import semconv as name
from farebox._attempt import Attempt
from farebox._background import background_result, note_background
from farebox._billed import Billed, derived_id
from farebox._ending import error_type_of, outcome_of, usage_state_of
from farebox._endpoints import provider_of
from farebox._flags import flags_of
from farebox._headers import REQUEST_IDS
from farebox._identity import instance_id, key_fingerprint, keyed_hash
from farebox._long_reads import BOILED, PART, LongRead
from farebox._platforms import deployment_in, model_in, project_in, region_in
from farebox._prefix import prefix_of
from farebox._rate_limits import rate_limits
from farebox._read import is_stream, read_request, read_response
from farebox._reading import BilledApart, Reading, text
from farebox._reads import billed_in
from farebox._tag_limits import bounded
from farebox._usage import TokenUsage
from farebox.settings import setting

__all__ = ["Description", "describe", "describe_read"]

Attributes = dict[str, Any]

TOOL_NAMES_MAX = 16
BYTES_PER_ESTIMATED_TOKEN = 4

# farebox.provider → gen_ai.provider.name, where the conventions have a value of their own.
_OTEL_PROVIDERS = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "vertex": "gcp.vertex_ai",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "xai": "x_ai",
}
_OWN_TAGS = {
    "route": name.ROUTE,
    "tenant": name.TENANT,
    "user": name.USER,
    "task": name.TASK,
    "prompt_version": name.PROMPT_VERSION,
}
_REQUEST_FIELDS: dict[str, tuple[str, Callable[[Any], float]]] = {
    "temperature": (name.REQUEST_TEMPERATURE, float),
    "top_p": (name.REQUEST_TOP_P, float),
    "seed": (name.REQUEST_SEED, int),
    "n": (name.REQUEST_CHOICE_COUNT, int),
    "max_tokens": (name.REQUEST_MAX_TOKENS, int),
    "max_completion_tokens": (name.REQUEST_MAX_TOKENS, int),
    "max_output_tokens": (name.REQUEST_MAX_TOKENS, int),
}

# What the attempt says of its answer, and a pass billed beside it does not repeat.
_OF_THE_ANSWER = (
    name.USAGE_PREFIX,
    "gen_ai.usage.",
    "gen_ai.response.",
    "farebox.prefix.",
    name.FLAGS,
    name.CHECKED,
    name.TOOL_CALLS,
    name.TOOL_NAMES,
    name.MALFORMED_TOOLS,
    name.DURATION_MS,
    name.TIME_TO_FIRST_TOKEN_MS,
    name.OUTPUT_TOKENS_PER_SECOND,
    name.REPORTED_COST,
    name.RESEND_COUNT,
    name.RATE_LIMIT_PREFIX,
    name.RETRY_AFTER_S,
)


@dataclass(frozen=True, slots=True)
class Description:
    """A span's name, attributes and error (None: no error), and what was billed beside it.

    identity: text that the span id of a thing billed apart derives from, so that any reader gives the same; "" for an
    attempt, which has its own. trace: the same of its trace id; "" for what stays in the attempt's trace. Times are ns
    since 1970; None: as the attempt's start.
    """

    name: str
    attributes: Attributes
    error: str | None = None
    identity: str = ""
    apart: tuple[Description, ...] = ()
    trace: str = ""
    started_ns: int | None = None
    ended_ns: int | None = None


def describe(attempt: Attempt) -> Description:
    """Read an ended attempt and describe it."""
    tags = {**attempt.state.defaults, **attempt.tags}
    provider = tags.pop("provider", None) or provider_of(attempt.url.host)
    request = read_request(attempt)
    reading = read_response(attempt, provider)
    outcome = outcome_of(attempt, reading)
    error = error_type_of(attempt, reading, outcome)
    model = _request_model(attempt, request)
    attributes: Attributes = {
        name.OPERATION: attempt.endpoint.operation,
        **_place(attempt, provider),
        name.KIND: "attempt",
        name.CALL_ID: f"{attempt.call_id:016x}",
        name.ATTEMPT: attempt.attempt,
        name.SEQ: attempt.seq,
        name.OUTCOME: outcome,
        name.DURATION_MS: _ms(attempt.ended_at - attempt.started_at),
        name.RESEND_COUNT: attempt.attempt or None,
        name.ERROR_TYPE: error,
        name.HTTP_STATUS: attempt.status,
        name.REQUEST_MODEL: model,
        name.REGION: reading.region or region_in(attempt.url, provider),
        **_tags(tags),
        **_request(attempt, request),
        **_response(attempt, reading),
        **_usage(attempt, reading),
        **_account(attempt),
        **_limits(attempt, outcome),
        **prefix_of(request),
    }
    attributes.update(flags_of(attempt.endpoint.operation, reading, outcome, request, tags.get("route", "default")))
    known = {key: value for key, value in attributes.items() if value is not None}
    apart = [_apart(each, attempt, reading, known) for each in reading.apart]
    note_background(reading, tags)
    result = background_result(reading, whole=False)  # the answer is described here
    if result is not None:
        apart.append(_billed(result, attempt, {**_place(attempt, provider), **_account(attempt)}))
    return Description(
        name=f"{attempt.endpoint.operation} {model}" if model else attempt.endpoint.operation,
        attributes=known,
        error=None if outcome in ("ok", "abandoned", "cancelled") else error,
        apart=tuple(apart),
    )


def describe_read(attempt: Attempt) -> Description:
    """Describe a call that reads what is billed elsewhere, with what it shows to be billed; no name if that is nothing.

    Of a response recorded in parts, only the last has a name.
    """
    tags = {**attempt.state.defaults, **attempt.tags}
    provider = tags.pop("provider", None) or provider_of(attempt.url.host)
    reader = {**_place(attempt, provider), **_account(attempt)}
    apart = tuple(_billed(each, attempt, reader) for each in billed_in(attempt, provider))
    count = attempt.count(len(apart)) if isinstance(attempt, LongRead) else len(apart)
    if not count or attempt.ended in (PART, BOILED):
        return Description("", {}, apart=apart)
    attributes = {
        **reader,
        **_tags(tags),
        name.HTTP_STATUS: attempt.status,
        name.READ_RESULTS: count,
    }
    known = {key: value for key, value in attributes.items() if value is not None}
    return Description("farebox.read", known, apart=apart)


def _billed(each: Billed, attempt: Attempt, reader: Attributes) -> Description:
    """Describe a thing billed elsewhere: the reader's place and account, its own tags, times, model and usage."""
    reading = each.reading
    tags = {**attempt.state.defaults, **each.tags, **attempt.tags}
    tags.pop("provider", None)
    error = None if each.outcome == "ok" else text((reading.error or {}).get("type")) or each.outcome
    attributes: Attributes = {
        **reader,
        name.OPERATION: each.operation,
        name.KIND: each.kind,
        name.CALL_ID: f"{derived_id(each.span, 8):016x}",
        name.ATTEMPT: 0,
        name.SEQ: attempt.state.next_number(),
        name.OUTCOME: each.outcome,
        name.ERROR_TYPE: error,
        name.DURATION_MS: _between(each.started_ns, each.ended_ns),
        name.REGION: reading.region or region_in(attempt.url, reader[name.PROVIDER]),
        **_tags(tags),
        **_response(attempt, reading if each.whole else replace(reading, choices={})),
        name.FINISH_REASONS: reading.stop_reasons or None,
        name.REQUEST_ID: each.request_id,
        name.USAGE_STATE: each.state,
        **(_leaves(reading.usage) if reading.usage is not None and each.state != "none" else {}),
    }
    if each.whole:
        attributes.update(flags_of(each.operation, reading, each.outcome, {}, tags.get("route", "default")))
    known = {key: value for key, value in attributes.items() if value is not None}
    return Description(
        name=f"{each.operation} {reading.model}" if reading.model else each.operation,
        attributes=known,
        error=None if each.outcome in ("ok", "cancelled") else error,
        identity=each.span,
        apart=tuple(_apart(one, attempt, reading, known) for one in reading.apart),
        trace=each.trace,
        started_ns=each.started_ns,
        ended_ns=each.ended_ns,
    )


def _place(attempt: Attempt, provider: str) -> Attributes:
    """Where a call went, and from which process."""
    return {
        name.PROVIDER_NAME: _OTEL_PROVIDERS.get(provider, provider),
        name.PROVIDER: provider,
        name.SERVER_ADDRESS: attempt.url.host,
        name.SERVER_PORT: attempt.url.port,
        name.INSTANCE: instance_id(),
    }


def _apart(each: BilledApart, attempt: Attempt, reading: Reading, attributes: Attributes) -> Description:
    """Describe a pass billed beside the answer: the attempt's context, its own model and usage."""
    context = {key: value for key, value in attributes.items() if not key.startswith(_OF_THE_ANSWER)}
    own = {
        name.KIND: "iteration",
        name.SEQ: attempt.state.next_number(),
        name.TAG_PREFIX + "iteration": each.kind,
        name.REQUEST_MODEL: each.model,
        name.RESPONSE_MODEL: each.model,
        name.USAGE_STATE: attributes[name.USAGE_STATE],
        **_leaves(each.usage),
    }
    return Description(
        name=f"{attempt.endpoint.operation} {each.model}" if each.model else attempt.endpoint.operation,
        attributes=context | {key: value for key, value in own.items() if value is not None},
        identity=f"{reading.response_id or attempt.span_id}/iteration/{each.index}",
    )


def _tags(tags: Mapping[str, str]) -> Attributes:
    out: Attributes = {name.ROUTE: "default"}
    for tag, value in bounded(tags).items():
        if tag == "user" and setting("hash_users"):
            value = keyed_hash(value)
        out[_OWN_TAGS.get(tag, name.TAG_PREFIX + tag)] = value
    return out


def _request_model(attempt: Attempt, request: Mapping[str, Any]) -> str | None:
    return deployment_in(attempt.url) or text(request.get("model")) or model_in(attempt.url)


def _request(attempt: Attempt, request: Mapping[str, Any]) -> Attributes:
    out: Attributes = {
        attribute: kind(value)
        for field, (attribute, kind) in _REQUEST_FIELDS.items()
        if _is_number(value := request.get(field))
    }
    if request.get("stream") or attempt.url.path.endswith("/invoke-with-response-stream"):
        out[name.REQUEST_STREAM] = True
    return out


def _response(attempt: Attempt, reading: Reading) -> Attributes:
    out: Attributes = {
        name.RESPONSE_ID: reading.response_id,
        name.RESPONSE_MODEL: reading.model,
        name.FINISH_REASONS: reading.stop_reasons or None,
        name.SERVICE_TIER: reading.service_tier,
        name.SPEED: reading.speed,
    }
    tools = reading.tools
    if tools:
        out[name.TOOL_CALLS] = len(tools)
        out[name.TOOL_NAMES] = sorted({tool.name for tool in tools if tool.name})[:TOOL_NAMES_MAX]
    if reading.first_token is not None and is_stream(attempt) and reading.first_token < len(attempt.chunk_times):
        first_at = attempt.chunk_times[reading.first_token]
        out[name.TIME_TO_FIRST_TOKEN_MS] = _ms(first_at - attempt.started_at)
        out[name.TIME_TO_FIRST_CHUNK] = round(first_at - attempt.started_at, 6)
        tokens = reading.usage.output_total if reading.complete and reading.usage is not None else None
        if tokens is not None and tokens > 1 and attempt.ended_at > first_at:
            out[name.OUTPUT_TOKENS_PER_SECOND] = round((tokens - 1) / (attempt.ended_at - first_at), 3)
    return out


def _usage(attempt: Attempt, reading: Reading) -> Attributes:
    state = usage_state_of(attempt, reading)
    out: Attributes = {name.USAGE_STATE: state}
    usage = reading.usage
    if usage is not None and state != "none":
        out.update(_leaves(usage))
    if state in ("partial", "missing") and reading.characters:
        pieces = [piece for choice in reading.choices.values() for piece in choice.pieces]
        size = len("".join(pieces).encode()) + reading.characters - sum(map(len, pieces))
        out[name.ESTIMATED_OUTPUT_TOKENS] = -(-size // BYTES_PER_ESTIMATED_TOKEN)
    return out


def _leaves(usage: TokenUsage) -> Attributes:
    leaves = usage.leaves
    writes = [count for leaf, count in leaves.items() if leaf.startswith("cache_write_")]
    return {
        **{name.USAGE_PREFIX + leaf: count for leaf, count in leaves.items()},
        name.REPORTED_COST: None if usage.reported_cost is None else format(usage.reported_cost, "f"),
        name.USAGE_PREFIX + "reasoning_tokens": usage.reasoning,
        name.USAGE_CONTRADICTION: usage.contradiction,
        name.INPUT_TOKENS: usage.input_total,
        name.OUTPUT_TOKENS: usage.output_total,
        name.REASONING_OUTPUT_TOKENS: usage.reasoning,
        name.CACHE_READ_INPUT_TOKENS: leaves.get("cache_read_tokens"),
        name.CACHE_WRITE_INPUT_TOKENS: sum(writes) if writes else None,
    }


def _account(attempt: Attempt) -> Attributes:
    """Which request, organization, workspace and key the provider will name on its bill."""
    sent, came = attempt.sent, attempt.headers or {}
    request_id = next((value for header in REQUEST_IDS if (value := came.get(header))), None)
    return {
        name.REQUEST_ID: request_id or sent.get("x-client-request-id"),
        name.ORGANIZATION: came.get("anthropic-organization-id") or came.get("openai-organization"),
        name.WORKSPACE: came.get("anthropic-workspace-id"),
        name.PROJECT: came.get("openai-project") or sent.get("openai-project") or project_in(attempt.url),
        name.KEY_FINGERPRINT: key_fingerprint(sent),
    }


def _limits(attempt: Attempt, outcome: str) -> Attributes:
    """What the provider's rate limits leave, where it says so."""
    if attempt.headers is None or attempt.headers_at is None:
        return {}
    now_s = attempt.started_ns / 1_000_000_000 + attempt.headers_at - attempt.started_at
    return rate_limits(attempt.headers, limited=outcome == "rate_limited", now_s=now_s)


def _is_number(value: Any) -> bool:
    return value is not None and not isinstance(value, bool) and hasattr(value, "__int__")


def _between(started_ns: int | None, ended_ns: int | None) -> float | None:
    return None if started_ns is None or ended_ns is None else _ms((ended_ns - started_ns) / 1_000_000_000)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
