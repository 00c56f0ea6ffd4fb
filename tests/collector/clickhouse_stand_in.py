"""A ClickHouse server for tests where there is none: ClickHouse's HTTP interface, writing too, over an embedded one.

    python -m collector.clickhouse_stand_in FOLDER PORT

It speaks as much of the protocol as clickhouse-connect uses. What it proves is the road to a server and its outages; a
real server has more to it (users, limits, replicas).
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import chdb
import clickhouse_connect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from farebox_collector._endpoint import PROTOCOL, _failure, _form
from farebox_collector._http import Server, listen
from farebox_collector._reader import _empty_block

INSERT = re.compile(r"INSERT INTO (\S+?)\s*(?:\(([^)]*)\))?\s+FORMAT (\w+)\s*", re.DOTALL)
COMMON = {"X-ClickHouse-Server-Display-Name": "stand-in", "X-ClickHouse-Timezone": "UTC"}


def serve(folder: Path, port: int) -> None:
    """Serve until the process is killed."""
    keeper = chdb.connect(str(folder))  # type: ignore[no-untyped-call]
    asyncio.run(Server(app(str(folder)), listen(port, "PORT")).run_until_stopped())
    keeper.close()


def app(folder: str) -> Starlette:
    """Make the application."""

    async def ping(_: Request) -> Response:
        return PlainTextResponse("Ok.\n", headers=COMMON)

    async def ask(request: Request) -> Response:
        body = await request.body()
        values = dict(request.query_params)
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            values |= _form(request.headers["content-type"], body)
            body = b""
        try:
            content = await asyncio.to_thread(_answer, folder, values, body)
        except Exception as error:  # as ClickHouse does: its words, with a status
            return _failure(str(error), COMMON)
        return Response(content, headers={**COMMON, "X-ClickHouse-Summary": "{}"})

    return Starlette(routes=[Route("/", ask, methods=["GET", "POST"]), Route("/ping", ping)])


def _answer(folder: str, values: dict[str, str], body: bytes) -> bytes:
    settings = {name: value for name, value in values.items() if name not in PROTOCOL and not name.startswith("param_")}
    insert = INSERT.fullmatch(values.get("query", "")) or INSERT.match(
        body.partition(b"\n")[0].decode("utf-8", "replace") + "\n"
    )
    if insert:
        block = body if INSERT.fullmatch(values.get("query", "")) else body.partition(b"\n")[2]
        return _insert(folder, values.get("database"), insert, block, settings)
    sql = "\n".join(text for text in (values.get("query", ""), body.decode("utf-8", "replace")) if text)
    parameters = {name.removeprefix("param_"): value for name, value in values.items() if name.startswith("param_")}
    return _query(folder, values.get("database") or "default", sql, parameters, settings)


def _first_line(body: bytes) -> tuple[str, bytes]:
    statement, _, block = body.partition(b"\n")
    return statement.decode("utf-8", "replace"), block


def _insert(folder: str, database: str | None, insert: re.Match[str], block: bytes, settings: dict[str, str]) -> bytes:
    table, columns, form = insert.groups()
    names = [name.strip().strip("`") for name in columns.split(",")] if columns else None
    with clickhouse_connect.get_client(interface="chdb", path=folder, database=database) as client:
        client.raw_insert(table, names, block, settings, form)
    return b""


def _query(folder: str, database: str, sql: str, parameters: dict[str, str], settings: dict[str, str]) -> bytes:
    connection: Any = chdb.connect(f"{folder}?{urlencode({**settings, 'database': database})}")  # type: ignore[no-untyped-call]
    try:
        body: bytes = connection.query(sql, "TabSeparated", params=parameters).bytes() or b""
        if not body and "FORMAT Native" in sql:
            body = _empty_block(connection, sql.partition("FORMAT Native")[0], parameters)
        return body
    finally:
        connection.close()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
