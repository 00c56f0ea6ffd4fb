"""The OTLP/HTTP endpoint: traces and farebox's own logs are answered once they are on the disk, the rest is counted.

Source: opentelemetry.io/docs/specs/otlp, section OTLP/HTTP, read 2026-11-22.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import blake2b

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from farebox_collector._bodies import Budget, Claim, decompress, read_body
from farebox_collector._counts import Counts
from farebox_collector._decode import LOGS, ROWS, TRACES, Body, count_metrics, decode
from farebox_collector._journal import Journal
from farebox_collector._otlp import Encoding, encode, error_body, logs_response, traces_response
from farebox_collector._segment import Record
from farebox_collector._watch import prometheus_text
from farebox_collector.errors import RequestError, UnsupportedError

__all__ = ["Limits", "Receiver"]

REASONS_MAX = 5
# Bodies whose answer may have got lost: one that comes again, byte for byte, is answered again and kept once.
ANSWERED_MAX = 20_000
UNFORESEEN = 13  # google.rpc.Code INTERNAL
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
GRPC_CODES = {404: 5, 405: 12}

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Limits:
    """Most bytes of one body, compressed or not, and of all requests in work together."""

    body_bytes_max: int
    intake_bytes_max: int


@dataclass(frozen=True)
class _Kept:
    """What is known of a body once it is in the journal: reasons of rejected spans, what to count, and its rows."""

    rejected: Counter[str]
    counts: dict[str, int]
    rows: int


class Receiver:
    """Takes OTLP requests, within a budget of bytes, and answers once the journal has them."""

    def __init__(
        self,
        journal: Journal,
        failure: Callable[[], str | None],
        workers: Executor,
        counts: Counts,
        limits: Limits,
    ) -> None:
        """Make one; `failure` says why nothing can be taken or stored now, None while all is well."""
        self._journal = journal
        self._failure = failure
        self._workers = workers
        self._counts = counts
        self._body_bytes_max = limits.body_bytes_max
        self._budget = Budget(limits.intake_bytes_max)
        self._answered: dict[bytes, asyncio.Future[_Kept]] = {}

    def app(self) -> Starlette:
        """Make the ASGI application."""
        return Starlette(
            routes=[
                Route("/v1/traces", self._answer("traces", self._traces), methods=["POST"]),
                Route("/v1/metrics", self._answer("metrics", self._metrics), methods=["POST"]),
                Route("/v1/logs", self._answer("logs", self._logs), methods=["POST"]),
                Route("/healthz", self._health),
                Route("/metrics", self._numbers),
                Route("/readyz", self._ready),
            ],
            exception_handlers={HTTPException: self._no_route, Exception: self._unforeseen},
        )

    async def _traces(self, request: Request, encoding: Encoding, claim: Claim) -> bytes:
        reasons = await self._keep(await self._body(TRACES, request, encoding, claim), claim)
        return encode(traces_response(reasons.total(), _words(reasons, "spans")), encoding)

    async def _logs(self, request: Request, encoding: Encoding, claim: Claim) -> bytes:
        reasons = await self._keep(await self._body(LOGS, request, encoding, claim), claim)
        return encode(logs_response(reasons.total(), _words(reasons, "log records")), encoding)

    async def _metrics(self, request: Request, encoding: Encoding, claim: Claim) -> bytes:
        content = await read_body(request, claim, self._body_bytes_max)
        compression, bytes_max = request.headers.get("content-encoding", ""), self._body_bytes_max

        def count() -> int:
            return count_metrics(decompress(content, compression, bytes_max), encoding)

        metrics = await asyncio.get_running_loop().run_in_executor(self._workers, count)
        self._counts.add("metrics_acknowledged", metrics)
        return encode(ExportMetricsServiceResponse(), encoding)

    async def _body(self, table: str, request: Request, encoding: Encoding, claim: Claim) -> Body:
        content = await read_body(request, claim, self._body_bytes_max)
        compression = request.headers.get("content-encoding", "").strip().lower()
        return Body(table, encoding, "" if compression == "identity" else compression, content)

    async def _keep(self, body: Body, claim: Claim) -> Counter[str]:
        """Return once a body is in the journal, with the reasons why some of it are not.

        One that is being written or was written is not written again: its sender did not get the answer.
        """
        kind = f"{body.table} {body.encoding.name} {body.compression}"[:64].encode()
        digest = blake2b(body.content, digest_size=16, key=kind).digest()
        repeated = False
        known = self._answered.get(digest)
        if known is None:
            known = self._answered[digest] = asyncio.ensure_future(self._write(body, claim))
            known.add_done_callback(lambda done: self._note(digest, done))
        else:
            self._counts.add("bodies_repeated")
            repeated = True
        # Shielded: whoever goes away does not undo what others, or a retry, wait for.
        began = time.monotonic()
        kept = await asyncio.shield(known)
        self._counts.took("acknowledge_ms", (time.monotonic() - began) * 1000)
        for name, number in kept.counts.items():
            self._counts.add(name, number)
        self._counts.add(f"{ROWS[body.table]}_duplicate", kept.rows if repeated else 0)
        return kept.rejected

    def _note(self, digest: bytes, done: asyncio.Future[_Kept]) -> None:
        """Remember a body that was written, and forget one that was not, or the oldest."""
        if done.cancelled() or done.exception() is not None:
            self._answered.pop(digest, None)
        elif len(self._answered) > ANSWERED_MAX:
            self._answered.pop(next(iter(self._answered)))

    async def _write(self, body: Body, claim: Claim) -> _Kept:
        # A large body takes a while to understand: that is a worker's task.
        decoded = await asyncio.get_running_loop().run_in_executor(self._workers, decode, body, self._body_bytes_max)
        if decoded.rows.num_rows:
            claim.take(decoded.rows.nbytes)
            written = self._journal.append(Record(body, time.time_ns()), decoded.rows)
            await asyncio.wrap_future(written)
        return _Kept(decoded.rejected, decoded.counts, decoded.rows.num_rows)

    def _answer(self, signal: str, handle: Callable[[Request, Encoding, Claim], Awaitable[bytes]]) -> Handler:
        """Wrap a signal's handler: count it, and turn errors into OTLP's own answers."""

        async def answer(request: Request) -> Response:
            self._counts.add(f"requests_{signal}")
            encoding = Encoding.PROTOBUF
            began = time.monotonic()
            try:
                encoding = Encoding.of(request.headers.get("content-type", ""))
                with self._budget.claim() as claim:
                    body = await handle(request, encoding, claim)
                self._counts.took("request_ms", (time.monotonic() - began) * 1000)
                return Response(body, media_type=encoding.value)
            except RequestError as error:
                self._counts.add(f"responses_{error.status}")
                return _refusal(error, encoding)

        return answer

    async def _health(self, _: Request) -> Response:
        """Answer 200 while the process lives, with all counts since its start and what the journal holds."""
        return JSONResponse({"status": "ok", "counts": self._counts.all(), "gauges": self._journal.gauges()})

    async def _numbers(self, _: Request) -> Response:
        """Give all counts and measures to Prometheus."""
        gauges = {**self._journal.gauges(), "ready": float(self._failure() is None)}
        return Response(prometheus_text(self._counts, gauges), media_type=PROMETHEUS)

    async def _ready(self, _: Request) -> Response:
        """Answer 200 while what comes can be written and stored, else 503 with the reason."""
        failure = self._failure()
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
