"""Tell whether a tool call has an argument that its schema neither declares nor forbids.

Definition: the schema lists its properties and leaves `additionalProperties` unset, and the model adds one of its
own. Valid by the letter, so it is no malformed call, but a function with fixed parameters will not take it. Where
the schema forbids others, it is `tool_call_malformed.unexpected_arg`.
Source: JSON Schema 2020-12, 10.3.2.
Measured: precision 1.000 (0.610-1.000), recall 1.000 (0.610-1.000), false positives 0.000 (0.000-0.278) on 16
labelled answers (ours).
"""

from __future__ import annotations

from farebox.detectors._answer import Answer
from farebox.detectors._finding import Finding
from farebox.detectors._limits import CALLS_MAX
from farebox.detectors._schemas import unnamed

__all__ = ["check"]


def check(answer: Answer) -> Finding | None:
    """Look at the calls of tools whose schema leaves other arguments open."""
    tools = answer.tools.tools
    applies = False
    for call in answer.calls[:CALLS_MAX]:
        tool = tools.get(call.name)
        if tool is None or tool.schema is None or not call.json:
            continue
        value = call.parsed.value
        if isinstance(value, dict):
            applies = True
            if unnamed(tool.schema, value):
                return Finding.flagged()
    return Finding() if applies else None
