"""Read calls that ask for what is billed elsewhere: batches, the files of their results, background responses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from farebox._background import background_result
from farebox._batches import note_batch, results_in
from farebox._billed import Billed
from farebox._long_reads import BOILED, LongRead
from farebox._read import read_body, read_response

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
    if attempt.endpoint.shape == "responses":
        result = background_result(read_response(attempt, provider))
        if result is not None:
            yield result
        return
    body = read_body(attempt)
    if isinstance(body, Mapping):
        note_batch(attempt, body)
