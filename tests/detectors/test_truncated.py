"""Answers that end before they are complete, and answers that hold nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.asking import answer, checked, flags, request
from farebox.detectors import Answer, Call, Choice, examine
from farebox.detectors._json import parse

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a", "b"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text(max_size=6), JSON, min_size=1, max_size=4),
    st.data(),
    st.booleans(),
    st.sampled_from([None, 2]),
)
def test_every_beginning_of_json_is_truncated(
    value: object, data: st.DataObject, ascii_only: bool, indent: int | None
) -> None:
    """Whatever JSON object is cut wherever, what is left is truncated, never invalid and never whole."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    cut = data.draw(st.integers(1, len(text) - 1))

    assert parse(text).state == "complete"
    assert parse(text[:cut]).state == "truncated"


@pytest.mark.parametrize("stop", ["length", "max_tokens", "max_output_tokens", "model_context_window_exceeded"])
def test_a_token_limit_as_stop_reason_is_truncation(stop: str) -> None:
    """Each provider's name for "the limit was reached" gives the flag."""
    assert flags(answer("Once upon a", stop=stop)) == ["truncated.stop_reason"]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "b": "x',
        '[{"a": 1}, {"a": ',
        '```json\n{"a": 1,',
        'Here you are:\n\n```json\n{\n  "a": [1, 2',
        '  \n{"a":',
    ],
)
def test_json_that_ends_in_the_middle_is_truncated(text: str) -> None:
    """JSON is known by its beginning or its fence, with no parameter asking for it."""
    assert flags(answer(text)) == ["truncated.json_eof"]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        "[Note: this is prose.",
        "[1] Smith, J. (2020). A title.",
        "[a link](https://example.org) begins it" + " and prose goes on." * 3,
        "{name} is a placeholder",
        "{'a': 1,",
        "- [ ] buy milk\n- [ ] tidy up",
        'Use `{"a":` to begin an object.',
        "```python\nx = {'a': [1,\n",
    ],
)
def test_what_merely_looks_like_json_is_not_truncated(text: str) -> None:
    """Brackets of prose, links, footnotes and other languages are no JSON that was cut off."""
    assert [flag for flag in flags(answer(text)) if flag.startswith("truncated")] == []


def test_a_prefilled_beginning_is_part_of_the_json() -> None:
    """What the request put in the model's mouth is parsed with the answer."""
    body = request("Give me JSON")
    body["messages"].append({"role": "assistant", "content": '{"a":'})

    assert flags(Answer(body, (Choice(' 1, "b": "x"}', stop_reason="end_turn"),))) == []
    assert flags(Answer(body, (Choice(' 1, "b": "x', stop_reason="end_turn"),))) == ["truncated.json_eof"]


def test_a_stop_sequence_that_took_the_end_is_no_truncation() -> None:
    """JSON that would be whole with the caller's own stop sequence ended as the caller wished."""
    assert flags(answer('{"a": 1', stop="stop_sequence", stop_sequences=["}"])) == []
    assert flags(answer('{"a": [1', stop_sequences=["}"])) == ["truncated.json_eof"]


@pytest.mark.parametrize(
    "asked",
    [
        {"response_format": FORMAT},
        {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}}},
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    ],
)
def test_an_incomplete_object_near_the_limit_is_truncation(asked: dict[str, object]) -> None:
    """Keys missing when the tokens were used up are a truncation; with tokens to spare a breach of the schema."""
    body = {**request("x", max_tokens=100), **asked}
    text = (Choice('{"a": 1}', stop_reason="stop"),)

    assert "truncated.schema_incomplete" in flags(Answer(body, text, output_tokens=95))
    assert flags(Answer(body, text, output_tokens=20)) == ["constraint_violation.schema"]
    assert flags(Answer(body, (Choice('{"a": 1, "b": ""}', stop_reason="stop"),), output_tokens=95)) == []


def test_json_that_was_asked_for_and_did_not_come_breaks_the_constraint() -> None:
    """With a JSON response format, an answer in prose is `constraint_violation.json`."""
    asked = {"response_format": {"type": "json_object"}}

    assert flags(answer("Sure! The answer is 3.", **asked)) == ["constraint_violation.json"]
    assert flags(answer('{"answer": 3}', **asked)) == []


def test_an_empty_answer_is_flagged() -> None:
    """No text, no call, nothing else: empty, white space included, in any of the choices."""
    assert flags(answer("")) == ["empty"]
    assert flags(answer(" \n\n")) == ["empty"]
    assert flags(Answer({}, (Choice("Hello", stop_reason="stop"), Choice("", stop_reason="stop")))) == ["empty"]


def test_an_answer_of_another_kind_is_not_empty() -> None:
    """Calls, refusals, images and a turn that pauses are answers without text."""
    for choice in (
        Choice(calls=(Call("f", "{}"),), stop_reason="tool_use"),
        Choice(other=True, stop_reason="end_turn"),
        Choice(stop_reason="pause_turn"),
    ):
        assert flags(Answer({}, (choice,))) == []
    assert flags(Answer({}, (Choice(stop_reason="refusal"),))) == ["refusal.api"]


def test_a_long_context_is_marked_by_the_providers_own_count() -> None:
    """More than 150,000 input tokens; not checked where no count was reported."""
    text = (Choice("Fine.", stop_reason="stop"),)

    assert flags(Answer(request(), text, input_tokens=150_001)) == ["long_context"]
    assert flags(Answer(request(), text, input_tokens=150_000)) == []
    assert "long_context" not in checked(Answer(request(), text))


def test_the_plain_answer_is_clean() -> None:
    """An ordinary answer gives no flag, and says what was checked."""
    attributes = examine(answer("Rome is the capital of Italy.", "What is the capital of Italy?"))

    assert attributes["farebox.flags"] is None
    assert attributes["farebox.checked"][:4] == ["truncated", "refusal", "empty", "clarification"]


def test_reasoning_before_the_answer_is_no_part_of_it() -> None:
    """What a host left of the model's reasoning in the text is taken off; reasoning alone is an empty answer."""
    judged = answer('<think>\nI cannot help with that.\n</think>\n{"a": 1}', response_format={"type": "json_object"})

    assert judged.choices[0].text == '{"a": 1}'
    assert flags(judged) == []
    assert flags(answer("<think>Let me see.</think>")) == ["empty"]
    assert answer("<think>not closed").choices[0].text == "<think>not closed"
