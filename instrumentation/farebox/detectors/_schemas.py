"""Check JSON values against the JSON Schemas of requests, each schema compiled once.

Schemas come anew with every request, so compiled ones are kept by content, at most SCHEMAS_MAX, the least used
given up first. One that does not compile, or whose references multiply beyond SCHEMA_STEPS_MAX, is not checked;
`refused` counts how often. References are never fetched.
"""

from __future__ import annotations

import marshal
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema_rs

from farebox.detectors._limits import SCHEMA_STEPS_MAX, NotCheckedError

__all__ = ["SCHEMAS_MAX", "problems", "refused", "unnamed"]

SCHEMAS_MAX = 1024
BACKTRACKS_MAX = 20_000  # of one `pattern` on one value
RECURSION_MAX = 8  # levels of a value that a recursive schema with alternatives is followed into

# Why schemas were not used, and how often: a condition to look at, not an error.
refused: Counter[str] = Counter()

_KINDS = {
    "required": "missing_required",
    "dependentRequired": "missing_required",
    "additionalProperties": "unexpected_arg",
    "unevaluatedProperties": "unexpected_arg",
    "propertyNames": "unexpected_arg",
    "type": "type",
    "enum": "enum",
    "const": "enum",
}
_ALTERNATIVES = frozenset({"anyOf", "oneOf"})
_FORKS = frozenset({"anyOf", "oneOf", "allOf", "if", "not", "dependentSchemas"})
_OPENERS = ("additionalProperties", "patternProperties", "$ref", "allOf", "anyOf", "oneOf")


class _Compiled:
    """A schema ready for use: `check` is None where it cannot be used, for `reason`.

    names: the properties it declares, where it says nothing on others. forks: it is recursive and has alternatives.
    """

    __slots__ = ("check", "forks", "names", "reason")

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.check: Any = None
        self.reason = "does not compile"
        properties = schema.get("properties")
        silent = isinstance(properties, Mapping) and not any(opener in schema for opener in _OPENERS)
        self.names = frozenset(properties) if silent and properties is not None else None
        survey = _Survey(schema)
        self.forks = survey.recursive and survey.forks
        if survey.steps > SCHEMA_STEPS_MAX:
            self.reason = "SCHEMA_STEPS_MAX"
            return
        regexes = jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKS_MAX)
        try:
            self.check = jsonschema_rs.validator_for(dict(schema), offline=True, pattern_options=regexes)
        except (ValueError, TypeError, jsonschema_rs.ReferencingError):
            return


class _Survey:
    """Counts the nodes of a schema as a validator would visit them, references followed."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.root = schema
        self.forks = self.recursive = False
        self._known: dict[int, int] = {}
        self._open: set[int] = set()
        try:
            self.steps = self._visit(schema)
        except RecursionError:
            self.steps = SCHEMA_STEPS_MAX + 1

    def _visit(self, node: Any) -> int:
        if not isinstance(node, dict | list):
            return 0
        key = id(node)
        if key in self._open:
            self.recursive = True
            return 0
        if key not in self._known:
            self._open.add(key)
            steps = 1 + sum(map(self._visit, node.values() if isinstance(node, dict) else node))
            if isinstance(node, dict):
                self.forks = self.forks or not _FORKS.isdisjoint(node)
                steps += self._visit(self._target(node.get("$ref")))
            self._open.discard(key)
            self._known[key] = min(steps, SCHEMA_STEPS_MAX + 1)
        return self._known[key]

    def _target(self, reference: Any) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        node: Any = self.root
        for part in reference[1:].split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            node = node.get(name) if isinstance(node, dict) else None
        return node


_kept: OrderedDict[bytes, _Compiled] = OrderedDict()


def _compiled(schema: Mapping[str, Any]) -> _Compiled:
    key = _key(schema)
    found = _kept.get(key)
    if found is None:
        found = _kept[key] = _Compiled(schema)
        if len(_kept) > SCHEMAS_MAX:
            _kept.popitem(last=False)
    else:
        _kept.move_to_end(key)
    return found


def _key(schema: Mapping[str, Any]) -> bytes:
    try:
        return marshal.dumps(dict(schema), 2)  # version 2 depends on the content alone; 1 us, where JSON takes 10
    except ValueError:  # a Decimal, which is how fractions come from the wire
        try:
            return repr(schema).encode("utf-8", "replace")
        except RecursionError:
            raise NotCheckedError("schema nesting") from None


def problems(schema: Mapping[str, Any], value: Any) -> frozenset[str]:
    """Return how a value breaks a schema: missing_required, unexpected_arg, type, enum, or value for other keywords.

    Raises:
        NotCheckedError: the schema cannot be used, or checking would take too long.
    """
    compiled = _compiled(schema)
    if compiled.check is None:
        refused[compiled.reason] += 1
        raise NotCheckedError(compiled.reason)
    if compiled.forks and _deeper(value, RECURSION_MAX):
        raise NotCheckedError("RECURSION_MAX")
    try:
        if compiled.check.is_valid(value):
            return frozenset()
        return frozenset(_kinds(compiled.check.iter_errors(value)))
    except ValueError as error:  # nested too deeply for the validator
        raise NotCheckedError(str(error)) from None


def unnamed(schema: Mapping[str, Any], value: Mapping[str, Any]) -> list[str]:
    """Return the properties of a value that its schema does not declare, where the schema says nothing on others."""
    names = _compiled(schema).names
    return [name for name in value if name not in names] if names is not None else []


def _kinds(errors: Iterable[Any]) -> Iterator[str]:
    found = list(errors)
    mistyped = [error.instance_path for error in found if error.kind.name == "type"]
    for error in found:
        kind = error.kind
        if _KINDS.get(kind.name) == "enum" and error.instance_path in mistyped:
            continue  # a value of the wrong type is in no enumeration either
        if kind.name in _ALTERNATIVES and getattr(kind, "context", None):
            yield _nearest(kind.context)
        elif isinstance(kind, jsonschema_rs.ValidationErrorKind.BacktrackLimitExceeded):
            raise NotCheckedError("BACKTRACKS_MAX")
        else:
            yield _KINDS.get(kind.name, "value")


def _nearest(branches: list[list[Any]]) -> str:
    """Name what is wrong in the nearest alternative: one whose type fits, before those whose type does not."""
    best = min(branches, key=lambda branch: ("type" in [error.kind.name for error in branch], len(branch)))
    return next(iter(_kinds(best)), "value")


def _deeper(value: Any, levels: int) -> bool:
    """Tell whether a value is nested more than so many levels."""
    layer = [value]
    while layer and levels >= 0:
        layer = [
            inner
            for each in layer
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        levels -= 1
    return bool(layer)
