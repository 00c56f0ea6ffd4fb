"""Errors of the demo: one sentence each; the command line prints them and exits 2."""

from farebox.errors import FareboxError

__all__ = ["DemoError"]


class DemoError(FareboxError):
    """The demo cannot start, or lost a process that it needs."""
