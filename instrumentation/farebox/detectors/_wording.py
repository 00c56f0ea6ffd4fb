"""Patterns of wording, read from the files in wording/.

A file holds tables of cues: what a pattern speaks for (`kind`), words of which at least one is in every match
(`gates`; none: always tried), and the pattern, whose lines are joined. `@name@` stands for a pattern of the table
`fragments`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files

__all__ = ["Cue", "first", "wording"]

_FRAGMENT = re.compile(r"@(\w+)@")


@dataclass(frozen=True)
class Cue:
    """A pattern over lower-cased text; compiled when it is first needed."""

    kind: str
    gates: tuple[str, ...]
    pattern: str

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def find(self, text: str, start: int = 0, end: int = 2**31) -> re.Match[str] | None:
        """Return the first match within text."""
        return self._compiled.search(text, start, end) if self._may_be_in(text) else None

    def all(self, text: str) -> Iterator[re.Match[str]]:
        """Yield every match."""
        if self._may_be_in(text):
            yield from self._compiled.finditer(text)

    def _may_be_in(self, text: str) -> bool:
        for gate in self.gates:  # any() takes three times as long, dozens of times an answer
            if gate in text:
                return True
        return not self.gates


@lru_cache(maxsize=16)
def wording(name: str) -> Mapping[str, tuple[Cue, ...]]:
    """Return the tables of one file."""
    tables = tomllib.loads(files("farebox.detectors").joinpath(f"wording/{name}.toml").read_text(encoding="utf-8"))
    fragments: dict[str, str] = {}

    def whole(pattern: str) -> str:
        return _FRAGMENT.sub(lambda match: fragments[match.group(1)], pattern.replace("\n", ""))

    for fragment, pattern in tables.pop("fragments", {}).items():
        fragments[fragment] = whole(pattern)
    return {
        table: tuple(
            Cue(each.get("kind", table), tuple(each.get("gates", ())), whole(each["pattern"])) for each in cues
        )
        for table, cues in tables.items()
    }


def first(cues: Sequence[Cue], text: str) -> Cue | None:
    """Return the first cue that is found in text."""
    for cue in cues:
        if cue.find(text) is not None:
            return cue
    return None
