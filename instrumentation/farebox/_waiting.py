"""Tells on a terminal that a command works, and for how long, while it prints nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

__all__ = ["AFTER_S", "waiting"]

AFTER_S = 2.0
EVERY_S = 1.0
WIPE = "\r\x1b[K"


@contextmanager
def waiting(words: str, *, until_a_word: bool = False) -> Iterator[Callable[[], None]]:
    """Show `words` and the seconds on stderr from AFTER_S on, if that is a terminal, until the block ends.

    until_a_word: or until it first prints something. What the block prints, on stdout or stderr, wipes the line first;
    so does the function that is yielded.
    """
    if not words or not sys.stderr.isatty():
        yield lambda: None
        return
    stdout, stderr = sys.stdout, sys.stderr
    line = _Line(words, stderr, until_a_word)
    sys.stdout, sys.stderr = _Wiping(line, stdout), _Wiping(line, stderr)
    try:
        yield line.wipe
    finally:
        sys.stdout, sys.stderr = stdout, stderr
        line.end()


class _Line:
    """The line, and the thread that counts its seconds."""

    def __init__(self, words: str, terminal: TextIO, until_a_word: bool) -> None:
        self._words, self._terminal, self._until_a_word = words, terminal, until_a_word
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._is_shown = False
        self._thread = threading.Thread(target=self._count, name="farebox-waiting", daemon=True)
        self._thread.start()

    def wipe(self) -> None:
        with self._lock:
            if self._is_shown:
                self._terminal.write(WIPE)
                self._terminal.flush()
                self._is_shown = False

    def make_room(self) -> None:
        """Wipe the line for something that is printed, for good where that was waited for."""
        if self._until_a_word:
            self._ended.set()
        self.wipe()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        self.wipe()

    def _count(self) -> None:
        seconds, pause_s = 0.0, AFTER_S
        while not self._ended.wait(pause_s):
            seconds += pause_s
            pause_s = EVERY_S
            with self._lock:
                if self._ended.is_set():
                    return
                self._terminal.write(f"{WIPE}{self._words} … {seconds:.0f} s")
                self._terminal.flush()
                self._is_shown = True


class _Wiping:
    """A stream that wipes the line before it is written to; else the stream itself."""

    def __init__(self, line: _Line, stream: TextIO) -> None:
        self._line, self._stream = line, stream

    def write(self, text: str) -> int:
        self._line.make_room()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
