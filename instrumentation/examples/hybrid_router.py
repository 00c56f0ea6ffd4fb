"""A router between two cheap models: tools and long prompts to one, easy and eastern ones to the other.

    python hybrid_router.py "What is the capital of France?"

Needs ANTHROPIC_API_KEY, and OPENAI_API_KEY with OPENAI_BASE_URL of a host that serves Qwen (OpenRouter, Together,
Fireworks, Alibaba). `farebox report --since 1h` then says what each route cost, failed and would have cost.
"""

import re
import sys
import uuid

import anthropic
import openai

import farebox

HAIKU = "claude-haiku-4-5"
QWEN = "qwen/qwen3.5-flash-02-23"
LONG_CHARACTERS = 24_000
EAST = re.compile(r"[\u0600-\u06ff\u3040-\u30ff\u4e00-\u9fff]")

claude = farebox.wrap(anthropic.Anthropic())
qwen = farebox.wrap(openai.OpenAI())


def route_of(prompt: str, tools: int = 0) -> str:
    """Name the class of traffic; spend and failures are counted by it."""
    if tools >= 3 or len(prompt) > LONG_CHARACTERS:
        return "hard"
    return "multilingual" if EAST.search(prompt) else "easy"


def answer(prompt: str) -> str:
    """Ask the model that the route goes to; an empty answer goes to the other one, as the same task."""
    route = route_of(prompt)
    with farebox.tags(route=route, task=str(uuid.uuid4())):
        if route != "hard":
            completion = qwen.chat.completions.create(
                model=QWEN, max_tokens=500, messages=[{"role": "user", "content": prompt}]
            )
            if completion.choices[0].message.content:
                return completion.choices[0].message.content
        message = claude.messages.create(model=HAIKU, max_tokens=500, messages=[{"role": "user", "content": prompt}])
        return "".join(block.text for block in message.content if block.type == "text")


if __name__ == "__main__":
    sys.stdout.write(answer(sys.argv[1] if len(sys.argv) > 1 else "What is the capital of France?") + "\n")
