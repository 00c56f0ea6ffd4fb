"""Errors that a person reads: one sentence with the value and the remedy.

    FareboxError            exit code 2: misuse, or something needed cannot be reached
    ├── SettingError        a setting's value is not allowed
    └── (LedgerError, CollectorError, DemoError in their rooms)

The host application never sees these, save TypeError from `farebox.wrap()` on misuse.
"""

__all__ = ["FareboxError", "SettingError"]


class FareboxError(Exception):
    """A sentence for the operator; the command line prints it as `farebox: …`."""

    exit_code = 2


class SettingError(FareboxError):
    """A setting holds a value that is not allowed."""
