"""Switching detectors, adding one's own, and what becomes of one that fails or takes too long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from detectors.asking import answer, checked, flags
from farebox.detectors import Answer, Finding, detector, detectors, examine, switch
from farebox.errors import SettingError


def test_a_detector_of_ones_own_takes_five_lines() -> None:
    """A function of an answer, decorated, gives a flag of its own name and counts as checked."""

    @detector
    def apology(answer: Answer) -> bool:
        return "sorry" in answer.text.lower()

    assert "apology" in flags(answer("I am so sorry about the delay of your parcel."))
    assert "apology" not in flags(answer("Your parcel is here."))
    assert "apology" in checked(answer("Your parcel is here."))


def test_an_own_detector_may_name_kinds_attributes_or_not_apply() -> None:
    """Kinds become `name.kind`; None means that it did not apply."""

    @detector("tone")
    def judge(answer: Answer) -> list[str] | None:
        return ["loud", "short"] if answer.text.isupper() else None

    @detector
    def price(answer: Answer) -> Finding:
        return Finding.flagged("missing", **{"farebox.tag.price": 3})

    attributes = examine(answer("NO"))

    assert attributes["farebox.flags"][-3:] == ["tone.loud", "tone.short", "price.missing"]
    assert attributes["farebox.tag.price"] == 3
    assert "tone" not in checked(answer("no"))


def test_a_bad_name_is_told_at_once() -> None:
    """A detector's name is what flags begin with, so it is plain."""
    with pytest.raises(ValueError, match="lower-case letters"):
        detector("My Detector")
    with pytest.raises(ValueError, match="there is no detector 'typo'; there are tool_call_malformed"):
        switch("typo", on=False)


def test_detectors_are_switched_by_route() -> None:
    """A switch for a route wins over one for all."""
    text = "You should consult a licensed attorney about this contract."
    easy, legal = (Answer(answer(text).request, answer(text).choices, route=route) for route in ("easy", "legal"))
    assert flags(easy) == flags(legal) == ["disclaimer"]

    switch("disclaimer", on=False, route="legal")
    assert (flags(easy), flags(legal)) == (["disclaimer"], [])
    switch("disclaimer", on=False)
    switch("disclaimer", on=True, route="legal")
    assert (flags(easy), flags(legal)) == ([], ["disclaimer"])
    assert "disclaimer" not in checked(easy)


def test_detectors_are_switched_by_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """FAREBOX_DETECTORS_OFF takes names, alone or for a route; farebox.toml does too; code wins."""
    text = "You should consult a licensed attorney about this contract."
    monkeypatch.setenv("FAREBOX_DETECTORS_OFF", "loop, legal:disclaimer")
    assert flags(Answer(answer(text).request, answer(text).choices, route="legal")) == []
    assert flags(answer(text)) == ["disclaimer"]
    monkeypatch.delenv("FAREBOX_DETECTORS_OFF")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAREBOX_DETECTORS_OFF", "all")
    assert examine(answer(text)) == {"farebox.flags": None, "farebox.checked": None}
    monkeypatch.delenv("FAREBOX_DETECTORS_OFF")
    (tmp_path / "farebox.toml").write_text('detectors_off = "disclaimer"\n')
    assert flags(answer(text)) == []
    switch("disclaimer", on=True)
    assert flags(answer(text)) == ["disclaimer"]


def test_a_name_that_is_no_detector_is_told(monkeypatch: pytest.MonkeyPatch, swallowed: list[BaseException]) -> None:
    """A misspelt name in the setting is logged with what is allowed, and the rest of the setting holds."""
    monkeypatch.setenv("FAREBOX_DETECTORS_OFF", "disclaimr, clarification")

    assert "clarification" not in checked(answer("Hello there."))
    assert isinstance(swallowed[0], SettingError)
    assert "names 'disclaimr'; there are all, tool_call_malformed" in str(swallowed[0])


def test_a_detector_that_fails_costs_no_other(swallowed: list[BaseException]) -> None:
    """What a detector raises is counted, gives `not_checked`, and the others go on."""

    @detector
    def broken(answer: Answer) -> bool:
        raise RuntimeError("no")

    attributes = examine(answer(""))

    assert attributes["farebox.flags"] == ["empty", "not_checked.broken"]
    assert "broken" not in attributes["farebox.checked"]
    assert [str(error) for error in swallowed] == ["no"]


def test_no_detector_begins_after_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The named limit of processor time leaves the rest `not_checked`; wall-clock time of a busy host does not."""
    monkeypatch.setenv("FAREBOX_DETECTORS_MS_MAX", "20")

    @detector
    def a_slow(answer: Answer) -> bool:
        end = time.thread_time() + 0.03
        while time.thread_time() < end:
            pass
        return False

    @detector
    def b_late(answer: Answer) -> bool:
        return True

    assert "not_checked.b_late" in flags(answer("Hello there."))


def test_the_built_in_ones_are_listed_in_the_order_they_run() -> None:
    """`detectors()` lists every one by name, built-in ones first."""
    names = [each.name for each in detectors()]

    assert names[:3] == ["tool_call_malformed", "unexpected_arg", "truncated"]
    assert len(names) == 15
