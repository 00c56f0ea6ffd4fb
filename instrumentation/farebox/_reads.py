"""Read calls that ask for what is billed elsewhere: batches and the files of their results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from farebox._batches import note_batch, results_in
from farebox._billed import Billed
from farebox._long_reads import BOILED, LongRead
from farebox._read import read_body

if TYPE_CHECKING:
    from farebox._attempt import Attempt

__all__ = ["billed_in"]

_OF = re.compile(r"/([^/]+)/(?:results|content)$")


def billed_in(attempt: Attempt, provider: str) -> Iterator[Billed]:
    """Yield what a call shows to be billed; nothing where it was refused or never answered."""
    if attempt.status is None or attempt.status >= 400:
        return
    if isinstance(attempt, LongRead):
        of = _OF.search(attempt.url.path)
        yield from results_in(attempt.lines(), of.group(1) if of else "", provider, whole=attempt.ended != BOILED)
        return
    body = read_body(attempt)
    if isinstance(body, Mapping):
        note_batch(attempt, body)
