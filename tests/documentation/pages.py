"""Reads the pages: which there are, their headings, links and blocks of code."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PAGES", "ROOT", "Block", "anchors", "blocks", "links", "named"]

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def _pages() -> list[Path]:
    """List the Markdown files of the repository; what is built or installed beside them is none."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    found = [ROOT / name for name in listed] or [*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/**/*.md")]
    return sorted(path for path in found if "node_modules" not in path.parts and path.exists())


PAGES = _pages()


@dataclass(frozen=True)
class Block:
    """A block of code: its language, its text without indentation, and the line it begins at."""

    language: str
    text: str
    line: int


def named(path: Path) -> str:
    """Name a page in a test's id."""
    return str(path.relative_to(ROOT))


def blocks(path: Path, language: str | None = None) -> list[Block]:
    """Give a page's blocks of code, all or those in one language."""
    text = path.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        inside = "".join(line.removeprefix(match[1]) for line in match[3].splitlines(keepends=True))
        found.append(Block(match[2], inside, text[: match.start()].count("\n") + 2))
    return [each for each in found if language in (None, each.language)]


def links(path: Path) -> list[str]:
    """Give the addresses that a page leads to, code aside."""
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", path.read_text(encoding="utf-8")))
    inline = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"\]\n *\(", "](", prose))
    return [*inline, *re.findall(r'<img[^>]* src="([^"]+)"', prose)]


def anchors(path: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 0
        while (unique := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(unique)
    return found
