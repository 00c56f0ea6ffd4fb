"""Which provider a host is, and which requests cost money."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Endpoint", "endpoint_of", "provider_of"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A kind of request that is recorded.

    operation: OTel's gen_ai.operation.name, or ours where it has none.
    shape: how the response is read; "" means its usage is not understood yet and is recorded as missing.
    free: the provider does not charge for it.
    read: it reads what is billed elsewhere, and is no attempt in the ledger itself.
    form: its request may be a multipart form with files.
    long: its response is a file of lines, recorded in parts; what lacks `mark` in the first part is another file.
    """

    operation: str
    shape: str
    free: bool = False
    form: bool = False
    read: bool = False
    long: bool = False
    mark: bytes = b""


_MESSAGES = Endpoint("chat", "anthropic")
_CHAT = Endpoint("chat", "chat")
_RESPONSES = Endpoint("chat", "responses")
_RESPONSE_READ = Endpoint("chat", "responses", read=True)
# Billed for what they set going, and no answer says how much.
_AGENT = Endpoint("invoke_agent", "")
_CALL = Endpoint("realtime", "")
_EVALUATION = Endpoint("evaluate", "")
_VIDEO = Endpoint("generate_video", "", form=True)
_BATCH = Endpoint("batch", "batch", free=True, read=True)

# Matched against the end of the path, the first that fits. What is not listed, or is None, is not recorded.
_PATHS: dict[str, tuple[tuple[str, Endpoint | None], ...]] = {
    "POST": (
        # These end like something else.
        (r"/threads/[^/]+/messages", None),
        (r"/uploads/[^/]+/complete", None),
        (r"/(chatkit|realtime)/sessions", None),
        (r"/messages", _MESSAGES),
        (r"/messages/count_tokens", Endpoint("count_tokens", "free", free=True)),
        (r"/chat/completions", _CHAT),
        (r"/responses", _RESPONSES),
        (r"/responses/compact", _RESPONSES),
        (r"/responses/input_tokens", Endpoint("count_tokens", "free", free=True)),
        (r"/completions", Endpoint("text_completion", "chat")),
        (r"/complete", Endpoint("text_completion", "")),
        (r"/embeddings", Endpoint("embeddings", "embeddings")),
        (r"/images/(generations|edits|variations)", Endpoint("generate_image", "image", form=True)),
        (r"/audio/speech", Endpoint("generate_speech", "speech")),
        (r"/audio/(transcriptions|translations)", Endpoint("transcribe", "transcript", form=True)),
        (r"/videos(/characters|/edits|/extensions|/[^/]+/remix)?", _VIDEO),
        (r"/decisions", Endpoint("decision", "decision")),
        # Bedrock and Vertex carry the model in the path; an ARN has a slash in it.
        (r"/model/.+/(invoke|invoke-with-response-stream)", _MESSAGES),
        (r"/models/count-tokens:rawPredict", Endpoint("count_tokens", "free", free=True)),
        (r"/models/[^/]+:(rawPredict|streamRawPredict)", _MESSAGES),
        (r"/(realtime/calls|live/sessions)(/[^/]+/(accept|fork))?", _CALL),
        (r"/sessions(/[^/]+/events)?", _AGENT),
        (r"/agents/automations/[^/]+/invocations", _AGENT),
        (r"/deployments/[^/]+/run", _AGENT),
        (r"/dreams", _AGENT),
        (r"/threads(/[^/]+)?/runs", _AGENT),
        (r"/evals/[^/]+/runs", _EVALUATION),
        (r"/fine_tuning/alpha/graders/run", _EVALUATION),
        (r"/fine_tuning/jobs", Endpoint("fine_tune", "")),
        (r"/containers", Endpoint("create_container", "")),
        (r"/content_provenance_checks", Endpoint("check_provenance", "", form=True)),
        (r"/vector_stores/[^/]+/search", Endpoint("retrieval", "")),
        (r"/batches(/[^/]+/cancel)?", _BATCH),
        (r"/responses/[^/]+/cancel", _RESPONSE_READ),
    ),
    "GET": (
        (r"/batches/[^/]+/results", Endpoint("chat", "results", read=True, long=True)),
        (r"/files/[^/]+/content", Endpoint("chat", "results", read=True, long=True, mark=b'"custom_id"')),
        (r"/batches/[^/]+", _BATCH),
        (r"/responses/[^/]+", _RESPONSE_READ),
    ),
}
_COMPILED = {
    method: [(re.compile(pattern + "$"), endpoint) for pattern, endpoint in paths] for method, paths in _PATHS.items()
}

# Hosts with a region in the middle → farebox.provider. What Anthropic itself runs behind AWS costs what its API costs.
# Source: anthropic 2.12 `lib/{aws,bedrock,vertex}`, openai 3.54 `providers/bedrock.py`; docs.aws.amazon.com, Claude
# Platform on AWS, billing, read 2026-11-23.
_REGIONAL_HOSTS = (
    (re.compile(r"(^|\.)aws-external-anthropic\.[a-z0-9-]+\."), "anthropic"),
    (re.compile(r"(^|\.)bedrock(-runtime|-mantle)(-fips)?\.[a-z0-9-]+\."), "bedrock"),
    (re.compile(r"(^|[.-])aiplatform\.([a-z]+\.rep\.)?googleapis\.com$"), "vertex"),
)
# The end of the host name → farebox.provider; the longest ending wins. Hosts read 2026-11-20.
_HOSTS = {
    "api.anthropic.com": "anthropic",
    "claude.googleapis.com": "anthropic",
    "api.openai.com": "openai",
    "openai.azure.com": "azure",
    "services.ai.azure.com": "azure",
    "cognitiveservices.azure.com": "azure",
    "models.ai.azure.com": "azure",
    "generativelanguage.googleapis.com": "google",
    "fireworks.ai": "fireworks",
    "together.xyz": "together",
    "together.ai": "together",
    "dashscope.aliyuncs.com": "alibaba",
    "dashscope-intl.aliyuncs.com": "alibaba",
    "dashscope-us.aliyuncs.com": "alibaba",
    "aliyuncs.com": "alibaba",
    "alibaba-inc.com": "alibaba",
    "openrouter.ai": "openrouter",
    "deepseek.com": "deepseek",
    "groq.com": "groq",
    "mistral.ai": "mistral",
    "perplexity.ai": "perplexity",
    "x.ai": "xai",
    "moonshot.ai": "moonshot",
    "moonshot.cn": "moonshot",
    "cerebras.ai": "cerebras",
    "sambanova.ai": "sambanova",
    "deepinfra.com": "deepinfra",
    "novita.ai": "novita",
    "hyperbolic.xyz": "hyperbolic",
    "cohere.com": "cohere",
    "cohere.ai": "cohere",
    "voyageai.com": "voyage",
    "writer.com": "writer",
    "ollama.com": "ollama",
    "huggingface.co": "huggingface",
    "githubcopilot.com": "github",
    "models.github.ai": "github",
    "databricks.com": "databricks",
    "azuredatabricks.net": "databricks",
    "minimax.io": "minimax",
    "bigmodel.cn": "zai",
    "z.ai": "zai",
}


@lru_cache(maxsize=1024)
def endpoint_of(method: str, path: str) -> Endpoint | None:
    """Return the endpoint of a request, or None when it costs nothing or is not known to cost anything."""
    for pattern, endpoint in _COMPILED.get(method, ()):
        if pattern.search(path):
            return endpoint
    return None


@lru_cache(maxsize=1024)
def provider_of(host: str) -> str:
    """Name the provider behind a host: `self_hosted` for private and loopback ones, else `unknown`."""
    name = host.lower().rstrip(".")
    for pattern, provider in _REGIONAL_HOSTS:
        if pattern.search(name):
            return provider
    labels = name.split(".")
    for start in range(len(labels)):
        known = _HOSTS.get(".".join(labels[start:]))
        if known is not None:
            return known
    return "self_hosted" if _is_private(name) else "unknown"


def _is_private(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return "." not in name or name.endswith((".local", ".internal", ".lan", ".localhost", ".svc"))
    return address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified
