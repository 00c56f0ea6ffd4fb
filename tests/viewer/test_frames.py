"""ClickHouse's answers become Grafana's data frames, as Grafana's plugin makes them."""

from __future__ import annotations

import json

from farebox_dashboards.viewer._frames import frame, read_table


def answer(columns: dict[str, str], *rows: list[object]) -> bytes:
    """Write an answer as ClickHouse does in JSONCompact."""
    meta = [{"name": name, "type": kind} for name, kind in columns.items()]
    return json.dumps({"meta": meta, "data": rows}).encode()


def test_columns_get_the_kinds_that_grafana_knows() -> None:
    """Times become milliseconds, decimals numbers, and what is NULL stays so."""
    columns = {
        "t": "DateTime64(6, 'UTC')",
        "d": "Nullable(Date)",
        "n": "Nullable(Decimal(38, 12))",
        "i": "UInt64",
        "b": "Bool",
        "s": "LowCardinality(Nullable(String))",
        "a": "Array(String)",
    }
    table = read_table(
        answer(
            columns,
            ["2026-11-20T12:00:00.250000Z", "2026-11-20", "0.000001500000", 7, True, None, ["x"]],
            ["1970-01-01T00:00:00.000000Z", None, None, 0, False, "", []],
        ),
        10,
    )

    assert frame(table, "A", is_series=False) == {
        "schema": {
            "refId": "A",
            "fields": [
                {"name": "t", "type": "time"},
                {"name": "d", "type": "time"},
                {"name": "n", "type": "number"},
                {"name": "i", "type": "number"},
                {"name": "b", "type": "boolean"},
                {"name": "s", "type": "string"},
                {"name": "a", "type": "string"},
            ],
        },
        "data": {
            "values": [
                [1795176000250, 0],
                [1795132800000, None],
                [0.0000015, None],
                [7, 0],
                [True, False],
                [None, ""],
                [["x"], []],
            ]
        },
    }


def test_a_long_series_becomes_wide() -> None:
    """Each label has a column of its own, with nothing where it has no value; in order of time and of labels."""
    table = read_table(
        answer(
            {"time": "DateTime('UTC')", "route": "String", "spend": "Float64", "calls": "UInt32"},
            ["1970-01-01T00:01:00Z", "b", 1.5, 1],
            ["1970-01-01T00:00:00Z", "a", 2.5, 2],
            ["1970-01-01T00:01:00Z", "a", None, 3],
        ),
        10,
    )

    assert frame(table, "A", is_series=True) == {
        "schema": {
            "refId": "A",
            "fields": [
                {"name": "time", "type": "time"},
                {"name": "spend", "type": "number", "labels": {"route": "a"}},
                {"name": "spend", "type": "number", "labels": {"route": "b"}},
                {"name": "calls", "type": "number", "labels": {"route": "a"}},
                {"name": "calls", "type": "number", "labels": {"route": "b"}},
            ],
        },
        "data": {"values": [[0, 60000], [2.5, None], [None, 1.5], [2, 3], [None, 1]]},
    }


def test_an_answer_without_rows_keeps_its_columns() -> None:
    """A table shows its head; a series has its time and nothing to draw."""
    nothing = read_table(answer({"time": "DateTime", "route": "String", "spend": "Float64"}), 10)

    assert frame(nothing, "A", is_series=False)["data"] == {"values": [[], [], []]}
    assert frame(nothing, "A", is_series=True)["schema"]["fields"] == [{"name": "time", "type": "time"}]


def test_rows_beyond_the_limit_are_cut_and_said_to_be() -> None:
    """Of more rows than the limit the first are kept."""
    table = read_table(answer({"n": "UInt8"}, [1], [2], [3]), 2)

    assert (table.rows, table.cut) == ([[1], [2]], True)


def test_exact_decimals_stay_text() -> None:
    """Money that is shown to the last digit never passes through a float."""
    table = read_table(answer({"cost": "Nullable(Decimal(38, 12))"}, ["0.000000000001"], [None]), 5, exact=True)

    assert table.records() == [{"cost": "0.000000000001"}, {"cost": None}]
