"""Prices the past anew, with the book as it is now; `adjustments` keeps what it was: who, when, why, old and new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from farebox_ledger._formula import formula_columns, priced
from farebox_ledger._period import Period
from farebox_ledger._portions import portions
from farebox_ledger._refresh import refresh_all
from farebox_ledger.errors import QueryError, clickhouse_words

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Change", "Reason", "changes", "reprice", "reprice_as_asked"]

ATTEMPTS_MAX = 200_000  # of one statement, to bound its memory
FIGURES = ("list_cost", "cost_input", "cost_cache_read", "cost_cache_write", "cost_output", "cost_tools")
WORDS = ("model", "price_id", "price_book_version", "price_state", "price_reason")
# A newer book that says the same changes nothing.
COMPARED = (*FIGURES, "model", "price_state", "price_reason")
ADJUSTED_FROM = 1 << 63  # versions of adjusted rows are above those of all attempts


@dataclass(frozen=True)
class Reason:
    """Who reprices, and why."""

    who: str
    why: str


@dataclass(frozen=True)
class Change:
    """What repricing changes for attempts of one model and pair of price states; USD, None if nothing is known."""

    model: str
    old_state: str
    new_state: str
    attempts: int
    old_cost: Decimal | None
    new_cost: Decimal | None

    def as_json(self) -> dict[str, Any]:
        """Put it in JSON's types; money is exact decimal text."""
        costs = {"old_cost": self.old_cost, "new_cost": self.new_cost}
        return {**vars(self), **{name: None if cost is None else format(cost, "f") for name, cost in costs.items()}}


def changes(client: Client, period: Period, route: str = "", model: str = "") -> list[Change]:
    """Say what `reprice` would change, and change nothing."""
    found: dict[tuple[str, str, str], Change] = {}
    for hours in _slices(client, period):
        sql = (
            "SELECT new_model, old_price_state, new_price_state, count(), sum(old_list_cost), sum(new_list_cost) "  # noqa: S608
            f"FROM ({_differing(client)}) GROUP BY ALL"
        )
        for row in _ask(client, sql, _asked(period, hours, route, model)):
            change = Change(*row)
            key = (change.model, change.old_state, change.new_state)
            found[key] = _sum(found[key], change) if key in found else change
    return sorted(found.values(), key=lambda change: (-change.attempts, change.model, change.old_state))


def reprice(client: Client, period: Period, reason: Reason, route: str = "", model: str = "") -> int:
    """Write what differs into `adjustments`, then into the ledger; return how many attempts that were.

    It may be cut anywhere and repeated: what is written already no longer differs.

    Raises:
        QueryError: ClickHouse refused a statement.
    """
    run = str(uuid4())
    columns = ", ".join(f"{when}_{name}" for when in ("old", "new") for name in (*FIGURES, *WORDS))
    for hours in _slices(client, period):
        asked = _asked(period, hours, route, model)
        said = {"run": run, "who": reason.who, "why": reason.why, "now": datetime.now(UTC)}
        _ask(
            client,
            f"INSERT INTO adjustments (started_at, trace_id, span_id, adjusted_at, run, who, why, {columns}) "  # noqa: S608
            "SELECT started_at, trace_id, span_id, {now:DateTime64(6, 'UTC')}, {run:String}, {who:String}, "
            f"{{why:String}}, {columns} FROM ({_differing(client)})",
            {**asked, **said},
        )
        _ask(client, _applying(), {"run": run, "hours": hours})
    ((adjusted,),) = _ask(client, "SELECT count() FROM adjustments WHERE run = {run:String}", {"run": run})
    return int(adjusted)


def reprice_as_asked(client: Client, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out `farebox reprice`: of a period, by `who` and `why`; tell the changes and bring the rollups in step."""
    period = Period(datetime.fromisoformat(asked["since"]), datetime.fromisoformat(asked["until"]))
    found = changes(client, period, asked["route"], asked["model"])
    if found:
        reprice(client, period, Reason(asked["who"], asked["why"]), asked["route"], asked["model"])
        refresh_all(client)
    return {"changes": [each.as_json() for each in found]}


def _differing(client: Client) -> str:
    """Select the attempts of some hours whose price is another now, with old and new figures."""
    attempts = (
        f"SELECT {', '.join(formula_columns(client))} FROM llm_attempts "  # noqa: S608
        "WHERE toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))})"
    )
    figures = ", ".join(f"{when}.{name} AS {when}_{name}" for when in ("old", "new") for name in (*FIGURES, *WORDS))
    differs = " OR ".join(f"old.{name} IS DISTINCT FROM new.{name}" for name in COMPARED)
    return (
        f"SELECT old.started_at AS started_at, old.trace_id AS trace_id, old.span_id AS span_id, {figures} "  # noqa: S608
        f"FROM llm_attempts AS old INNER JOIN ({priced(client, attempts)}) AS new "
        "ON old.trace_id = new.trace_id AND old.span_id = new.span_id "
        "WHERE toStartOfHour(old.started_at) IN ({hours:Array(DateTime('UTC'))}) "
        "AND old.started_at >= {since:DateTime64(6, 'UTC')} AND old.started_at < {until:DateTime64(6, 'UTC')} "
        "AND ({route:String} = '' OR old.route = {route:String}) "
        f"AND ({{model:String}} = '' OR old.model = {{model:String}} OR new.model = {{model:String}}) AND ({differs})"
    )


def _applying() -> str:
    """Write the rows of a run's attempts anew, with the new figures and a version above all others."""
    figures = ", ".join(f"adjusted.new_{name} AS {name}" for name in (*FIGURES, *WORDS))
    return (
        f"INSERT INTO stored_attempts SELECT stored.* REPLACE ({figures}, "  # noqa: S608
        f"bitOr(generateSnowflakeID(), {ADJUSTED_FROM}) AS version) "
        "FROM stored_attempts AS stored FINAL INNER JOIN (SELECT * FROM adjustments WHERE run = {run:String} "
        "AND toStartOfHour(started_at) IN ({hours:Array(DateTime('UTC'))})) AS adjusted "
        "ON stored.trace_id = adjusted.trace_id AND stored.span_id = adjusted.span_id "
        "AND stored.started_at = adjusted.started_at "
        "WHERE toStartOfHour(stored.started_at) IN ({hours:Array(DateTime('UTC'))})"
    )


def _slices(client: Client, period: Period) -> Iterator[list[datetime]]:
    """Put hours of the period together as long as they hold few attempts."""
    rows = client.query(
        "SELECT toStartOfHour(started_at) AS hour, count() FROM stored_attempts "
        "WHERE started_at >= {since:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')} "
        "GROUP BY hour ORDER BY hour",
        {"since": period.since, "until": period.until},
    ).result_rows
    return portions(rows, ATTEMPTS_MAX)


def _asked(period: Period, hours: list[datetime], route: str, model: str) -> dict[str, Any]:
    return {"since": period.since, "until": period.until, "hours": hours, "route": route, "model": model}


def _sum(one: Change, other: Change) -> Change:
    return Change(
        one.model,
        one.old_state,
        one.new_state,
        one.attempts + other.attempts,
        _plus(one.old_cost, other.old_cost),
        _plus(one.new_cost, other.new_cost),
    )


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one if other is None else one + other


def _ask(client: Client, sql: str, parameters: dict[str, Any]) -> Sequence[Sequence[Any]]:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    try:
        if sql.startswith("INSERT"):
            client.command(sql, parameters)
            return ()
        return client.query(sql, parameters).result_rows
    except ClickHouseError as error:
        raise QueryError(f"repricing failed: {clickhouse_words(error)}; mend the cause and run it again") from error
