"""What the detectors' docstrings and README say, held against the code."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from farebox.detectors import _limits as limits
from farebox.detectors import detectors, detectors_table
from farebox.detectors._registry import BUILT_IN
from farebox.detectors._table import README_END, README_START, section

README = (Path(limits.__file__).parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_detector_says_what_it_is(name: str) -> None:
    """One sentence, a definition and a source; what was measured, where there is data."""
    doc = importlib.import_module(f"farebox.detectors.{name}").__doc__ or ""
    first = doc.partition("\n")[0]

    assert first.endswith(".")
    assert section(doc, "Definition")
    assert section(doc, "Source")


def test_the_table_in_the_readme_is_current() -> None:
    """The README's table is the one made from the docstrings."""
    inside = README.partition(README_START)[2].partition(README_END)[0]

    assert inside.strip() == detectors_table()
    assert all(f"`{each.name}`" in inside for each in detectors())


def test_the_readme_states_the_limits_as_they_are() -> None:
    """Every number of the section on limits is the one in the code."""
    named = [
        limits.TEXT_CHARACTERS_MAX, limits.JSON_CHARACTERS_MAX, limits.CODE_CHARACTERS_MAX,
        limits.REQUEST_CHARACTERS_MAX, limits.TOOLS_MAX, limits.CALLS_MAX, limits.SCHEMA_STEPS_MAX,
    ]  # fmt: skip
    stated = README.partition("## Limits")[2]

    assert [number for number in named if f"{number:,}" not in stated] == []


def test_the_license_of_the_language_model_is_stated() -> None:
    """The extra's model has a licence of its own, which the docs name."""
    assert "CC-BY-SA-3.0" in README
