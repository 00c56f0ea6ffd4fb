"""The OTLP/HTTP endpoint: traces and farebox's own logs are answered once they are on the disk, the rest is counted.

Source: opentelemetry.io/docs/specs/otlp, section OTLP/HTTP, read 2026-11-22.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from farebox_collector._bodies import Claim, read_body
from farebox_collector._decode import LOGS, TRACES, Body
from farebox_collector._intake import EVERY_SERVICE, Intake, reasons_in_words
from farebox_collector._otlp import Encoding, encode, error_body, logs_response, traces_response
from farebox_collector._tokens import Gate
from farebox_collector._watch import prometheus_text
from farebox_collector.errors import RequestError, UnauthorizedError, UnsupportedError

__all__ = ["Receiver", "gated"]

UNFORESEEN = 13  # google.rpc.Code INTERNAL
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
# What checks for itself whether a token is shown.
OPEN = frozenset({"/v1/traces", "/v1/metrics", "/v1/logs", "/healthz", "/readyz"})
GRPC_CODES = {404: 5, 405: 12}

Handler = Callable[[Request], Awaitable[Response]]
Handle = Callable[[Request, Encoding, Claim, frozenset[str]], Awaitable[bytes]]


class Receiver:
    """Takes OTLP requests, and answers once the intake has kept what they hold."""

    def __init__(self, intake: Intake, gate: Gate | None = None) -> None:
        """Make one; with a gate, nothing but the bare state of health is had without a token."""
        self._intake = intake
        self._counts = intake.counts
        self._gate = gate

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

    async def _traces(self, request: Request, encoding: Encoding, claim: Claim, services: frozenset[str]) -> bytes:
        reasons = await self._intake.keep(await self._body(TRACES, request, encoding, claim), claim, services)
        return encode(traces_response(reasons.total(), reasons_in_words(reasons, "spans")), encoding)

    async def _logs(self, request: Request, encoding: Encoding, claim: Claim, services: frozenset[str]) -> bytes:
        reasons = await self._intake.keep(await self._body(LOGS, request, encoding, claim), claim, services)
        return encode(logs_response(reasons.total(), reasons_in_words(reasons, "log records")), encoding)

    async def _metrics(self, request: Request, encoding: Encoding, claim: Claim, _: frozenset[str]) -> bytes:
        content = await read_body(request, claim, self._intake.body_bytes_max)
        await self._intake.count_metrics(content, encoding, request.headers.get("content-encoding", ""))
        return encode(ExportMetricsServiceResponse(), encoding)

    async def _body(self, table: str, request: Request, encoding: Encoding, claim: Claim) -> Body:
        content = await read_body(request, claim, self._intake.body_bytes_max)
        compression = request.headers.get("content-encoding", "").strip().lower()
        return Body(table, encoding, "" if compression == "identity" else compression, content)

    def _services(self, request: Request) -> frozenset[str]:
        """Return the services that the sender speaks for, none named meaning all.

        Raises:
            UnauthorizedError: a token is needed and not shown.
        """
        return EVERY_SERVICE if self._gate is None else self._gate.services(request.headers.get("authorization", ""))

    def _answer(self, signal: str, handle: Handle) -> Handler:
        """Wrap a signal's handler: check the token, count it, and turn errors into OTLP's own answers."""

        async def answer(request: Request) -> Response:
            self._counts.add(f"requests_{signal}")
            encoding = Encoding.PROTOBUF
            began = time.monotonic()
            try:
                services = self._services(request)
                encoding = Encoding.of(request.headers.get("content-type", ""))
                with self._intake.budget.claim() as claim:
                    body = await handle(request, encoding, claim, services)
                self._counts.took("request_ms", (time.monotonic() - began) * 1000)
                return Response(body, media_type=encoding.value)
            except RequestError as error:
                self._counts.add(f"responses_{error.status}")
                return _refusal(error, encoding)

        return answer

    async def _health(self, request: Request) -> Response:
        """Answer 200 while the process lives; who may see it gets all counts, and what the journal holds."""
        if not self._is_known(request):
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "ok", "counts": self._counts.all(), "gauges": self._intake.gauges()})

    async def _numbers(self, _: Request) -> Response:
        """Give all counts and measures to Prometheus."""
        gauges = {**self._intake.gauges(), "ready": float(self._intake.failure() is None)}
        return Response(prometheus_text(self._counts, gauges), media_type=PROMETHEUS)

    async def _ready(self, request: Request) -> Response:
        """Answer 200 while what comes can be written and stored, else 503 with the reason."""
        failure = self._intake.failure()
        if failure is None:
            return JSONResponse({"status": "ready"})
        reason = {"reason": failure} if self._is_known(request) else {}
        return JSONResponse({"status": "failing", **reason}, status_code=503)

    def _is_known(self, request: Request) -> bool:
        try:
            self._services(request)
        except UnauthorizedError:
            return False
        return True

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


def gated(app: ASGIApp, gate: Gate) -> ASGIApp:
    """Ask for a token whatever is asked for, but for health, and for exports, which answer in OTLP's own way."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN:
            try:
                gate.services(Request(scope).headers.get("authorization", ""))
            except UnauthorizedError as error:
                await _refusal(error, Encoding.PROTOBUF)(scope, receive, send)
                return
        await app(scope, receive, send)

    return checked


def _refusal(error: RequestError, encoding: Encoding) -> Response:
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="farebox"'
    if error.status == 408:
        headers["Connection"] = "close"
    return Response(error_body(error.grpc_code, str(error), encoding), error.status, headers, encoding.value)


def _encoding_or_default(request: Request) -> Encoding:
    try:
        return Encoding.of(request.headers.get("content-type", ""))
    except UnsupportedError:
        return Encoding.PROTOBUF
