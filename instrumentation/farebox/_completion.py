"""`farebox completion`: what a shell needs to complete commands, options and files, made from the parser itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from farebox.commands import Command

__all__ = ["command"]

SHELLS = ("bash", "zsh", "fish")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print what a shell needs to complete the commands and options of farebox. It is made of what is installed: "
        "print it anew after an upgrade, or have the shell ask each time, as in the first example."
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def _run(args: argparse.Namespace) -> int:
    import shtab

    from farebox._cli import whole_parser

    parser = whole_parser()
    for action in _actions(parser):
        if action.metavar == "FOLDER":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(parser, args.shell))  # noqa: T201
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield every option and argument of every command and verb; those are described by their one line of help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action._choices_actions:
                action.choices[each.dest].description = each.help
                yield from _actions(action.choices[each.dest])
        else:
            yield action


command = Command(
    help="print what bash, zsh or fish need to complete farebox's commands and options",
    configure=_configure,
    run=_run,
    example=(
        'eval "$(farebox completion bash)"  # in ~/.bashrc\n'
        "farebox completion zsh > ~/.zfunc/_farebox  # in a folder of $fpath, before compinit\n"
        "farebox completion fish > ~/.config/fish/completions/farebox.fish"
    ),
)
