"""Tables in a terminal: whatever its width, no digit is cut off."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from farebox_ledger._terminal import table

HEADINGS = [("route", False), ("calls", True), ("spend", True), ("per success", True), ("fires when", False)]
ROWS = [
    ("support-triage", "1,204,685", "≥ $100,236.72", "≥ $0.0005992", "a success costs half as much again as before"),
    ("total", "1,204,685", "≥ $100,236.72", "≥ $0.0005992", ""),
]


def shown(width: int) -> list[str]:
    """Print the table in a terminal of a width; returns its lines."""
    screen = io.StringIO()
    Console(file=screen, width=width, force_terminal=True, color_system=None).print(table(HEADINGS, ROWS, True))
    return screen.getvalue().splitlines()


@pytest.mark.parametrize("width", [30, 40, 60, 70, 80, 100, 200])
def test_no_digit_is_cut_off(width: int) -> None:
    """Each number and each name stands whole in a line, from thirty characters on; text is folded between words."""
    lines = shown(width)

    for cell in ("support-triage", "1,204,685", "≥ $100,236.72", "≥ $0.0005992"):
        assert any(cell in line for line in lines), cell
    assert all(len(line) <= width for line in lines if width >= 40)


def test_a_narrow_terminal_shows_rows_below_each_other() -> None:
    """Where the columns do not fit side by side, each stands in a line under its heading, and nothing that is empty."""
    assert shown(40)[-5:] == [
        "route        total",
        "calls        1,204,685",
        "spend        ≥ $100,236.72",
        "per success  ≥ $0.0005992",
        "",
    ]
