"""Each page can be reached, and each link leads somewhere; no address of the network is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from documentation.pages import PAGES, ROOT, anchors, links, named


def target_of(page: Path, link: str) -> tuple[Path, str]:
    """Resolve a link as the repository's pages are shown: to a file, and an anchor in it."""
    address, _, anchor = link.partition("#")
    return (page.parent / address).resolve() if address else page, anchor


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file of this repository, and its anchor a heading there; others are https."""
    dead = []
    for link in links(page):
        if link.startswith("https://"):
            continue
        target, anchor = target_of(page, link)
        inside = target.is_relative_to(ROOT) and target.exists()
        if not inside or (anchor and anchor not in anchors(target)):
            dead.append(link)

    assert dead == []


def test_every_page_is_reached_from_the_readme() -> None:
    """Following links from the README leads to every page there is."""
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [target for link in links(page) if (target := target_of(page, link)[0]).is_file()]

    assert [named(page) for page in PAGES if page not in reached] == []
