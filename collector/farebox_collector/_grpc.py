"""OTLP over gRPC: the same intake as OTLP/HTTP, with gRPC's statuses.

Source: opentelemetry.io/docs/specs/otlp, section OTLP/gRPC, read 2026-11-23.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

from farebox_collector._decode import LOGS, TRACES, Body
from farebox_collector._intake import Intake, reasons_in_words
from farebox_collector._otlp import Encoding, encode, logs_response, traces_response
from farebox_collector.errors import CollectorError, PortTakenError, RequestError

if TYPE_CHECKING:
    from farebox_collector._tokens import Gate

__all__ = ["GrpcServer", "check_free", "is_installed"]

MISSING = "OTLP/gRPC needs grpcio; run: pip install 'farebox[grpc]', or leave --grpc-port away"
CALLS_MAX = 1024
METADATA_BYTES_MAX = 16 * 1024
FINISH_S_MAX = 3.0
SERVICE = "opentelemetry.proto.collector.{}.v1.{}Service"

Handle = Callable[[bytes, frozenset[str]], Awaitable[bytes]]


def is_installed() -> bool:
    """Say whether the extra is there."""
    try:
        import grpc.aio  # noqa: F401
    except ImportError:
        return False
    return True


class GrpcServer:
    """A gRPC server on a port; it must be started and stopped on the event loop that it answers on."""

    def __init__(
        self, intake: Intake, host: str, port: int, gate: Gate | None = None, tls: tuple[bytes, bytes] | None = None
    ) -> None:
        """Prepare one; `gate` checks tokens, `tls` is a certificate chain and its key, in PEM.

        Raises:
            CollectorError: grpcio is not installed.
        """
        if not is_installed():
            raise CollectorError(MISSING)
        self.host = host
        self.port = port
        self.started = False
        self._intake = intake
        self._gate = gate
        self._tls = tls
        self._server: Any = None

    async def start(self) -> None:
        """Listen.

        Raises:
            CollectorError: the port cannot be used.
        """
        import grpc

        self._server = grpc.aio.server(
            maximum_concurrent_rpcs=CALLS_MAX,
            options=[
                ("grpc.max_receive_message_length", self._intake.body_bytes_max),
                ("grpc.max_metadata_size", METADATA_BYTES_MAX),
                ("grpc.so_reuseport", 0),
            ],
        )
        self._server.add_generic_rpc_handlers(
            tuple(
                self._service(signal, name, handle)
                for signal, name, handle in (
                    ("trace", "Trace", self._traces),
                    ("logs", "Logs", self._logs),
                    ("metrics", "Metrics", self._metrics),
                )
            )
        )
        address = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        try:
            if self._tls is None:
                self.port = self._server.add_insecure_port(address)
            else:
                chain, key = self._tls
                self.port = self._server.add_secure_port(address, grpc.ssl_server_credentials([(key, chain)]))
        except RuntimeError as error:
            raise CollectorError(f"port {self.port} cannot be used for OTLP/gRPC ({error}); choose another") from None
        await self._server.start()
        self.started = True

    async def stop(self) -> None:
        """Take no more calls and answer those in work."""
        if self._server is not None:
            await self._server.stop(FINISH_S_MAX)

    def _service(self, signal: str, name: str, handle: Handle) -> Any:
        import grpc

        # Without a deserializer the body arrives as it was sent, which is what the journal keeps.
        method = grpc.unary_unary_rpc_method_handler(self._answer("traces" if signal == "trace" else signal, handle))
        return grpc.method_handlers_generic_handler(SERVICE.format(signal, name), {"Export": method})

    def _answer(self, signal: str, handle: Handle) -> Callable[[bytes, Any], Awaitable[bytes]]:
        """Wrap a signal's handler: check the token, count it, and turn errors into gRPC's statuses."""
        counts = self._intake.counts

        async def answer(content: bytes, context: Any) -> bytes:
            counts.add(f"requests_{signal}")
            began = time.monotonic()
            try:
                services = self._services(context)
                response = await handle(content, services)
                counts.took("request_ms", (time.monotonic() - began) * 1000)
                return response
            except RequestError as error:
                counts.add(f"responses_{error.status}")
                await _abort(context, error)
            raise AssertionError  # abort raises

        return answer

    def _services(self, context: Any) -> frozenset[str]:
        if self._gate is None:
            return frozenset()
        shown = dict(context.invocation_metadata() or ()).get("authorization", "")
        return self._gate.services(shown if isinstance(shown, str) else "")

    async def _traces(self, content: bytes, services: frozenset[str]) -> bytes:
        with self._intake.budget.claim() as claim:
            claim.take(len(content))
            reasons = await self._intake.keep(Body(TRACES, Encoding.PROTOBUF, "", content), claim, services)
        return encode(traces_response(reasons.total(), reasons_in_words(reasons, "spans")), Encoding.PROTOBUF)

    async def _logs(self, content: bytes, services: frozenset[str]) -> bytes:
        with self._intake.budget.claim() as claim:
            claim.take(len(content))
            reasons = await self._intake.keep(Body(LOGS, Encoding.PROTOBUF, "", content), claim, services)
        return encode(logs_response(reasons.total(), reasons_in_words(reasons, "log records")), Encoding.PROTOBUF)

    async def _metrics(self, content: bytes, _: frozenset[str]) -> bytes:
        with self._intake.budget.claim() as claim:
            claim.take(len(content))
            await self._intake.count_metrics(content, Encoding.PROTOBUF)
        return encode(ExportMetricsServiceResponse(), Encoding.PROTOBUF)


def check_free(host: str, port: int) -> None:
    """Find out whether a port can be had, before the ledger is opened; gRPC binds it itself later.

    Raises:
        PortTakenError: another process listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise PortTakenError(
                f"port {port} is taken, perhaps by another `farebox up`; stop that, or choose another with --grpc-port"
            ) from None


async def _abort(context: Any, error: RequestError) -> None:
    """End a call with a status, and where it pays to come back, with when."""
    import grpc

    details = []
    if error.retry_after_s is not None:
        wrapped = AnyMessage()
        wrapped.Pack(RetryInfo(retry_delay=Duration(seconds=error.retry_after_s)))
        details.append(wrapped)
    status = Status(code=error.grpc_code, message=str(error), details=details)
    codes = {code.value[0]: code for code in grpc.StatusCode}
    trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(codes[error.grpc_code], str(error), trailing)
