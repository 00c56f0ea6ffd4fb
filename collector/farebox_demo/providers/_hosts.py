"""Which hosts the simulation plays, what models each serves, and in which ways their APIs differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from farebox_demo.providers._habits import Habits, Troubles

__all__ = ["HOSTS", "Host", "Model"]


@dataclass(frozen=True)
class Model:
    """One model on one host.

    `billed_as` is its name on the invoice, `served_as` the one in answers; `tokens_per_kilobyte` of UTF-8
    stands for its tokenizer; `cache_minimum` is the shortest prefix it caches, in tokens (None: no cache).
    """

    billed_as: str
    served_as: str
    habits: Habits
    tokens_per_kilobyte: int
    cache_minimum: int | None = None
    reasoning_tokens_max: int = 0

    def count(self, text: str) -> int:
        """Count the tokens of a text, at least one."""
        return len(text.encode()) * self.tokens_per_kilobyte // 1000 + 1


@dataclass(frozen=True)
class Host:
    """One provider: its endpoint below `/{name}`, its models by the name callers ask for, and its ways.

    `stream_usage`: `asked` sends usage in streams only for `stream_options.include_usage`, in a chunk of its
    own; `always` sends it unasked with the last choice. `cached_tokens` says where usage names them.
    """

    name: str
    dialect: Literal["anthropic", "openai"]
    path: str
    models: Mapping[str, Model]
    stream_usage: Literal["asked", "always"] = "asked"
    cached_tokens: Literal["details", "top_level", "none"] = "details"
    reports_cost: bool = False
    troubles: Troubles = field(default_factory=Troubles)


# Rates of malformed tool calls are the article's: 0.3 % for Haiku, 1.8 % for Qwen. Haiku's other failures are
# hedges, Qwen's are overconfidence and loss of form; the models that calls escalate to do little of either.
HAIKU = Habits(
    malformed_tool_call=0.003,
    refusal_by_api=0.004,
    refusal_in_text=0.012,
    clarifying_question=0.03,
    disclaimer=0.04,
    runs_on=0.01,
)
QWEN = Habits(
    malformed_tool_call=0.018,
    extra_argument=0.02,
    tool_call_in_text=0.01,
    refusal_in_text=0.004,
    invented_import=0.05,
    invented_function=0.04,
    invented_citation=0.02,
    broken_constraint=0.06,
    incomplete_json=0.02,
    truncated_json=0.015,
    wrong_language=0.01,
    loop=0.008,
    runs_on=0.01,
    empty=0.004,
)
STRONG = Habits(malformed_tool_call=0.001, refusal_in_text=0.003, disclaimer=0.01)

# Source of minimum cacheable lengths: platform.claude.com, prompt caching (4096 for Haiku 4.5, 1024 for
# Sonnet 4.6), and platform.openai.com (1024), taken for the compatible hosts too; read in November 2026.
ANTHROPIC = Host(
    "anthropic",
    "anthropic",
    "/v1/messages",
    {
        "claude-haiku-4-5": Model(
            "claude-haiku-4-5",
            "claude-haiku-4-5-20251001",
            HAIKU,
            tokens_per_kilobyte=290,
            cache_minimum=4096,
        ),
        "claude-sonnet-4-6": Model(
            "claude-sonnet-4-6", "claude-sonnet-4-6", STRONG, tokens_per_kilobyte=290, cache_minimum=1024
        ),
    },
)
OPENAI = Host(
    "openai",
    "openai",
    "/v1/chat/completions",
    {
        "gpt-5.4-mini": Model(
            "gpt-5.4-mini",
            "gpt-5.4-mini-2026-03-17",
            STRONG,
            tokens_per_kilobyte=245,
            cache_minimum=1024,
            reasoning_tokens_max=96,
        )
    },
)


def _qwen(model_id: str, cache_minimum: int | None = 1024) -> dict[str, Model]:
    return {model_id: Model("qwen3.5-flash", model_id, QWEN, tokens_per_kilobyte=250, cache_minimum=cache_minimum)}


HOSTS: Mapping[str, Host] = {
    host.name: host
    for host in (
        ANTHROPIC,
        OPENAI,
        Host(
            "fireworks",
            "openai",
            "/inference/v1/chat/completions",
            _qwen("accounts/fireworks/models/qwen3p5-flash"),
            stream_usage="always",
        ),
        Host(
            "together",
            "openai",
            "/v1/chat/completions",
            _qwen("Qwen/Qwen3.5-Flash"),
            stream_usage="always",
            cached_tokens="top_level",
        ),
        Host("alibaba", "openai", "/compatible-mode/v1/chat/completions", _qwen("qwen3.5-flash")),
        Host(
            "openrouter",
            "openai",
            "/api/v1/chat/completions",
            _qwen("qwen/qwen3.5-flash-02-23", cache_minimum=None),
            stream_usage="always",
            reports_cost=True,
        ),
    )
}
