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
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.util.re import parse_env_headers

from farebox._sender import Delivery

__all__ = ["OtlpHttp"]

DEFAULT_ENDPOINT = "http://localhost:4318"
DEFAULT_TIMEOUT_S = 10.0
RETRYABLE = frozenset({408, 429, 502, 503, 504})


class OtlpHttp:
    """One kept-alive connection to a collector."""

    def __init__(
        self,
        endpoint: str,
        *,
        headers: dict[str, str],
        timeout_s: float,
        compress: bool,
        certificate: str | None = None,
        client_certificate: tuple[str, str] | str | None = None,
    ) -> None:
        self._endpoint, self._timeout_s, self._compress = endpoint, timeout_s, compress
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
        key = _variable("CLIENT_KEY", signal)
        certificate = _variable("CLIENT_CERTIFICATE", signal)
        return cls(
            endpoint,
            headers=dict(parse_env_headers(_variable("HEADERS", signal) or "", liberal=True)),
            timeout_s=_seconds(_variable("TIMEOUT", signal)),
            compress=(_variable("COMPRESSION", signal) or "").lower() == "gzip",
            certificate=_variable("CERTIFICATE", signal),
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
            return Delivery(True, reason=_partial_success(answer))
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


def _partial_success(answer: requests.Response) -> str:
    if "protobuf" not in answer.headers.get("Content-Type", ""):
        return ""
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    return f"{partial.rejected_spans} spans rejected: {partial.error_message}" if partial.rejected_spans else ""


def _variable(name: str, signal: str) -> str | None:
    for prefix in (f"OTEL_EXPORTER_OTLP_{signal.upper()}_", "OTEL_EXPORTER_OTLP_"):
        value = os.environ.get(prefix + name)
        if value:
            return value
    return None


def _seconds(raw: str | None) -> float:
    try:
        return float(raw) if raw else DEFAULT_TIMEOUT_S
    except ValueError:
        return DEFAULT_TIMEOUT_S


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
