"""Keeps allocators from holding memory that nobody uses, which at large batches was a fifth of all."""

from __future__ import annotations

import ctypes

import pyarrow as pa

__all__ = ["ARENAS_MAX", "spare_memory"]

M_ARENA_MAX = -8  # of glibc's mallopt
# The interpreter works on one thread at a time: more heaps gain nothing, and each keeps its own peak.
ARENAS_MAX = 2


def spare_memory() -> None:
    """Have all threads share few heaps, and Arrow take its memory from there; to be called before threads start.

    The embedded ClickHouse has an allocator of its own, which gives back in seconds what is free.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc
        mallopt(M_ARENA_MAX, ARENAS_MAX)
