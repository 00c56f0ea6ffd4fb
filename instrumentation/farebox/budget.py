"""Warn of, or refuse, calls whose budget is spent, before they are made; off unless `wrap` is told.

    from farebox.budget import BudgetExceededError

    client = farebox.wrap(anthropic.Anthropic(), route="support", budget="refuse")
    try:
        client.messages.create(...)
    except BudgetExceededError as error:
        ...  # error.budget, error.spend, error.amount, error.period_end

The ledger counts; this process asks it every few seconds, on a thread of its own, what is spent of each budget that
`farebox budget set` made, and knows no price. So what is overspent is bounded by what is called in `every_s`, and in
the two seconds or so that a call needs to reach the ledger, calls under way included. Budgets of routes, tenants,
users, keys and tags are judged by the tags of the call; others (of a model, a service) are not enforced here, and
logged once. Sockets (realtime) are not guarded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

__all__ = ["Budget", "BudgetError", "BudgetExceededError", "BudgetUnknownError"]

EVERY_S = 5.0
EVERY_S_MIN = 0.1


@dataclass(frozen=True)
class Budget:
    """How a client minds budgets.

    action: `refuse` raises BudgetExceededError before the call, `warn` logs once a budget and period. every_s: seconds
    between two looks at the ledger. when_unreachable: `allow` lets calls through while the ledger has not answered for
    three times every_s, `refuse` raises BudgetUnknownError; then `wrap` itself waits for the first answer, two seconds
    at most. only: names of the budgets to mind; empty for all.
    """

    action: str = "refuse"
    every_s: float = EVERY_S
    when_unreachable: str = "allow"
    only: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        object.__setattr__(self, "only", frozenset((self.only,) if isinstance(self.only, str) else self.only))
        if self.action not in ("refuse", "warn"):
            raise TypeError(f"budget={self.action!r} is neither 'refuse' nor 'warn'")
        if self.when_unreachable not in ("allow", "refuse"):
            raise TypeError(f"when_unreachable={self.when_unreachable!r} is neither 'allow' nor 'refuse'")
        if not isinstance(self.every_s, int | float) or not self.every_s >= EVERY_S_MIN:
            raise TypeError(f"every_s={self.every_s!r} is not a number of seconds from {EVERY_S_MIN} on")


class BudgetError(RuntimeError):
    """A call that was not made, because of a budget."""


class BudgetExceededError(BudgetError):
    """The budget of this call is spent; the call was not made.

    amount and spend: USD, as the ledger last said. applies_to: what the budget is for.
    """

    budget: str
    amount: Decimal
    spend: Decimal
    period_end: datetime
    applies_to: Mapping[str, str]

    def __init__(
        self, budget: str, amount: Decimal, spend: Decimal, period_end: datetime, applies_to: Mapping[str, str]
    ) -> None:
        super().__init__(
            f"the budget {budget!r} is spent: ${spend:f} of ${amount:f}; this call was not made. It begins anew at "
            f"{period_end.isoformat()}, and `farebox budget set` changes it"
        )
        self.budget, self.amount, self.spend = budget, amount, spend
        self.period_end, self.applies_to = period_end, applies_to

    def __reduce__(self) -> tuple[type[BudgetExceededError], tuple[object, ...]]:
        return type(self), (self.budget, self.amount, self.spend, self.period_end, dict(self.applies_to))


class BudgetUnknownError(BudgetError):
    """The ledger cannot be asked what is spent, and the client was told to refuse calls then."""
