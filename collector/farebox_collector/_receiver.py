"""The OTLP/HTTP endpoint: traces are answered once they are stored, metrics and logs are acknowledged and counted.

Source: opentelemetry.io/docs/specs/otlp, section OTLP/HTTP, read 2026-11-22.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from farebox_collector._bodies import Budget, Claim, decompress, read_body
from farebox_collector._counts import Counts
from farebox_collector._otlp import Encoding, encode, error_body, read_traces, traces_response
from farebox_collector._spans import rows_of
from farebox_collector._writer import Batch, Writer
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


@dataclass(frozen=True)
class Limits:
    """Most bytes of one body, compressed or not, and of all requests in work together."""

    body_bytes_max: int
    intake_bytes_max: int


@dataclass(frozen=True)
class _Decoded:
    """A request's rows, ready for the writer, and why some of its spans are not among them."""

    batch: Batch
    rejected: Counter[str]
    clocks_out_of_range: int


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
        decoded = await self._decode(request, encoding, claim)
        self._counts.add("spans_received", decoded.batch.rows.num_rows + decoded.rejected.total())
        self._counts.add("spans_rejected", decoded.rejected.total())
        self._counts.add("clocks_out_of_range", decoded.clocks_out_of_range)
        reasons = decoded.rejected
        if decoded.batch.rows.num_rows:
            claim.take(decoded.batch.rows.nbytes)
            self._writer.submit(decoded.batch)
            try:
                reasons = reasons + await asyncio.wrap_future(decoded.batch.settled)
            except StoreUnavailableError as error:
                raise BusyError(f"the store takes no spans now: {error}") from None
        return encode(traces_response(reasons.total(), _words(reasons)), encoding)

    async def _metrics(self, request: Request, encoding: Encoding, claim: Claim) -> bytes:
        await read_body(request, claim, self._body_bytes_max)
        return encode(ExportMetricsServiceResponse(), encoding)

    async def _logs(self, request: Request, encoding: Encoding, claim: Claim) -> bytes:
        await read_body(request, claim, self._body_bytes_max)
        return encode(ExportLogsServiceResponse(), encoding)

    async def _decode(self, request: Request, encoding: Encoding, claim: Claim) -> _Decoded:
        body = await read_body(request, claim, self._body_bytes_max)
        compression = request.headers.get("content-encoding", "")
        work = partial(_decode, body, compression, encoding, self._body_bytes_max)
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

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
        """Answer 200 while spans can be stored, else 503 with the reason."""
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


def _decode(body: bytes, compression: str, encoding: Encoding, bytes_max: int) -> _Decoded:
    """Turn a body into rows; runs on a worker, since a large body takes a while."""
    plain = decompress(body, compression, bytes_max)
    request = read_traces(plain, encoding)
    spans = sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
    if spans > SPANS_MAX:
        raise TooLargeError(f"the request has {spans} spans; the most is {SPANS_MAX}")
    rows = rows_of(request)
    batch = Batch(rows.table, blake2b(plain, digest_size=16).digest())
    return _Decoded(batch, rows.rejected, rows.clocks_out_of_range)


def _words(reasons: Counter[str]) -> str:
    """Say why spans were refused: the commonest reasons, each with its count."""
    return "; ".join(f"{number} spans: {reason}" for reason, number in reasons.most_common(REASONS_MAX))


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
