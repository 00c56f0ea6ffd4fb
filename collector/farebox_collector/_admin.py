"""Carries out for other commands what changes the ledger, while this process holds it: POST /admin/<action>.

On a port of its own, on loopback, for whoever can read the secret that lies in the ledger's folder.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from farebox.errors import FareboxError
from farebox_collector._bodies import Budget, read_body
from farebox_collector._counts import Counts
from farebox_collector.errors import BusyError, RequestError
from farebox_ledger import Store, carry_out

__all__ = ["Admin"]

BODY_BYTES_MAX = 64 * 1024 * 1024
WAITING_MAX = 8
SETTLED_S_MAX = 10.0  # an action works on all that was acknowledged before it, unless that takes longer
STOPPING = "`farebox up` is stopping; repeat the command once it has"

_log = logging.getLogger("farebox.collector")


class Admin:
    """Takes actions with the right token and carries them out one after the other, on a thread of its own."""

    def __init__(
        self, store: Store, token: str, counts: Counts, settled: Callable[[], Future[None]] | None = None
    ) -> None:
        """Make one; `settled` gives a future that resolves once what is acknowledged by now is in the ledger."""
        self._store = store
        self._token = token
        self._counts = counts
        self._settled = settled
        self._budget = Budget(2 * BODY_BYTES_MAX)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="farebox-admin")
        self._in_work: set[Future[dict[str, Any]]] = set()

    def app(self) -> Starlette:
        """Make the application to serve."""
        return Starlette(routes=[Route("/admin/{action}", self._answer, methods=["POST"])])

    def close(self, timeout_s: float) -> bool:
        """Take nothing more; False when an action was still in work after the time given."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        return not wait(self._in_work, timeout_s).not_done

    async def _answer(self, request: Request) -> JSONResponse:
        # Compared first: who has no token learns nothing else, and no body is read.
        shown = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(shown, f"Bearer {self._token}".encode("latin-1")):
            self._counts.add("actions_refused")
            return _error(401, "the token is not the one in the ledger's folder; `farebox up` makes one at each start")
        try:
            with self._budget.claim() as claim:
                asked = json.loads(await read_body(request, claim, BODY_BYTES_MAX))
            if not isinstance(asked, dict):
                raise ValueError("not an object")
        except RequestError as error:
            return _error(error.status, str(error))
        except ValueError as error:
            return _error(400, f"the body is not a JSON object: {error}")
        name = request.path_params["action"]
        self._counts.add("actions")
        try:
            return JSONResponse(await self._hand_over(name, asked))
        except RequestError as error:
            return _error(error.status, str(error))
        except FareboxError as error:
            return _error(400, str(error))
        except Exception:  # noqa: BLE001 -- whoever asked gets an answer
            _log.exception("The action %s failed in an unforeseen way", name)
            return _error(500, f"the action {name} failed in an unforeseen way; what `farebox up` wrote says more")

    async def _hand_over(self, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Wait for an action's turn and its end; whoever goes away leaves it to its end all the same.

        Raises:
            BusyError: too many wait, or this process is stopping.
        """
        if len(self._in_work) >= WAITING_MAX:
            raise BusyError(f"{WAITING_MAX} actions wait already; come back when they are done")
        try:
            work = self._thread.submit(self._carry_out, name, asked)
        except RuntimeError:
            raise BusyError(STOPPING) from None
        self._in_work.add(work)
        work.add_done_callback(self._in_work.discard)
        await asyncio.wait([asyncio.wrap_future(work)])
        if work.cancelled():
            raise BusyError(STOPPING)
        return work.result()

    def _carry_out(self, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        if self._settled is not None:
            wait([self._settled()], SETTLED_S_MAX)
        with self._store.new_client() as client:
            return carry_out(client, name, asked)


def _error(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status)
