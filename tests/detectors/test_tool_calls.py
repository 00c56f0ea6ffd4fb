"""Tool calls held against the request's own schemas."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detectors.asking import WEATHER, answer, calling, checked, flags, tool
from farebox.detectors import Answer, Call, Choice, examine
from farebox.detectors import _schemas as schemas
from farebox.detectors._registry import Detector


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("get_weather", '{"city": "Rome"', "truncated"),
        ("get_weather", '{"city": "Ro', "truncated"),
        ("get_weather", "{'city': 'Rome'}", "invalid_json"),
        ("get_weather", '{"city": "Rome"} and so on', "invalid_json"),
        ("get_weather", '{"city": NaN}', "invalid_json"),
        ("get_weather", '["Rome"]', "not_object"),
        ("get_weather", '"Rome"', "not_object"),
        ("get_weather", "null", "not_object"),
        ("get_weather", "{}", "missing_required"),
        ("get_weather", "", "missing_required"),
        ("get_weather", '{"city": 7}', "type"),
        ("get_weather", '{"city": "Rome", "days": "two"}', "type"),
        ("get_weather", '{"city": "Rome", "near": 4}', "type"),
        ("get_weather", '{"city": "Rome", "unit": "kelvin"}', "enum"),
        ("get_weather", '{"city": "Rome", "country": "IT"}', "unexpected_arg"),
        ("get_weather", '{"city": "Rome", "days": 0}', "value"),
        ("get_wether", '{"city": "Rome"}', "unknown_tool"),
    ],
)
def test_each_way_to_break_a_call_has_its_kind(name: str, arguments: str, kind: str) -> None:
    """A call that cannot be run gives the flag of what is wrong with it."""
    assert flags(calling((name, arguments))) == [f"tool_call_malformed.{kind}"]


@pytest.mark.parametrize(
    "arguments",
    [
        '{"city": "Rome"}',
        ' {"city":"Rome","days":2,"unit":"celsius","near":null} ',
        '{"city": "\\ud83d \\u00e9 \\"x\\""}',
    ],
)
def test_a_call_that_fits_its_schema_gives_no_flag(arguments: str) -> None:
    """What the schema allows is not flagged, and both detectors of calls have checked it."""
    judged = calling(("get_weather", arguments))

    assert flags(judged) == []
    assert "tool_call_malformed" in checked(judged)


def test_calls_are_counted_and_their_tools_named() -> None:
    """Rates are per tool call: how many there were wrong, and of which tools."""
    judged = calling(
        ("get_weather", "{}"), ("get_weather", '{"city": "Rome"}'), ("b", "{"), tools=[tool(), tool("b", None)]
    )

    attributes = examine(judged)

    assert attributes["farebox.tool_calls_malformed"] == 2
    assert attributes["farebox.malformed_tools"] == ["b", "get_weather"]
    assert attributes["farebox.flags"] == ["tool_call_malformed.missing_required", "tool_call_malformed.truncated"]


def test_calls_of_every_choice_are_judged() -> None:
    """With n > 1 one broken call in any choice is enough."""
    good, bad = Call("get_weather", '{"city": "Rome"}'), Call("get_weather", "{")
    choices = (Choice(calls=(good,)), Choice(calls=(good, bad)))

    assert flags(Answer({"tools": [tool()]}, choices)) == ["tool_call_malformed.truncated"]


def test_an_argument_that_the_schema_leaves_open_is_told_apart() -> None:
    """An undeclared argument is `unexpected_arg` alone where the schema does not forbid it: valid, but invented."""
    lax = {name: value for name, value in WEATHER.items() if name != "additionalProperties"}
    arguments = '{"city": "Rome", "country": "IT"}'

    assert flags(calling(("get_weather", arguments), tools=[tool(schema=lax)])) == ["unexpected_arg"]
    assert flags(calling(("get_weather", arguments), tools=[tool(schema={**lax, "additionalProperties": True})])) == []
    assert flags(calling(("get_weather", '{"city": "Rome"}'), tools=[tool(schema=lax)])) == []


@pytest.mark.parametrize(
    "offered",
    [
        {"tools": [{"name": "f", "input_schema": WEATHER}]},
        {"tools": [{"type": "custom", "name": "f", "input_schema": WEATHER}]},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": WEATHER}}]},
        {"tools": [{"type": "function", "name": "f", "parameters": WEATHER, "strict": True}]},
        {
            "tools": [
                {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f", "parameters": WEATHER}]}
            ]
        },
        {"functions": [{"name": "f", "parameters": WEATHER}]},
    ],
)
def test_tools_are_found_in_every_shape_of_request(offered: dict[str, Any]) -> None:
    """Anthropic, chat completions, responses, namespaces and the older functions all bring their schemas."""
    for arguments, expected in (('{"city": "x"}', []), ("{}", ["tool_call_malformed.missing_required"])):
        assert flags(Answer(offered, (Choice(calls=(Call("f", arguments),)),))) == expected
    assert flags(Answer(offered, (Choice(calls=(Call("g", "{}"),)),))) == ["tool_call_malformed.unknown_tool"]


@pytest.mark.parametrize(
    "request_body",
    [
        {},
        {"prompt": {"id": "pmpt_1"}},
        {"tools": [{"type": "mcp_toolset", "mcp_server_name": "s"}]},
        {"tools": [{"type": "browser_toolset_20260801"}]},
        {"tools": [{"type": "tool_search"}]},
        {"tools": [tool()], "messages": [{"role": "user", "content": [{"type": "tool_addition", "tool": {}}]}]},
    ],
)
def test_a_tool_is_not_unknown_where_others_than_the_listed_may_be_called(request_body: dict[str, Any]) -> None:
    """Toolsets, tool search and stored prompts bring tools that the request does not list."""
    assert flags(Answer(request_body, (Choice(calls=(Call("click", "{}"),)),))) == []


def test_free_text_tools_are_not_parsed() -> None:
    """A custom tool of OpenAI takes any text; only its name is checked."""
    tools = [{"type": "custom", "name": "sql", "format": {"type": "text"}}]

    assert flags(Answer({"tools": tools}, (Choice(calls=(Call("sql", "SELECT 1", json=False),)),))) == []


def test_a_schema_that_does_not_compile_is_counted_not_a_crash() -> None:
    """The call is not checked, says so, and the cause is counted; other calls still are."""
    broken = tool("broken", {"type": "no such type"})
    before = schemas.refused["does not compile"]

    judged = calling(("broken", "{}"), ("get_weather", "{}"), tools=[broken, tool()])

    assert flags(judged) == ["tool_call_malformed.missing_required", "not_checked.tool_call_malformed"]
    assert schemas.refused["does not compile"] > before


@pytest.mark.parametrize("reference", ["http://127.0.0.1:9/schema.json", "file:///etc/passwd", "#/$defs/none"])
def test_references_are_never_fetched(reference: str) -> None:
    """A schema that refers elsewhere is not checked; nothing is read from network or disk."""
    assert flags(calling(("f", "{}"), tools=[tool("f", {"$ref": reference})])) == ["not_checked.tool_call_malformed"]


def test_schemas_are_compiled_once_and_kept_within_a_limit() -> None:
    """Equal schemas of later requests are compiled no more, and at most SCHEMAS_MAX are kept."""
    for number in range(schemas.SCHEMAS_MAX + 10):
        schemas.problems({"type": "object", "title": str(number)}, {})

    assert len(schemas._kept) == schemas.SCHEMAS_MAX
    assert schemas._compiled(json.loads(json.dumps(WEATHER))) is schemas._compiled(dict(WEATHER))


def test_fractions_in_a_schema_come_as_decimals_and_are_understood() -> None:
    """The request is parsed with decimals, which a schema may hold."""
    from decimal import Decimal

    schema = {"type": "object", "properties": {"share": {"type": "number", "maximum": Decimal("0.5")}}}

    assert schemas.problems(schema, {"share": 0.4}) == frozenset()
    assert schemas.problems(schema, {"share": 0.6}) == {"value"}


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n</tool_call>',
        '{"name": "get_weather", "arguments": {"city": "Rome"}}',
        'I will look that up.\n```json\n{"name": "get_weather", "parameters": {"city": "Rome"}}\n```',
        '<function=get_weather>{"city": "Rome"}</function>',
        '[TOOL_CALLS][{"name": "get_weather", "arguments": {}}]',
        "[get_weather(city='Rome')]",
        "```python\nget_weather(city='Rome')\n```",
        "Thought: I need the weather.\nAction: get_weather\nAction Input: Rome",
        '<|python_tag|>get_weather.call(city="Rome")',
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather",
    ],
)
def test_a_call_written_as_text_is_seen(text: str) -> None:
    """A model that prints its call instead of making it gives `tool_call_in_text`."""
    assert flags(answer(text, tools=[tool()])) == ["tool_call_in_text"]


@pytest.mark.parametrize(
    "text",
    [
        "It is sunny in Rome, says get_weather.",
        "You can call get_weather(city) yourself to find out more about it.",
        '{"city": "Rome", "weather": "sunny"}',
        'The record is {"name": "Ada", "input": 3}.',
        "Action: none needed. The weather is fine.",
    ],
)
def test_text_about_tools_is_no_call(text: str) -> None:
    """Naming a tool, or JSON that names none, is no call."""
    assert flags(answer(text, tools=[tool()])) == []


def test_detectors_of_calls_apply_only_where_there_is_something_to_check() -> None:
    """Rates are over what was checked: calls that were made, and answers to requests that offer tools."""
    assert "tool_call_malformed" not in checked(answer("Hello there."))
    assert "tool_call_in_text" not in checked(answer("Hello there."))
    assert "tool_call_in_text" in checked(answer("Hello there.", tools=[tool()]))
    assert isinstance(Detector("tool_call_malformed").check, object)
