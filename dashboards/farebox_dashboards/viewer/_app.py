"""The viewer's application: the page, and what the page asks of the ledger.

GET  /  /d/{uid}  /live  /call/…   the page
GET  /api/dashboards               the list of dashboards
GET  /api/dashboards/{uid}         one dashboard, without its SQL
POST /api/panel                    the data of a panel, as Grafana's data frames
POST /api/sql                      the statements of a panel, as they are asked
POST /api/variable                 the values of a variable
POST /api/annotations              the marks of a dashboard
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from importlib.metadata import version
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from farebox_dashboards._macros import expand
from farebox_dashboards.errors import MacroError
from farebox_dashboards.viewer._answers import ROWS_MAX, Answers, Ask, kept_s
from farebox_dashboards.viewer._boards import Board, Boards
from farebox_dashboards.viewer._bundle import read_bundle
from farebox_dashboards.viewer._calls import one_call, read_moment, the_latest
from farebox_dashboards.viewer._counts import Keep
from farebox_dashboards.viewer._frames import Table, frame
from farebox_dashboards.viewer._guard import Access, Guard
from farebox_dashboards.viewer._requests import Asked, read_asked
from farebox_dashboards.viewer.errors import AnswerError, MalformedError, ViewerError

__all__ = ["Ask", "serve"]

PAGES = ("/", "/d/{uid}", "/live", "/call/{trace}/{call}")
# The page has one ledger; dashboards have a variable for it, since in Grafana they may have several.
DATASOURCE = "farebox"
CUT = f"Only the first {ROWS_MAX:,} rows are shown."


def serve(ask: Ask, token: str = "", keep: Keep | None = None) -> ASGIApp:
    """Make the ASGI application over a ledger that `ask` reaches; with a token, whoever shows it may look.

    keep: makes tables of what several questions are about; without it each question counts for itself.
    """
    return Guard(_Viewer(ask, keep).app(), Access(token))


class _Viewer:
    """Answers the page's requests."""

    def __init__(self, ask: Ask, keep: Keep | None) -> None:
        from farebox_dashboards import DASHBOARDS

        self._answers = Answers(ask, keep)
        self._boards = Boards(DASHBOARDS)
        self._bundle = read_bundle()

    def app(self) -> Starlette:
        """Lay out the routes."""
        routes = [
            *(Route(path, self._page) for path in PAGES),
            Route("/api/dashboards", self._list),
            Route("/api/dashboards/{uid}", self._dashboard),
            Route("/api/panel", self._panel, methods=["POST"]),
            Route("/api/sql", self._sql, methods=["POST"]),
            Route("/api/variable", self._variable, methods=["POST"]),
            Route("/api/annotations", self._annotations, methods=["POST"]),
            Route("/api/calls", self._calls),
            Route("/api/calls/{trace}/{call}", self._call),
            Route("/{name:path}", self._file),
        ]
        return Starlette(routes=routes, exception_handlers={ViewerError: _answer_error, Exception: _answer_failure})

    async def _page(self, request: Request) -> Response:
        return self._bundle.index(request)

    async def _file(self, request: Request) -> Response:
        answer = self._bundle.answer(request, request.path_params["name"])
        if answer is None and "text/html" in request.headers.get("accept", ""):
            answer = self._bundle.index(request)
            if answer.status_code == 200:  # else the browser has it still, with its 404
                answer.status_code = 404  # the page says so, with ways on
        if answer is None:
            raise HTTPException(404, "there is nothing here")
        return answer

    async def _list(self, _: Request) -> Response:
        return JSONResponse({"dashboards": self._boards.listed(), "version": version("farebox")})

    async def _dashboard(self, request: Request) -> Response:
        return JSONResponse(self._boards[request.path_params["uid"]].shown)

    async def _panel(self, request: Request) -> Response:
        asked = await read_asked(request)
        return await _unless_left(request, self._panel_data(asked))

    async def _panel_data(self, asked: Asked) -> Response:
        frames: list[dict[str, Any]] = []
        notices: list[str] = []
        age_s = 0.0
        for target in self._boards[asked.dashboard].targets(asked.panel):
            table = await self._table(target.sql, asked)
            age_s = max(age_s, time.monotonic() - table.asked_at + table.older_s)
            frames.append(frame(table, target.ref_id, is_series=target.is_series))
            notices += [each for each in (*table.notes, *([CUT] if table.cut else [])) if each not in notices]
        return JSONResponse({"frames": frames, "notices": notices, "age_s": round(age_s)})

    async def _table(self, sql: str, asked: Asked) -> Table:
        length_ms = asked.period.until_ms - asked.period.since_ms
        like = (sql, repr(sorted(asked.values.items())), length_ms, asked.period.interval_ms)
        expanded = self._expanded(sql, asked)
        return await self._answers.table(expanded, kept_s=kept_s(length_ms / 1000), like=like, waits=asked.waits)

    async def _sql(self, request: Request) -> Response:
        asked = await read_asked(request)
        targets = self._boards[asked.dashboard].targets(asked.panel)
        told = [{"refId": each.ref_id, "sql": self._expanded(each.sql, asked)} for each in targets]
        return JSONResponse({"targets": told})

    async def _variable(self, request: Request) -> Response:
        asked = await read_asked(request)
        sql = self._boards[asked.dashboard].variable(asked.variable)
        table = await self._table(sql, asked)
        options = [{"value": str(row[0]), "text": str(row[-1])} for row in table.rows if row[0] is not None]
        return JSONResponse({"options": options, "notices": [CUT] if table.cut else []})

    async def _annotations(self, request: Request) -> Response:
        asked = await read_asked(request)
        board = self._boards[asked.dashboard]
        marks: list[dict[str, Any]] = []
        for name, sql in board.annotations.items():
            table = await self._table(sql, asked)
            marks += [{"name": name, **record} for record in table.records()]
        return JSONResponse({"annotations": marks})

    async def _calls(self, _: Request) -> Response:
        return JSONResponse({"calls": await the_latest(self._answers)})

    async def _call(self, request: Request) -> Response:
        named = request.path_params
        moment = read_moment(request.query_params.get("at", ""))
        return JSONResponse({"attempts": await one_call(self._answers, named["trace"], named["call"], moment)})

    def _expanded(self, sql: str, asked: Asked) -> str:
        board: Board = self._boards[asked.dashboard]
        strange = sorted(set(asked.values) - board.names)
        if strange:
            raise MalformedError(f"the dashboard {board.uid} has no variable {strange[0][:100]}")
        try:
            return expand(sql, {**asked.values, "datasource": DATASOURCE}, asked.period)
        except MacroError as error:
            raise MalformedError(str(error)) from None


async def _unless_left(request: Request, answering: Coroutine[None, None, Response]) -> Response:
    """Answer, unless the browser goes away first: a page that is left or asks anew leaves no work behind."""
    answer, gone = asyncio.create_task(answering), asyncio.create_task(_gone(request))
    await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if not answer.done():
        answer.cancel()
        return Response(status_code=204)  # nobody reads it
    return await answer


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _answer_error(_: Request, error: Exception) -> Response:
    """Tell the page what is wrong, and of a refused statement what it was."""
    assert isinstance(error, ViewerError)
    told = {"error": str(error)}
    if isinstance(error, AnswerError):
        told["sql"] = error.sql
    return JSONResponse(told, error.status)


async def _answer_failure(_: Request, __: Exception) -> Response:
    """Own up to a fault of ours; the server logs it."""
    return JSONResponse({"error": "the viewer failed; the log of `farebox up` says why"}, 500)
