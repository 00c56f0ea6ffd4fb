"""Says to applications what is spent of each budget: GET /v1/budgets, beside OTLP, where they send their spans anyway.

One question is asked of the ledger at a time, and its answer serves everybody for ANSWER_S.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from farebox_ledger import LedgerError, Store, run_query

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["Budgets"]

ANSWER_S = 1.0


class Budgets:
    """Answers with the budgets that hold, and what is spent of each."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._client: Client | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="farebox-budgets")
        self._answer: JSONResponse | None = None
        self._asked_at = 0.0

    def route(self) -> Route:
        """Make the route to serve."""
        return Route("/v1/budgets", self._get, methods=["GET"])

    def close(self) -> None:
        """Take no more questions, and let go of the store."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    async def _get(self, _: Request) -> JSONResponse:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._fresh)
        except LedgerError as error:
            return JSONResponse({"error": str(error)}, 503)
        except RuntimeError:  # of the executor, once it is shut down
            return JSONResponse({"error": "`farebox up` is stopping"}, 503)

    def _fresh(self) -> JSONResponse:
        if self._answer is None or time.monotonic() - self._asked_at > ANSWER_S:
            if self._client is None:
                self._client = self._store.new_client()
            self._answer = JSONResponse({"budgets": run_query(self._client, "budget/totals")})
            self._asked_at = time.monotonic()
        return self._answer
