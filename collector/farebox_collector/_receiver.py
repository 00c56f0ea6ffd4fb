"""The OTLP/HTTP endpoint: traces and farebox's own logs are answered once they are stored, the rest is counted.

Source: opentelemetry.io/docs/specs/otlp, section OTLP/HTTP, read 2026-11-22.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from farebox_collector._bodies import Budget, Claim, decompress, read_body
from farebox_collector._counts import Counts
from farebox_collector._logs import log_rows_of
from farebox_collector._otlp import (
    Encoding,
    encode,
    error_body,
    logs_response,
    read_logs,
    read_metrics,
    read_traces,
    traces_response,
)
from farebox_collector._spans import rows_of
from farebox_collector._writer import LOGS, Batch, Writer
from farebox_collector.errors import (
    BusyError,
    RequestError,
    StoreUnavailableError,
    TooLargeError,
    UnsupportedError,
)

__all__ = ["Limits", "Receiver"]

SPANS_MAX = 100_000
REASONS_MAX = 5
UNFORESEEN = 13  # google.rpc.Code INTERNAL
GRPC_CODES = {404: 5, 405: 12}

Handler = Callable[[Request], Awaitable[Response]]
Content = TypeVar("Content")


@dataclass(frozen=True)
class Limits:
    """Most bytes of one body, compressed or not, and of all requests in work together."""

    body_bytes_max: int
    intake_bytes_max: int


@dataclass(frozen=True)
class _Decoded:
    """A request's rows, ready for the writer, why some are not among them, and what is to be counted of it."""

    batch: Batch
    rejected: Counter[str]
    counts: dict[str, int]


class Receiver:
    """Takes OTLP requests, within a budget of bytes, and hands their rows to the writer."""

    def __init__(self, writer: Writer, workers: Executor, counts: Counts, limits: Limits) -> None:
        self._writer = writer
        self._workers = workers
        self._counts = counts
        self._body_bytes_max = limits.body_bytes_max
        self._budget = Budget(limits.intake_bytes_max)

    def app(self) -> Starlette:
        """Make the ASGI application."""
        return Starlette(
            routes=[
                Route("/v1/traces", self._answer("traces", self._traces), methods=["POST"]),
                Route("/v1/metrics", self._answer("metrics", self._metrics), methods=["POST"]),
                Route("/v1/logs", self._answer("logs", self._logs), methods=["POST"]),
                Route("/healthz", self._health),
                Route("/readyz", self._ready),
            ],
            exception_handlers={HTTPException: self._no_route, Exception: self._unforeseen},
        )

    async def _traces(self, request: Request, encoding: Encoding, claim: Claim) -> bytes:
        reasons = await self._store(await self._decode(_spans_in, request, encoding, claim), claim, "spans")
        return encode(traces_response(reasons.total(), _words(reasons, "spans")), encoding)

    async def _logs(self, request: Request, encoding: Encoding, claim: Claim) -> bytes:
        reasons = await self._store(await self._decode(_logs_in, request, encoding, claim), claim, "log records")
        return encode(logs_response(reasons.total(), _words(reasons, "log records")), encoding)

    async def _metrics(self, request: Request, encoding: Encoding, claim: Claim) -> bytes:
        self._counts.add("metrics_acknowledged", await self._decode(_metrics_in, request, encoding, claim))
        return encode(ExportMetricsServiceResponse(), encoding)

    async def _decode(
        self, understand: Callable[[bytes, Encoding], Content], request: Request, encoding: Encoding, claim: Claim
    ) -> Content:
        """Read a body and understand it on a worker, since a large one takes a while."""
        body = await read_body(request, claim, self._body_bytes_max)
        compression, bytes_max = request.headers.get("content-encoding", ""), self._body_bytes_max

        def work() -> Content:
            return understand(decompress(body, compression, bytes_max), encoding)

        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def _store(self, decoded: _Decoded, claim: Claim, what: str) -> Counter[str]:
        """Wait until the rows are in their table; returns why some were refused, here or by the store."""
        for name, number in decoded.counts.items():
            self._counts.add(name, number)
        if not decoded.batch.rows.num_rows:
            return decoded.rejected
        claim.take(decoded.batch.rows.nbytes)
        self._writer.submit(decoded.batch)
        try:
            return decoded.rejected + await asyncio.wrap_future(decoded.batch.settled)
        except StoreUnavailableError as error:
            raise BusyError(f"the store takes no {what} now: {error}") from None

    def _answer(self, signal: str, handle: Callable[[Request, Encoding, Claim], Awaitable[bytes]]) -> Handler:
        """Wrap a signal's handler: count it, and turn errors into OTLP's own answers."""

        async def answer(request: Request) -> Response:
            self._counts.add(f"requests_{signal}")
            encoding = Encoding.PROTOBUF
            try:
                encoding = Encoding.of(request.headers.get("content-type", ""))
                with self._budget.claim() as claim:
                    body = await handle(request, encoding, claim)
                return Response(body, media_type=encoding.value)
            except RequestError as error:
                self._counts.add(f"responses_{error.status}")
                return _refusal(error, encoding)

        return answer

    async def _health(self, _: Request) -> Response:
        """Answer 200 while the process lives, with all counts since its start."""
        return JSONResponse({"status": "ok", "counts": self._counts.all()})

    async def _ready(self, _: Request) -> Response:
        """Answer 200 while spans and logs can be stored, else 503 with the reason."""
        failure = self._writer.failure
        if failure is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "failing", "reason": failure}, status_code=503)

    async def _no_route(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        encoding = _encoding_or_default(request)
        self._counts.add(f"responses_{error.status_code}")
        body = error_body(
            GRPC_CODES.get(error.status_code, 3), f"{request.method} {request.url.path}: {error.detail}", encoding
        )
        return Response(body, error.status_code, error.headers, media_type=encoding.value)

    async def _unforeseen(self, request: Request, _: Exception) -> Response:
        self._counts.add("responses_500")
        encoding = _encoding_or_default(request)
        return Response(error_body(UNFORESEEN, "internal error", encoding), 500, media_type=encoding.value)


def _spans_in(body: bytes, encoding: Encoding) -> _Decoded:
    request = read_traces(body, encoding)
    spans = sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
    if spans > SPANS_MAX:
        raise TooLargeError(f"the request has {spans} spans; the most is {SPANS_MAX}")
    rows = rows_of(request)
    counts = {
        "spans_received": rows.table.num_rows + rows.rejected.total(),
        "spans_rejected": rows.rejected.total(),
        "clocks_out_of_range": rows.clocks_out_of_range,
    }
    return _Decoded(Batch(rows.table, _digest(body)), rows.rejected, counts)


def _logs_in(body: bytes, encoding: Encoding) -> _Decoded:
    request = read_logs(body, encoding)
    records = sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)
    if records > SPANS_MAX:
        raise TooLargeError(f"the request has {records} log records; the most is {SPANS_MAX}")
    rows = log_rows_of(request)
    counts = {
        "log_records_received": records,
        "log_records_rejected": rows.rejected.total(),
        "log_records_acknowledged": rows.others,
    }
    return _Decoded(Batch(rows.table, _digest(body), LOGS), rows.rejected, counts)


def _metrics_in(body: bytes, encoding: Encoding) -> int:
    request = read_metrics(body, encoding)
    return sum(len(scope.metrics) for resource in request.resource_metrics for scope in resource.scope_metrics)


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()


def _words(reasons: Counter[str], what: str) -> str:
    """Say why some were refused: the commonest reasons, each with its count."""
    return "; ".join(f"{number} {what}: {reason}" for reason, number in reasons.most_common(REASONS_MAX))


def _refusal(error: RequestError, encoding: Encoding) -> Response:
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    if error.status == 408:
        headers["Connection"] = "close"
    return Response(error_body(error.grpc_code, str(error), encoding), error.status, headers, encoding.value)


def _encoding_or_default(request: Request) -> Encoding:
    try:
        return Encoding.of(request.headers.get("content-type", ""))
    except UnsupportedError:
        return Encoding.PROTOBUF
