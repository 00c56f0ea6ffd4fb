"""Where the recorded traffic and labelled data lie, for the tests that use them; those are skipped without it."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

SHARED = Path(os.environ["FAREBOX_SHARED"]) if os.environ.get("FAREBOX_SHARED") else None

needs_shared = pytest.mark.skipif(SHARED is None, reason="FAREBOX_SHARED names no folder of recorded traffic")


def load(relative: str) -> ModuleType:
    """Import a Python file of the shared folder under its own name."""
    assert SHARED is not None
    path = SHARED / relative
    name = path.stem
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
