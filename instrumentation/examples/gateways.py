"""Hosts that speak OpenAI's language: a known one, a gateway, and a model on your own machine.

    python gateways.py

OpenRouter is known by its host and reports its own cost, which stands beside ours. Of a gateway or a private address
nobody can tell who bills: the tag `provider` says it. For a model of your own, put its price into farebox.toml:

    [[prices]]
    provider = "self_hosted"
    model = "my-model"
    hours = 1.20
"""

import os
import sys

import openai

import farebox

OPENROUTER = os.environ.get("OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1")
GATEWAY = os.environ.get("GATEWAY_BASE_URL", "https://llm.example.com/v1")
VLLM = os.environ.get("VLLM_BASE_URL", "http://localhost:8000/v1")

CLIENTS = {
    "openrouter": farebox.wrap(openai.OpenAI(base_url=OPENROUTER), route="openrouter", provider="openrouter"),
    "gateway": farebox.wrap(openai.OpenAI(base_url=GATEWAY), route="gateway", provider="fireworks"),
    "vllm": farebox.wrap(openai.OpenAI(base_url=VLLM), route="vllm"),
}


def ask(name: str, model: str) -> None:
    """Stream one answer; farebox asks the host for its usage where that is known to work, unseen by this code."""
    stream = CLIENTS[name].chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Say hello."}], stream=True
    )
    for chunk in stream:
        if chunk.choices:
            sys.stdout.write(chunk.choices[0].delta.content or "")
    sys.stdout.write("\n")


if __name__ == "__main__":
    ask("openrouter", "qwen/qwen3.5-flash-02-23")
    ask("gateway", "accounts/fireworks/models/qwen3p5-flash")
    ask("vllm", "my-model")
