"""The named limits that keep every detector bounded in time and memory, whatever the answer holds."""

from __future__ import annotations

from typing import Final

__all__ = [
    "CALLS_MAX",
    "CODE_CHARACTERS_MAX",
    "JSON_CHARACTERS_MAX",
    "REQUEST_CHARACTERS_MAX",
    "SCHEMA_STEPS_MAX",
    "TEXT_CHARACTERS_MAX",
    "TOOLS_MAX",
    "NotCheckedError",
]

# Longest answer that detectors of the whole text look at; those of its beginning have no such limit.
TEXT_CHARACTERS_MAX: Final = 200_000
# Longest tool arguments, or answer in JSON, that are parsed.
JSON_CHARACTERS_MAX: Final = 500_000
# Most Python of an answer that is parsed.
CODE_CHARACTERS_MAX: Final = 50_000
# Most text of a request that is searched for a citation.
REQUEST_CHARACTERS_MAX: Final = 4_000_000
# Most tools a request may offer, and most calls an answer may make.
TOOLS_MAX: Final = 2_000
CALLS_MAX: Final = 1_000
# Most schema nodes that one validation may visit, references followed.
SCHEMA_STEPS_MAX: Final = 20_000


class NotCheckedError(Exception):
    """A detector stopped at a limit; the answer gets the flag `not_checked.<detector>`."""
