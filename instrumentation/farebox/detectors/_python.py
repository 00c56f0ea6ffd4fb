"""Read the Python in an answer, without running it: what it imports, and which names of modules it uses."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from farebox.detectors._code import Block
from farebox.detectors._limits import CODE_CHARACTERS_MAX, NotCheckedError

__all__ = ["Imported", "PythonCode", "read_python"]

_LANGUAGES = frozenset({"python", "py", "python3", "py3", "ipython", "python2", "jupyter", "pyodide"})
_LOOKS_PYTHON = re.compile(
    r"^(?:import \w[\w.]*(?: as \w+)?|from \w[\w.]* import [\w*(][^{;]*|def \w+\(.*\).*:)[ \t]*(?:#.*)?$", re.MULTILINE
)
_BEGINS_PYTHON = re.compile(
    r"(?:import |from |def |class |async def |@\w|#|\"\"\"|if __name__|with |for |try:|print\(|\w+ ?= ?)"
)
_LOOKS_OTHER = re.compile(r"^\s*(?:import .*['\";{]|from .*['\"];?$|.*[;{]$|package |#include|using )", re.MULTILINE)
_NOT_CODE = re.compile(r"^[ \t]*(?:[%!?]|>>> |\.\.\. |In \[\d+\]:|\$ ).*$", re.MULTILINE)
_PROMPTS = re.compile(r"^[ \t]*(?:>>> |\.\.\. |>>>$|\.\.\.$)", re.MULTILINE)
_IMPORT_LINE = re.compile(
    r"^[ \t]*(?:from[ \t]+([A-Za-z_][\w.]{0,80})[ \t]+import[ \t]|import[ \t]+([A-Za-z_][\w., \t]{0,200}))",
    re.MULTILINE,
)
# What could exhaust a parser's stack: long runs of prefixes, and long chains within one line.
_DEEP = re.compile(r"(?:[-+~*([{]|\bnot |\blambda:|\bawait ){100}")
LINE_CHARACTERS_MAX = 1_000


_DEFINITIONS = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef})
_BINDING = frozenset({ast.Name, ast.arg, ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.Attribute})
_LEAVES = frozenset({ast.Name, ast.Constant, ast.Import, ast.ImportFrom, ast.Pass, ast.Break, ast.Continue})
_IFS = frozenset({ast.If, ast.IfExp})
_TRIED, _IF_PARTS = frozenset({"body", "handlers"}), frozenset({"body", "orelse"})
# A test of any of these asks first whether something is there.
_ASKS_FIRST = frozenset({"TYPE_CHECKING", "find_spec", "hasattr", "version_info", "platform", "system", "uname"})


@dataclass(frozen=True, slots=True)
class Imported:
    """A module that code imports; `name`: what is taken from it, None for the module.

    guarded: within a `try`, or an `if` that asks whether it is there.
    """

    module: str
    name: str | None = None
    guarded: bool = False


@dataclass(slots=True)
class PythonCode:
    """What the Python of one answer says; `uses` are pairs of a module's full name and a name looked up in it."""

    imports: list[Imported] = field(default_factory=list)
    uses: list[tuple[str, str]] = field(default_factory=list)
    defines: set[str] = field(default_factory=set)


def read_python(blocks: Iterable[Block]) -> PythonCode | None:
    """Read the Python blocks of an answer; None without any.

    A block that does not parse gives the imports that stand on lines of their own, and no uses.

    Raises:
        NotCheckedError: they are longer than CODE_CHARACTERS_MAX, or nested as no person would.
    """
    found = PythonCode()
    sources = [block.code for block in blocks if _is_python(block)]
    if sum(map(len, sources)) > CODE_CHARACTERS_MAX:
        raise NotCheckedError("CODE_CHARACTERS_MAX")
    for source in sources:
        _read(source, found)
    return found if sources else None


def _is_python(block: Block) -> bool:
    if block.language:
        return block.language in _LANGUAGES
    head = block.code[:4_000].lstrip()
    return (
        _BEGINS_PYTHON.match(head) is not None
        and _LOOKS_PYTHON.search(head) is not None
        and not _LOOKS_OTHER.search(head)
    )


def _read(source: str, found: PythonCode) -> None:
    source = _PROMPTS.sub("", source) if ">>>" in source else source
    source = _NOT_CODE.sub("pass", source)
    if _DEEP.search(source) or any(len(line) > LINE_CHARACTERS_MAX for line in source.split("\n")):
        raise NotCheckedError("code nesting")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the model's escapes are none of the host's business
            tree = ast.parse(source)
    except (SyntaxError, ValueError):
        for match in _IMPORT_LINE.finditer(source):
            modules = (
                [match.group(1)]
                if match.group(1)
                else [part.split()[0] for part in match.group(2).split(",") if part.split()]
            )
            found.imports += [Imported(module) for module in modules]
        return
    except (RecursionError, MemoryError):
        raise NotCheckedError("code nesting") from None
    _walk(tree, found)


def _walk(tree: ast.Module, found: PythonCode) -> None:
    modules: dict[str, str] = {}  # a name in the code → the module it stands for
    bound: list[str] = []
    looked_up: list[ast.Attribute] = []
    for node, guarded in _nodes(tree):
        kind = type(node)
        if kind is ast.Attribute and type(node.ctx) is ast.Load:
            if not guarded:
                looked_up.append(node)
        elif kind is ast.Import:
            for alias in node.names:
                found.imports.append(Imported(alias.name, None, guarded))
                bound.extend(_names_module(alias, modules))
        elif kind is ast.ImportFrom and node.module and not node.level:
            found.imports += [Imported(node.module, alias.name, guarded) for alias in node.names]
            bound += [alias.asname or alias.name for alias in node.names]
        elif kind in _DEFINITIONS:
            found.defines.add(node.name)
            bound.append(node.name)
        elif kind in _BINDING:
            bound.extend(_bindings(node))
    for local in bound:
        modules.pop(local, None)
    found.uses += [use for node in looked_up if (use := _use(node, modules)) is not None]


def _names_module(alias: ast.alias, modules: dict[str, str]) -> Iterator[str]:
    """Note which module a name stands for, and yield the name if it stood for another one."""
    local = alias.asname or alias.name.partition(".")[0]
    stands_for = alias.name if alias.asname else local
    if modules.setdefault(local, stands_for) != stands_for:
        yield local


def _nodes(tree: ast.Module) -> Iterator[tuple[Any, bool]]:
    """Yield each node, and whether it runs only where what it uses is there: ast.walk takes three times as long."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, guarded = waiting.pop()
        yield node, guarded
        kind = type(node)
        if kind in _LEAVES:
            continue
        guards: frozenset[str] = frozenset()
        if kind is ast.Try:
            guards = _TRIED
        elif kind in _IFS and any(map(_asks_first, ast.walk(node.test))):  # type: ignore[attr-defined]
            guards = _IF_PARTS
        for name in node._fields:
            value = getattr(node, name, None)
            if type(value) is list:
                inside = guarded or name in guards
                waiting += [(each, inside) for each in value if isinstance(each, ast.AST)]
            elif name != "ctx" and isinstance(value, ast.AST):
                waiting.append((value, guarded or name in guards))


def _asks_first(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _ASKS_FIRST
    return False


def _bindings(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node binds, imports and definitions aside."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.arg(arg=name):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            yield name  # a module that gets a new attribute


def _use(node: ast.Attribute, modules: dict[str, str]) -> tuple[str, str] | None:
    """Return the module and the name that `a.b.c` looks up, as far as the dots go."""
    path: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        path.append(inner.attr)
        inner = inner.value
    if not isinstance(inner, ast.Name) or inner.id not in modules:
        return None
    return ".".join([modules[inner.id], *reversed(path[1:])]), path[0]
