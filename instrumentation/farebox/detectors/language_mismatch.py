"""Tell whether an answer is in another language than the question.

Definition: the language of most of the answer's prose, code aside, is none that the user's message is in; at
least 20 letters of it, and 10 of the message. Does not apply when the request names a language (other than as the
user's own) or asks for a translation, nor to an answer in another script where the message may be romanised.
Scripts are told apart always; languages within the Latin, Cyrillic, Arabic and Devanagari scripts with the extra
`detect`. Near relatives (Indonesian and Malay, Norwegian and Danish ...) are one, and so are the two ways of
writing Chinese.
Source: Language Confusion Benchmark (Marchisio et al. 2024), its line- and response-level definition.
Measured: precision 1.000 (0.992-1.000), recall 0.950 (0.927-0.966), false positives 0.000 (0.000-0.005) on 1300
labelled answers (LCB).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from farebox.detectors._answer import Answer, Choice
from farebox.detectors._code import without_code
from farebox.detectors._finding import Finding
from farebox.detectors._language import LETTERS_MIN, family, identify, letters_of, may_be_romanised
from farebox.detectors._named_languages import speaks_of_languages

__all__ = ["check"]

CHUNK_CHARACTERS = 200
CHUNK_LETTERS_MIN = 12
PROMPT_CHARACTERS_MAX = 8_000
# A short prompt must be the surer.
PROMPT_LETTERS_MIN = 10
PROMPT_CONFIDENCE_MIN = 0.6
SHORT_PROMPT_CONFIDENCE_MIN = 0.85
# Of a prompt in several scripts, one with as little as this may be the one of the instruction.
MINOR_LETTERS_MIN = 8
# A prompt of so few ideographs may be Japanese as well as Chinese.
HAN_ALONE_MAX = 60
# Unless it has one of these, which Japanese does not write.
_CHINESE = re.compile(r"[们們吗嗎么麼您你这這呢吧哪很给給怎谁誰说对没沒让讓还還]")

# JSON is judged by its values, and only where they are as long as this.
JSON_PROSE_MIN = 200
_KEY = re.compile(r'"[^"\n]{1,60}"\s{0,8}:')

# A script, and the language where it is known.
Tongue = tuple[str, str | None]


def check(answer: Answer) -> Finding | None:
    """Compare the prompt's languages with each choice's."""
    prompt = answer.prompt
    asked = without_code(prompt.user[:PROMPT_CHARACTERS_MAX])
    wanted = _wanted(asked)
    if not wanted or any(map(speaks_of_languages, (asked, prompt.earlier, prompt.system[-PROMPT_CHARACTERS_MAX:]))):
        return None
    wanted |= _wanted(prompt.earlier)
    tongues = [tongue for choice in answer.texts if (tongue := _main(choice)) is not None]
    verdicts = [(tongue, verdict) for tongue in tongues if (verdict := _differs(tongue, wanted)) is not None]
    if any(verdict and tongue[0] != "Latn" for tongue, verdict in verdicts) and may_be_romanised(asked):
        return None
    return Finding.of(any(verdict for _, verdict in verdicts)) if verdicts else None


def _wanted(asked: str) -> set[Tongue]:
    """Return the tongues that an answer may be in; none when that cannot be told."""
    whole = identify(asked, confidence_min=PROMPT_CONFIDENCE_MIN)
    if whole.letters < LETTERS_MIN:
        whole = identify(asked, letters_min=PROMPT_LETTERS_MIN, confidence_min=SHORT_PROMPT_CONFIDENCE_MIN)
    if whole.script is None or whole.letters < PROMPT_LETTERS_MIN:
        return set()
    parts = [whole]
    if len(asked) > 2 * CHUNK_CHARACTERS:
        parts += [identify(asked[:CHUNK_CHARACTERS]), identify(asked[-CHUNK_CHARACTERS:])]
    found: set[Tongue] = {(part.script, part.language and family(part.language)) for part in parts if part.script}
    minor = {script for script, letters in letters_of(asked).items() if letters >= MINOR_LETTERS_MIN}
    found |= {(script, None) for script in minor - {script for script, _ in found}}
    if whole.script == "Hani" and whole.letters < HAN_ALONE_MAX and not _CHINESE.search(asked):
        found.add(("Jpan", "ja"))
    return found


def _main(choice: Choice) -> Tongue | None:
    """Return the tongue of most of a choice's prose; None when there is too little, or none prevails."""
    prose = choice.prose.strip()
    if prose.startswith(("{", "[")):
        prose = _KEY.sub(" ", prose)
        if len(prose) < JSON_PROSE_MIN:
            return None
    ends = (prose[:CHUNK_CHARACTERS], prose[-CHUNK_CHARACTERS:]) if len(prose) > CHUNK_CHARACTERS else (prose,)
    weights = _weigh(ends)
    if len(weights) > 1:  # the ends differ: ask the middle too
        middle = len(prose) // 2
        weights += _weigh((prose[middle - CHUNK_CHARACTERS : middle], prose[middle : middle + CHUNK_CHARACTERS]))
    if weights.total() < LETTERS_MIN:
        return None
    (main, weight), *_ = weights.most_common(1)
    return main if 2 * weight > weights.total() else None


def _weigh(parts: Iterable[str]) -> Counter[Tongue]:
    """Count the letters in each tongue."""
    weights: Counter[Tongue] = Counter()
    for part in parts:
        known = identify(part, letters_min=CHUNK_LETTERS_MIN)
        if known.script is not None:
            weights[known.script, known.language and family(known.language)] += known.letters
    return weights


def _differs(tongue: Tongue, wanted: set[Tongue]) -> bool | None:
    """Tell whether a tongue is none of the wanted ones; None when its language, or one of theirs, is not known."""
    script, language = tongue
    of_script = [each for wanted_script, each in wanted if wanted_script == script]
    if not of_script:
        return True
    if language is None:
        return None
    if language in of_script:
        return False
    return None if None in of_script else True
