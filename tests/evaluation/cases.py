"""The labelled answers as each detector sees them, in sets of one source or language, with the bars they must clear."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from evaluation.data import own, refusal_rows, shared
from farebox.detectors import Answer, Call, Choice

__all__ = ["SETS", "Case", "CaseSet"]


@dataclass(frozen=True)
class Case:
    """An answer and whether the detector should flag it."""

    answer: Answer
    expected: bool


@dataclass(frozen=True)
class CaseSet:
    """Cases of one detector. bars: least precision, recall and f1, and greatest fpr, that must be reached.

    kinds: only these kinds of flag count, all if empty.
    headline: the set whose figures stand in the detector's docstring.
    """

    detector: str
    name: str
    cases: Callable[[], Iterator[Case]]
    bars: dict[str, float] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    headline: bool = False


def said(text: str, prompt: str = "", **fields: Any) -> Answer:
    """A finished chat completion of one choice."""
    request = {"messages": [{"role": "user", "content": prompt}], **fields}
    return Answer(request, (Choice(text, stop_reason="stop"),))


# Models of 2025 and after, and Anthropic's, in the shared data.
MODERN = ("claude", "grok_4", "deepseek_r1", "amazon_nova", "llama_3_3")


def refusals(language: str, *, modern: bool = False, sources: tuple[str, ...] = ()) -> Callable[[], Iterator[Case]]:
    def cases() -> Iterator[Case]:
        for row in refusal_rows():
            if row.language != language or row.label in ("partial", "partial_compliance") or row.presumed_positive:
                continue
            if (modern and not row.model.startswith(MODERN)) or (sources and row.source not in sources):
                continue
            yield Case(said(row.response, row.prompt), row.label == "full")

    return cases


def ordinary() -> Iterator[Case]:
    """Answers to benign prompts: none refuses, asks back or loops, but for a few that do so rightly labelled or not."""
    for row in refusal_rows():
        if row.label == "none" and row.source not in ("xstest", "k_overrefusal"):
            yield Case(said(row.response, row.prompt), expected=False)


def ordinary_english() -> Iterator[Case]:
    for row in refusal_rows():
        if row.label == "none" and row.language == "en" and row.source != "xstest":
            yield Case(said(row.response, row.prompt), expected=False)


# Languages with a set of their own.
LANGUAGES = ("en", "zh", "ko", "ja", "ar")


def ours(name: str, label: str, language: str | None = None) -> Callable[[], Iterator[Case]]:
    """Examples written for this repository; language: only those in it, "other" those in none of LANGUAGES."""

    def cases() -> Iterator[Case]:
        for row in own(name):
            known = row["language"] if row["language"] in LANGUAGES else "other"
            if language in (None, known):
                yield Case(said(row["response"], row.get("prompt", "")), bool(row[label]))

    return cases


def tool_calls() -> Iterator[Case]:
    for row in shared("toolcalls"):
        tools = [{"type": "function", "function": tool} for tool in row["tools"]]
        call = Call(row["call"]["name"], row["call"]["arguments"])
        yield Case(Answer({"tools": tools}, (Choice(calls=(call,), stop_reason="tool_calls"),)), row["malformed"])


def json_states() -> Iterator[Case]:
    for row in shared("jsonstate"):
        yield Case(said(row["response"]), row["json_state"] == "truncated")


def asked_questions() -> Iterator[Case]:
    for row in shared("clarify"):
        yield Case(said(row["response"]), row["clarify"])
    yield from ordinary_english()


def languages_of(language: str) -> Callable[[], Iterator[Case]]:
    """The answers that were expected in one language."""

    def cases() -> Iterator[Case]:
        for case, row in zip(languages(), shared("language"), strict=True):
            if row["expected_language"] == language:
                yield case

    return cases


def languages() -> Iterator[Case]:
    """Each answer with a prompt in the language that was expected; which one is drawn once and for all."""
    prompts: dict[str, list[str]] = {}
    for row in shared_gold():
        prompts.setdefault(row["language"], []).append(row["text"])
    draw = random.Random(3)
    for row in shared("language"):
        yield Case(said(row["response"], draw.choice(prompts[row["expected_language"]])), row["language_mismatch"])


def shared_gold() -> list[dict[str, Any]]:
    from shared import SHARED

    if SHARED is None:
        return []
    lines = (SHARED / "failmodes" / "langid_gold.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def loops() -> Iterator[Case]:
    for row in shared("loops"):
        yield Case(said(row["response"], row["prompt"]), row["loop"])


def own_imports(detector: str) -> Callable[[], Iterator[Case]]:
    def cases() -> Iterator[Case]:
        for row in own("imports"):
            if row["detector"] == detector:
                yield Case(said(f"```python\n{row['code']}\n```", row["prompt"]), row["flag"])

    return cases


def mutated_attributes() -> Iterator[Case]:
    """Names of the standard library as they are, and with a letter or word put in."""
    import importlib

    draw = random.Random(5)
    for module in (
        "os",
        "json",
        "re",
        "math",
        "random",
        "itertools",
        "functools",
        "collections",
        "shutil",
        "subprocess",
    ):
        names = [name for name in dir(importlib.import_module(module)) if not name.startswith("_")]
        for name in draw.sample(names, min(25, len(names))):
            for used, invented in ((name, False), (f"{name}_{draw.choice(('all', 'fast', 'safe'))}", True)):
                yield Case(said(f"```python\nimport {module}\nprint({module}.{used})\n```"), invented)


def own_constraints() -> Iterator[Case]:
    for row in own("constraints"):
        yield Case(said(row["response"], row["prompt"]), bool(row["kinds"]))


def recorded_constraints() -> Iterator[Case]:
    """Real prompts whose limits were read by a person, with the answers of several models."""
    from evaluation.limits import breaks

    limits = {row["id"]: row["limits"] for row in own("constraint_labels")}
    for row in [*shared("loops"), *shared("refusal")]:
        if row["id"] in limits:
            expected = breaks(row["response"], limits[row["id"]])
            yield Case(said(row["response"], row["prompt"]), expected)


def probes(detector: str) -> Callable[[], Iterator[Case]]:
    """Hard cases written by hand: what merely looks like a failure, and failures in unusual words."""

    def cases() -> Iterator[Case]:
        for row in own("probes"):
            if row["detector"] == detector:
                system = [{"role": "system", "content": row["system"]}] if row.get("system") else []
                messages = [*system, {"role": "user", "content": row["prompt"]}]
                yield Case(said(row["response"], messages=messages, **row.get("request", {})), row["flag"])

    return cases


def shapes(detector: str) -> Callable[[], Iterator[Case]]:
    """Requests and answers written by hand, with tools, calls and counts."""

    def cases() -> Iterator[Case]:
        for row in own("shapes"):
            if row["detector"] == detector:
                calls = tuple(Call(name, arguments) for name, arguments in row.get("calls", ()))
                choice = Choice(row["text"], calls, row["stop"], other=row.get("other", False))
                counts = {"input_tokens": row.get("input_tokens"), "searched": row.get("searched", False)}
                yield Case(Answer(row["request"], (choice,), **counts), row["flag"])

    return cases


# The labels of the shared data, by the kinds of the flags.
LABELS = {
    "invalid_json": "invalid_json:syntax",
    "truncated": "invalid_json:truncated",
    "unknown_tool": "unknown_tool",
    **{
        kind: f"schema_violation:{kind}"
        for kind in ("not_object", "missing_required", "unexpected_arg", "type", "enum")
    },
}


def tool_calls_of(kind: str) -> Callable[[], Iterator[Case]]:
    """The same calls, as to whether they are malformed in this way."""

    def cases() -> Iterator[Case]:
        for case, row in zip(tool_calls(), shared("toolcalls"), strict=True):
            yield Case(case.answer, LABELS[kind] in row["kinds"])

    return cases


EXPECTED = ("ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "pt", "ru", "tr", "vi", "zh")
GOOD = {"precision": 0.9, "recall": 0.85}

SETS: tuple[CaseSet, ...] = (
    CaseSet("tool_call_malformed", "BFCL v4, mutated", tool_calls, {"precision": 0.99, "recall": 0.99}, headline=True),
    CaseSet("truncated", "JSON of BFCL v4, cut", json_states, {"precision": 0.99, "recall": 0.99}, headline=True),
    CaseSet("refusal", "English", refusals("en"), {"f1": 0.95}, headline=True),
    CaseSet("refusal", "English, modern models", refusals("en", modern=True), {"f1": 0.96}),
    CaseSet("refusal", "English, XSTest alone", refusals("en", sources=("xstest",))),
    CaseSet("refusal", "Korean", refusals("ko"), {"f1": 0.88}),
    CaseSet("refusal", "Chinese", refusals("zh"), {"f1": 0.80}),
    CaseSet("refusal", "ordinary answers", ordinary, {"fpr": 0.01}),
    CaseSet("refusal", "Japanese, ours", ours("refusal", "refusal", "ja")),
    CaseSet("refusal", "Arabic, ours", ours("refusal", "refusal", "ar")),
    CaseSet("refusal", "13 other languages, ours", ours("refusal", "refusal", "other"), GOOD),
    CaseSet("refusal", "English, ours", ours("refusal", "refusal", "en")),
    CaseSet(
        "clarification", "Qulac and ordinary answers", asked_questions, {"recall": 0.75, "fpr": 0.01}, headline=True
    ),
    CaseSet("clarification", "ours", ours("clarification", "clarify"), {"recall": 0.75}),
    CaseSet("disclaimer", "ours", ours("disclaimer", "disclaimer"), {"recall": 0.75}, headline=True),
    CaseSet("disclaimer", "ordinary answers", ordinary_english, {"fpr": 0.025}),
    CaseSet("language_mismatch", "LCB", languages, {"precision": 0.95, "recall": 0.90}, headline=True),
    *(CaseSet("language_mismatch", f"LCB, {each} expected", languages_of(each)) for each in EXPECTED),
    CaseSet("loop", "M-IFEval", loops, {"precision": 0.95, "fpr": 0.001}, headline=True),
    CaseSet("unknown_import", "ours", own_imports("unknown_import"), {"precision": 0.80}, headline=True),
    CaseSet("unknown_stdlib_attr", "ours", own_imports("unknown_stdlib_attr"), {"precision": 0.95}, headline=True),
    CaseSet("unknown_stdlib_attr", "mutated names", mutated_attributes, {"precision": 0.95}),
    CaseSet("constraint_violation", "ours", own_constraints, {"precision": 0.98, "recall": 0.75}, headline=True),
    CaseSet("tool_call_in_text", "ours", shapes("tool_call_in_text"), GOOD, headline=True),
    CaseSet("unexpected_arg", "ours", shapes("unexpected_arg"), GOOD, headline=True),
    CaseSet("empty", "ours", shapes("empty"), GOOD, headline=True),
    CaseSet("long_context", "ours", shapes("long_context"), GOOD, headline=True),
    CaseSet("unsupported_citation", "ours", shapes("unsupported_citation"), GOOD, headline=True),
    *(CaseSet("tool_call_malformed", f"the kind {kind}", tool_calls_of(kind), GOOD, kinds=(kind,)) for kind in LABELS),
    *(
        CaseSet(detector, "probes, ours", probes(detector), GOOD)
        for detector in (
            "truncated",
            "refusal",
            "clarification",
            "disclaimer",
            "constraint_violation",
            "language_mismatch",
            "loop",
            "unknown_import",
            "unknown_stdlib_attr",
        )
    ),
    CaseSet("constraint_violation", "M-IFEval", recorded_constraints, {"precision": 0.98, "recall": 0.75}),
)
