"""What a detector reports about one answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """That a detector applied, and what it found.

    kinds: each gives the flag `<detector>.<kind>`, an empty one `<detector>`; none: nothing was wrong. attributes: go
    on the span. unchecked: a part was left out at this limit, which gives `not_checked.<detector>` too.
    """

    kinds: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    unchecked: str | None = None

    @classmethod
    def flagged(cls, *kinds: str, **attributes: Any) -> Finding:
        """Return a finding that something is wrong, of no kind unless one is named."""
        return cls(kinds or ("",), attributes)

    @classmethod
    def of(cls, wrong: bool) -> Finding:
        """Return a finding of the detector's one flag, or of nothing wrong."""
        return cls(("",) if wrong else ())
