"""The page on troubleshooting quotes what farebox says, to the letter."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from documentation.pages import ROOT

PAGE = ROOT / "collector" / "TROUBLESHOOTING.md"
PACKAGES = (
    "instrumentation/farebox",
    "collector/farebox_collector",
    "sql/farebox_ledger",
    "dashboards/farebox_dashboards",
)
VARIES = "…"
QUOTED = [text.strip() for _, text in re.findall(r"^### (`+)(.*)\1$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)]


def texts_of(path: Path) -> set[str]:
    """Give the texts in a file: as they are, or with … for what is put in."""
    if path.suffix == ".sql":
        return set(re.findall(r"'((?:[^'\\]|\\.)*)'", path.read_text(encoding="utf-8")))
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            found.add("".join(part.value if isinstance(part, ast.Constant) else VARIES for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


@cache
def texts() -> frozenset[str]:
    """Give all texts that farebox could say."""
    paths = [path for package in PACKAGES for kind in ("py", "sql") for path in (ROOT / package).rglob(f"*.{kind}")]
    return frozenset(text for path in paths for text in texts_of(path))


@pytest.mark.parametrize("quoted", QUOTED)
def test_a_quoted_text_is_one_of_ours(quoted: str) -> None:
    """Every text that the page explains is said by the code, or is a part of what it says."""
    assert any(quoted.removesuffix(VARIES) in text for text in texts())


def test_the_page_explains_enough() -> None:
    """The reading of the page found its headings."""
    assert len(QUOTED) >= 25
