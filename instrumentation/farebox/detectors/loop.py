"""Tell whether an answer ran into repeating itself.

Definition: within the last 6,000 characters the end repeats one piece at least five times over 200 characters (inside
code fifteen times over 600); or, code aside and digits taken as equal, fifteen times over 600, or the text
compresses below a tenth of its size, or below 18 % with two thirds of it six or more equal lines, or 70 % of its
six-word sequences seen twice. At least 200 characters. Does not apply when the prompt asks for repetition.
Regular code, markup, logs, tables and JSON, fenced or not, are no loops unless they repeat to the letter.
Source: degenerate repetition as in Holtzman et al. 2020; thresholds between the labelled loops (compressed to at
most 15 %) and ordinary answers (at least 31 %).
Measured: precision 1.000 (0.968-1.000), recall 0.975 (0.929-0.991), false positives 0.000 (0.000-0.019) on 320
labelled answers (M-IFEval).
"""

from __future__ import annotations

import re
import zlib
from collections import Counter

from farebox.detectors._answer import Answer
from farebox.detectors._code import without_blocks
from farebox.detectors._finding import Finding
from farebox.detectors._json_answer import looks_like_json

__all__ = ["check"]

PROMPT_CHARACTERS = 4_000
TAIL_CHARACTERS = 6_000
CHARACTERS_MIN = 200
# So often, over so many characters: exactly, and with digits taken as equal (counters run on in a loop).
EXACT = (5, 200)
COUNTING = (15, 600)
# Lines and rows of signs without letters must run on for as long as this.
SIGNS_MIN = 1_000
COMPRESSED_CHARACTERS_MIN = 600
COMPRESSED_MAX = 0.10
COMPRESSED_SUSPECT = 0.18
EQUAL_LINES_MIN = 6
EQUAL_LINES_SHARE = 0.65
SEEN_TWICE_MIN = 0.7
# Prose has more letters, and fewer digits and signs of markup, than this.
LETTERS_MIN = 0.4
DIGITS_MAX = 0.2
SIGNS_MAX = 0.05
PROSE_LETTERS_MIN = 6
# Pieces of fewer letters than this are patterns of signs, which run on for longer.
DISTINCT_LETTERS_MIN = 3

PROBES, PROBE_CHARACTERS = 8, 24
_ENDS = (24, 80)
_DIGITS = str.maketrans("123456789", "0" * 9)
# What a prompt that asks for repetition says.
_ASKED = re.compile(
    r"\b(?:write|say|print|type|output|repeat|copy|give|list)\b[^.!?\n]{0,80}\b(?:\d+|hundred|thousand|many) times\b|"
    r"over and over|\brepeat\b[^.!?\n]{0,40}\b(?:forever|endless\w*|until|as often)|ascii art|multiplication table|"
    r"重复[^。\n]{0,20}[次遍]|[次遍][^。\n]{0,10}重复|繰り返し(?:て)?(?:書|出力|言)|번 반복|반복해서 (?:써|출력|말)"
)
_DIGIT = re.compile(r"\d")
_MARKUP = str.maketrans("", "", '<>{}[]()=;|"/\\_#$&^~`')
_CLOSING_FENCE = re.compile(r"\n[ \t]*(?:```|~~~)\s*$")
_LINE_CHARACTERS_MIN = 15
_SEQUENCE = 6


def check(answer: Answer) -> Finding | None:
    """Judge the end of every choice with enough text."""
    texts = [choice for choice in answer.texts if len(choice.text) >= CHARACTERS_MIN]
    asked = answer.prompt.user[:PROMPT_CHARACTERS].lower()
    if not texts or _ASKED.search(asked):
        return None
    return Finding.of(any(_loops(choice.text) for choice in texts))


def _loops(text: str) -> bool:
    tail = text[-TAIL_CHARACTERS:].rstrip()
    code = _CLOSING_FENCE.search(tail)
    exact = (tail[: code.start()].rstrip(), *COUNTING) if code else (tail, *EXACT)
    if any(_repeats(exact[0], end, *exact[1:]) for end in _ENDS):
        return True
    counting = without_blocks(text)[-TAIL_CHARACTERS:].rstrip()
    if _DIGIT.search(counting):
        counting = counting.translate(_DIGITS)
    if not _recurs(counting) or looks_like_json(text) or not _is_prose(counting):
        return False
    return any(_repeats(counting, end, *COUNTING) for end in _ENDS) or _compresses(counting)


def _compresses(tail: str) -> bool:
    """Tell whether text is nothing but copies of itself."""
    if len(tail) < COMPRESSED_CHARACTERS_MIN:
        return False
    raw = tail.encode("utf-8", "replace")
    ratio = len(zlib.compress(raw, 1)) / len(raw)
    return ratio < COMPRESSED_MAX or (ratio < COMPRESSED_SUSPECT and _has_copies(tail))


def _is_prose(tail: str) -> bool:
    """Tell whether text is more than a table, a log or markup, which are regular by nature; its digits are all 0."""
    size = len(tail)
    return (
        size - len(tail.translate(_MARKUP)) <= SIGNS_MAX * size
        and tail.count("0") <= DIGITS_MAX * size
        and sum(map(str.isalpha, tail)) >= LETTERS_MIN * size
        and len(set(filter(str.isalpha, tail))) >= PROSE_LETTERS_MIN
    )


def _repeats(tail: str, end_characters: int, repeats: int, characters: int) -> bool:
    """Tell whether the text ends in one piece over and over: its period is how far back its last characters recur."""
    end = tail[-end_characters:]
    before = tail.rfind(end, 0, len(tail) - 1)
    if before < 0:
        return False
    period = len(tail) - end_characters - before
    if len(set(filter(str.isalpha, tail[-period:]))) < DISTINCT_LETTERS_MIN:
        characters = max(characters, SIGNS_MIN)
    length = max(characters, repeats * period)
    return length <= len(tail) and tail[-length:-period] == tail[-length + period :]


def _recurs(tail: str) -> bool:
    """Tell whether any of a few pieces stands twice in the text: compressing takes thirty times as long to find out."""
    places = range(0, len(tail) - PROBE_CHARACTERS, max(1, len(tail) // PROBES))
    return any(tail.count(tail[place : place + PROBE_CHARACTERS]) > 1 for place in places)


def _has_copies(tail: str) -> bool:
    lines = Counter(line for raw in tail.split("\n") if len(line := raw.strip()) >= _LINE_CHARACTERS_MIN)
    if lines:
        line, times = lines.most_common(1)[0]
        if times >= EQUAL_LINES_MIN and times * len(line) >= EQUAL_LINES_SHARE * len(tail):
            return True
    words = tail.split()
    sequences = list(zip(*(words[start:] for start in range(_SEQUENCE)), strict=False))
    return bool(sequences) and 1 - len(set(sequences)) / len(sequences) >= SEEN_TWICE_MIN
