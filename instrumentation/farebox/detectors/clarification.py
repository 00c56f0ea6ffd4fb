"""Tell whether an answer asks for what it lacks instead of answering.

Definition: at most 900 characters, no code, no tool call, no refusal, and the text is a question to the user,
asks for missing input (text, file, detail, context), or says that the request is unclear. An offer or a question
that closes an answer ("would you like me to …?", "anything else?") is none; nor is a question that was itself
asked for. English, and by the commonest wordings Chinese, Japanese, Korean, Spanish, French, German and
Portuguese.
Source: Qulac (Aliannejadi et al. 2019) for what people ask back.
Measured: precision 0.997 (0.990-0.999), recall 0.997 (0.990-0.999), false positives 0.002 (0.001-0.006) on 2312
labelled answers (Qulac and ordinary answers).
"""

from __future__ import annotations

import re

from farebox.detectors._answer import Answer, Choice
from farebox.detectors._finding import Finding
from farebox.detectors._json_answer import looks_like_json
from farebox.detectors._refusals import kind_of_refusal
from farebox.detectors._wording import first, wording

__all__ = ["check"]

CHARACTERS_MAX = 900
# What stands before the question is an answer when it is longer than this.
LEAD_CHARACTERS_MAX = 260
QUESTION_CHARACTERS_MAX = 240
QUESTION_SENTENCES_MAX = 2

_QUOTED = re.compile(r'"[^"\n]{1,400}"|“[^”\n]{1,400}”')
_SENTENCE = re.compile(r"[.!?]+(?:\s+|$)")


def check(answer: Answer) -> Finding | None:
    """Judge the choices short enough to ask instead of answer."""
    choices = [choice for choice in answer.texts if not choice.calls and not choice.refused]
    if not choices:
        return None
    asked = answer.prompt.user[:2000].lower()
    return Finding.of(any(_asks(choice, asked) for choice in choices))


def _asks(choice: Choice, asked: str) -> bool:
    text = choice.text.strip()
    if len(text) > CHARACTERS_MAX or choice.blocks or looks_like_json(text):
        return False
    said = " ".join(_QUOTED.sub(" ", text.replace("’", "'").replace("**", "")).split()).lower()
    if _is(said, "delivers") or _is(asked, "gives_text"):
        return False
    words = wording("clarification")
    cues = (*words["english"], *words["other"])
    is_question = _is_question(said)
    if is_question and _is(asked, "asks_for_questions"):  # what it asks for may be this very question
        is_question, cues = False, tuple(cue for cue in cues if cue.kind != "question")
    found = min((match.start() for cue in cues if (match := cue.find(said)) is not None), default=None)
    if found is not None and found <= LEAD_CHARACTERS_MAX and not _closes(said, found):
        return kind_of_refusal(text) in (None, "inability")
    return is_question


def _is(said: str, table: str) -> bool:
    return first(wording("clarification")[table], said) is not None


def _closes(said: str, at: int) -> bool:
    """Tell whether the sentence that asks is an offer."""
    start = max(said.rfind(mark, 0, at) for mark in ".!?") + 1
    end = min((place for mark in ".!?" if (place := said.find(mark, at)) >= 0), default=len(said))
    return any(cue.find(said, start, end) for cue in wording("clarification")["offer"])


def _is_question(said: str) -> bool:
    """Tell whether text is nothing but a question to the user."""
    if len(said) > QUESTION_CHARACTERS_MAX or not said.rstrip("\"' )").endswith("?"):
        return False
    sentences = [part for part in _SENTENCE.split(said) if part.strip()]
    if len(sentences) > QUESTION_SENTENCES_MAX or _is(said, "offer"):
        return False
    return _is(said, "question") and _is(said, "you")
