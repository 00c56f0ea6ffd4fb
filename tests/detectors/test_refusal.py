"""Refusals, by the API and in text; requests for more; disclaimers."""

from __future__ import annotations

from typing import Any

import pytest
from evaluation.data import own

from detectors.asking import answer, checked, flags
from farebox.detectors import Answer, Call, Choice, examine


def by_text(row: dict[str, Any]) -> str:
    return str(row["response"])[:40]


def misses(rows: list[dict[str, Any]], label: str, flag: str) -> list[str]:
    """The examples that are judged otherwise than they are labelled."""
    return [
        row["response"]
        for row in rows
        if (flag in flags(answer(row["response"], row.get("prompt", "x")))) != row[label]
    ]


@pytest.mark.parametrize("language", sorted({row["language"] for row in own("refusal")}))
def test_refusals_are_told_from_ordinary_answers(language: str) -> None:
    """In each language the docs name, plain refusals are seen, and answers that use the same words are not."""
    rows = [row for row in own("refusal") if row["language"] == language]

    assert misses(rows, "refusal", "refusal.text") == []


@pytest.mark.parametrize("stop", ["refusal", "content_filter"])
def test_the_providers_own_signal_comes_first(stop: str) -> None:
    """A stop reason of refusal is `refusal.api`, whatever the text says."""
    assert flags(answer("I can", stop=stop)) == ["refusal.api"]
    assert flags(Answer({}, (Choice(refusal="I'm sorry, I can't.", stop_reason="stop"),))) == ["refusal.api"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I can't help with that.", "policy"),
        ("I don't have access to your calendar.", "inability"),
        (
            "I can't write that scene. However, I can offer a tamer one. " + "It was a dark and stormy night. " * 40,
            "partial",
        ),
    ],
)
def test_refusals_have_a_kind(text: str, kind: str) -> None:
    """Will not, cannot, or declines and then helps: farebox.refusal.kind says which."""
    attributes = examine(answer(text))

    assert "refusal.text" in attributes["farebox.flags"]
    assert attributes["farebox.refusal.kind"] == kind


def test_what_lacks_something_but_helps_is_no_refusal() -> None:
    """An answer that mentions a lack and goes on at length has answered."""
    text = "I don't have access to real-time data, but here is how you can find the current rate. " + " ".join(
        row["response"] for row in own("disclaimer") if not row["disclaimer"]
    )

    assert flags(answer(text)) == []


def test_text_beside_a_tool_call_is_not_judged() -> None:
    """A model that says what it cannot do by itself and calls a tool for it has not refused."""
    choice = Choice("I can't see the weather myself.", (Call("f", "{}"),), "tool_calls")

    assert flags(Answer({}, (choice,))) == []


def test_a_language_that_is_not_covered_is_silent() -> None:
    """Swahili is not among the languages of the docs: no flag, though the API's signal is still checked."""
    judged = answer("Samahani, siwezi kukusaidia na ombi hilo.")

    assert flags(judged) == []
    assert "refusal" in checked(judged)


def test_requests_for_more_are_told_from_offers_and_questions_that_were_asked_for() -> None:
    """Asking for missing input counts; closing offers, dialogues and rewritten questions do not."""
    wrong = misses(own("clarification"), "clarify", "clarification")

    assert len(wrong) <= 2  # of 50; the evaluation keeps the score


def test_a_refusal_is_no_clarification() -> None:
    """Refusal has precedence over the question that follows it."""
    assert flags(answer("I can't help with that. Could you tell me what you want to achieve instead?")) == [
        "refusal.text"
    ]


def test_long_answers_code_and_json_are_no_clarifications() -> None:
    """What is longer than 900 characters, holds code or is JSON has answered."""
    ask = "Could you please provide the text? "

    assert "clarification" in flags(answer(ask))
    assert "clarification" not in flags(answer(ask + "It is raining. " * 70))
    assert "clarification" not in flags(answer(ask + "\n```python\nprint(1)\n```"))
    assert "clarification" not in flags(answer('{"question": "Could you please provide the text?"}'))


def test_disclaimers_are_told_from_talk_of_professions() -> None:
    """Sending the user to a professional counts; lawyers and doctors in a story do not."""
    wrong = misses(own("disclaimer"), "disclaimer", "disclaimer")

    assert len(wrong) <= 1  # of 48; the evaluation keeps the score
