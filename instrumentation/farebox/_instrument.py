"""`instrument()`: wrap every SDK client made from now on, also of an SDK that is imported later."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from farebox._guard import swallow
from farebox._seam import is_proxy
from farebox._wrap import wrap

__all__ = ["OtelInstrumentor", "instrument", "uninstrument"]

_MODULES = ("anthropic._base_client", "openai._base_client")
_CLASSES = ("SyncAPIClient", "AsyncAPIClient")

_defaults: Mapping[str, object] | None = None
_originals: dict[type, Callable[..., None]] = {}


def instrument(**defaults: object) -> None:
    """Wrap every Anthropic and OpenAI client that is made afterwards, as `farebox.wrap(client, **defaults)` would.

    Clients made before stay as they are; a client wrapped by hand keeps its own defaults. Calling it again replaces
    the defaults.
    """
    global _defaults
    _defaults = defaults
    for name in _MODULES:
        module = sys.modules.get(name)
        if module is not None:
            _patch(module)
    if not any(isinstance(finder, _AfterImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterImport())


def uninstrument() -> None:
    """Stop wrapping new clients; those already wrapped stay so."""
    global _defaults
    _defaults = None
    for cls, original in _originals.items():
        cls.__init__ = original  # type: ignore[misc]
    _originals.clear()
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _AfterImport)]


class OtelInstrumentor:
    """The entry point of `opentelemetry-instrument`: the same, without a change to the code."""

    def instrument(self, **_: Any) -> None:
        instrument()

    def uninstrument(self, **_: Any) -> None:
        uninstrument()


def _patch(module: ModuleType) -> None:
    for name in _CLASSES:
        cls = getattr(module, name, None)
        if cls is not None and cls not in _originals:
            _originals[cls] = cls.__init__
            cls.__init__ = _wrapping(cls.__init__)


def _wrapping(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        try:
            if _defaults is not None and not is_proxy(self._client):  # a copy brings its proxy along
                wrap(self, **_defaults)  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001
            swallow("wrapping a new client", error)

    return init


class _AfterImport(MetaPathFinder):
    """Lets the other finders import an SDK's base module, and patches it once it is there."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname not in _MODULES:
            return None
        sys.meta_path.remove(self)
        try:
            spec = find_spec(fullname)
        finally:
            sys.meta_path.insert(0, self)
        if spec is not None and spec.loader is not None:
            spec.loader = _PatchingLoader(spec.loader)
        return spec


class _PatchingLoader(Loader):
    def __init__(self, inner: Loader) -> None:
        self._inner = inner

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._inner.exec_module(module)
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        _patch(module)
