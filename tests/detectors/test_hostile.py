"""Answers made to hang, exhaust or break a detector: bounded in time and memory, and said to be `not_checked`."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.asking import WEATHER, answer, calling, flags, request, tool
from farebox.detectors import Answer, Call, Choice, examine
from farebox.detectors._json import parse
from farebox.detectors._limits import CALLS_MAX, JSON_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, TOOLS_MAX
from farebox.detectors._schemas import problems

CPU_S_MAX = 1.5
MEMORY_BYTES_MAX = 64 * 1024 * 1024
MILLION = 1_000_000

PIECES = [
    "(", "[", "{", '{"a":', "[{", "```", "```python\n", "```json\n{", "`", "\n", " ", "\t", "a", "é", "。", "不",
    "죄송", "ـ", "\u200d", "\\", "i ", "not ", "i cannot ", "sorry ", "as an ai ", "it is ", "consult a ",
    "please provide ", "could you ", "what ", "words ", "at most 5 ", "1. ", "* ", "http://", "www.",
    "10.1000/", "arxiv:", ")", "-", "import a\n", "from a import b\n", ".a", "lambda:", "<tool_call>",
    "Action:", "get_weather(", '"name": "get_weather", ', "| a ", "<|", "😀", "A. ", "? ", ", ", "'", '"', "-1,",
    "\\ud83d", "0", "<think>", "</think>", "<think></think>", '{"a": 1}\n', "json ", 'json:\n{"', "twenty ",
    "hundred and ", "twenty-one words ", "user's language ", "which one should i ", "i have no ", "請問",
]  # fmt: skip


def bounded(judged: Answer) -> list[str]:
    """The flags of an answer, which all detectors together judge within the limits."""
    examine(answer("Hello there, this warms the patterns up."))
    tracemalloc.start()
    began = time.thread_time()
    found = list(examine(judged)["farebox.flags"] or [])
    took = time.thread_time() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took / 4 < CPU_S_MAX, f"{took / 4:.2f} s"  # tracing takes three quarters of the time
    assert peak < MEMORY_BYTES_MAX, f"{peak:,} bytes"
    return found


@pytest.mark.parametrize("piece", PIECES, ids=ascii)
def test_a_megabyte_of_anything_is_bounded(piece: str) -> None:
    """A million characters of one piece, as answer and as prompt, neither hang nor fail."""
    text = piece * (MILLION // len(piece))

    found = bounded(answer(text, text[:50_000], tools=[tool()]))

    assert [flag for flag in found if flag.startswith("not_checked.")] or (found == ["empty"] and piece.isspace())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 400)), min_size=1, max_size=12),
    st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 100)), max_size=4),
    st.sampled_from(["stop", "length", "tool_calls", "refusal"]),
)
def test_mixtures_of_hostile_pieces_are_bounded(
    said: list[tuple[str, int]], asked: list[tuple[str, int]], stop: str
) -> None:
    """Whatever pieces are put together, every detector comes to an end in time and none raises."""
    text, prompt = ("".join(piece * times for piece, times in parts) for parts in (said, asked))
    judged = answer(text, prompt, stop=stop, tools=[tool()], response_format={"type": "json_object"})
    began = time.thread_time()

    examine(judged)

    assert time.thread_time() - began < CPU_S_MAX


@given(st.text(max_size=300), st.text(max_size=100), st.binary(max_size=60))
def test_any_text_is_judged_without_an_error(text: str, prompt: str, raw: bytes) -> None:
    """Lone surrogates, control characters and anything else that Python's text may hold."""
    judged = Answer(
        request(prompt, tools=[tool()]),
        (Choice(text, (Call("get_weather", raw.decode("latin-1")), Call(text[:9], prompt)), "stop"),),
    )

    assert isinstance(examine(judged)["farebox.checked"], list)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
        max_leaves=20,
    )
)
def test_any_request_is_read_without_an_error(body: Any) -> None:
    """Gateways pass anything on: fields of wrong types are taken as absent."""
    names = (
        "messages",
        "input",
        "tools",
        "functions",
        "system",
        "instructions",
        "prompt",
        "response_format",
        "text",
        "stop",
        "output_config",
    )
    for field in names:
        examine(Answer({field: body}, (Choice("Hello", (Call("f", "{}"),), "stop"),)))


def test_a_million_brackets_are_not_checked() -> None:
    """Nesting that no parser takes is not called malformed, but not checked."""
    for text in ("[" * MILLION, "[" * 100_000, "[" * 1_000 + "]" * 1_000, '{"a":' * 1_000 + "1" + "}" * 1_000):
        found = bounded(answer(text, response_format={"type": "json_object"}))
        assert "not_checked.truncated" in found
        assert bounded(calling(("get_weather", text))) == [
            "not_checked.tool_call_malformed",
            "not_checked.unexpected_arg",
        ]


def test_a_megabyte_of_arguments_is_not_checked() -> None:
    """Arguments above the named limit are left alone, whole or not."""
    arguments = json.dumps({"city": "x" * JSON_CHARACTERS_MAX})

    assert "not_checked.tool_call_malformed" in bounded(calling(("get_weather", arguments)))


def test_four_thousand_tools_are_not_checked() -> None:
    """A request with more tools than the named limit is answered in time."""
    tools = [tool(f"tool_{number}") for number in range(4_000)]

    assert "not_checked.tool_call_malformed" in bounded(calling(("tool_7", "{}"), tools=tools))
    assert flags(calling(("tool_7", "{}"), tools=tools[:TOOLS_MAX])) == ["tool_call_malformed.missing_required"]


def test_thousands_of_calls_are_not_checked() -> None:
    """An answer with more calls than the named limit is left alone."""
    calls = [("get_weather", '{"city": "x"}')] * (CALLS_MAX + 1)

    assert bounded(calling(*calls)) == ["not_checked.tool_call_malformed"]


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|aa)+$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$", "^(?=(a+)+$)(a|aa)+$"]
)
def test_patterns_that_backtrack_without_end_are_bounded(pattern: str) -> None:
    """A schema's pattern on a bait string ends, as a mismatch or as not checked."""
    schema = {"type": "object", "properties": {"x": {"type": "string", "pattern": pattern}}}
    arguments = json.dumps({"x": "a" * 30_000 + "!"})

    found = bounded(calling(("f", arguments), tools=[tool("f", schema)]))

    assert found in (["tool_call_malformed.value"], ["not_checked.tool_call_malformed"])


def test_schemas_that_multiply_are_not_checked() -> None:
    """References that double at each of 40 steps would take 2^40 visits; a self-reference takes none."""
    steps: dict[str, Any] = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    doubling = {"type": "object", "$defs": {**steps, "d40": {"type": "object"}}, "$ref": "#/$defs/d0"}
    union = {
        "$defs": {
            "e": {
                "anyOf": [
                    {"type": "integer"},
                    *[{"properties": {"l": {"$ref": "#/$defs/e"}, "r": {"$ref": "#/$defs/e"}}}] * 6,
                ]
            }
        },
        "$ref": "#/$defs/e",
    }
    deep: Any = "x"
    for _ in range(60):
        deep = {"l": deep, "r": deep if isinstance(deep, str) else "x"}

    assert bounded(calling(("f", "{}"), tools=[tool("f", doubling)])) == ["not_checked.tool_call_malformed"]
    assert bounded(calling(("f", json.dumps(deep)), tools=[tool("f", union)])) == ["not_checked.tool_call_malformed"]
    assert problems({"$ref": "#"}, {"a": 1}) == frozenset()


def test_a_schema_nested_beyond_reason_is_not_checked() -> None:
    """A schema of thousands of levels is refused, not compiled."""
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(3_000):
        schema = {"type": "object", "properties": {"x": schema}}

    assert bounded(calling(("f", "{}"), tools=[tool("f", schema)])) == [
        "not_checked.tool_call_malformed",
        "not_checked.unexpected_arg",
    ]


def test_the_rest_is_checked_when_one_thing_is_too_long() -> None:
    """A long answer is still judged by its beginning and its end."""
    text = "I'm sorry, but I can't help with that. " + "x, " * TEXT_CHARACTERS_MAX

    found = bounded(answer(text, "Do it without any commas."))

    assert "refusal.text" in found
    assert "loop" in found
    assert "not_checked.constraint_violation" in found


# After the JSONTestSuite: what must be taken, what must not; written for this repository.
GOOD = [
    "{}", "[]", '""', "0", "-0", "-0.0", "1E+2", "1e-2", "[1e400]", "true", "false", "null", ' [ ] ',
    '["\\u0060\\u012a\\u12AB"]', '["\\uD801\\udc37"]', '["\\"\\\\\\/\\b\\f\\n\\r\\t"]', '{"":0}',
    '{"a":{"b":[]}}', '{"a":1,"a":1}', "[123456789012345678901234567890]", '["\u2028"]', '["\x7f"]', '["😀"]',
    "[-1]", "[20e1]", '["new\\u000Aline"]', '["\\ud800"]', '["\\uDFAA"]', "\t[1]\r\n",
    '{"min": -1.0e+28, "max": 1.0e+28}',
]  # fmt: skip
BAD = [
    "[1,,2]", "[1,]", "[,1]", "{,}", '{"a",1}', "{a:1}", "{'a':1}", '{"a":1,}', "[01]", "[+1]", "[.5]", "[1.]",
    "[1.e1]", "[0x1F]", "[1 2]", "[NaN]", "[Infinity]", "[-Infinity]", "nul]", "[True]", "[tru]", '["\t"]',
    '["\n"]', '["\\x41"]', '["\\u00zz"]', "[1]x", "[1][2]", "{}}", "]", "}", "\ufeff{}", "[1e]", "[1e+]",
    "[--1]", "[1_000]", "// c\n[1]", "/* c */[1]", '{"a":1}{"b":2}', "[\u00a01]", "['a']", "undefined", "[1;2]",
    '{"a" 1}', '{"a"::1}', "*",
]  # fmt: skip
CUT = [
    "[", "{", '{"a', '{"a"', '{"a":', '{"a":1', '{"a":1,', "[1,", "[1", "[-", "[1.", "[1e", "[tr", "[nul", '["',
    '["\\', '["\\u', '["\\u12', '["\\ud83d\\u', "[[[[",
]  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "state"), [(GOOD, "complete"), (BAD, "invalid"), (CUT, "truncated")], ids=["good", "bad", "cut"]
)
def test_json_is_parsed_strictly(texts: list[str], state: str) -> None:
    """What RFC 8259 allows is whole, what it forbids is invalid, and its beginnings are truncated."""
    assert {text: parse(text).state for text in texts} == dict.fromkeys(texts, state)


def test_schema_and_value_may_hold_any_depth_the_parser_takes() -> None:
    """Nesting within the parser's limit is judged."""
    value: Any = "x"
    for _ in range(150):
        value = [value]

    assert problems({"type": "array"}, value) == frozenset()
    assert problems(WEATHER, {"city": value}) == {"type"}
