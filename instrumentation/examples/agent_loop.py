"""An agent that calls tools until it is done: one task, however many calls, with a bound on what it may burn.

    python agent_loop.py "How many open tickets has acme?"

Needs ANTHROPIC_API_KEY. Each step is an attempt of the same task, so that the ledger knows what the whole answer took;
how it ended is told with `farebox.outcome`.
"""

import sys
import uuid
from typing import Any

import anthropic

import farebox

STEPS_MAX = 4
TOOLS: list[Any] = [
    {
        "name": "look_up",
        "description": "Look something up in the ticket system.",
        "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}},
    }
]

client = farebox.wrap(anthropic.Anthropic(), route="support-agent")


def run_tool(name: str, arguments: Any) -> str:
    """Stand in for the ticket system."""
    return f"{name}({arguments}) found 3 tickets"


def work(question: str) -> str | None:
    """Return the answer, None when the agent did not finish within its bound."""
    messages: list[Any] = [{"role": "user", "content": question}]
    for _ in range(STEPS_MAX):
        reply = client.messages.create(model="claude-haiku-4-5", max_tokens=500, tools=TOOLS, messages=messages)
        if reply.stop_reason != "tool_use":
            return "".join(block.text for block in reply.content if block.type == "text")
        messages.append({"role": "assistant", "content": reply.content})
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": run_tool(block.name, block.input)}
            for block in reply.content
            if block.type == "tool_use"
        ]
        messages.append({"role": "user", "content": results})
    return None


if __name__ == "__main__":
    with farebox.tags(task=str(uuid.uuid4()), prompt_version="agent-3"):
        found = work(sys.argv[1] if len(sys.argv) > 1 else "How many open tickets has acme?")
        # Nobody finished it: somebody will have to, and the ledger counts their minutes as money.
        farebox.outcome(success=found is not None, human_minutes=0 if found is not None else 5)
    sys.stdout.write(f"{found or 'not finished'}\n")
