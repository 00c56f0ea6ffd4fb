"""Prints tables in a terminal: numbers to the right, dollars with the digits they need, no colour into a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table
    from rich.text import Text

__all__ = ["Rows", "console", "dollars", "milliseconds", "share", "table"]

PIPE_WIDTH = 10_000
# Text is folded between words; a word longer than this may be broken, a number never.
WORD_MAX = 40
AT_LEAST = "≥ "
NOTHING = "–"


def console() -> Console:
    """Make the console for standard output; into a pipe it neither colours nor wraps."""
    from rich.console import Console

    class Ours(Console):
        def on_broken_pipe(self) -> None:
            """Leave it to the front door that nobody reads on: that is no bad news."""
            raise BrokenPipeError

    plain = Ours(highlight=False)
    return plain if plain.is_terminal else Ours(highlight=False, width=PIPE_WIDTH)


def table(headings: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]], last_apart: bool = False) -> Rows:
    """Lay out a table; a heading says whether its column holds numbers; the last row may stand under a line."""
    return Rows(headings, [tuple(row) for row in rows], last_apart)


class Rows:
    """Rows under headings; where a terminal is too narrow to show every digit, below each other instead of cut."""

    def __init__(self, headings: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]], last_apart: bool) -> None:
        self._headings, self._rows, self._last_apart = headings, rows, last_apart

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        from rich.measure import Measurement

        laid = self._table()
        needed = Measurement.get(console, options.update(max_width=PIPE_WIDTH), laid).minimum
        if needed <= options.max_width:
            yield laid
        else:
            yield from self._below_each_other()

    def _table(self) -> Table:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        laid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for place, (heading, numbers) in enumerate(self._headings):
            least = max(_least_width(text, numbers) for text in (heading, *(row[place] for row in self._rows)))
            side = "right" if numbers else "left"
            laid.add_column(heading, justify=side, no_wrap=numbers, overflow="fold", min_width=least)  # type: ignore[arg-type]
        for row in self._rows:
            is_apart = self._last_apart and row is self._rows[-1]
            if is_apart:
                laid.add_section()
            laid.add_row(*(Text(cell) for cell in row), style="bold" if is_apart else None)
        return laid

    def _below_each_other(self) -> Iterator[Text]:
        from rich.text import Text

        width = max(len(heading) for heading, _ in self._headings)
        for row in self._rows:
            is_apart = self._last_apart and row is self._rows[-1]
            for (heading, _), cell in zip(self._headings, row, strict=True):
                if cell:
                    line = Text(f"{heading:<{width}}  ", style="dim")
                    yield line.append(cell, style="bold not dim" if is_apart else "not dim")
            yield Text()


def _least_width(text: str, is_number: bool) -> int:
    """Say in how many characters a text can be shown without breaking a number, or a word of usual length."""
    if is_number:
        return len(text)
    return max((min(len(word), WORD_MAX) for word in text.split()), default=0)


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
