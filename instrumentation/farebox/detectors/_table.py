"""The README's table of detectors, made from their docstrings."""

from __future__ import annotations

import importlib
import inspect
import re

from farebox.detectors._registry import BUILT_IN

__all__ = ["README_END", "README_START", "detectors_table", "section"]

# Between these marks the README holds the table.
README_START, README_END = "<!-- detectors -->", "<!-- end of detectors -->"

_SECTION = re.compile(r"^(Definition|Source|Measured): ", re.MULTILINE)


def section(doc: str, title: str) -> str:
    """Return one part of a detector's docstring as a single line, an empty one if it is not there."""
    parts = _SECTION.split(inspect.cleandoc(doc))
    found = dict(zip(parts[1::2], parts[2::2], strict=True)).get(title, "")
    return " ".join(found.split())


def detectors_table() -> str:
    """Return the table of the built-in detectors, as Markdown."""
    rows = ["| detector | what it tells | definition | measured |", "|---|---|---|---|"]
    for each in BUILT_IN:
        doc = importlib.import_module(f"farebox.detectors.{each}").__doc__ or ""
        first = inspect.cleandoc(doc).partition("\n")[0]
        cells = (f"`{each}`", first, section(doc, "Definition"), section(doc, "Measured"))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)
