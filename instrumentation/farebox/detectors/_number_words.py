"""Write English numbers of words and bullet points in digits: at most twenty-five words, a hundred words."""

from __future__ import annotations

import re

__all__ = ["in_digits"]

_SMALL = {
    word: number
    for number, word in enumerate(
        (
            *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
            *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
        )
    )
}
_TENS = {
    word: 10 * number
    for number, word in enumerate(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2)
}
_TIMES = {"hundred": 100, "thousand": 1000}
_ANY = "|".join((*_SMALL, *_TENS, *_TIMES))
# A number in words right before what it counts, or before the end of a range.
_NUMBER = re.compile(
    rf"\b(?:a (?=hundred|thousand))?((?:{_ANY})(?:(?:(?<=hundred) and |(?<=thousand) and |[ -])(?:{_ANY}))*)"
    r"(?=(?: or (?:less|fewer|more))?(?: \w+){0,2}?[ -](?:words?|characters?|bullet)|"
    rf" (?:to|and|or) (?:\d|{_ANY})[\w -]{{0,24}} (?:words?|bullet))"
)


def in_digits(text: str) -> str:
    """Return lower-case text with such numbers in digits."""
    if not any(word in text for word in ("word", "character", "bullet")):
        return text
    return _NUMBER.sub(lambda match: str(_value(match.group(1))), text)


def _value(words: str) -> int:
    total = group = 0
    for word in re.findall(r"[a-z]+", words):
        if word == "thousand":
            total, group = total + (group or 1) * 1000, 0
        elif word == "hundred":
            group = (group or 1) * 100
        else:
            group += _SMALL.get(word, 0) + _TENS.get(word, 0)
    return total + group
