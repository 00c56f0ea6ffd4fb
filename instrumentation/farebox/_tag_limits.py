"""Keep tags within bounds, so that a mistake in one program does not swamp the ledger; what was changed is counted.

A tag too many is left out, a long value is cut, and a name with ever new values gets OTHER for those beyond the limit:
the call and its money stay, only the distinction goes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from threading import Lock

from farebox._guard import swallow

__all__ = ["OTHER", "TAGS_MAX", "TAG_CHARACTERS_MAX", "VALUES_MAX", "bounded", "limited", "normalise"]

_log = logging.getLogger("farebox")

TAGS_MAX = 32
TAG_CHARACTERS_MAX = 256
# Distinct values of one tag in one process; of what is new each time by its nature, all are kept.
VALUES_MAX = 1000
WITHOUT_BOUND = frozenset({"user", "task", "custom_id", "batch_id"})
OTHER = "(other)"

_seen: dict[str, set[str]] = {}
_counting = Lock()
_limited = 0


def normalise(values: Mapping[str, object]) -> dict[str, str]:
    """Make text of tag values: None is left out, long ones are cut, and at most TAGS_MAX are kept."""
    kept: dict[str, str] = {}
    for name, value in values.items():
        if value is None:
            continue
        if len(kept) == TAGS_MAX:
            _count()
            break
        try:
            text = str(value)
        except Exception as error:  # noqa: BLE001 - a tag is no reason to fail
            swallow(f"making text of the tag {name}", error)
            continue
        if len(text) > TAG_CHARACTERS_MAX:
            _count()
        kept[name] = text[:TAG_CHARACTERS_MAX]
    return kept


def bounded(tags: Mapping[str, str]) -> Mapping[str, str]:
    """Return the tags of a call with a bounded number of values for each name; runs on the recorder thread."""
    if len(tags) > TAGS_MAX or any(len(value) > TAG_CHARACTERS_MAX for value in tags.values()):
        tags = normalise(tags)  # nested ones, or such as came by baggage
    return {name: value if name in WITHOUT_BOUND or _is_known(name, value) else OTHER for name, value in tags.items()}


def limited() -> int:
    """Return how often a tag was left out, cut or replaced in this process."""
    return _limited


def _is_known(name: str, value: str) -> bool:
    seen = _seen.get(name)
    if seen is None:
        if len(_seen) >= VALUES_MAX:
            _count()
            return False
        seen = _seen[name] = set()
    if value in seen:
        return True
    if len(seen) < VALUES_MAX:
        seen.add(value)
        if len(seen) == VALUES_MAX:
            _log.warning(
                "the tag %r has had %d different values in this process; further ones are recorded as %r. What is new "
                "each time belongs into task= or user=",
                name,
                VALUES_MAX,
                OTHER,
            )
        return True
    _count()
    return False


def _count() -> None:
    global _limited
    with _counting:
        _limited += 1
