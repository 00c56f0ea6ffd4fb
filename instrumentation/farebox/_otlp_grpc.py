"""OTLP over gRPC, where OTEL_EXPORTER_OTLP_PROTOCOL asks for it; needs the extra `grpc`.

Sends the same bytes as over HTTP. Source: opentelemetry.io/docs/specs/otlp, "OTLP/gRPC response" and "failures", read
2026-11-23.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.context import attach, detach, set_value

from farebox._otlp_environment import certificates_in, headers_in, is_compressed, seconds_in, variable
from farebox._otlp_http import partial_success
from farebox._sender import Delivery

__all__ = ["OtlpGrpc"]

DEFAULT_ENDPOINT = "http://localhost:4317"
_SERVICES = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
# RESOURCE_EXHAUSTED too, where the collector says when to come back.
_RETRYABLE = frozenset({"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"})


class OtlpGrpc:
    """One channel to a collector."""

    def __init__(self, channel: Any, signal: str, *, headers: dict[str, str], timeout_s: float, compress: bool) -> None:
        import grpc

        self._channel, self._signal, self._timeout_s = channel, signal, timeout_s
        self._metadata = tuple((name.lower(), value) for name, value in headers.items())
        self._compression = grpc.Compression.Gzip if compress else grpc.Compression.NoCompression
        self._export = channel.unary_unary(_SERVICES[signal])

    @classmethod
    def from_environment(cls, signal: str = "traces") -> OtlpGrpc:
        """Build from OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT, HEADERS, TIMEOUT, COMPRESSION, CERTIFICATE and INSECURE.

        Raises:
            ModuleNotFoundError: grpcio is not installed; says how to install it.
        """
        try:
            import grpc
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                "OTEL_EXPORTER_OTLP_PROTOCOL=grpc needs grpcio: pip install 'farebox[grpc]', or use http/protobuf"
            ) from None
        endpoint = variable("ENDPOINT", signal) or DEFAULT_ENDPOINT
        parts = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
        insecure = (variable("INSECURE", signal) or "").lower() == "true"
        if parts.scheme == "http" or (not parts.scheme and insecure):
            channel = grpc.insecure_channel(parts.netloc)
        else:
            trusted, own, key = (Path(file).read_bytes() if file else None for file in certificates_in(signal))
            channel = grpc.secure_channel(parts.netloc, grpc.ssl_channel_credentials(trusted, key, own))
        return cls(
            channel,
            signal,
            headers=headers_in(signal),
            timeout_s=seconds_in(signal),
            compress=is_compressed(signal),
        )

    def send(self, body: bytes) -> Delivery:
        """Send one encoded request; a delivery that is not taken says whether to try again, and when."""
        import grpc

        token = attach(set_value("suppress_instrumentation", True))
        try:
            answer = self._export(body, timeout=self._timeout_s, metadata=self._metadata, compression=self._compression)
        except grpc.RpcError as error:
            status = error.code().name
            after_s = _retry_after(error)
            retry = status in _RETRYABLE or (status == "RESOURCE_EXHAUSTED" and after_s is not None)
            return Delivery(False, retry=retry, retry_after_s=after_s, reason=f"gRPC {status}: {error.details()}")
        finally:
            detach(token)
        rejected, reason = partial_success(answer, self._signal)
        return Delivery(True, rejected=rejected, reason=reason)

    def close(self) -> None:
        """Let go of the channel."""
        self._channel.close()


def _retry_after(error: Any) -> float | None:
    """Return the seconds of the RetryInfo that a status carries in its details."""
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status

    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            for detail in Status.FromString(value).details:
                info = RetryInfo()
                if detail.Unpack(info):
                    return float(info.retry_delay.ToTimedelta().total_seconds())
    return None
