"""The names of the attributes on farebox's spans, each spelt once.

`gen_ai.*` are OpenTelemetry's GenAI conventions (its generated Python constants are deprecated since 0.66b2, so the
strings stand here); `farebox.*` are ours, and ARCHITECTURE.md says what each means. The ledger's SQL spells them
again; a test holds both lists against each other.
"""

from __future__ import annotations

from typing import Final

SCOPE: Final = "farebox"

# --- OpenTelemetry -----------------------------------------------------------------------------------------
OPERATION: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_TOP_P: Final = "gen_ai.request.top_p"
REQUEST_SEED: Final = "gen_ai.request.seed"
REQUEST_CHOICE_COUNT: Final = "gen_ai.request.choice.count"
OUTPUT_TYPE: Final = "gen_ai.output.type"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"  # cache reads and writes included
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"  # reasoning included
CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_INPUT_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
REASONING_OUTPUT_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
INPUT_MESSAGES: Final = "gen_ai.input.messages"  # of records of content, as the next three are
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
CONTENT_EVENT: Final = "gen_ai.client.inference.operation.details"
ERROR_TYPE: Final = "error.type"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
HTTP_STATUS: Final = "http.response.status_code"
RESEND_COUNT: Final = "http.request.resend_count"
ENVIRONMENT: Final = "deployment.environment.name"  # of the resource

# --- farebox -----------------------------------------------------------------------------------------------
KIND: Final = "farebox.kind"
ROUTE: Final = "farebox.route"
TENANT: Final = "farebox.tenant"
USER: Final = "farebox.user"
TASK: Final = "farebox.task"
PROMPT_VERSION: Final = "farebox.prompt_version"
TAG_PREFIX: Final = "farebox.tag."
CALL_ID: Final = "farebox.call_id"
ATTEMPT: Final = "farebox.attempt"
INSTANCE: Final = "farebox.instance"
SEQ: Final = "farebox.seq"
PROVIDER: Final = "farebox.provider"
USAGE_PREFIX: Final = "farebox.usage."
USAGE_STATE: Final = "farebox.usage.state"
ESTIMATED_OUTPUT_TOKENS: Final = "farebox.usage.estimated_output_tokens"
USAGE_CONTRADICTION: Final = "farebox.usage.contradiction"  # a part exceeds its whole; a sentence with both numbers
REPORTED_COST: Final = "farebox.reported_cost"  # decimal text, USD, as the host itself said
OUTCOME: Final = "farebox.outcome"
FLAGS: Final = "farebox.flags"
CHECKED: Final = "farebox.checked"
TOOL_CALLS: Final = "farebox.tool_calls"
TOOL_CALLS_MALFORMED: Final = "farebox.tool_calls_malformed"
TOOL_NAMES: Final = "farebox.tool_names"
MALFORMED_TOOLS: Final = "farebox.malformed_tools"
REFUSAL_KIND: Final = "farebox.refusal.kind"
UNSUPPORTED_CITATIONS: Final = "farebox.unsupported_citations"
LANGUAGE: Final = "farebox.language"
SCRIPT: Final = "farebox.script"
PREFIX_HASHES: Final = "farebox.prefix.hashes"
PREFIX_BYTES: Final = "farebox.prefix.bytes"
REQUEST_CHARACTERS: Final = "farebox.request.characters"
RESPONSE_CHARACTERS: Final = "farebox.response.characters"
TIME_TO_FIRST_TOKEN_MS: Final = "farebox.time_to_first_token_ms"  # noqa: S105
DURATION_MS: Final = "farebox.duration_ms"
OUTPUT_TOKENS_PER_SECOND: Final = "farebox.output_tokens_per_second"  # of a whole stream, after its first token
SERVICE_TIER: Final = "farebox.service_tier"
SPEED: Final = "farebox.speed"
REGION: Final = "farebox.region"
ORGANIZATION: Final = "farebox.organization"
WORKSPACE: Final = "farebox.workspace"
PROJECT: Final = "farebox.project"
KEY_FINGERPRINT: Final = "farebox.key_fingerprint"
REQUEST_ID: Final = "farebox.request_id"
RATE_LIMIT_PREFIX: Final = "farebox.rate_limit."
RETRY_AFTER_S: Final = "farebox.retry_after_s"
SUCCESS: Final = "farebox.success"  # of a task, on spans named farebox.outcome: true or false
HUMAN_MINUTES: Final = "farebox.human_minutes"  # decimal text, on the same spans
CONTENT_TRUNCATED: Final = "farebox.content.truncated"  # something was cut or left out for its size
READ_RESULTS: Final = "farebox.read.results"  # things billed elsewhere that a call showed

# Exclusive leaves of usage: they add up to the total, reasoning apart (it is inside output).
INPUT_LEAVES: Final = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_write_unsplit_tokens",
    "cache_write_30m_tokens",
    "cache_write_12h_tokens",
    "audio_input_tokens",
    "image_input_tokens",
)
OUTPUT_LEAVES: Final = ("output_tokens", "audio_output_tokens", "image_output_tokens")
FEE_LEAVES: Final = ("web_search_requests", "web_fetch_requests")
# Further leaves, which the ledger keeps in a map: where the book has no price for one, the attempt is `no_price`.
OTHER_LEAVES: Final = (
    "audio_input_seconds",
    "cache_read_audio_tokens",
    "cache_read_image_tokens",
    "images",
    "input_characters",
)

# Spans that report something else than a call; and what stands on them.
OUTCOME_SPAN: Final = "farebox.outcome"
HEALTH_SPAN: Final = "farebox.health"
ANNOTATION_SPAN: Final = "farebox.annotation"
HEALTH_PREFIX: Final = "farebox.health."  # one count each
ANNOTATION_KIND: Final = "farebox.annotation.kind"
ANNOTATION_TEXT: Final = "farebox.annotation.text"
ANNOTATION_WHO: Final = "farebox.annotation.who"

# Names of other instrumentations, which the ledger reads where farebox did not report the call.
FOREIGN: Final = (
    "anthropic.message.stop_reason",
    "anthropic.organization.id",
    "anthropic.request.id",
    "anthropic.response.service_tier",
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
    "anthropic.usage.cache_creation.ephemeral_5m_input_tokens",
    "anthropic.workspace.id",
    "enduser.id",
    "gen_ai.openai.response.service_tier",
    "gen_ai.system",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.cache_read_tokens",
    "gen_ai.usage.cache_write_input_tokens",
    "gen_ai.usage.cache_write_tokens",
    "gen_ai.usage.completion_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.reasoning_tokens",
    "llm.model_name",
    "llm.provider",
    "llm.request.model",
    "llm.request.type",
    "llm.response.model",
    "llm.system",
    "llm.token_count.completion",
    "llm.token_count.completion_details.reasoning",
    "llm.token_count.prompt",
    "llm.token_count.prompt_details.cache_read",
    "llm.token_count.prompt_details.cache_write",
    "llm.usage.completion_tokens",
    "llm.usage.prompt_tokens",
    "openai.response.service_tier",
    "openinference.span.kind",
    "traceloop.association.properties.user_id",
    "user.id",
)
