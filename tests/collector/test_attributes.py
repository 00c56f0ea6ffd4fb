"""Attribute values become the text that the OpenTelemetry Collector's ClickHouse exporter writes."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from otlp_messages import any_value

from farebox_collector._attributes import attribute_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        ("日本語 \x00\n", "日本語 \x00\n"),
        (0, "0"),
        (-(2**63), "-9223372036854775808"),
        (2**63 - 1, "9223372036854775807"),
        (True, "true"),
        (False, "false"),
        (b"", ""),
        (b"\x00\xff\x10", "AP8Q"),
        (0.0, "0"),
        (-0.0, "-0"),
        (12.0, "12"),
        (0.1, "0.1"),
        (2.5e-07, "2.5e-7"),
        (1e-10, "1e-10"),
        (1e-06, "0.000001"),
        (1e16, "10000000000000000"),
        (1.5e21, "1.5e+21"),
        (math.nan, "json: unsupported value: NaN"),
        (-math.inf, "json: unsupported value: -Inf"),
        ([], "[]"),
        (["refusal.api", "empty"], '["refusal.api","empty"]'),
        ([1, 2.0, True, None, b"\x01", 'a"b'], '[1,2,true,null,"AQ==","a\\"b"]'),
        ([["deep", [1]], {"b": 1, "a": [None]}], '[["deep",[1]],{"a":[null],"b":1}]'),
        ([math.nan], ""),
    ],
)
def test_text(value: Any, text: str) -> None:
    """Each kind of value has one text."""
    assert attribute_text(any_value(value)) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_double_round_trips(number: float) -> None:
    """The text of a double reads back as the same double."""
    assert float(attribute_text(any_value(number))) == number


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, list | dict))
)
def test_nested_is_json(value: Any) -> None:
    """Arrays and maps, however nested, are JSON that reads back as the same value."""
    assert json.loads(attribute_text(any_value(value))) == value
