"""The front door of the `farebox` command: finds subcommands, runs one, turns errors into sentences."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points, version
from typing import Any, NoReturn

from farebox._interrupt import EXIT_INTERRUPTED, heard
from farebox._waiting import waiting
from farebox.commands import Command
from farebox.errors import FareboxError

__all__ = ["main", "whole_parser"]

GROUP = "farebox.commands"
EXIT_MISUSE = 2
EXAMPLES = "examples:"
REMARK = "  # "
REMARKS_AT_MAX = 60
FIRST_STEPS = """\
farebox demo  # see it work on this machine, against simulated providers
farebox up  # receive what wrapped clients send, keep the ledger, show dashboards
farebox doctor  # is everything recorded, from the application to the ledger?
farebox report --since 24h  # what calls cost, how they failed, and what a success cost
farebox report --help  # each command explains itself, with examples"""


class _Parser(argparse.ArgumentParser):
    """Says in one sentence what was wrong with the arguments, and where help is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Formatter, **options})

    def error(self, message: str) -> NoReturn:
        raise FareboxError(f"{message}; see `{self.prog} --help`")


class _Formatter(argparse.HelpFormatter):
    """Fills paragraphs as ever, and leaves examples as they are, so that they can be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith(EXAMPLES) else super()._fill_text(text, width, indent)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `farebox …` and return the exit code; FareboxError is printed as one sentence, without a traceback."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    found: dict[str, EntryPoint] = {}
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    command: Command | None = None
    try:
        found = _found()
        parser, subparsers = _parser(found)
        if chosen in found:
            command = _load(found[chosen])
            _configure(subparsers[chosen], command)
        try:
            args = parser.parse_args(arguments)
            if command is None:
                parser.print_help()
                return EXIT_MISUSE
            return _run(command, args)
        finally:
            sys.stdout.flush()  # while a reader that went away is still an exception that we handle
    except ModuleNotFoundError as error:
        return _fail(_missing(found.get(chosen or ""), error))
    except FareboxError as error:
        return _fail(str(error), type(error).exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _run(command: Command, args: argparse.Namespace) -> int:
    with waiting(command.waiting, until_a_word=not command.answers) as wipe:
        if not command.answers:
            return command.run(args)
        with heard(wipe):
            return command.run(args)


def whole_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands that are installed, with their arguments and verbs."""
    found = _found()
    parser, subparsers = _parser(found)
    for name, point in found.items():
        try:
            _configure(subparsers[name], _load(point))
        except ModuleNotFoundError:  # its extra is missing; its help says which
            continue
    return parser


def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def _parser(
    found: dict[str, EntryPoint],
) -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(
        prog="farebox",
        description="What every LLM call cost, how it failed, and what another model would have cost.",
        epilog=_examples(FIRST_STEPS),
    )
    parser.add_argument("--version", action="version", version=f"farebox {version('farebox')}")
    actions = parser.add_subparsers(dest="command", metavar="COMMAND")
    subparsers = {}
    for name, point in found.items():
        summary = _summary(point)
        subparsers[name] = actions.add_parser(name, help=summary, description=summary)
    return parser, subparsers


def _configure(parser: argparse.ArgumentParser, command: Command) -> None:
    """Give a command its arguments, and its examples to it and to its verbs."""
    command.configure(parser)
    parser.epilog = _examples(command.example)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                lines = [line for line in command.example.splitlines() if f"{line} ".startswith(f"{each.prog} ")]
                each.epilog = _examples("\n".join(lines))


def _examples(text: str) -> str:
    """Lay command lines out below each other, their remarks too, as far as those are not pushed out of sight."""
    lines = [line.partition(REMARK) for line in text.splitlines()]
    width = max((len(line) for line, _, remark in lines if remark and len(line) <= REMARKS_AT_MAX), default=0)
    return "\n".join([EXAMPLES, *(f"  {line:<{width}}{mark}{remark}".rstrip() for line, mark, remark in lines)])


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
