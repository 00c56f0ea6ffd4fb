"""The invoice: one JSON line for each attempt that reached the providers, written when the attempt ends."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, TextIO

from farebox_demo.providers._prices import PRICES, amount
from farebox_demo.providers._terms import Usage

__all__ = ["Invoice", "Line", "Status"]

# finished: all was sent and the client was still there. cut: the provider's side broke. abandoned: the client
# left after the first byte. timed_out: the client left before it. refused: an error answer, never billed.
Status = Literal["finished", "cut", "abandoned", "timed_out", "refused"]


@dataclass
class Line:
    """One attempt, filled in as it goes; `usage` None means there is nothing to bill.

    `usage_sent` says whether the whole usage was among what was sent to a client that was still there.
    `retry` is the SDK's own count of attempts before this one, in the same call. `habits` are the bad ones that the
    model showed, `chances` those that it could have shown: together they say at which rate each came up.
    """

    provider: str
    started_at: datetime
    request_id: str
    client_request_id: str | None
    retry: int
    model: str = ""
    http_status: int = 200
    status: Status = "cut"
    usage: Usage | None = None
    usage_sent: bool = False
    habits: list[str] = field(default_factory=list)
    chances: list[str] = field(default_factory=list)


class Invoice:
    """Writes lines to a file, flushing each, and keeps the sum."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = path.open("a", encoding="utf-8")
        self.lines = 0
        self.total = Decimal(0)

    def write(self, line: Line) -> None:
        """Price the line and append it."""
        tokens = line.usage.billed() if line.usage is not None else {}
        price = PRICES[line.provider, line.model] if tokens else None
        billed = amount(price, tokens) if price else Decimal(0)
        self.lines += 1
        self.total += billed
        row = {
            "line": self.lines,
            "request_id": line.request_id,
            "client_request_id": line.client_request_id,
            "retry": line.retry,
            "provider": line.provider,
            "model": line.model,
            "started_at": line.started_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "http_status": line.http_status,
            "status": line.status,
            "usage_sent": line.usage_sent,
            "tokens": tokens,
            "unit_prices": {name: f"{getattr(price, name):f}" for name in tokens},
            "amount": f"{billed:f}",
            "habits": line.habits,
            "chances": line.chances,
        }
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
