"""Tell whether a request speaks of languages or of translating: then any language may be the right one to answer in."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from functools import lru_cache
from importlib.resources import files

__all__ = ["speaks_of_languages"]

_PREFIX = 3
_ORIGINAL = re.compile(r"\bin (?:the|its|their) original(?:[.?!,;]|$| (?:language|wording|version|tongue))")
# Not these: the user's own language, whichever it is, and languages that nobody speaks.
_NO_OTHER = re.compile(
    r"\b(?:user|customer|client|caller|reader|visitor|sender|person|human|asker|speaker)(?:'s|s'|s)? "
    r"(?:own |native |preferred |input |original )?language|\b(?:their|your|my) own language|"
    r"\b(?:the )?(?:same|matching) language\b|"
    r"\blanguage (?:that |which )?(?:of|in which|used by|spoken by|as) (?:the |their |this |your )?"
    r"(?:user|customer|client|caller|reader|visitor|sender|person|question|message|query|input|request|ticket|prompt)|"
    r"\blanguage (?:that )?the (?:user|customer|client|caller|person|question|message|input) |"
    r"\b(?:programming|scripting|query|markup|natural|plain|simple|clear|everyday|body|formal|informal|inclusive|"
    r"neutral|professional|polite|offensive|figurative|technical|legal|medical|accessible|concise|direct) language|"
    r"\blanguage(?:[ -]model| skills| arts| processing)|"
    r"\b(?:idioma|lengua) del (?:usuario|cliente)|\bmismo idioma\b|\blangue de l'(?:utilisateur|interlocuteur)|"
    r"\blangue du client|\bmême langue\b|\bsprache des (?:benutzers|nutzers|kunden|anwenders)|"
    r"\b(?:derselben|der gleichen) sprache|\bidioma do (?:usuário|utilizador|cliente)|\bmesmo idioma\b|"
    r"\blingua dell'utente|\bstessa lingua\b|(?:用户|用戶|客户|客戶|顾客|提问者?)(?:所用|使用)?的?(?:语言|語言)|"
    r"(?:相同|同样|同一|同種)的?(?:语言|語言)|(?:ユーザー|お客様|質問者?)(?:と同じ|の|が使う)言語|同じ言語|"
    r"(?:사용자|고객)(?:의|와 같은) 언어|같은 언어|لغة (?:المستخدم|العميل|السؤال)|اللغة نفسها|نفس اللغة|"
    r"язык(?:е|ом)? (?:пользователя|клиента|вопроса)|том же языке"
)
_WORD = re.compile(r"[^\W\d_]{3,}")


@lru_cache(maxsize=64)  # system prompts come again and again
def speaks_of_languages(text: str) -> bool:
    """Tell whether text names a language or asks for a translation; to name the user's own is neither."""
    lowered = text.lower().replace("’", "'")
    return (_names_one(lowered) and _names_one(_NO_OTHER.sub(" ", lowered))) or _ORIGINAL.search(lowered) is not None


def _names_one(lowered: str) -> bool:
    by_prefix, others = _names()
    for word in set(_WORD.findall(lowered)):
        for stem in by_prefix.get(word[:_PREFIX], ()):
            if word.startswith(stem) or word == stem[:-1]:
                return True
    return not lowered.isascii() and others.search(lowered) is not None


@lru_cache(maxsize=1)
def _names() -> tuple[dict[str, list[str]], re.Pattern[str]]:
    lists = tomllib.loads(files("farebox.detectors").joinpath("wording/languages.toml").read_text(encoding="utf-8"))
    by_prefix = defaultdict[str, list[str]](list)
    for stem in lists["latin"].split():
        by_prefix[stem[:_PREFIX]].append(stem)
    return by_prefix, re.compile("|".join(lists["others"].split()))
