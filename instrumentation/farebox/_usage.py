"""Split a provider's usage object into exclusive leaves that add up to what it bills.

Anthropic's `input_tokens` excludes cache reads and writes, OpenAI's `prompt_tokens` includes them, and compatible hosts
differ again; this module is the one place that knows. Counts are tokens; a leaf that is absent was not reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

__all__ = ["TokenUsage", "anthropic_usage", "openai_usage"]

Leaves = dict[str, int]

# Where hosts put the number of cached input tokens. Seen in recorded traffic of each, November 2026.
_CACHED = (
    ("prompt_tokens_details", "cached_tokens"),
    ("input_tokens_details", "cached_tokens"),
    ("prompt_token_details", "cached_tokens"),
    ("cached_tokens",),  # Together, Moonshot
    ("prompt_cache_hit_tokens",),  # DeepSeek
    ("num_cached_tokens",),  # Mistral
    ("cache_read_input_tokens",),  # Databricks, Vercel: Anthropic's names inside chat usage
    ("cacheReadInputTokensCompatible",),  # Alibaba's internal gateway
)
_WRITTEN = (
    ("prompt_tokens_details", "cache_write_tokens"),
    ("input_tokens_details", "cache_write_tokens"),
    ("prompt_tokens_details", "cache_creation_tokens"),
    ("prompt_tokens_details", "cache_creation_input_tokens"),  # Alibaba, explicit cache
    ("cache_creation_input_tokens",),
    ("cache_write_tokens",),
)
_XAI_TICKS_PER_DOLLAR = Decimal(10) ** 10


@dataclass(slots=True)
class TokenUsage:
    """Leaves by name (see `farebox.semconv`), the reasoning inside output, and the provider's own totals.

    contradiction: the sentence that says which part exceeds which whole; the leaf that cannot be known is then absent.
    reported_cost: what the host itself says the call cost, in USD.
    """

    leaves: Leaves = field(default_factory=dict)
    reasoning: int | None = None
    input_total: int | None = None
    output_total: int | None = None
    reported_cost: Decimal | None = None
    contradiction: str | None = None


def anthropic_usage(usage: Mapping[str, Any]) -> TokenUsage:
    """Split the usage of an Anthropic message.

    Cache writes without the 5m/1h split stay `unsplit`; where the split is smaller than the total, so does the rest.
    Source: platform.claude.com, prompt caching, "tracking cache performance", read 2026-11-20.
    """
    out = TokenUsage()
    uncached = _count(usage, "input_tokens")
    read = _count(usage, "cache_read_input_tokens")
    written = _count(usage, "cache_creation_input_tokens")
    five, hour = (_count(usage, "cache_creation", f"ephemeral_{ttl}_input_tokens") for ttl in ("5m", "1h"))
    split = (five or 0) + (hour or 0)
    rest = None if written is None else written - split
    if rest is not None and rest < 0:
        out.contradiction = f"cache writes of 5m and 1h are {split}, above their total {written}"
        rest = None
    if five is not None or hour is not None:
        rest = rest or None
    _put(
        out.leaves,
        uncached_input_tokens=uncached,
        cache_read_tokens=read,
        cache_write_5m_tokens=five,
        cache_write_1h_tokens=hour,
        cache_write_unsplit_tokens=rest,
        output_tokens=_count(usage, "output_tokens"),
        web_search_requests=_count(usage, "server_tool_use", "web_search_requests"),
        web_fetch_requests=_count(usage, "server_tool_use", "web_fetch_requests"),
    )
    out.reasoning = _count(usage, "output_tokens_details", "thinking_tokens")
    if uncached is not None:
        out.input_total = uncached + (read or 0) + max(written or 0, split)
    out.output_total = out.leaves.get("output_tokens")
    return out


def openai_usage(usage: Mapping[str, Any], *, provider: str = "", embeddings: bool = False) -> TokenUsage:
    """Split the usage of a chat completion, a response or an embedding, of OpenAI or a compatible host.

    Where `total_tokens` shows that a part was left out of its side (reasoning at xAI, audio at Mistral, caches under
    Anthropic's names), the part is taken as standing beside that side, not inside it.
    """
    out = TokenUsage()
    prompt = _first(usage, ("prompt_tokens",), ("input_tokens",))
    completion = _first(usage, ("completion_tokens",), ("output_tokens",))
    total = _count(usage, "total_tokens")
    if prompt is None and embeddings:
        prompt = total  # Voyage reports only the total
    read, written = _first(usage, *_CACHED), _first(usage, *_WRITTEN)
    audio_in, image_in = (_detail(usage, "prompt", "input", name) for name in ("audio_tokens", "image_tokens"))
    audio_out, image_out = (_detail(usage, "completion", "output", name) for name in ("audio_tokens", "image_tokens"))
    out.reasoning = _detail(usage, "completion", "output", "reasoning_tokens")

    beside = _left_out(prompt, completion, total)
    caches = (read or 0) + (written or 0)
    if image_in and prompt is not None and caches + (audio_in or 0) + image_in > prompt:
        image_in = None  # cached images stand in both counts; a chat model prices images as it prices text
    inside_input = caches + (audio_in or 0) + (image_in or 0)
    if beside and completion is not None and beside == out.reasoning:
        completion += beside
    elif beside and beside == audio_in:
        inside_input -= beside
        out.input_total = None if prompt is None else prompt + beside
    elif beside and beside == caches:
        inside_input -= caches
        out.input_total = None if prompt is None else prompt + caches
    elif beside and provider == "google" and completion is not None:
        # Gemini counts its thinking in the total alone.
        completion, out.reasoning = completion + beside, beside

    if out.input_total is None:
        out.input_total = prompt
    out.output_total = completion
    uncached = _remainder(prompt, inside_input, "input", out)
    plain_output = _remainder(completion, (audio_out or 0) + (image_out or 0), "output", out)
    _put(
        out.leaves,
        uncached_input_tokens=uncached,
        cache_read_tokens=read,
        output_tokens=plain_output,
        audio_input_tokens=audio_in,
        image_input_tokens=image_in,
        audio_output_tokens=audio_out,
        image_output_tokens=image_out,
        web_search_requests=_first(
            usage,
            ("server_tool_use", "web_search_requests"),
            ("server_tool_use_details", "web_search_requests"),
            ("server_side_tool_usage_details", "web_search_calls"),
            ("num_search_queries",),
        ),
        **_writes(usage, written),
    )
    out.reported_cost = _cost(usage)
    return out


def _writes(usage: Mapping[str, Any], written: int | None) -> Leaves:
    """Split OpenAI's cache writes by their time to live; the rest stays unsplit."""
    split: Leaves = {}
    for ttl in ("30m", "12h"):
        count = _detail(usage, "prompt", "input", "cache_write_tokens_details", f"ttl_{ttl}_tokens")
        if count is not None:
            split[f"cache_write_{ttl}_tokens"] = count
    rest = None if written is None else written - sum(split.values())
    if rest is not None and rest >= 0 and (rest > 0 or not split):
        split["cache_write_unsplit_tokens"] = rest
    return split


def _remainder(whole: int | None, parts: int, side: str, out: TokenUsage) -> int | None:
    if whole is None:
        return None
    if parts > whole:
        out.contradiction = f"parts of the {side} are {parts} tokens, above their total {whole}"
        return None
    return whole - parts


def _left_out(prompt: int | None, completion: int | None, total: int | None) -> int:
    if prompt is None or completion is None or total is None:
        return 0
    return max(0, total - prompt - completion)


def _cost(usage: Mapping[str, Any]) -> Decimal | None:
    cost = usage.get("cost")
    if isinstance(cost, Mapping):  # Perplexity
        cost = cost.get("total_cost")
    if isinstance(cost, Decimal | int) and not isinstance(cost, bool):
        return Decimal(cost)
    ticks = usage.get("cost_in_usd_ticks")  # xAI
    if isinstance(ticks, int) and not isinstance(ticks, bool):
        return Decimal(ticks) / _XAI_TICKS_PER_DOLLAR
    return None


def _detail(usage: Mapping[str, Any], chat: str, responses: str, *path: str) -> int | None:
    return _first(usage, (f"{chat}_tokens_details", *path), (f"{responses}_tokens_details", *path))


def _first(usage: Mapping[str, Any], *paths: tuple[str, ...]) -> int | None:
    for path in paths:
        if path[0] in usage:  # most are of another host
            count = _count(usage, *path)
            if count is not None:
                return count
    return None


def _count(usage: Mapping[str, Any], *path: str) -> int | None:
    """Return the count at a path, None where it is absent or no whole number; negative ones are left for the ledger."""
    value: Any = usage
    for key in path:
        if type(value) is not dict:  # what the JSON parser makes; asking the abstract class is ten times slower
            return None
        value = value.get(key)
    if type(value) is int:
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return None


def _put(leaves: Leaves, **counts: int | None) -> None:
    leaves.update({name: count for name, count in counts.items() if count is not None})
