"""What must be given before `farebox up` takes telemetry from other machines, or stores anything at all."""

from __future__ import annotations

import ipaddress
import logging
import resource
import ssl
from pathlib import Path

from farebox_collector._tokens import Gate, read_tokens
from farebox_collector.errors import CollectorError

__all__ = ["check_tls", "gate_for", "lift_file_limit"]

_log = logging.getLogger("farebox.collector")


def gate_for(host: str, tokens: Path) -> Gate | None:
    """Return what checks tokens where other machines can send, None on loopback.

    Raises:
        CollectorError: the host is beyond loopback and there is no token, or it is no address.
    """
    try:
        beyond = not ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise CollectorError(f"--otlp-host {host!r} is no IP address; write 127.0.0.1, or 0.0.0.0 for all") from None
    if not beyond:
        return None
    if all(token.writes for token in read_tokens(tokens)):
        raise CollectorError(
            f"--otlp-host {host} takes telemetry from other machines, and {tokens} holds no token; make one "
            "with `farebox tokens add NAME`, or listen on 127.0.0.1"
        )
    return Gate(tokens)


def check_tls(tls: tuple[Path, Path] | None, gate: Gate | None = None, *, plaintext: bool = False) -> None:
    """Refuse a certificate or key that cannot be used, before anything else is done, and tokens in clear.

    Where there is a gate, other machines show tokens, so that something must encrypt: TLS here, or, with `plaintext`,
    what stands before it.

    Raises:
        CollectorError: names the files and why, or what is missing.
    """
    if tls is None:
        if gate is not None and not plaintext:
            raise CollectorError(
                "tokens and spans of other machines would travel in clear; give FAREBOX_TLS_CERTIFICATE and "
                "FAREBOX_TLS_KEY, or set FAREBOX_OTLP_PLAINTEXT=true where a proxy or a mesh encrypts"
            )
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(*tls)
    except (OSError, ssl.SSLError) as error:
        raise CollectorError(
            f"the certificate {tls[0]} with the key {tls[1]} cannot be used ({error}); give both in PEM, the key open"
        ) from None


def lift_file_limit() -> None:
    """See to it that files may grow: ClickHouse 26.9 cuts what it writes at such a limit, and calls it stored.

    Raises:
        CollectorError: there is a limit that cannot be lifted.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY:
        raise CollectorError(
            f"files may not grow beyond {hard} bytes here, and the embedded ClickHouse cuts off what does; "
            "lift the limit (`ulimit -f unlimited`, LimitFSIZE=infinity)"
        )
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    _log.warning("Files were limited to %d bytes; the limit is lifted for this process", soft)
