"""The image of the collector, as far as reading its Dockerfile can tell: nobody built it in a test."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "collector" / "requirements.lock").read_text(encoding="utf-8")
TEXT = (ROOT / "collector" / "Dockerfile").read_text(encoding="utf-8")
STEPS = [
    (line.split(maxsplit=1)[0], line.split(maxsplit=1)[1])
    for line in re.sub(r"\\\n\s*", "", TEXT).splitlines()
    if line.strip() and not line.startswith("#")
]
PINNED = {canonicalize_name(name): pin for name, pin in re.findall(r"^([\w.-]+)==(\S+)", LOCK, re.MULTILINE)}


def said(word: str) -> list[str]:
    """Give what follows an instruction, in order."""
    return [rest for instruction, rest in STEPS if instruction == word]


def test_it_is_made_of_what_is_there() -> None:
    """Each thing that is copied in exists, and .dockerignore lets it through."""
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    names = [name for rest in said("COPY") if "--from" not in rest for name in rest.split()[:-1]]

    assert [name for name in names if not (ROOT / name).exists()] == []
    assert {name.partition("/")[0] for name in names} == let_through


def test_it_runs_as_nobodys_administrator() -> None:
    """The user is not root and given by number; entry, command and health check are not read by a shell."""
    (user,) = said("USER")
    (health,) = said("HEALTHCHECK")

    assert int(user) > 0
    assert f"--uid {user} " in "".join(said("RUN"))
    assert STEPS.index(("USER", user)) < STEPS.index(("ENTRYPOINT", '["farebox"]')) < STEPS.index(("CMD", '["up"]'))
    assert json.loads(health.partition("CMD ")[2])[0] == "python"
    assert "127.0.0.1:4318/readyz" in health


def test_what_it_installs_is_locked() -> None:
    """Each requirement of its extras has one version, that of the constraints, with hashes of its files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [each for name in ("collector", "dashboards", "grpc") for each in project["optional-dependencies"][name]]
    constraints = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
    known = {canonicalize_name(name): pin for name, pin in constraints.items()}

    assert {canonicalize_name(Requirement(each).name) for each in [*project["dependencies"], *extras]} <= set(PINNED)
    assert {name: known.get(name) for name in PINNED} == PINNED
    blocks = re.split(r"\n(?=\S)", LOCK.strip())
    assert len(blocks) == len(PINNED)
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) for block in blocks)
    assert all(option in TEXT for option in ("--require-hashes", "--only-binary :all:", "--no-deps"))
