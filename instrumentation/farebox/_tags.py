"""Tags say which class of traffic a call belongs to; they follow the context of the code that makes the call."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from farebox._tag_limits import normalise
from farebox.settings import SETTINGS, setting

__all__ = ["current_tags", "tags"]

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

BAGGAGE_PREFIX = "farebox."
PROPAGATE = SETTINGS["propagate"].variable

_current: ContextVar[Mapping[str, str]] = ContextVar("farebox_tags", default={})  # noqa: B039 - never mutated


def current_tags() -> Mapping[str, str]:
    """Return the tags in force here, those that came by baggage under our own; callers must not change the mapping."""
    names = propagated(os.environ.get(PROPAGATE))
    if not names:
        return _current.get()
    from opentelemetry import baggage

    came = {name: value for name in names if isinstance(value := baggage.get_baggage(BAGGAGE_PREFIX + name), str)}
    return {**came, **_current.get()}


@lru_cache(maxsize=8)
def propagated(_: str | None) -> tuple[str, ...]:
    """Return the names of the tags that cross processes, for a value of the environment variable."""
    names: tuple[str, ...] = setting("propagate")
    return names


class tags:  # noqa: N801 - used like a function
    """Tag every call made inside: a context manager and a decorator, for sync and async code; inner values win.

    `route`, `tenant`, `user`, `task`, `prompt_version` and `provider` have meanings of their own; any other name
    becomes `farebox.tag.<name>`. Values become strings of at most 256 characters; None removes nothing and adds
    nothing.

    Example:
        with farebox.tags(route="hard", task="ticket-4711"):
            client.messages.create(...)
    """

    def __init__(self, **values: object) -> None:
        self._values = normalise(values)
        self._outer: list[tuple[Mapping[str, str], Any]] = []

    def __enter__(self) -> tags:
        outer = _current.get()
        self._outer.append((outer, self._send_along()))
        _current.set({**outer, **self._values})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Setting the former value, not resetting a token, also works when a generator is closed in another context.
        outer, baggage_before = self._outer.pop()
        _current.set(outer)
        if baggage_before is not None:
            from opentelemetry.context import attach

            attach(baggage_before)

    def _send_along(self) -> Any:
        """Put the tags that cross processes into OTel baggage; return the context before, None where there are none."""
        names = [name for name in propagated(os.environ.get(PROPAGATE)) if name in self._values]
        if not names:
            return None
        from opentelemetry import baggage
        from opentelemetry.context import attach, get_current

        before = context = get_current()
        for name in names:
            context = baggage.set_baggage(BAGGAGE_PREFIX + name, self._values[name], context)
        attach(context)
        return before

    def __call__(self, function: F) -> F:
        """Decorate a function or a coroutine function."""
        values = self._values
        if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
            raise TypeError(
                f"farebox.tags() cannot decorate the generator {function.__qualname__}; "
                "use `with farebox.tags(...)` inside it"
            )
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def tagged_coroutine(*args: Any, **kwargs: Any) -> Any:
                with tags(**values):
                    return await function(*args, **kwargs)

            return tagged_coroutine  # type: ignore[return-value]

        @functools.wraps(function)
        def tagged(*args: Any, **kwargs: Any) -> Any:
            with tags(**values):
                return function(*args, **kwargs)

        return tagged  # type: ignore[return-value]

    @staticmethod
    def bind(function: Callable[P, R]) -> Callable[P, R]:
        """Carry the tags of here into a thread: `pool.submit(farebox.tags.bind(work), item)`."""
        here = _current.get()

        @functools.wraps(function)
        def bound(*args: P.args, **kwargs: P.kwargs) -> R:
            outer = _current.get()
            _current.set(here)
            try:
                return function(*args, **kwargs)
            finally:
                _current.set(outer)

        return bound
