"""Tell whether an answer declines what was asked.

Definition: the provider says so (`api`: stop reason refusal or content_filter, the refusal field), or the first
400 characters of the text do (`text`). farebox.refusal.kind: `policy` (will not), `inability` (lacks access or
ability, and does not help otherwise), `partial` (declines, then goes on to help). By patterns of wording in
English, Chinese, Korean, Japanese and Arabic, more coarsely in French, Spanish, Portuguese, Italian, German,
Dutch, Polish, Czech, Russian, Turkish, Indonesian, Vietnamese and Hindi, and in English by a small model of how
refusals moralise. In other languages only `api`.
Source: XSTest (Röttger et al. 2024) for what is a refusal; the providers' stop reasons (anthropic 2.12, openai
3.54).
Measured: precision 0.970 (0.949-0.982), recall 0.939 (0.913-0.958), false positives 0.007 (0.004-0.012) on 2307
labelled answers (English).
"""

from __future__ import annotations

from farebox import semconv as name
from farebox.detectors._answer import Answer
from farebox.detectors._finding import Finding
from farebox.detectors._refusals import kind_of_refusal

__all__ = ["check"]


def check(answer: Answer) -> Finding | None:
    """Judge every choice; the text of one that calls a tool is not looked at."""
    if not answer.choices:
        return None
    if any(choice.refused for choice in answer.choices):
        return Finding(("api",), {name.REFUSAL_KIND: "policy"})
    for choice in answer.texts:
        kind = None if choice.calls else kind_of_refusal(choice.text)
        if kind is not None:
            return Finding(("text",), {name.REFUSAL_KIND: kind})
    return Finding()
