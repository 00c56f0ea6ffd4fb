"""What README, settings and package metadata promise, held against the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from documentation.reference import COMMANDS as COMMANDS_PAGE
from documentation.reference import SETTINGS as SETTINGS_PAGE
from documentation.reference import commands_page, settings_page

from farebox._cli import main
from farebox.commands import Command
from farebox.errors import SettingError
from farebox.settings import SETTINGS, setting

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = {point.name: point for point in entry_points(group="farebox.commands")}


def farebox(*arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "farebox"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **options,  # type: ignore[call-overload]
    )


@pytest.mark.parametrize(
    ("path", "page"), [(SETTINGS_PAGE, settings_page), (COMMANDS_PAGE, commands_page)], ids=["settings", "commands"]
)
def test_generated_pages_are_current(path: Path, page: Callable[[], str]) -> None:
    """The pages of settings and commands are those that the code makes; `make docs` writes them anew, for review."""
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(page(), encoding="utf-8")

    assert path.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_five_folders_are_the_house() -> None:
    """Nothing but the rooms and the tests is a visible folder of the repository; pages are in the rooms."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    folders = {line.partition("/")[0] for line in listed if "/" in line and not line.startswith(".")}

    assert folders <= {"instrumentation", "collector", "dashboards", "sql", "tests"}


def test_every_command_in_the_readme_exists() -> None:
    """Each `farebox …` command that the README shows is one that can be run."""
    code = "\n".join(re.findall(r"`+([^`]+)`+", README))
    shown = set(re.findall(r"^farebox ([a-z]+)", code, re.MULTILINE))

    assert shown <= set(COMMANDS)
    assert shown


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_loads_and_explains_itself(name: str) -> None:
    """Each command has a one-line help, and `--help` exits 0."""
    command = COMMANDS[name].load()
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])

    assert isinstance(command, Command)
    assert command.help
    assert "\n" not in command.help
    assert end.value.code == 0


def test_make_targets_in_the_readme_exist() -> None:
    """Each `make …` that the README shows is a target."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake ([a-z]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_constraints_pin_every_requirement() -> None:
    """Each package of the metadata has one exact version in the constraints file, within its range."""
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if "==" in line
    )
    normal = {name.lower().replace("_", "-"): pin for name, pin in pins.items()}
    extras = [each for group in project["optional-dependencies"].values() for each in group]
    for text in [*project["dependencies"], *extras]:
        requirement = Requirement(text)
        if requirement.name != "farebox":
            assert requirement.specifier.contains(normal[requirement.name.lower().replace("_", "-")]), text


def test_settings_go_argument_environment_file_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An argument wins over the environment, that over farebox.toml, that over the default; empty means unset."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FAREBOX_OTLP_PORT", raising=False)
    assert setting("otlp_port") == 4318
    (tmp_path / "farebox.toml").write_text("otlp_port = 1\nhash_users = true\n")
    assert setting("otlp_port") == 1
    assert setting("hash_users") is True
    monkeypatch.setenv("FAREBOX_OTLP_PORT", "2")
    assert setting("otlp_port") == 2
    monkeypatch.setenv("FAREBOX_OTLP_PORT", "")
    assert setting("otlp_port") == 1
    assert setting("otlp_port", 3) == 3


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("FAREBOX_OTLP_PORT", "seventy", "FAREBOX_OTLP_PORT='seventy' is not a port"),
        ("FAREBOX_OTLP_PORT", "70000", "a port is 0 to 65535"),
        ("FAREBOX_HASH_USERS", "maybe", "allowed are true and false"),
        ("FAREBOX_QUEUE_RECORDS_MAX", "0", "must be above 0"),
    ],
)
def test_a_bad_setting_is_named_with_its_source(
    variable: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that is not allowed is named with where it stood and what is allowed."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingError, match=re.escape(sentence)):
        setting(variable.removeprefix("FAREBOX_").lower())


def test_settings_have_distinct_names_and_sentences() -> None:
    """Each setting says what it does in one sentence."""
    assert all(each.sentence.endswith(".") and each.kind for each in SETTINGS.values())


@pytest.mark.parametrize("arguments", [["nosuch"], ["sql"], ["report", "--nosuch"], ["up", "surplus"]])
def test_wrong_arguments_are_one_sentence(arguments: list[str]) -> None:
    """What argparse would answer with a page of usage is one sentence that names the value and the help."""
    done = farebox(*arguments)

    assert done.returncode == 2
    assert done.stderr.startswith("farebox: ")
    assert done.stderr.count("\n") == 1
    assert "--help`" in done.stderr


def test_misuse_is_a_sentence_and_exit_2() -> None:
    """A bad setting on the command line gives one sentence on stderr, exit 2, no traceback."""
    done = farebox("up", "--otlp-port", "99999")

    assert done.returncode == 2
    assert done.stderr.startswith("farebox: ")
    assert "Traceback" not in done.stderr


def test_the_version_is_written_once() -> None:
    """It stands in pyproject.toml, and heads the changelog; all else asks the metadata."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    places = [
        path for suffix in ("py", "toml", "yml", "yaml", "md", "sql") for path in ROOT.glob(f"[!.]*/**/*.{suffix}")
    ]
    ours = [path for path in [*places, *ROOT.glob("*.*")] if path.is_file() and "node_modules" not in path.parts]
    written = {
        path.relative_to(ROOT).as_posix()
        for path in ours
        if path.parts[len(ROOT.parts)] != "tests"
        and re.search(rf"\b{re.escape(project['version'])}\b", path.read_text())
    }

    assert written == {"pyproject.toml", "CHANGELOG.md"}
    assert f"## {project['version']} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
