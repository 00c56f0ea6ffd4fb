"""Make the lists of names that the import detectors look up: python -m farebox.detectors.names --help.

Importable names come from what is at hand: the list before, the running Python's standard library and installed
distributions, and any files given, one name a line (an organisation's own packages, say, or an index's list of
projects). The standard library's names come from a folder of typeshed's stubs, all versions and platforms
together, and from the running Python.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

from farebox.detectors._names import normal, write_names

__all__ = ["main"]

DATA = Path(__file__).parent / "data"
_ONLY_FOR_TYPES = frozenset({"typing", "typing_extensions", "_typeshed", "collections.abc", "types"})
_NAME = re.compile(r"[a-z][a-z0-9_]*|__(?:future|builtin|main)__")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the lists that were asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m farebox.detectors.names", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--imports", type=Path, metavar="FILE", help="write the importable names there")
    parser.add_argument("--typeshed", type=Path, metavar="FOLDER", help="typeshed's stdlib folder (mypy brings one)")
    parser.add_argument("--stdlib", type=Path, metavar="FILE", help="write the standard library's names there")
    parser.add_argument("lists", type=Path, nargs="*", help="files of more importable names, one a line")
    given = parser.parse_args(arguments)
    today = datetime.now(UTC).date().isoformat()
    if given.imports:
        sources = [DATA / "import_names.txt", *given.lists]
        names = chain(
            sys.stdlib_module_names,
            packages_distributions(),
            *(_lines(each) for each in sources if each.exists()),
        )
        fit = {name for each in names if _NAME.fullmatch(name := normal(each))}
        count = write_names(given.imports, fit, f"importable names, made {today} by farebox.detectors.names")
        sys.stderr.write(f"{count} names in {given.imports}\n")
    if given.stdlib:
        if given.typeshed is None:
            parser.error("--stdlib needs --typeshed")
        modules = dict(sorted(_modules(given.typeshed)))
        lines = [
            f"# names of the standard library's modules, made {today} from typeshed and Python {sys.version.split()[0]}"
        ]
        lines += [f"{module} {' '.join(sorted(names))}" for module, names in modules.items()]
        given.stdlib.write_text("\n".join(lines) + "\n", encoding="utf-8")
        sys.stderr.write(f"{len(modules)} modules in {given.stdlib}\n")
    return 0


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        yield from (line for line in lines if not line.startswith("#"))


def _modules(typeshed: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield each public module of the standard library with its names; dynamic ones are left out."""
    for path in typeshed.rglob("*.pyi"):
        parts = list(path.relative_to(typeshed).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        module = ".".join(parts)
        if (
            not module
            or any(part.startswith("_") for part in parts)
            or module.startswith(("test", "lib2to3", "distutils", "idlelib", "encodings.", "pydoc_data", "profiling"))
        ):
            continue
        names = _names_of_stub(path, typeshed)
        if "__getattr__" not in names:
            yield module, {name for name in names | _names_at_run_time(module) if not name.startswith("_")}


def _names_of_stub(path: Path, typeshed: Path) -> set[str]:
    found: set[str] = set()
    if path.name == "__init__.pyi":
        found |= {each.stem for each in path.parent.glob("*.pyi")} | {
            each.name for each in path.parent.iterdir() if each.is_dir()
        }
    for node in _module_level(ast.parse(path.read_text(encoding="utf-8")).body):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                found.add(name)
            case ast.Import():
                found |= {alias.asname for alias in node.names if alias.asname}
            case ast.ImportFrom() if node.module not in _ONLY_FOR_TYPES:
                for alias in node.names:
                    found |= _star(node, path, typeshed) if alias.name == "*" else {alias.asname or alias.name}
    return found


def _module_level(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those for one version or platform among them."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _module_level([*node.body, *node.orelse])
        else:
            yield node


def _star(node: ast.ImportFrom, path: Path, typeshed: Path) -> set[str]:
    folder = typeshed if not node.level else path.parent
    for _ in range(max(0, node.level - 1)):
        folder = folder.parent
    target = folder.joinpath(*(node.module or "").split("."))
    for candidate in (target.with_suffix(".pyi"), target / "__init__.pyi"):
        if candidate.exists() and candidate != path:
            return _names_of_stub(candidate, typeshed)
    return set()


def _names_at_run_time(module: str) -> set[str]:
    if module in ("this", "antigravity") or (
        module not in sys.stdlib_module_names and module.partition(".")[0] not in sys.stdlib_module_names
    ):
        return set()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return set(dir(importlib.import_module(module)))
    except Exception:  # noqa: BLE001 - a module of another platform
        return set()


if __name__ == "__main__":
    sys.exit(main())
