"""What a subcommand of `farebox` is; each room registers its own in the entry-point group `farebox.commands`.

The module that holds a command imports its heavy libraries only inside `run`, so that `farebox --help` is quick
and a missing extra is a sentence, not a traceback.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Command"]


@dataclass(frozen=True)
class Command:
    """One subcommand: a one-line help, its arguments, and the function that runs it and returns the exit code.

    Exit codes: 0 fine, 1 the answer is bad news, 2 misuse or unreachable (raise FareboxError). example: command lines
    that `--help` shows, each with what it is for behind a #; a verb's help shows those of the verb. waiting: what the
    command does while nothing is printed, told on a terminal from two seconds on; "": it is never long. answers: it
    comes to an end by itself; if not, `waiting` is told until it first says something, and it hears signals itself.
    """

    help: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    example: str
    waiting: str = ""
    answers: bool = True
