"""The page that the package ships: built of the sources beside it, small, and made of nothing but itself."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from viewer.conftest import Viewer

from farebox_dashboards import DASHBOARDS

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "dashboards" / "viewer"
BUNDLE = ROOT / "dashboards" / "farebox_dashboards" / "viewer" / "bundle"
BESIDE = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")
BYTES_MAX = 1_000_000
TEXTS = (".js", ".css", ".html", ".txt")
PLACES = re.compile(rb"/(tmp|work|root|home|Users)/|registry\.(npmjs|yarnpkg)|:_authToken")


def test_the_bundle_is_that_of_its_sources() -> None:
    """The bundle carries the hash of what it was built from; after a change of these, `make viewer` builds it anew."""
    inside = [path.relative_to(SOURCES).as_posix() for path in (SOURCES / "src").rglob("*") if path.is_file()]
    made = hashlib.sha256()
    for name in sorted([*inside, *BESIDE]):
        made.update(f"{name}\0".encode() + (SOURCES / name).read_bytes())

    assert (BUNDLE / "sources.sha256").read_text().strip() == made.hexdigest(), "run `make viewer`"


def test_the_page_is_under_a_megabyte() -> None:
    """All that a browser loads of it, compressed, is under 1 MB."""
    loaded = [path for path in BUNDLE.rglob("*") if path.is_file() and path.suffix != ".txt"]

    assert sum(len(gzip.compress(path.read_bytes(), 6, mtime=0)) for path in loaded) < BYTES_MAX


def test_the_page_names_nothing_of_the_machine_that_built_it() -> None:
    """Neither the bundle nor the sources hold a path of a machine or the address of a package registry."""
    files = [path for path in BUNDLE.rglob("*") if path.suffix in TEXTS]
    files += [SOURCES / name for name in BESIDE]

    assert [str(path) for path in files if PLACES.search(path.read_bytes())] == []
    assert '"resolved"' not in (SOURCES / "package-lock.json").read_text()


def test_the_page_loads_its_own_files_only() -> None:
    """Each address in the page and its style sheet is one of the bundle's own files."""
    html = (BUNDLE / "index.html").read_text()
    named = re.findall(r'(?:src|href)="([^"]+)"', html)
    for sheet in BUNDLE.rglob("*.css"):
        named += [
            f"/assets/{found}" if "/" not in found else found
            for found in re.findall(r"url\(([^)]+)\)", sheet.read_text())
        ]

    assert "<script>" not in html
    assert "style=" not in html
    for name in named:
        assert name == "data:," or (BUNDLE / name.lstrip("/")).is_file(), name


def test_licences_of_what_is_in_the_bundle_go_with_it() -> None:
    """Whose work the bundle holds is said beside it, with the texts of the licences."""
    told = (BUNDLE / "licences.txt").read_text()

    for name in ("@grafana/ui", "@grafana/data", "react-dom", "uplot", "@fontsource-variable/inter"):
        assert re.search(rf"^{re.escape(name)} \d", told, re.MULTILINE), name
    assert "Apache License" in told
    assert "SIL OPEN FONT LICENSE" in told


def test_grafanas_packages_are_pinned() -> None:
    """Versions of what draws are exact, since parts of it are not promised to stay."""
    pins = json.loads((SOURCES / "package.json").read_text())["dependencies"]

    assert all(re.fullmatch(r"\d+\.\d+\.\d+", pin) for pin in pins.values())


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.uid)
def test_the_page_draws_all_that_dashboards_use(board) -> None:
    """Each type of panel and of variable is one that the page knows, and nothing is used that it does not do."""
    drawn = set(
        re.findall(r"^  '?([\w-]+)'?: \{ Component", (SOURCES / "src/panels/index.ts").read_text(), re.MULTILINE)
    )
    data = board.as_data()
    panels = [*data["panels"], *(inner for row in data["panels"] for inner in row.get("panels") or [])]

    assert drawn
    assert {panel["type"] for panel in panels} <= drawn | {"row"}
    assert {each["type"] for each in data["templating"]["list"]} <= {
        "constant",
        "custom",
        "datasource",
        "interval",
        "query",
        "textbox",
    }
    for panel in panels:
        assert not panel.get("transformations")
        assert not panel.get("repeat")
        assert panel.get("options", {}).get("mode") != "html"


def test_the_page_and_its_files_are_served(viewer: Viewer) -> None:
    """Every address of the page gives the page; files are compressed, and those with a hash in their name are kept."""
    pages = [
        viewer.get(path) for path in ("/", "/d/farebox-overview", "/d/farebox-overview?from=now-1h", "/index.html")
    ]
    script = re.search(r'src="([^"]+\.js)"', pages[0].text)
    assert script
    answer = viewer.get(script[1], Accept_Encoding="gzip")

    assert {page.text for page in pages} == {(BUNDLE / "index.html").read_text()}
    assert (answer.headers["Content-Encoding"], answer.headers["Content-Type"]) == (
        "gzip",
        "text/javascript; charset=utf-8",
    )
    assert "immutable" in answer.headers["Cache-Control"]
    assert viewer.get(script[1], If_None_Match=answer.headers["ETag"]).status_code == 304
