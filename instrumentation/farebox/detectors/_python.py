"""Read the Python in an answer, without running it: what it imports, and which names of modules it uses."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

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
    guarded = _guarded(tree)
    modules: dict[str, str] = {}  # a name in the code → the module it stands for
    bound: list[str] = []
    looked_up: list[ast.Attribute] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    found.imports.append(Imported(alias.name, None, id(node) in guarded))
                    local = alias.asname or alias.name.partition(".")[0]
                    stands_for = alias.name if alias.asname else local
                    if modules.setdefault(local, stands_for) != stands_for:
                        bound.append(local)
            case ast.ImportFrom(module=str(module), level=0):
                for alias in node.names:
                    found.imports.append(Imported(module, alias.name, id(node) in guarded))
                    bound.append(alias.asname or alias.name)
            case ast.Attribute(ctx=ast.Load()):
                looked_up.append(node)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.defines.add(name)
                bound.append(name)
            case _:
                bound.extend(_bindings(node))
    for local in bound:
        modules.pop(local, None)
    guarded_nodes = (node for node in looked_up if id(node) not in guarded)
    found.uses += [use for node in guarded_nodes if (use := _use(node, modules)) is not None]


def _guarded(tree: ast.Module) -> set[int]:
    """Return the ids of the nodes that run only where what they use is there."""
    parts: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            parts += (*node.body, *node.handlers)
        elif isinstance(node, ast.If | ast.IfExp) and any(map(_asks_first, ast.walk(node.test))):
            parts += (*node.body, *node.orelse) if isinstance(node, ast.If) else (node.body, node.orelse)
    return {id(inner) for each in parts for inner in ast.walk(each)}


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
