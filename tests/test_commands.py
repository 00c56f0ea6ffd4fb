"""The command line as its users meet it: help that teaches, completion, JSON, quiet pipes, and a clean Ctrl-C."""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from farebox_up import HEARING

from farebox import _waiting
from farebox._cli import main, whole_parser

PROGRAM = str(Path(sys.executable).parent / "farebox")
# What prints no answer: it runs until it is stopped, or prints a program for the shell.
NO_JSON = {"farebox up", "farebox completion"}


def commands(parser: argparse.ArgumentParser | None = None) -> Iterator[argparse.ArgumentParser]:
    """Yield the parser of each command, or of each of its verbs where it has any."""
    verbs = [
        each
        for action in (parser or whole_parser())._actions
        if isinstance(action, argparse._SubParsersAction)
        for each in action.choices.values()
    ]
    for each in verbs:
        yield from commands(each)
    if parser is not None and not verbs:
        yield parser


COMMANDS = {each.prog: each for each in commands()}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_examples_that_parse(name: str) -> None:
    """The help of every command and verb ends in examples of it, and each of them is one that can be typed."""
    help_text = COMMANDS[name].format_help()
    shown = [line.partition("  # ")[0].strip() for line in help_text.partition("\nexamples:\n")[2].splitlines()]

    assert any(name in line for line in shown)
    for line in shown:
        call = re.search(r"farebox .*?(?=\)\"| > |$)", line)
        assert call, line
        assert whole_parser().parse_args(shlex.split(call[0])[1:]).command == name.split()[1]


def test_every_option_says_what_it_does() -> None:
    """No option or argument of any command is left without a word of help."""
    silent = [
        f"{name} {action.dest}" for name, parser in COMMANDS.items() for action in parser._actions if not action.help
    ]

    assert silent == []


def test_every_command_that_answers_takes_json() -> None:
    """Whatever prints an answer prints it as JSON, too."""
    without = {name for name, parser in COMMANDS.items() if "--json" not in parser._option_string_actions}

    assert without == NO_JSON


def test_summaries_read_alike() -> None:
    """The list of commands is one of phrases: small letters, no full stop."""
    (actions,) = (each for each in whole_parser()._actions if isinstance(each, argparse._SubParsersAction))
    odd = [
        each.help
        for each in actions._choices_actions
        if not each.help or each.help[0].isupper() or each.help[-1] == "."
    ]

    assert odd == []


def completed(line: str) -> set[str]:
    """Ask bash, with nothing but our completion loaded, what it would offer at the end of a line."""
    words = line.split(" ")
    script = (
        f'eval "$({shlex.quote(PROGRAM)} completion bash)"\n'
        f"COMP_WORDS=({' '.join(map(shlex.quote, words))}); COMP_CWORD={len(words) - 1}\n"
        "_shtab_farebox farebox\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_bash_completes_commands_verbs_and_options() -> None:
    """Tab offers the commands, the verbs of one, and the options of a verb."""
    assert {"report", "reprice", "restore", "reconcile"} <= completed("farebox re")
    assert completed("farebox budget s") == {"set", "show"}
    assert completed("farebox budget set --per") == {"--period"}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_program_of_theirs(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """zsh and fish get every command, described in a line, and its options; neither shell is run here."""
    code = main(["completion", shell])
    program = capsys.readouterr().out

    assert code == 0
    assert program.startswith("#compdef farebox" if shell == "zsh" else "#")
    for name in COMMANDS:
        assert name.split()[1] in program
    assert "for-cluster" in program
    assert "ask the ledger one question in SQL" in program


class Terminal(io.StringIO):
    """Text that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


def test_waiting_is_told_on_a_terminal_and_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    """From a while on a line says what is done, and what is printed wipes it first."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(_waiting, "AFTER_S", 0.01)
    with _waiting.waiting("adding up"):
        while "adding up … 0 s" not in screen.getvalue():
            time.sleep(0.005)
        print("the answer")
    assert sys.stdout is screen

    assert re.fullmatch(r"\r\x1b\[Kadding up … 0 s\r\x1b\[Kthe answer\n", screen.getvalue())


def test_waiting_for_a_first_word_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs until it is stopped has no such line any more once it has said that it runs."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(_waiting, "AFTER_S", 0.01)
    monkeypatch.setattr(_waiting, "EVERY_S", 0.01)
    with _waiting.waiting("opening", until_a_word=True):
        while "opening" not in screen.getvalue():
            time.sleep(0.005)
        print("it runs")
        time.sleep(0.1)

    assert screen.getvalue().endswith("\r\x1b[Kit runs\n")


def test_waiting_says_nothing_into_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stderr is no terminal, nothing is written, and nothing replaced."""
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    with _waiting.waiting("adding up"):
        replaced = sys.stderr is not pipe

    assert (replaced, pipe.getvalue()) == (False, "")


def test_ctrl_c_ends_a_command_cleanly(tmp_path: Path) -> None:
    """Ctrl-C while a command waits for a silent server: exit code 130, and not a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        asking = subprocess.Popen(
            [
                sys.executable,
                "-c",
                HEARING,
                PROGRAM,
                "report",
                "--dsn",
                f"clickhouse://u:p@127.0.0.1:{server.getsockname()[1]}/farebox",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        server.settimeout(60)
        connection, _ = server.accept()
        connection.recv(1)
        asking.send_signal(signal.SIGINT)
        out, errors = asking.communicate(timeout=60)
        connection.close()

    assert (asking.returncode, out, errors) == (130, "", "")


def test_ctrl_c_is_heard_while_a_library_works() -> None:
    """Where a library keeps the main thread and answers no signal, Ctrl-C ends the process all the same."""
    script = """
import hashlib, os, signal, threading
from farebox import _interrupt
_interrupt.GRACE_S = 0.05
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would inherit that it is ignored
with _interrupt.heard(lambda: print("wiped", flush=True)):
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 1 << 30)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (130, "wiped\n", "")


@pytest.mark.parametrize(
    "command", [["alerts", "list"], ["alerts", "list", "--json"], ["completion", "bash"], ["--help"]]
)
def test_a_reader_that_goes_away_is_no_bad_news(command: list[str]) -> None:
    """`farebox … | head` ends quietly with 0, whether tables, JSON or text were to be printed."""
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [PROGRAM, *command], stdout=theirs, stderr=subprocess.PIPE, text=True, check=False, timeout=60
    )
    os.close(theirs)

    assert (done.returncode, done.stderr) == (0, "")


def test_no_colour_where_none_is_wanted(tmp_path: Path) -> None:
    """On a terminal that asks for none (NO_COLOR), and into a pipe, the doctor writes no escape sequence."""
    import pty

    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "NO_COLOR": "1"}
    environment.pop("FAREBOX_SHARED", None)
    ours, theirs = pty.openpty()
    try:
        subprocess.run([PROGRAM, "doctor"], cwd=tmp_path, env=environment, stdout=theirs, stderr=theirs, check=False)
        written = os.read(ours, 65536)
    finally:
        os.close(ours)
        os.close(theirs)

    assert b"WRONG exporter" in written
    assert b"\x1b[3" not in written


def test_version_is_the_packages() -> None:
    """`farebox --version` says the version of the distribution, which pyproject.toml alone holds."""
    from importlib.metadata import version

    done = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout == f"farebox {version('farebox')}\n"
