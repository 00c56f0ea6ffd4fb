"""Read the OTEL_EXPORTER_OTLP_* variables that both transports share; a signal's own win over the general ones.

Source: opentelemetry.io/docs/specs/otel/protocol/exporter, read 2026-11-23.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from opentelemetry.util.re import parse_env_headers

from farebox._sender import Transport

__all__ = ["certificates_in", "connector", "headers_in", "is_compressed", "seconds_in", "variable"]

DEFAULT_TIMEOUT_S = 10.0


def connector(signal: str = "traces") -> Callable[[], Transport]:
    """Return what connects to the collector by OTEL_EXPORTER_OTLP_[TRACES_]PROTOCOL: `grpc`, else HTTP with protobuf.

    The variables are read when it connects.
    """

    def connect() -> Transport:
        if variable("PROTOCOL", signal) == "grpc":
            from farebox._otlp_grpc import OtlpGrpc

            return OtlpGrpc.from_environment(signal)
        from farebox._otlp_http import OtlpHttp

        return OtlpHttp.from_environment(signal)

    return connect


def variable(name: str, signal: str) -> str | None:
    """Return OTEL_EXPORTER_OTLP_<SIGNAL>_<name>, else OTEL_EXPORTER_OTLP_<name>; None where neither is set."""
    for prefix in (f"OTEL_EXPORTER_OTLP_{signal.upper()}_", "OTEL_EXPORTER_OTLP_"):
        value = os.environ.get(prefix + name)
        if value:
            return value
    return None


def headers_in(signal: str) -> dict[str, str]:
    """Return HEADERS: `key=value` pairs, URL-encoded, separated by commas."""
    return dict(parse_env_headers(variable("HEADERS", signal) or "", liberal=True))


def seconds_in(signal: str) -> float:
    """Return TIMEOUT, in seconds as the Python SDK reads it."""
    raw = variable("TIMEOUT", signal)
    try:
        return float(raw) if raw else DEFAULT_TIMEOUT_S
    except ValueError:
        return DEFAULT_TIMEOUT_S


def is_compressed(signal: str) -> bool:
    """Tell whether COMPRESSION asks for gzip."""
    return (variable("COMPRESSION", signal) or "").lower() == "gzip"


def certificates_in(signal: str) -> tuple[str | None, str | None, str | None]:
    """Return the files CERTIFICATE (whom to trust), CLIENT_CERTIFICATE and CLIENT_KEY."""
    return variable("CERTIFICATE", signal), variable("CLIENT_CERTIFICATE", signal), variable("CLIENT_KEY", signal)
