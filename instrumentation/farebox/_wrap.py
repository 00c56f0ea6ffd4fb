"""`wrap` and `unwrap`: put the seam before a client's HTTP, and take it away again."""

from __future__ import annotations

import atexit
import logging
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from farebox._attempt import Attempt
from farebox._copies import unwatch_copies, watch_copies
from farebox._recorder import recorder
from farebox._seam import AsyncSend, SyncSend, inner_of, is_proxy
from farebox._sockets import unwatch_sockets, watch_sockets
from farebox._tag_limits import normalise
from farebox.settings import setting

if TYPE_CHECKING:
    from farebox.budget import Budget

__all__ = ["flush", "flush_at_exit", "unwrap", "wrap"]

Client = TypeVar("Client")

_log = logging.getLogger("farebox")

AT_EXIT_TIMEOUT_S = 5.0
# The base classes of every client of an SDK, platform clients (Bedrock, Vertex, Azure) included.
_BASES = (
    ("anthropic._base_client", "SyncAPIClient", SyncSend),
    ("anthropic._base_client", "AsyncAPIClient", AsyncSend),
    ("openai._base_client", "SyncAPIClient", SyncSend),
    ("openai._base_client", "AsyncAPIClient", AsyncSend),
)


class _State:
    """What one wrapped client gives to each of its attempts."""

    __slots__ = ("_current_span", "_output", "ask_usage", "content", "defaults", "guard")

    def __init__(self, defaults: Mapping[str, str], provider: Any) -> None:
        from opentelemetry.trace import get_current_span

        from farebox._spans import output_to

        self.defaults = defaults
        self.ask_usage: bool = setting("include_usage")
        self._current_span = get_current_span
        if provider is not None:
            _warn_of_sampling(provider)
        self._output = output_to(provider)
        self.content: Any = None
        self.guard: Any = None
        if setting("capture_content"):
            from farebox._content import content_output

            self.content = content_output(provider)

    def parent(self) -> Any:
        context = self._current_span().get_span_context()
        return context if context.is_valid else None

    def next_number(self) -> int:
        return recorder().next_number()

    def submit(self, attempt: Attempt) -> None:
        recorder().submit(attempt)

    def crowded(self) -> bool:
        return recorder().crowded

    def emit(self, attempt: Attempt) -> None:
        from farebox._spans import emit_attempt

        emit_attempt(self._output, attempt, self.content)

    def put(self, span: Any) -> Any:
        return self._output(span)


def wrap(
    client: Client,
    *,
    route: str | None = None,
    tracer_provider: Any = None,
    budget: Budget | str | None = None,
    **tags: object,
) -> Client:
    """Record every call this client makes; returns the same object, whose type and behaviour stay as they are.

    route and tags: defaults for this client's calls; `farebox.tags()` around a call wins. The tag `provider` names
    the provider where its host does not tell (a gateway, a proxy, localhost). tracer_provider: send spans there, not
    by farebox's own; one that samples drops money. budget: "warn" of calls whose budget is
    spent, or "refuse" them before they are made (`farebox.budget`). Wrapping twice replaces the defaults.

    Raises:
        TypeError: not a client of the anthropic or openai package, or no way to mind budgets.
    """
    _send_class(client)
    state = _State(normalise({"route": route, **tags}), tracer_provider)
    if budget is not None:
        state.guard = _guard_for(budget)
    unwrap(client)
    _record(client, state)
    flush_at_exit()
    return client


def _guard_for(budget: Any) -> Any:
    from farebox._budget_guard import Guard
    from farebox._budget_totals import totals
    from farebox.budget import Budget

    return Guard(budget if isinstance(budget, Budget) else Budget(budget), totals())


def _record(client: Any, state: _State) -> None:
    """Put the seam before a client, its sockets and its copies."""
    if not is_proxy(client._client):
        client._client = _send_class(client)(client._client, state)
    if state.guard is not None:
        from farebox._budget_guard import guard_requests

        guard_requests(client, state.guard, state.defaults)
    watch_sockets(client, state)
    watch_copies(client, lambda copy: _record(copy, state))


def unwrap(client: Client) -> Client:
    """Take the seam away from a client; one that was never wrapped is left as it is. Returns the same object.

    Raises:
        TypeError: not a client of the anthropic or openai package.
    """
    _send_class(client)
    if is_proxy(client._client):  # type: ignore[attr-defined]
        client._client = inner_of(client._client)  # type: ignore[attr-defined]
        if getattr(vars(client).get("request"), "_farebox_guard", None) is not None:
            del vars(client)["request"]
        unwatch_sockets(client)
        unwatch_copies(client)
    return client


def flush(timeout_s: float = 5.0) -> bool:
    """Deliver everything recorded so far to the collector; False when the time was up first."""
    from time import monotonic

    end = monotonic() + timeout_s
    if not recorder().drain(timeout_s):
        return False
    drained = [sender.drain(max(0.0, end - monotonic()), give_up=False) for sender in _senders()]
    return all(drained)


def _senders() -> list[Any]:
    """Return what sends farebox's own spans and records of content, as far as there is any."""
    makers = (("farebox._spans", "farebox_sender"), ("farebox._content", "content_sender"))
    made = [getattr(sys.modules[module], name)() for module, name in makers if module in sys.modules]
    return [sender for sender in made if sender is not None]


def _send_class(client: object) -> type[SyncSend] | type[AsyncSend]:
    for module, base, send in _BASES:
        found = getattr(sys.modules.get(module), base, None)
        if found is not None and isinstance(client, found):
            return send
    raise TypeError(
        f"farebox.wrap() takes a client of the anthropic or openai package, sync or async; "
        f"got {type(client).__module__}.{type(client).__qualname__}"
    )


def _warn_of_sampling(provider: Any) -> None:
    sampler = getattr(provider, "sampler", None)
    described = sampler.get_description() if sampler is not None else "AlwaysOnSampler"
    if not described.removeprefix("ParentBased{root:").startswith("AlwaysOnSampler"):
        _log.warning(
            "the tracer_provider given to farebox.wrap() samples (%s): calls it drops are missing from the ledger; "
            "leave tracer_provider out, or give one with ALWAYS_ON",
            described,
        )


_registered = False


def flush_at_exit() -> None:
    """See to it that what is recorded is delivered when the process leaves, once however often it is asked."""
    global _registered
    if not _registered:
        _registered = True
        atexit.register(_leave)


def _leave() -> None:
    """Deliver what is left, for at most AT_EXIT_TIMEOUT_S, and give up at once when nobody listens."""
    if recorder().drain(AT_EXIT_TIMEOUT_S):
        if "farebox._spans" in sys.modules:
            sys.modules["farebox._spans"].report_health(leaving=True)
        for sender in _senders():
            sender.drain(AT_EXIT_TIMEOUT_S, give_up=True)
            sender.shutdown()
