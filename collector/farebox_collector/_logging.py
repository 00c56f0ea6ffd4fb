"""Writes the log of `farebox up` to stderr: one line an event, as text or JSON, and each cause once a minute."""

from __future__ import annotations

import json
import logging
import threading
import time
from datetime import UTC, datetime

__all__ = ["log_to_stderr"]

QUIET_S = 60.0
# Speaks only when a person has changed a file: each change is told.
OF_CHANGES = "farebox.prices"
TEXT = "%(asctime)s %(levelname)s %(message)s"


class _Once(logging.Filter):
    """Passes an event of a kind, holds back those that follow within QUIET_S, and then says how many they were."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._passed: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Decide on a record; kinds are told apart by their text before values are put in."""
        if record.name == OF_CHANGES:
            return True
        kind = (record.name, str(record.msg))
        now = time.monotonic()
        with self._lock:
            passed_at, held = self._passed.get(kind, (-QUIET_S, 0))
            if now - passed_at < QUIET_S:
                self._passed[kind] = (passed_at, held + 1)
                return False
            self._passed[kind] = (now, 0)
        if held:
            record.msg, record.args = f"{record.getMessage()} ({held} more like it since)", None
        return True


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; `kind` is the text before values are put in, the same for all events of a cause."""
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "kind": str(record.msg),
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event)


def log_to_stderr(form: str) -> None:
    """Show our own warnings and the server's errors, as `text` or `json`; other libraries would repeat what we say."""
    logging.getLogger().addHandler(logging.NullHandler())
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if form == "json" else logging.Formatter(TEXT))
    handler.addFilter(_Once())
    for name in ("farebox", "uvicorn.error"):
        logging.getLogger(name).addHandler(handler)
