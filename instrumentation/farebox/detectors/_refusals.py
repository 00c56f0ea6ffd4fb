"""Judge from its beginning whether an answer declines what was asked, and in which way."""

from __future__ import annotations

import re

from farebox.detectors._language import letters_of
from farebox.detectors._refusal_model import likely
from farebox.detectors._wording import first, wording

__all__ = ["HEAD_CHARACTERS", "head_of", "kind_by_cues", "kind_of_refusal"]

HEAD_CHARACTERS = 400
# An answer this long that goes on to help after declining is a partial refusal.
PARTIAL_CHARACTERS_MIN = 900
# One that merely lacked something, and goes on at this length, is an answer.
HELPS_CHARACTERS_MIN = 450
# So is one that concedes what it lacks in passing, at this length.
CONCEDES_CHARACTERS_MIN = 100
# The model judges no shorter head.
MODEL_CHARACTERS_MIN = 120
# Of these so many must be in a head for it to be English.
ENGLISH_WORDS_MIN = 3
_ENGLISH_WORDS = (" the ", " is ", " to ", " of ", " and ", " that ", " are ", " not ", " it ", "'s ")

_SPACE = re.compile(r"\s+")
_QUOTED = re.compile(r'"[^"\n]{1,200}"|“[^”\n]{1,200}”|「[^」\n]{1,200}」|『[^』\n]{1,200}』|«[^»\n]{1,200}»')
_QUOTES = ('"', "“", "「", "『", "«")
# An answer of which less than this stands outside of quotation marks is a quotation as a whole.
UNQUOTED_MIN = 8


def kind_of_refusal(text: str) -> str | None:
    """Return policy, inability or partial when an answer declines; None when it does not."""
    head = head_of(text)
    kind = kind_by_cues(text, head)
    if kind is None and _suits_model(head) and not _has(head, "complies") and likely(head):
        return "policy"
    return kind


def kind_by_cues(text: str, head: str) -> str | None:
    """Return what the patterns alone say."""
    script = "Latn" if head.isascii() else _script(head)
    if script == "Latn" and _has(head, "complies"):
        return None
    english = first(wording("refusal_english")["cue"], head) if script == "Latn" else None
    cue = english or first(wording("refusal_other").get(script, ()), head)
    if cue is None or (english is not None and _has(head, "unclear")):
        return None
    if cue.kind == "inability":
        return None if _helps(text, head) else cue.kind
    return "partial" if len(text) >= PARTIAL_CHARACTERS_MIN and _has(head, "offers") else cue.kind


def _helps(text: str, head: str) -> bool:
    """Tell whether an answer that lacked something goes on to help."""
    if len(text) >= CONCEDES_CHARACTERS_MIN and _has(head, "concedes"):
        return True
    return len(text) >= HELPS_CHARACTERS_MIN and _has(head, "turns")


def _has(head: str, table: str) -> bool:
    return first(wording("refusal_english")[table], head) is not None


def _script(head: str) -> str:
    counts = letters_of(head)
    return max(counts, key=counts.__getitem__, default="")


def _suits_model(head: str) -> bool:
    return (
        len(head) >= MODEL_CHARACTERS_MIN
        and head.isascii()
        and sum(word in head for word in _ENGLISH_WORDS) >= ENGLISH_WORDS_MIN
    )


def head_of(text: str) -> str:
    """Return the beginning of an answer in plain lower case: no markup before it, no quotations in it."""
    head = text[: 2 * HEAD_CHARACTERS].replace("’", "'").replace("‘", "'")
    if any(mark in head for mark in _QUOTES):
        said = _QUOTED.sub('""', head)
        head = said if len(said.replace('""', "").strip()) >= UNQUOTED_MIN else head
    return _SPACE.sub(" ", head.lstrip("*#_>-–— \t\r\n\"'“"))[:HEAD_CHARACTERS].lower()
