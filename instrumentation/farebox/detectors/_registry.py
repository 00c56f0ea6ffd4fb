"""Which detectors there are, which of them a route uses, and running them on one answer within limits."""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

from farebox import semconv as name
from farebox._guard import swallow
from farebox.detectors._answer import Answer
from farebox.detectors._finding import Finding
from farebox.detectors._limits import NotCheckedError
from farebox.errors import SettingError
from farebox.settings import setting

__all__ = ["BUILT_IN", "Check", "Detector", "detector", "detectors", "enabled", "examine", "switch"]

Check = Callable[[Answer], Finding | Iterable[str] | bool | None]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NOT_CHECKED = "not_checked."
# In FAREBOX_DETECTORS_OFF: every detector.
ALL = "all"


@dataclass(frozen=True)
class Detector:
    """A named check of one answer; `module` is where a built-in one is found when it is first used."""

    name: str
    function: Check | None = None

    @cached_property
    def check(self) -> Check:
        """The function, its module imported now if need be."""
        if self.function is not None:
            return self.function
        found: Check = importlib.import_module(f"farebox.detectors.{self.name}").check
        return found


# In the order they run: the cheap and certain ones first, so that a time limit costs the least.
BUILT_IN = (
    "tool_call_malformed",
    "unexpected_arg",
    "truncated",
    "refusal",
    "empty",
    "long_context",
    "tool_call_in_text",
    "clarification",
    "disclaimer",
    "constraint_violation",
    "language_mismatch",
    "loop",
    "unsupported_citation",
    "unknown_import",
    "unknown_stdlib_attr",
)

_detectors: dict[str, Detector] = {each: Detector(each) for each in BUILT_IN}
_switches: dict[tuple[str | None, str], bool] = {}
_enabled: dict[tuple[str, str], list[Detector]] = {}


def detectors() -> list[Detector]:
    """Return every detector, built-in ones first, in the order they run."""
    return list(_detectors.values())


@overload
def detector(check: Check, /) -> Check: ...
@overload
def detector(name: str, /) -> Callable[[Check], Check]: ...
def detector(what: Check | str, /) -> Check | Callable[[Check], Check]:
    """Add a detector of your own, named like its function or as given; one of the same name is replaced.

    It gets an `Answer` and returns whether something is wrong, or the kinds of what is wrong (flags `name.kind`), or
    None when it does not apply. It runs on the recorder thread, never on the caller's; what it raises is logged and
    counted.

    Raises:
        ValueError: the name is not lower-case letters, digits and underscores.
    """
    named = what if isinstance(what, str) else getattr(what, "__name__", "")
    if not _NAME.fullmatch(named) or named in ("not_checked", ALL):
        raise ValueError(f"a detector's name is lower-case letters, digits and underscores, got {named!r}")

    def add(check: Check) -> Check:
        _detectors[named] = Detector(named, check)
        _enabled.clear()
        return check

    return add if isinstance(what, str) else add(what)


def switch(*names: str, on: bool, route: str | None = None) -> None:
    """Switch detectors on or off, for one route or for all; a route's own switch wins, and code wins over settings.

    Raises:
        ValueError: there is no such detector; says which there are.
    """
    for each in names:
        if each not in _detectors:
            raise ValueError(f"there is no detector {each!r}; there are {', '.join(_detectors)}")
    for each in names:
        _switches[route, each] = on
    _enabled.clear()


def enabled(route: str) -> list[Detector]:
    """Return the detectors that a route uses."""
    off: str = setting("detectors_off")
    found = _enabled.get((route, off))
    if found is None:
        unwanted = _unwanted(off)
        found = [each for each in _detectors.values() if _is_on(each.name, route, unwanted)]
        if len(_enabled) > 1000:  # routes are free text
            _enabled.clear()
        _enabled[route, off] = found
    return found


def _is_on(named: str, route: str, unwanted: set[tuple[str | None, str]]) -> bool:
    for key in ((route, named), (None, named)):
        if key in _switches:
            return _switches[key]
    return (route, named) not in unwanted and (None, named) not in unwanted


def _unwanted(off: str) -> set[tuple[str | None, str]]:
    found: set[tuple[str | None, str]] = set()
    for each in filter(None, map(str.strip, off.split(","))):
        route, colon, named = each.rpartition(":")
        if named not in _detectors and named != ALL:
            problem = SettingError(f"FAREBOX_DETECTORS_OFF names {named!r}; there are all, {', '.join(_detectors)}")
            swallow("reading which detectors are off", problem)
            continue
        found.update((route if colon else None, name) for name in (_detectors if named == ALL else (named,)))
    return found


def examine(answer: Answer) -> dict[str, Any]:
    """Run the detectors of an answer's route and return the span attributes they give, flags and checked included.

    A detector that stops at a limit, or that would begin after `detectors_ms_max` of processor time, is not among the
    checked ones and gives the flag `not_checked.<detector>`; so does one that fails.
    """
    flags: list[str] = []
    checked: list[str] = []
    attributes: dict[str, Any] = {}
    end = time.thread_time() + setting("detectors_ms_max") / 1000
    for each in enabled(answer.route):
        try:
            if time.thread_time() > end:
                raise NotCheckedError("detectors_ms_max")
            finding = _finding(each.check(answer))
        except NotCheckedError:
            flags.append(_NOT_CHECKED + each.name)
            continue
        except Exception as error:  # noqa: BLE001 - one detector must not cost the others
            swallow(f"running the detector {each.name}", error)
            flags.append(_NOT_CHECKED + each.name)
            continue
        if finding is None:
            continue
        checked.append(each.name)
        flags.extend(f"{each.name}.{kind}" if kind else each.name for kind in finding.kinds)
        attributes.update(finding.attributes)
        if finding.unchecked is not None:
            flags.append(_NOT_CHECKED + each.name)
    return {name.FLAGS: flags or None, name.CHECKED: checked or None, **attributes}


def _finding(result: Finding | Iterable[str] | bool | None) -> Finding | None:
    if result is None or isinstance(result, Finding):
        return result
    if isinstance(result, bool):
        return Finding.of(result)
    return Finding((result,) if isinstance(result, str) else tuple(result))
