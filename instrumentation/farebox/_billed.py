"""What a provider bills that is no attempt of ours: a batch's result, a background response.

Anyone may read it any number of times; its ids and its time derive from the provider's own, so that every reader gives
the same and the ledger counts it once.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from farebox._reading import Reading

__all__ = ["Billed", "Order", "derived_id", "note_order", "order_of"]

ORDERS_NOTED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Billed:
    """kind: `batch_result` or `background_result`. trace, span: text that the ids derive from.

    Times are nanoseconds since 1970, None where the provider named none. state: `farebox.usage.state`; outcome:
    `farebox.outcome`. whole: the answer itself is there too, not its counts alone. tags: those of the provider's own
    names, and of the call that ordered the thing if that was made in this process.
    """

    kind: str
    trace: str
    span: str
    reading: Reading
    state: str
    outcome: str
    operation: str = "chat"
    started_ns: int | None = None
    ended_ns: int | None = None
    whole: bool = True
    request_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """What the calls that ordered or looked at a thing tell of it: its time in ns since 1970, and its tags."""

    at_ns: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


# By the provider's id; touched by the recorder thread alone.
_orders: OrderedDict[str, Order] = OrderedDict()


def note_order(name: str, order: Order) -> None:
    """Remember an order under the provider's name of what was ordered; the oldest of too many is forgotten."""
    _orders[name] = order
    _orders.move_to_end(name)
    while len(_orders) > ORDERS_NOTED_MAX:
        _orders.popitem(last=False)


def order_of(name: str) -> Order:
    """Return what is remembered under a name, nothing if it was ordered elsewhere."""
    return _orders.get(name) or Order()


def derived_id(text: str, size: int) -> int:
    """Return the id of so many bytes that everyone derives from this text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size).digest(), "big") or 1
