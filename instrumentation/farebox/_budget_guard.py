"""Stands before a client's `request` and lets a call through, warns of it or refuses it; a look at memory, no more.

It is `request`, which both SDKs call once a call, outside of their retries: what is raised at the HTTP send they take
for a lost connection, and try again. Read in anthropic 2.12 and openai 3.54 (`_base_client.py`).
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Mapping
from typing import Any

from farebox._budget_totals import Spent, Totals
from farebox._endpoints import endpoint_of
from farebox._guard import swallow
from farebox._identity import keyed_hash
from farebox._tags import current_tags
from farebox.budget import Budget, BudgetExceededError, BudgetUnknownError
from farebox.settings import setting

__all__ = ["Guard", "guard_requests"]

_log = logging.getLogger("farebox")


class Guard:
    """Judges the calls of a client and its copies by what the ledger said last."""

    def __init__(self, budget: Budget, totals: Totals) -> None:
        self._budget = budget
        self._totals = totals
        self._warned: set[tuple[str, float]] = set()
        totals.watch(self, budget.every_s)
        if budget.when_unreachable == "refuse":
            totals.wait()

    def check(self, client: Any, defaults: Mapping[str, str], options: Any) -> None:
        """Raise if the call may not be made; whatever else goes wrong here lets it through.

        Raises:
            BudgetError: it was refused.
        """
        totals = self._totals
        if totals.exhausted or not totals.asked or self._budget.when_unreachable == "refuse":
            refusal = self._refusal(client, defaults, options)
            if refusal is not None:
                raise refusal

    def _refusal(self, client: Any, defaults: Mapping[str, str], options: Any) -> Exception | None:
        try:
            self._totals.start()
            if not _costs(options):
                return None
            if not self._totals.known():
                return _unknown() if self._budget.when_unreachable == "refuse" else None
            tags = {**defaults, **current_tags()}
            for spent in self._totals.exhausted:
                if self._minds(spent) and all(_has(client, tags, *each) for each in spent.applies_to.items()):
                    if self._budget.action == "refuse":
                        return BudgetExceededError(
                            spent.name, spent.amount, spent.spend, spent.period_end, spent.applies_to
                        )
                    self._warn(spent)
        except Exception as error:  # noqa: BLE001
            swallow("judging a call by its budget", error)
        return None

    def _minds(self, spent: Spent) -> bool:
        return spent.ends_at > time.time() and (not self._budget.only or spent.name in self._budget.only)

    def _warn(self, spent: Spent) -> None:
        if (spent.name, spent.ends_at) not in self._warned:
            self._warned.add((spent.name, spent.ends_at))
            _log.warning(
                "the budget %r is spent: $%f of $%f; calls go on. It begins anew at %s",
                spent.name,
                spent.spend,
                spent.amount,
                spent.period_end.isoformat(),
            )


def guard_requests(client: Any, guard: Guard, defaults: Mapping[str, str]) -> None:
    """Let a client's calls pass the guard first."""
    original = type(client).request.__get__(client)  # not a guard of ours that stands there already

    @functools.wraps(original)
    def request(*args: Any, **kwargs: Any) -> Any:
        guard.check(client, defaults, kwargs.get("options", args[1] if len(args) > 1 else None))
        return original(*args, **kwargs)

    vars(request)["_farebox_guard"] = guard  # by this `unwrap` knows it
    vars(client)["request"] = request


def _costs(options: Any) -> bool:
    """Tell whether a request sets something going that costs money."""
    if str(options.method).upper() != "POST":
        return False
    endpoint = endpoint_of("POST", str(options.url).partition("?")[0])
    # A batch's order is free in itself, and what it orders is not.
    return endpoint is not None and (not endpoint.free or endpoint.read)


def _has(client: Any, tags: Mapping[str, str], key: str, value: str) -> bool:
    """Tell whether a call is of what a budget is for."""
    match key:
        case "route":
            return tags.get("route", "default") == value
        case "tenant":
            return tags.get("tenant") == value
        case "user_id":
            user = tags.get("user", "")
            return (keyed_hash(user) if user and setting("hash_users") else user) == value
        case "key_fingerprint":
            secrets = (getattr(client, name, None) for name in ("api_key", "auth_token"))
            return any(keyed_hash(each) == value for each in secrets if isinstance(each, str) and each)
    return tags.get(key.removeprefix("tag.")) == value


def _unknown() -> BudgetUnknownError:
    return BudgetUnknownError(
        "the ledger does not say what is spent, and this client was told to refuse calls then; see that `farebox up` "
        "runs and OTEL_EXPORTER_OTLP_ENDPOINT is its address"
    )
