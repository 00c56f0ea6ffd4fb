"""Ends what a file of the user's no longer has: an entry that is taken out of it holds until then, and no longer.

Nothing is removed or changed: a row is added that begins now, with what the user's files say of that key from now on,
or nothing. So the past stays priced as it was, also when it is priced anew. Only a file that was read ends its entries:
one that is gone, or lies in another folder, says nothing. Rows whose file is not known stay in force.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from farebox_ledger._book_rows import Row

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from farebox_ledger._book import _Table

__all__ = ["endings"]

VALID_FROM = "valid_from"
ENDED = "ended: "  # how the note of such a row begins


def endings(client: Client, table: _Table, rows: Sequence[Row], files: Collection[str], now: datetime) -> list[Row]:
    """Give the rows that end what `files` had and have no more; none while the table says what `rows` say.

    rows: all that the user's files say now. files: those that were read.
    """
    group = [column for column in table.key if column != VALID_FROM]
    wanted, held = defaultdict(list), defaultdict(list)
    for row in rows:
        wanted[tuple(row[column] for column in group)].append(row)
    for row in _held(client, table):
        held[tuple(row[column] for column in group)].append(row)
    moment = now.replace(microsecond=0)
    return [
        ending
        for key, stored in held.items()
        if any(row["from_file"] in files for row in stored)
        for ending in _of_group(table, stored, wanted.get(key, []), files, moment)
    ]


def _of_group(
    table: _Table, held: Sequence[Row], wanted: Sequence[Row], files: Collection[str], now: datetime
) -> Iterator[Row]:
    """Hold against each other what is stored of one key and what the files say, from now on."""
    said = {row.get(VALID_FROM) for row in wanted}
    later = [row for row in held if VALID_FROM in row and row[VALID_FROM] > now]
    for stored in [*_in_force(held, now), *later]:
        ours = stored["from_file"] in files or str(stored.get("note", "")).startswith(ENDED)
        if stored.get(VALID_FROM) in said or not ours:
            continue
        moment = max(now, stored[VALID_FROM]) if VALID_FROM in stored else now
        instead = next(_in_force(wanted, moment), None)
        if _worth(table, instead) != _worth(table, stored):
            yield _ending(table, stored, instead, moment, now)


def _in_force(rows: Sequence[Row], moment: datetime) -> Iterator[Row]:
    """Give the row that holds at a moment, if there is one."""
    begun = [row for row in rows if VALID_FROM not in row or row[VALID_FROM] <= moment]
    if begun:
        yield max(begun, key=lambda row: row.get(VALID_FROM, moment))


def _worth(table: _Table, row: Row | None) -> tuple[Any, ...]:
    """Say what a row comes to; nothing where it withdraws, or is not there."""
    value = row[table.value] if row else None
    return () if row is None or value is None else (value, row.get("currency"))


def _ending(table: _Table, stored: Row, instead: Row | None, moment: datetime, now: datetime) -> Row:
    row = {**(instead or {**stored, table.value: None}), "checked_on": max(now.date(), stored["checked_on"])}
    if VALID_FROM in stored:
        row[VALID_FROM] = moment
    if "note" in table.content:
        row["note"] = f"{ENDED}{stored['from_file'] or 'the file'} no longer has it"
    return row


def _held(client: Client, table: _Table) -> Iterator[Mapping[str, Any]]:
    """Read what the table holds of the user's, the latest row of each key."""
    rest = [*table.content, *table.beside, "from_file"]
    latest = ", ".join(f"argMax(tuple({column}), {table.latest}).1" for column in rest)
    key = ", ".join(table.key)
    found = client.query(f"SELECT {key}, {latest} FROM {table.name} WHERE {table.own} GROUP BY {key}")  # noqa: S608
    for row in found.result_rows:
        fields = dict(zip([*table.key, *rest], row, strict=True))
        if VALID_FROM in fields:
            fields[VALID_FROM] = fields[VALID_FROM].replace(tzinfo=UTC)
        yield fields
