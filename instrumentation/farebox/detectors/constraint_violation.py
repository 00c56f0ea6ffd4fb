"""Tell whether an answer breaks a limit on its form that the request states.

Definition: the prompt (the user's last message, or a short system prompt) states a number of words (`max_words`,
`min_words`; Japanese, Chinese: characters, `max_characters`, `min_characters`), a number of bullet points (`bullets`),
JSON (`json`) or no commas (`no_comma`), and the answer does otherwise, by every usual way of counting; or the
request asks for JSON by parameter and the answer is none (`json`) or breaks the schema (`schema`). An answer cut
short is judged for its maximum alone. English, French, Spanish, German, Japanese, Chinese.
Source: IFEval (Zhou et al. 2023) and M-IFEval (Dussolle et al. 2025) for the constraints and for how they are
counted.
Measured: precision 1.000 (0.914-1.000), recall 1.000 (0.914-1.000), false positives 0.000 (0.000-0.064) on 97
labelled answers (ours).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from farebox.detectors._answer import Answer, Choice
from farebox.detectors._constraints import Constraints, constraints_of
from farebox.detectors._finding import Finding
from farebox.detectors._json import parse
from farebox.detectors._json_answer import without_fence
from farebox.detectors._limits import TEXT_CHARACTERS_MAX, NotCheckedError
from farebox.detectors._schemas import problems

__all__ = ["check"]

# A longer system prompt says what holds under which condition; its numbers are not taken at their word.
SYSTEM_CHARACTERS_MAX = 600

_WORD = re.compile(r"\w+")
_BULLET = re.compile(r"^[ \t]*(?:\*(?!\*)|[-•·‣▪+・])[ \t]?\S", re.MULTILINE)
_TOP_BULLET = re.compile(r"^(?:\*(?!\*)|[-•·‣▪+・])[ \t]?\S", re.MULTILINE)
_NUMBERED = re.compile(r"^[ \t]*\d{1,2}[.)．、][ \t]?\S", re.MULTILINE)


def check(answer: Answer) -> Finding | None:
    """Judge every choice against the prompt's constraints and the output format; does not apply without any."""
    wanted = constraints_of(answer.prompt.user)
    if wanted == Constraints() and len(answer.prompt.system) <= SYSTEM_CHARACTERS_MAX:
        wanted = constraints_of(answer.prompt.system)
    output = answer.output
    if wanted == Constraints() and not output.json:
        return None
    choices = [choice for choice in answer.texts if not choice.calls and not choice.refused]
    if not choices:
        return None
    if any(len(choice.text) > TEXT_CHARACTERS_MAX for choice in choices):
        raise NotCheckedError("TEXT_CHARACTERS_MAX")
    kinds = {kind for choice in choices for kind in _broken(choice, answer.prompt.prefill + choice.text, wanted)}
    if output.json:
        kinds |= {kind for choice in choices for kind in _not_honoured(choice, answer)}
    return Finding(tuple(sorted(kinds)))


def _broken(choice: Choice, text: str, wanted: Constraints) -> Iterator[str]:
    """Yield the kinds of constraints that a text breaks."""
    if wanted.words_max is not None or wanted.words_min is not None:
        counts = (len(_WORD.findall(text)), len(text.split()))
        if wanted.words_max is not None and min(counts) > wanted.words_max:
            yield "max_words"
        if wanted.words_min is not None and max(counts) < wanted.words_min and not choice.cut_short:
            yield "min_words"
    length = len("".join(text.split()))
    if wanted.characters_max is not None and length > wanted.characters_max:
        yield "max_characters"
    if wanted.characters_min is not None and len(text) < wanted.characters_min and not choice.cut_short:
        yield "min_characters"
    if wanted.no_comma is not None and any(mark in text for mark in wanted.no_comma):
        yield "no_comma"
    if choice.cut_short:
        return
    if wanted.bullets is not None and not _has_bullets(text, wanted.bullets):
        yield "bullets"
    if wanted.json is not None and not _has_json(choice, text, wanted.json == "whole"):
        yield "json"


def _has_bullets(text: str, number: int) -> bool:
    bullets = len(_BULLET.findall(text))
    return number in (bullets, len(_TOP_BULLET.findall(text))) or (
        not bullets and len(_NUMBERED.findall(text)) == number
    )


def _has_json(choice: Choice, text: str, whole: bool) -> bool:
    candidates = [without_fence(text)]
    if not whole:
        candidates += [block.code for block in choice.blocks]
    return any(candidate and parse(candidate).state != "invalid" for candidate in candidates)


def _not_honoured(choice: Choice, answer: Answer) -> Iterator[str]:
    """Yield what is wrong with an answer whose form a parameter asks for; one that was cut short is left alone."""
    if choice.cut_short:
        return
    parsed = parse(without_fence(answer.prompt.prefill + choice.text))
    if parsed.state == "invalid":
        yield "json"
    elif (
        parsed.state == "complete" and answer.output.schema is not None and problems(answer.output.schema, parsed.value)
    ):
        yield "schema"
