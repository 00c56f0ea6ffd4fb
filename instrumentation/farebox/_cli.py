"""The front door of the `farebox` command: finds subcommands, runs one, turns errors into sentences."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points, version
from typing import NoReturn

from farebox.commands import Command
from farebox.errors import FareboxError

__all__ = ["main"]

GROUP = "farebox.commands"
EXIT_MISUSE = 2
EXIT_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Says in one sentence what was wrong with the arguments, and where help is."""

    def error(self, message: str) -> NoReturn:
        raise FareboxError(f"{message}; see `{self.prog} --help`")


def main(argv: Sequence[str] | None = None) -> int:
    """Run `farebox …` and return the exit code; FareboxError is printed as one sentence, without a traceback."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    found = {point.name: point for point in entry_points(group=GROUP)}
    parser, subparsers = _parser(found)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    command: Command | None = None
    try:
        if chosen in found:
            command = _load(found[chosen])
            command.configure(subparsers[chosen])
        args = parser.parse_args(arguments)
        if command is None:
            parser.print_help()
            return EXIT_MISUSE
        return command.run(args)
    except ModuleNotFoundError as error:
        return _fail(_missing(found.get(chosen or ""), error))
    except FareboxError as error:
        return _fail(str(error), type(error).exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser(
    found: dict[str, EntryPoint],
) -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(
        prog="farebox",
        description="What every LLM call cost, how it failed, and what another model would have cost.",
    )
    parser.add_argument("--version", action="version", version=f"farebox {version('farebox')}")
    actions = parser.add_subparsers(dest="command", metavar="COMMAND")
    subparsers = {}
    for name in sorted(found):
        summary = _summary(found[name])
        subparsers[name] = actions.add_parser(name, help=summary, description=summary)
    return parser, subparsers


def _summary(point: EntryPoint) -> str:
    try:
        return _load(point).help
    except ModuleNotFoundError:
        return f"(needs farebox[{','.join(point.extras)}])"


def _load(point: EntryPoint) -> Command:
    command = point.load()
    if not isinstance(command, Command):
        raise FareboxError(f"the entry point {point.name} = {point.value} is no farebox command; uninstall its package")
    return command


def _missing(point: EntryPoint | None, error: ModuleNotFoundError) -> str:
    extras = ",".join(point.extras) if point is not None else "all"
    return f"the module {error.name} is not installed; run: pip install 'farebox[{extras}]'"


def _fail(sentence: str, code: int = EXIT_MISUSE) -> int:
    print(f"farebox: {sentence}", file=sys.stderr)  # noqa: T201
    return code
