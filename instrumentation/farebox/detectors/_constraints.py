"""Read from a prompt the limits on an answer's form that it states outright: words, characters, commas, JSON,
bullets.

English, French, Spanish, German, Japanese, Chinese. What is said of a part of the answer, under a condition, of
certain words only, or of a limit that somebody else set, is left alone: a missed limit costs less than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from farebox.detectors._number_words import in_digits
from farebox.detectors._wording import first, wording

__all__ = ["Constraints", "constraints_of"]

PROMPT_CHARACTERS_MAX = 6_000
# Of a longer prompt only its ends are instructions; in between stands material.
END_CHARACTERS = 1_500
# "One word" may be a name of several.
ONE_WORD_MAX = 3


@dataclass(frozen=True, slots=True)
class Constraints:
    """The limits that a prompt states; None: none stated.

    words, characters: at least, at most (both inclusive). bullets: exactly. json: the whole answer, or a part of it.
    no_comma: the characters that must not appear.
    """

    words_min: int | None = None
    words_max: int | None = None
    characters_min: int | None = None
    characters_max: int | None = None
    bullets: int | None = None
    json: Literal["whole", "part"] | None = None
    no_comma: str | None = None


# Every limit has one of these in it.
_SIGNS = (
    "word",
    "mot",
    "palabra",
    "wort",
    "wört",
    "character",
    "字",
    "comma",
    "virgule",
    "coma",
    "読点",
    "ンマ",
    "json",
    "bullet",
    "puce",
    "viñeta",
    "point",
    "punto",
    "箇条",
)
_SENTENCE = re.compile(r"(?<=[.!?。！？;])\s+|(?<=[。！？])|\n+")
# A limit that is spoken of, not stated.
_QUOTED = re.compile(r"\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”|(?<!\w)'[^'\n]{1,80}'(?!\w)")
# How much next to a limit says whether it is one of a part of the answer.
_BEFORE, _AFTER = 40, 16


@lru_cache(maxsize=64)  # system prompts come again and again
def constraints_of(prompt: str) -> Constraints:
    """Read the limits in a prompt."""
    if len(prompt) > PROMPT_CHARACTERS_MAX:
        prompt = f"{prompt[:END_CHARACTERS]}\n{prompt[-END_CHARACTERS:]}"
    said = prompt.replace("’", "'").lower()
    if not any(sign in said for sign in _SIGNS):
        return Constraints()
    said = in_digits(_QUOTED.sub('""', said))
    sentences = [
        sentence
        for sentence in _SENTENCE.split(said)
        if sentence and not _has("conditional", sentence) and not _has("told", sentence)
    ]
    words, characters = _range(sentences, "words"), _range(sentences, "characters")
    single = words == (None, None) and any(_has("one_word", sentence) for sentence in sentences)
    return Constraints(
        words_min=words[0],
        words_max=ONE_WORD_MAX if single else words[1],
        characters_min=characters[0],
        characters_max=characters[1],
        bullets=_bullets(sentences),
        json=_json(said),
        no_comma=_no_comma(sentences),
    )


def _has(table: str, text: str) -> bool:
    return first(wording("constraints")[table], text) is not None


def _range(sentences: list[str], limits: str) -> tuple[int | None, int | None]:
    low: int | None = None
    high: int | None = None
    for least, most in (bound for sentence in sentences for bound in _bounds(sentence, limits)):
        low = low if least is None else least
        high = high if most is None else most
    return (None, None) if low is not None and high is not None and low > high else (low, high)


def _bounds(sentence: str, limits: str) -> Iterator[tuple[int | None, int | None]]:
    for cue in wording("constraints")[limits]:
        for match in cue.all(sentence):
            before, after = sentence[max(0, match.start() - _BEFORE) : match.start()], sentence[match.end() :]
            if _has("part_before", before) or _has("part_after", after[:_AFTER]):
                continue
            numbers = [int(group.replace(",", "")) for group in match.groups() if group]
            match cue.kind:
                case "between" if numbers[0] < numbers[1]:
                    yield numbers[0], numbers[1]
                case "exactly":
                    yield numbers[0], numbers[0]
                case "at most":
                    yield None, numbers[0]
                case "less":
                    yield None, numbers[0] - 1
                case "at least":
                    yield numbers[0], None
                case "more":
                    yield numbers[0] + 1, None


def _no_comma(sentences: list[str]) -> str | None:
    if any(_has("no_comma", sentence) for sentence in sentences):
        return ","
    cues = wording("constraints")["no_comma_japanese"]
    found = next((match for sentence in sentences for cue in cues if (match := cue.find(sentence)) is not None), None)
    if found is None:
        return None
    return "、。" if found.group().startswith("句読点") else "、,"


def _json(said: str) -> Literal["whole", "part"] | None:
    if "json" not in said:
        return None
    if _has("json_whole", said):
        return "whole"
    return "part" if _has("json_part", said) and not _has("about_code", said) else None


def _bullets(sentences: list[str]) -> int | None:
    found: set[int] = set()
    for sentence in sentences:
        for match in (match for cue in wording("constraints")["bullets"] for match in cue.all(sentence)):
            if _has("not_exact", sentence[max(0, match.start() - _BEFORE) : match.start()]):
                continue
            found.add(int(next(group for group in match.groups() if group)))
    return found.pop() if len(found) == 1 else None
