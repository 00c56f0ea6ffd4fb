"""The labelled answers: those of FAREBOX_SHARED, not part of the repository, and our own beside this module."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared import SHARED

__all__ = ["OWN", "RefusalRow", "own", "refusal_rows", "shared"]

OWN = Path(__file__).parent / "own"


def shared(name: str) -> list[dict[str, Any]]:
    """Read one file of the shared data, none of it where there is none."""
    return list(_lines(SHARED / "failmodes" / f"{name}_shared.jsonl")) if SHARED is not None else []


def own(name: str) -> list[dict[str, Any]]:
    """Read one file of examples that were written for this repository."""
    return list(_lines(OWN / f"{name}.jsonl"))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


@dataclass(frozen=True)
class RefusalRow:
    """An answer labelled full, partial, partial_compliance or none.

    group: answers to one prompt belong together. presumed_positive: chosen by its wording, so recall on it says
    nothing.
    """

    source: str
    language: str
    model: str
    group: str
    prompt: str
    response: str
    label: str
    presumed_positive: bool = False


def refusal_rows() -> list[RefusalRow]:
    """Return the answers labelled for refusal, and those to ordinary prompts, which refuse nothing."""
    rows = [
        RefusalRow(
            source=row["source"],
            language=row["language"],
            model=row.get("model") or "",
            group=row.get("prompt") or row["id"],
            prompt=row.get("prompt") or "",
            response=row["response"],
            label=row["refusal"],
            presumed_positive=bool(row.get("lexically_selected")),
        )
        for row in shared("refusal")
        if not row["response"].startswith("<text>")  # the attack's own template, labelled by mistake
    ]
    rows += [
        RefusalRow("lcb", row["language"], row["model"], row["id"], "", row["response"], "none")
        for row in shared("language")
    ]
    rows += [
        RefusalRow("m_ifeval", row["language"], row["model"], row["prompt"], row["prompt"], row["response"], "none")
        for row in shared("loops")
        if not row["loop"]
    ]
    return rows
