"""Brings what is known of tasks from a CSV file into the ledger: whether each succeeded, and minutes of people's work.

    task,success,human_minutes,reported_at
    ticket-4711,true,,2026-11-20T12:00:00Z
    ticket-4712,no,12.5,

Only `task` and one of the next two are needed; an empty cell says nothing. A file is taken whole or not at all, and the
same file again changes nothing.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farebox_ledger._actions import perform
from farebox_ledger._dsn import Dsn
from farebox_ledger.errors import LedgerError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["COLUMNS", "TaskOutcome", "import_as_asked", "import_outcomes", "read_outcomes", "store_outcomes"]

COLUMNS = ("task", "success", "human_minutes", "reported_at")
TASK_CHARACTERS_MAX = 256  # as the tag, which is cut there
MINUTES_MAX, MINUTES_STEP = Decimal(10) ** 9, Decimal("1e-6")
WORDS = {
    **dict.fromkeys(("true", "yes", "1", "y", "success", "succeeded"), True),
    **dict.fromkeys(("false", "no", "0", "n", "failure", "failed"), False),
}
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
SERVICE = "farebox outcomes import"
BATCH = 50_000
REQUEST = 150_000  # of a request to `farebox up`, which takes 64 MiB


@dataclass(frozen=True)
class TaskOutcome:
    """What one line says of a task; None: it does not say."""

    task: str
    success: bool | None
    human_minutes: Decimal | None
    reported_at: datetime


def read_outcomes(path: Path, now: datetime, columns: Mapping[str, str] | None = None) -> list[TaskOutcome]:
    """Read a file; `columns` says what the file calls ours. Lines without `reported_at` are reported now.

    Raises:
        LedgerError: the file or a line cannot be read; names the line, the value and what is allowed.
    """
    names = {**{each: each for each in COLUMNS}, **(columns or {})}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_header(path, reader.fieldnames or (), names)
            return [_line(f"{path}:{reader.line_num}", row, names, now) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LedgerError(f"{path} cannot be read as CSV in UTF-8: {error}; correct the name or the file") from None


def import_outcomes(dsn: Dsn, outcomes: Sequence[TaskOutcome]) -> None:
    """Bring outcomes into a ledger, whoever holds it.

    Raises:
        LedgerError: it cannot be reached.
    """
    rows = [
        [
            each.task,
            each.success,
            None if each.human_minutes is None else str(each.human_minutes),
            each.reported_at.isoformat(),
        ]
        for each in outcomes
    ]
    for start in range(0, len(rows), REQUEST):
        perform(dsn, "import_outcomes", {"outcomes": rows[start : start + REQUEST]})


def import_as_asked(client: Client, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out the action `import_outcomes`."""
    outcomes = [
        TaskOutcome(task, success, None if minutes is None else Decimal(minutes), datetime.fromisoformat(reported_at))
        for task, success, minutes, reported_at in asked["outcomes"]
    ]
    return {"tasks": store_outcomes(client, outcomes)}


def store_outcomes(client: Client, outcomes: Sequence[TaskOutcome]) -> int:
    """Add them to the ledger, whose figures then follow them; return how many tasks they are of.

    Ids derive from what a line says, so the same line twice is one report.
    """
    received_at = datetime.now(UTC)
    rows = []
    for each in outcomes:
        said = (each.task, each.success, each.human_minutes, each.reported_at.isoformat())
        ids = hashlib.sha256(repr(said).encode()).digest()
        rows.append(
            [each.task, each.reported_at, each.success, each.human_minutes, SERVICE, ids[:16], ids[16:24], received_at]
        )
    for start in range(0, len(rows), BATCH):
        # The key is ClickHouse's own hash of the name, so it is made there.
        _insert(client, rows[start : start + BATCH])
    return len({each.task for each in outcomes})


def _insert(client: Client, rows: Sequence[Sequence[object]]) -> None:
    tasks = [row[0] for row in rows]
    hashed = client.query("SELECT arrayMap(task -> sipHash64(task), {tasks:Array(String)})", {"tasks": tasks})
    keys = hashed.result_rows[0][0]
    client.insert(
        "task_outcomes",
        [[*row, key] for row, key in zip(rows, keys, strict=True)],
        column_names=[
            "task",
            "reported_at",
            "success",
            "human_minutes",
            "service",
            "trace_id",
            "span_id",
            "received_at",
            "task_key",
        ],
    )


def _check_header(path: Path, header: Sequence[str], names: Mapping[str, str]) -> None:
    if names["task"] not in header:
        raise LedgerError(
            f"{path} has no column {names['task']!r} (it has {', '.join(header) or 'none'}); "
            "name yours with --columns task=NAME"
        )
    said = [ours for ours in ("success", "human_minutes") if names[ours] in header]
    if not said:
        raise LedgerError(
            f"{path} has neither {names['success']!r} nor {names['human_minutes']!r}; "
            "name yours with --columns success=NAME,human_minutes=NAME"
        )
    lost = [ours for ours, theirs in names.items() if ours != theirs and theirs not in header]
    if lost:
        raise LedgerError(f"{path} has no column {names[lost[0]]!r}, which --columns calls {lost[0]}; correct it")


def _line(place: str, row: Mapping[str | None, str], names: Mapping[str, str], now: datetime) -> TaskOutcome:
    cells = {ours: (row.get(theirs) or "").strip() for ours, theirs in names.items()}
    if not cells["task"]:
        raise LedgerError(f"{place}: the task is empty; name it, or take the line out")
    try:
        return TaskOutcome(
            task=cells["task"][:TASK_CHARACTERS_MAX],
            success=_success(cells["success"]),
            human_minutes=_minutes(cells["human_minutes"]),
            reported_at=_moment(cells["reported_at"]) or now,
        )
    except ValueError as error:
        raise LedgerError(f"{place}: {error}") from None


def _success(text: str) -> bool | None:
    if not text:
        return None
    if text.lower() not in WORDS:
        raise ValueError(f"success is {text!r}; write true or false, or leave it empty")
    return WORDS[text.lower()]


def _minutes(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        minutes = Decimal(text)
    except InvalidOperation:
        minutes = Decimal("NaN")
    if not minutes.is_finite() or not 0 <= minutes < MINUTES_MAX:
        raise ValueError(f"human_minutes is {text!r}; write a number from 0 on, or leave it empty")
    return minutes.quantize(MINUTES_STEP, ROUND_HALF_EVEN)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"reported_at is {text!r}; write a moment such as 2026-11-20T12:00:00Z") from None
    if not EARLIEST <= moment < LATEST:
        raise ValueError(f"reported_at is {text!r}, not between 2000 and 2100; correct it")
    return moment
