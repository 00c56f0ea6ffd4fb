"""What documents say of the code's places is so: each module, folder, file and room that they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from documentation.pages import FENCE, PAGES, ROOT, named

ROOMS = {
    "instrumentation": "instrumentation/farebox",
    "collector": "collector/farebox_collector",
    "sql": "sql/farebox_ledger",
    "dashboards": "dashboards/farebox_dashboards",
    "tests": "tests",
}
# Folders that a package's modules are in: `_alerts.py` of a room's README is one of these.
PACKAGES = [*ROOMS.values(), "collector/farebox_demo"]
# What a page names that is made by running something, or is another project's.
MADE = {"up.json", "tokens.json", "names.txt", "farebox.toml", "farebox-focus.csv", "farebox-unpriced.csv"}
FLAGS = {"constraint_violation.json"}
FILE = re.compile(r"[\w./-]*\w\.(?:py|md|sql|toml|yaml|yml|xml|csv|json|txt)")


def names_in(path: Path) -> set[str]:
    """Give the files and modules that a page names in code, and in its drawings."""
    text = path.read_text(encoding="utf-8")
    drawn = "\n".join(match[3] for match in FENCE.finditer(text) if not match[2])
    code = re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    files = {each for each in code if FILE.fullmatch(each) and not each.startswith(("http", "~", "/"))}
    modules = {each for each in re.findall(r"(?<![\w./-])_[a-z]\w+\b(?!\*)", drawn) if path.name == "README.md"}
    return files | {f"{each}.py" for each in modules}


def is_there(page: Path, name: str) -> bool:
    """Look for a file where a reader of the page would: beside it, at the root, in the room's packages."""
    if name in MADE | FLAGS:
        return True
    places = [page.parent, ROOT, *(ROOT / package for package in PACKAGES)]
    return any((place / name).exists() for place in places) or any(
        any((ROOT / package).rglob(name.rpartition("/")[2])) for package in PACKAGES if name.count("/") <= 1
    )


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=named)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    """A file or module in code, or in a drawing of a room, is one of this repository."""
    assert sorted(name for name in names_in(page) if not is_there(page, name)) == []


def test_the_architecture_names_every_room_and_package() -> None:
    """ARCHITECTURE.md has each room with its package, and names no package that is not there."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named_packages = set(re.findall(r"`(farebox(?:_[a-z]+)?)`", text))
    there = {path.name for package in PACKAGES if (path := ROOT / package).name.startswith("farebox")}

    assert named_packages == there
    for room in ROOMS:
        assert f"| `{room}/` |" in text


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_draws_its_inside(room: str) -> None:
    """Each room has a README with a drawing of what is inside."""
    page = ROOT / room / "README.md"
    drawings = [match[3] for match in FENCE.finditer(page.read_text(encoding="utf-8")) if not match[2]]

    assert any(set("▼▶│─") & set(drawing) for drawing in drawings)
