"""Style that a test keeps, so that no reviewer has to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("instrumentation", "collector", "sql", "dashboards")
MODULE_LINES_MAX, TEST_LINES_MAX = 400, 450
FUNCTION_LINES_MAX = 60
PUBLIC_NAMES_MAX = 8

MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "node_modules" not in path.parts)
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=named)
def test_modules_and_functions_are_short(path: Path) -> None:
    """A module has at most 400 lines, a test's 450, a function at most 60."""
    most = TEST_LINES_MAX if path in TESTS else MODULE_LINES_MAX
    assert len(path.read_text(encoding="utf-8").splitlines()) <= most
    long = [node.name for node in functions(path) if (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX]

    assert long == []


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_says_what_it_answers_for(path: Path) -> None:
    """A module opens with a docstring, names what it exports, and holds no TODO without an issue number."""
    text = path.read_text(encoding="utf-8")
    if not text.strip():
        return
    tree = ast.parse(text)

    assert ast.get_docstring(tree), "no docstring"
    is_script = path.parent.name == "examples" or path.name == "__main__.py"
    assert is_script or path.name in ("__init__.py", "semconv.py") or "__all__" in text, "no __all__"
    assert not re.search(r"\b(TODO|FIXME|XXX)\b(?!.*#\d+)", text)


@pytest.mark.parametrize("path", [path for path in TESTS if path.name.startswith("test_")], ids=named)
def test_each_test_states_its_rule(path: Path) -> None:
    """Each test has a docstring that states the rule it holds."""
    silent = [node.name for node in functions(path) if node.name.startswith("test_") and not ast.get_docstring(node)]

    assert silent == []


def test_the_public_surface_stays_small() -> None:
    """`farebox` exports at most eight names, and every one of them is there."""
    import farebox

    assert len(farebox.__all__) <= PUBLIC_NAMES_MAX
    assert farebox.__all__ == sorted(farebox.__all__)
    assert all(hasattr(farebox, name) for name in farebox.__all__)


def test_there_is_no_drawer_for_odds_and_ends() -> None:
    """No module is called utils, helpers, common or misc."""
    assert [path for path in MODULES if path.stem.strip("_") in ("utils", "helpers", "common", "misc")] == []
