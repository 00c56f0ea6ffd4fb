"""Brings `[[routes]]` of farebox.toml into the ledger: which flags disqualify an answer, and what people's work costs.

    [[routes]]
    route = "support"                       # "*": every route without an entry of its own
    disqualifying = ["refusal", "loop", "apology"]
    human_usd_per_minute = "1.20"           # optional
    valid_from = 2026-12-01                 # optional; without it history is judged anew

Settings are rows that are only ever added; an entry that disappears from the file stays in force.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farebox_ledger.errors import LedgerError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["ALL_ROUTES", "RouteSetting", "read_routes", "sync_routes"]

TOML_FILE = "farebox.toml"
ALL_ROUTES = "*"
KEYS = ("route", "disqualifying", "human_usd_per_minute", "valid_from", "why")
BEGINNING = datetime.fromtimestamp(0, UTC)
RATE_MAX, RATE_PLACES = Decimal(10) ** 9, 6

_FAMILY = re.compile(r"[a-z][a-z0-9_]*")
# Tasks of the routes, by the key under which `arrivals` knows them: their hours are counted anew.
_NOTE = """
INSERT INTO arrivals (hour, task_key, received_at)
SELECT toDateTime(0, 'UTC'), if(task = '', sipHash64(trace_id, call_id), sipHash64(task)) AS task_key, now64(6, 'UTC')
FROM stored_attempts
WHERE (has({routes:Array(String)}, '*') OR has({routes:Array(String)}, route))
    AND started_at >= {since:DateTime64(6, 'UTC')}
GROUP BY task_key
"""
_LATEST = """
SELECT
    route,
    valid_from,
    argMax(disqualifying, added_at) AS disqualifying,
    argMax(tuple(human_usd_per_minute), added_at).1 AS rate
FROM route_settings
GROUP BY route, valid_from
"""
_COLUMNS = ("route", "disqualifying", "human_usd_per_minute", "valid_from", "who", "why")


@dataclass(frozen=True)
class RouteSetting:
    """What is decided for a route from a second on: families of flags that disqualify, USD a minute of a person."""

    route: str
    disqualifying: tuple[str, ...]
    human_usd_per_minute: Decimal | None = None
    valid_from: datetime = BEGINNING
    why: str = ""


def read_routes(path: Path | None = None) -> list[RouteSetting]:
    """Read the entries of farebox.toml, none where there is no such file.

    Raises:
        LedgerError: an entry makes no sense; names it, the value and what is allowed.
    """
    path = path or Path(TOML_FILE)
    if not path.exists():
        return []
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal).get("routes", [])
    except (OSError, ValueError) as error:
        raise LedgerError(f"{path} cannot be read as TOML: {error}; mend or remove it") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise LedgerError(f"{path}: routes is not a list of tables; write each under [[routes]]")
    found = []
    for number, entry in enumerate(entries, start=1):
        try:
            found.append(_setting(entry))
        except ValueError as error:
            raise LedgerError(f"{path}: [[routes]] number {number}: {error}; mend it") from None
    return found


def sync_routes(client: Client, wanted: Sequence[RouteSetting]) -> int:
    """Add the settings that the ledger lacks, judge by them from now on, and return how many they were."""
    if not wanted:
        return 0
    known = {
        (route, moment.replace(tzinfo=UTC)): (sorted(families), rate)
        for route, moment, families, rate in client.query(_LATEST).result_rows
    }
    by_key = {(each.route, each.valid_from): each for each in wanted}
    lacking = [
        each
        for key, each in by_key.items()
        if known.get(key) != (sorted(each.disqualifying), each.human_usd_per_minute)
    ]
    if not lacking:
        return 0
    note = {"routes": [each.route for each in lacking], "since": min(each.valid_from for each in lacking)}
    client.insert(
        "route_settings",
        [
            [each.route, list(each.disqualifying), each.human_usd_per_minute, each.valid_from, TOML_FILE, each.why]
            for each in lacking
        ],
        column_names=_COLUMNS,
    )
    # Before, so that no rollup says the old thing beside the new settings; after, for a refresh that came between.
    client.command(_NOTE, note)
    client.command(f"SYSTEM RELOAD DICTIONARY {client.database}.route_setting")
    client.command(_NOTE, note)
    return len(lacking)


def _setting(entry: Mapping[str, Any]) -> RouteSetting:
    unknown = [key for key in entry if key not in KEYS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(KEYS)}")
    route, families = entry.get("route"), entry.get("disqualifying")
    if not isinstance(route, str) or not route:
        raise ValueError(f"route is {route!r}, not the name of a route, or {ALL_ROUTES!r} for all without their own")
    if not isinstance(families, list) or not all(
        isinstance(each, str) and _FAMILY.fullmatch(each) for each in families
    ):
        raise ValueError(
            f"disqualifying is {families!r}, not a list of detectors' names (refusal, not refusal.text; empty: none)"
        )
    why = entry.get("why", "")
    return RouteSetting(
        route,
        tuple(sorted(set(families))),
        _rate(entry.get("human_usd_per_minute")),
        _moment(entry.get("valid_from")),
        why if isinstance(why, str) else str(why),
    )


def _rate(value: object) -> Decimal | None:
    if value is None:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise ValueError(value)
        rate = Decimal(value)
    except (ValueError, InvalidOperation):
        raise ValueError(f"human_usd_per_minute is {value!r}, not an amount of USD") from None
    if not rate.is_finite() or not 0 <= rate < RATE_MAX or rate != round(rate, RATE_PLACES):
        raise ValueError(f"human_usd_per_minute is {value}, not from 0 to {RATE_MAX:,} with {RATE_PLACES} decimals")
    return rate


def _moment(value: object) -> datetime:
    if value is None:
        return BEGINNING
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    elif isinstance(value, date):
        moment = datetime.combine(value, time(), UTC)
    else:
        raise ValueError(f"valid_from is {value!r}, not a day or a moment; write 2026-12-01, without quotation marks")
    if not BEGINNING <= moment < datetime(2100, 1, 1, tzinfo=UTC):
        raise ValueError(f"valid_from is {value}, not between 1970 and 2100")
    return moment.astimezone(UTC).replace(microsecond=0)
