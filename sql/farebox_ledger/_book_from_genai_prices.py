"""Writes the catalogue half of the price book, `prices/catalogue/*.csv`, from the genai-prices package.

Run `python -m farebox_ledger._book_from_genai_prices` after upgrading genai-prices, and review the difference like
code. What does not fit the book (a fee for every request, reasoning apart from output, prices finer than twelve
decimals a token) is left out and listed: an attempt that needs it counts as unpriced, which is better than wrong.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genai_prices import data_snapshot
from genai_prices.types import Provider

from farebox_ledger._book_lines import FEE_UNTOLD, PEAK, Line, hours_of, lines_of, unfit
from farebox_ledger._book_names import aliases_of, models_of
from farebox_ledger._book_plans import PLANS, Plan
from farebox_ledger.errors import BookError

__all__ = ["Catalogue", "main", "read_catalogue"]

FOLDER = Path(__file__).parent / "prices" / "catalogue"
ALIAS_COLUMNS = ("provider", "field", "match", "pattern", "value", "checked_on", "source")


@dataclass
class Catalogue:
    """What genai-prices says, as the book's files say it; `left_out` says why what is missing is missing."""

    lines: dict[str, list[Line]] = field(default_factory=dict)
    aliases: list[tuple[str, ...]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def read_catalogue(day: str) -> Catalogue:
    """Read the genai-prices that is installed; `day` is when its prices were checked."""
    providers = {provider.id: provider for provider in data_snapshot.get_snapshot().providers}
    source = f"genai-prices {version('genai-prices')}"
    found = Catalogue()
    for plan in PLANS:
        _read_plan(plan, providers, day, source, found)
    return found


def main(checked_on: str | None = None) -> None:
    """Write the files; `checked_on` is the day on which the catalogue was read, today unless given."""
    catalogue = read_catalogue(checked_on or datetime.now(UTC).date().isoformat())
    for provider, lines in catalogue.lines.items():
        _write(f"{provider}.csv", [field.name for field in fields(Line)], map(astuple, lines))
    _write("aliases.csv", ALIAS_COLUMNS, catalogue.aliases)
    print(*catalogue.left_out, sep="\n", file=sys.stderr)  # noqa: T201


def _read_plan(plan: Plan, providers: Mapping[str, Provider], day: str, source: str, found: Catalogue) -> None:
    lines: dict[tuple[Any, ...], Line] = {}
    names: dict[str, str] = {}
    for model in models_of(plan, providers, unfit):
        reason = unfit(model.info)
        if reason:
            found.left_out.append(f"{plan.provider}/{model.info.id}: {reason}")
            continue
        own = list(lines_of(model, day, source))
        if not own:
            continue
        for line in own:
            if lines.setdefault(_key(line), line) != line:
                raise BookError(
                    f"two models of {plan.provider} would be {model.name}: {model.info.id} is one; part them"
                )
        for alias in aliases_of(model):
            names.setdefault(alias, model.name)
        found.aliases += (
            (plan.provider, "hour", "exact", f"{model.name} {hour}", PEAK, day, source) for hour in hours_of(model.info)
        )
    own_names = {line.model for line in lines.values()}
    found.lines[plan.provider] = list(lines.values())
    found.aliases += (
        (plan.provider, "model", "exact", alias, name, day, source)
        for alias, name in names.items()
        if alias not in own_names and not FEE_UNTOLD.search(alias)
    )


def _key(line: Line) -> tuple[Any, ...]:
    return (line.region, line.model, line.variant, line.unit, line.tier_above, line.valid_from)


def _write(name: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(list(_texts(row)) for row in sorted(rows, key=str))


def _texts(row: tuple[Any, ...]) -> Iterator[str]:
    for cell in row:
        if isinstance(cell, Decimal):
            yield format(cell.normalize(), "f")
        else:
            yield "" if cell is None else str(cell)


if __name__ == "__main__":
    main(*sys.argv[1:])
