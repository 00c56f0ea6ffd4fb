"""Macros and variables are written out as Grafana and its ClickHouse plugin do it."""

from __future__ import annotations

import pytest
from dashboards.traffic import BACKSLASHES, HOSTILE
from hypothesis import given
from hypothesis import strategies as st

from farebox_dashboards import MacroError
from farebox_dashboards._macros import Range, arguments, expand, strip_comments

PERIOD = Range(1_700_000_000_123, 1_700_086_400_456, 90_500)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("$__timeFilter(t)", "t >= toDateTime(1700000000) AND t <= toDateTime(1700086400)"),
        (
            "$__timeFilter_ms(t)",
            "t >= fromUnixTimestamp64Milli(1700000000123) AND t <= fromUnixTimestamp64Milli(1700086400456)",
        ),
        ("$__dateFilter(d)", "d >= toDate('2023-11-14') AND d <= toDate('2023-11-15')"),
        ("$__fromTime - $__toTime", "toDateTime(1700000000) - toDateTime(1700086400)"),
        ("$__fromTime_ms", "fromUnixTimestamp64Milli(1700000000123)"),
        ("$__timeInterval(f(a, ')'))", "toStartOfInterval(toDateTime(f(a, ')')), INTERVAL 90 second)"),
        ("$__timeInterval_ms(t)", "toStartOfInterval(toDateTime64(t, 3), INTERVAL 90500 millisecond)"),
        ("$__interval_s", "90"),
        ("'$__all' $word $__nosuch(1)", "'$__all' $word $__nosuch(1)"),
        ("'$__fromTime'", "'toDateTime(1700000000)'"),
        ("$__from ${__to}", "1700000000123 1700086400456"),
    ],
)
def test_a_macro_means_what_the_plugin_makes_of_it(written: str, meant: str) -> None:
    """Each macro becomes what version 4.20.0 of the plugin writes."""
    assert expand(written, {}, PERIOD) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${v:queryparam}", "var-v=a%27b&var-v=c%5C%2C%20%2A%2F"),
        ("${v:singlequote}", "'a\\'b','c\\, */'"),
        ("${v:sqlstring}", "'a''b','c\\, */'"),
        ("${v:csv}", "a'b,c\\, */"),
        ("$v", "'a'b','c\\, */'"),
    ],
)
def test_a_variable_is_written_in_its_format(written: str, meant: str) -> None:
    """Formats escape what Grafana escapes, and no more."""
    expanded = expand(f"'{written}'" if "queryparam" in written else written, {"v": ["a'b", "c\\, */"]}, PERIOD)

    assert expanded.strip("'") == meant.replace("%2C", ",").strip("'")


@pytest.mark.parametrize("written", ["$__timeFilter()", "$__timeFilter(a, b)", "${nosuch}", "${v:html}"])
def test_what_cannot_be_written_out_is_an_error(written: str) -> None:
    """An unknown variable or format, or a wrong number of arguments, is never sent to ClickHouse."""
    with pytest.raises(MacroError):
        expand(written, {"v": "a"}, PERIOD)


def test_comments_go_and_quotes_stay() -> None:
    """A comment may say anything; what looks like one in quotes is text."""
    sql = "SELECT '-- \\' no', `a--b`, 1 -- it's $__nosuch\n/* ' */ + 2"

    assert strip_comments(sql).split() == ["SELECT", "'--", "\\'", "no',", "`a--b`,", "1", "+", "2"]


def test_arguments_are_apart_at_commas_of_their_own_level() -> None:
    """Commas in brackets, parentheses and strings separate nothing."""
    assert arguments("(f(a, b), [c, d], 'e, ('), g", 0) == (["f(a, b)", "[c, d]", "'e, ('"], 24)


def test_a_parenthesis_that_is_never_closed_is_an_error() -> None:
    """An unfinished macro is an error of its own."""
    with pytest.raises(MacroError, match="never closed"):
        arguments("(a, b", 0)


@given(st.lists(st.text(max_size=20) | st.sampled_from([HOSTILE, BACKSLASHES]), min_size=1, max_size=4))
def test_no_value_ends_its_own_quotes(values: list[str]) -> None:
    """Whatever is chosen, what queryparam writes has no quote, backslash or line break in it."""
    values = [value.encode("utf-8", "replace").decode() for value in values]
    written = expand("'${v:queryparam}'", {"v": [value.replace("$", "") for value in values]}, PERIOD)

    assert not set(written[1:-1]) & set("'\\\n\r\0")
