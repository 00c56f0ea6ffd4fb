"""OTLP over HTTP with protobuf, as the OTEL_EXPORTER_OTLP_* variables say, telling retryable answers from final ones.

Source: opentelemetry.io/docs/specs/otlp, "OTLP/HTTP response" and "failures", read 2026-11-20.
"""

from __future__ import annotations

import gzip
import os
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

import requests
from opentelemetry.context import attach, detach, set_value
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from farebox._otlp_environment import certificates_in, headers_in, is_compressed, seconds_in
from farebox._sender import Delivery

__all__ = ["OtlpHttp", "partial_success"]

DEFAULT_ENDPOINT = "http://localhost:4318"
RETRYABLE = frozenset({408, 429, 502, 503, 504})


class OtlpHttp:
    """One kept-alive connection to a collector."""

    def __init__(
        self,
        endpoint: str,
        *,
        headers: dict[str, str],
        signal: str = "traces",
        timeout_s: float,
        compress: bool,
        certificate: str | None = None,
        client_certificate: tuple[str, str] | str | None = None,
    ) -> None:
        self._endpoint, self._timeout_s, self._compress = endpoint, timeout_s, compress
        self._signal = signal
        self._session = requests.Session()
        self._session.headers.update({**headers, "Content-Type": "application/x-protobuf", "User-Agent": "farebox"})
        if compress:
            self._session.headers["Content-Encoding"] = "gzip"
        if certificate:
            self._session.verify = certificate
        self._session.cert = client_certificate

    @classmethod
    def from_environment(cls, signal: str = "traces") -> OtlpHttp:
        """Build from OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT, HEADERS, TIMEOUT (seconds), COMPRESSION and CERTIFICATE.

        signal: `traces` or `logs`; its own variables win over the general ones.
        """
        endpoint = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
        if not endpoint:
            base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or DEFAULT_ENDPOINT
            endpoint = f"{base.rstrip('/')}/v1/{signal}"
        trusted, certificate, key = certificates_in(signal)
        return cls(
            endpoint,
            headers=headers_in(signal),
            signal=signal,
            timeout_s=seconds_in(signal),
            compress=is_compressed(signal),
            certificate=trusted,
            client_certificate=(certificate, key) if certificate and key else certificate,
        )

    def send(self, body: bytes) -> Delivery:
        """Send one encoded request; a delivery that is not taken says whether to try again, and when."""
        if self._compress:
            body = gzip.compress(body, 1)
        # The host may trace its own HTTP calls; ours are not its business.
        token = attach(set_value("suppress_instrumentation", True))
        try:
            answer = self._session.post(self._endpoint, data=body, timeout=self._timeout_s)
        except (requests.ConnectionError, requests.Timeout) as error:
            return Delivery(False, retry=True, reason=f"{type(error).__name__} at {self._endpoint}")
        except requests.RequestException as error:
            return Delivery(False, retry=False, reason=str(error))
        finally:
            detach(token)
        if answer.ok:
            is_protobuf = "protobuf" in answer.headers.get("Content-Type", "")
            rejected, reason = partial_success(answer.content, self._signal) if is_protobuf else (0, "")
            return Delivery(True, rejected=rejected, reason=reason)
        reason = f"HTTP {answer.status_code} from {self._endpoint}"
        retry = answer.status_code in RETRYABLE
        return Delivery(False, retry=retry, retry_after_s=_retry_after(answer) if retry else None, reason=reason)

    def get_json(self, path: str) -> Any:
        """Ask the same collector for something else: at the endpoint's address, with its headers and certificates.

        Raises:
            requests.RequestException: it cannot be reached, or answers with an error.
        """
        address = self._endpoint.removesuffix("/v1/traces").rstrip("/") + path
        token = attach(set_value("suppress_instrumentation", True))
        try:
            answer = self._session.get(address, timeout=self._timeout_s)
            answer.raise_for_status()
            return answer.json()
        finally:
            detach(token)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()


def partial_success(answer: bytes, signal: str = "traces") -> tuple[int, str]:
    """Return how many spans, or log records, of a request that was taken the collector rejected, and why."""
    if signal == "logs":
        logs = ExportLogsServiceResponse.FromString(answer).partial_success
        return logs.rejected_log_records, logs.error_message
    spans = ExportTraceServiceResponse.FromString(answer).partial_success
    return spans.rejected_spans, spans.error_message


def _retry_after(answer: requests.Response) -> float | None:
    raw = answer.headers.get("Retry-After")
    if not raw:
        return None
    try:
        return max(0.0, float(raw))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(raw).timestamp() - time())
    except (TypeError, ValueError):
        return None
