"""Tell whether Python code in an answer uses a name that a module of the standard library does not have.

Definition: `module.name`, or `from module import name`, where the module is of the standard library and no
version or platform of it has the name: not in typeshed's stubs, not in the Python that made the list, and not
among names that went with Python 2 or since. A module that the code rebinds, names in `try` or after `hasattr`,
private names and methods of classes are left alone. The code is parsed, never run.
Source: typeshed (as mypy ships it); data/stdlib_names.txt, which says when it was made.
Measured: precision 1.000 (0.867-1.000), recall 1.000 (0.867-1.000), false positives 0.000 (0.000-0.114) on 55
labelled answers (ours).
"""

from __future__ import annotations

from farebox.detectors._answer import Answer
from farebox.detectors._finding import Finding
from farebox.detectors._names import stdlib_names
from farebox.detectors._python import PythonCode

__all__ = ["check"]


def check(answer: Answer) -> Finding | None:
    """Look at the modules' names that every choice uses; does not apply without Python code."""
    applies = wrong = False
    for choice in answer.texts:
        code = choice.python
        if code is not None:
            applies = True
            wrong = wrong or any(_is_unknown(module, name) for module, name in _uses(code))
    return Finding.of(wrong) if applies else None


def _uses(code: PythonCode) -> list[tuple[str, str]]:
    imports = (each for each in code.imports if not each.guarded)
    return [*code.uses, *((each.module, each.name) for each in imports if each.name and each.name != "*")]


def _is_unknown(module: str, name: str) -> bool:
    modules = stdlib_names()
    names = modules.get(module)
    if names is None or name.startswith("_") or name in names or f"{module}.{name}" in modules:
        return False
    return name not in stdlib_names("former_names").get(module, ())
