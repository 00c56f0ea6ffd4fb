"""Tell whether an answer ran into repeating itself.

Definition: within the last 6,000 characters the end repeats one piece at least five times over 200 characters,
or, code aside and digits taken as equal, fifteen times over 600; or the text compresses below a tenth of its
size, or below a sixth with six or more equal lines or most six-word sequences seen twice. At least 200
characters. Does not apply when the prompt asks for repetition.
Source: degenerate repetition as in Holtzman et al. 2020; thresholds between the labelled loops (compressed to at
most 15 %) and ordinary answers (at least 31 %).
"""

from __future__ import annotations

import re
import zlib
from collections import Counter

from farebox.detectors._answer import Answer
from farebox.detectors._finding import Finding

__all__ = ["check"]

TAIL_CHARACTERS = 6_000
CHARACTERS_MIN = 200
# So often, over so many characters: exactly, and with digits taken as equal (counters run on in a loop).
EXACT = (5, 200)
COUNTING = (15, 600)
COMPRESSED_CHARACTERS_MIN = 600
COMPRESSED_MAX = 0.10
COMPRESSED_SUSPECT = 0.165
EQUAL_LINES_MIN = 6
SEEN_TWICE_MIN = 0.55

_PROBES = (24, 80)
_DIGITS = str.maketrans("123456789", "0" * 9)
_ASKED = re.compile(
    r"\brepeat|\b\d+ times\b|over and over|ascii|\bpattern\b|multiplication table|"
    r"重复|重複|繰り返|반복|répét|repit|wiederhol",
    re.IGNORECASE,
)
_LINE_CHARACTERS_MIN = 15
_SEQUENCE = 6


def check(answer: Answer) -> Finding | None:
    """Judge the end of every choice with enough text."""
    texts = [choice for choice in answer.texts if len(choice.text) >= CHARACTERS_MIN]
    if not texts or _ASKED.search(answer.prompt.user[:4_000]):
        return None
    return Finding.of(any(_loops(choice.text, choice.prose) for choice in texts))


def _loops(text: str, prose: str) -> bool:
    tail = text[-TAIL_CHARACTERS:].rstrip()
    counting = prose[-TAIL_CHARACTERS:].rstrip().translate(_DIGITS)
    if any(_repeats(tail, probe, *EXACT) or _repeats(counting, probe, *COUNTING) for probe in _PROBES):
        return True
    if len(tail) < COMPRESSED_CHARACTERS_MIN:
        return False
    raw = tail.encode("utf-8", "replace")
    ratio = len(zlib.compress(raw, 1)) / len(raw)
    return ratio < COMPRESSED_MAX or (ratio < COMPRESSED_SUSPECT and _has_copies(tail))


def _repeats(tail: str, probe: int, repeats: int, characters: int) -> bool:
    """Tell whether the text ends in one piece over and over: its period is how far back its last characters recur."""
    end = tail[-probe:]
    before = tail.rfind(end, 0, len(tail) - 1)
    if before < 0:
        return False
    period = len(tail) - probe - before
    length = max(characters, repeats * period)
    if length > len(tail) or tail[-length:-period] != tail[-length + period :]:
        return False
    return any(character.isalpha() for character in tail[-period:])


def _has_copies(tail: str) -> bool:
    lines = Counter(line for raw in tail.split("\n") if len(line := raw.strip()) >= _LINE_CHARACTERS_MIN)
    if lines and lines.most_common(1)[0][1] >= EQUAL_LINES_MIN:
        return True
    words = tail.split()
    sequences = list(zip(*(words[start:] for start in range(_SEQUENCE)), strict=False))
    return bool(sequences) and 1 - len(set(sequences)) / len(sequences) >= SEEN_TWICE_MIN
