"""Passes of an Anthropic answer that its top-level usage leaves out: compaction, advisor, a declined fallback hop.

`usage.iterations` lists every pass. Those that the top level already counts belong to the attempt; the others are
billed things of their own, at the price of their own model.
Source: anthropic 2.12, types/beta/beta_usage.py and beta_iterations_usage.py; recorded traffic, November 2026.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from farebox._reading import BilledApart, mapping, text
from farebox._usage import anthropic_usage

__all__ = ["billed_apart"]

_COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_SAMPLING = frozenset({"message", "fallback_message"})


def billed_apart(iterations: Iterable[Any], top: Mapping[str, Any], model: str | None) -> list[BilledApart]:
    """Return the passes that the top-level usage does not count, in order; their index is their place in the list.

    A sampling pass of the answering model is in the top level. One of another model is not, unless the top level only
    adds up with it.
    """
    passes = [mapping(each) for each in iterations]
    sampling = [each for each in passes if each.get("type") in _SAMPLING]
    own = [each for each in sampling if text(each.get("model")) in (None, model)]
    counted = sampling if _sum(own) != _counts(top) and _sum(sampling) == _counts(top) else own
    return [
        BilledApart(
            index=index,
            kind=text(each.get("type")) or "unknown",
            model=text(each.get("model")) or model,
            usage=anthropic_usage(each),
        )
        for index, each in enumerate(passes)
        if not any(each is one for one in counted)
    ]


def _counts(usage: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(value if isinstance(value := usage.get(name), int) else 0 for name in _COUNTS)


def _sum(passes: list[Mapping[str, Any]]) -> tuple[int, ...]:
    return tuple(sum(column) for column in zip(*map(_counts, passes), strict=True)) or (0,) * len(_COUNTS)
