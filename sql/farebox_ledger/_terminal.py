"""Prints tables in a terminal: numbers to the right, dollars with the digits they need, no colour into a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["console", "dollars", "milliseconds", "share", "table"]

PIPE_WIDTH = 10_000
AT_LEAST = "≥ "
NOTHING = "–"


def console() -> Console:
    """Make the console for standard output; into a pipe it neither colours nor wraps."""
    from rich.console import Console

    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def table(headings: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]], last_apart: bool = False) -> Table:
    """Lay out a table; a heading says whether its column holds numbers; the last row may stand under a line."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    laid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading, numbers in headings:
        laid.add_column(heading, justify="right" if numbers else "left", no_wrap=numbers, overflow="fold")
    cells = [[Text(cell) for cell in row] for row in rows]
    for position, row in enumerate(cells):
        if last_apart and position == len(cells) - 1:
            laid.add_section()
        laid.add_row(*row, style="bold" if last_apart and position == len(cells) - 1 else None)
    return laid


def dollars(amount: Decimal | None, at_least: bool = False) -> str:
    """Write USD: cents for large amounts, four digits after the zeros for small ones; a lower bound gets its sign
    and is rounded down.
    """
    if amount is None:
        return NOTHING
    size = abs(amount)
    if size == 0 or size >= 100:
        places = 2
    elif size >= 1:
        places = 4
    else:
        places = min(12, max(6, 3 - size.adjusted()))
    rounded = amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN if at_least else ROUND_HALF_EVEN)
    return f"{AT_LEAST if at_least else ''}${rounded:,f}"


def share(part: float | None) -> str:
    """Write a share as a percentage."""
    return NOTHING if part is None else f"{part:.1%}"


def milliseconds(duration: float | None) -> str:
    """Write a latency: milliseconds below ten seconds, seconds above."""
    if duration is None:
        return NOTHING
    return f"{duration:,.0f} ms" if duration < 10_000 else f"{duration / 1000:,.1f} s"
