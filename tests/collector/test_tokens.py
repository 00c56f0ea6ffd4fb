"""Beyond loopback nothing is taken without a token, and a token is good for its own services."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
import requests
from collector.test_up import refused
from farebox_up import Up, environment
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from otlp_messages import attempt, traces

from farebox_collector._beyond import check_tls
from farebox_collector._decode import LOGS, TRACES, Body, decode
from farebox_collector._otlp import Encoding
from farebox_collector._tokens import Gate, add_token, read_tokens, remove_token
from farebox_collector.errors import CollectorError, UnauthorizedError

CLI = [sys.executable, "-c", "import sys; from farebox._cli import main; sys.exit(main())"]
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def tokens(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, "tokens", *arguments], env=environment(), capture_output=True, text=True, timeout=60, check=False
    )


def test_only_hashes_are_kept(tmp_path: Path) -> None:
    """The file holds no secret, and nobody else can read it."""
    path = tmp_path / "tokens.json"
    secret = add_token(path, "shop", ["shop"])

    assert path.stat().st_mode & 0o777 == 0o600
    assert secret not in path.read_text()
    assert hashlib.sha256(secret.encode()).hexdigest() in path.read_text()
    assert len(secret) > 40


def test_gate(tmp_path: Path) -> None:
    """A known token gives its services; anything else is refused; adding and removing holds at once."""
    path = tmp_path / "tokens.json"
    secret, other = add_token(path, "shop", ["shop", "cart"]), add_token(path, "all", [])
    gate = Gate(path)
    known = [gate.services(f"Bearer {secret}"), gate.services(f"bearer  {other} ")]
    remove_token(path, "shop")

    assert known == [{"shop", "cart"}, frozenset()]
    for shown in (f"Bearer {secret}", "", "Bearer", "Bearer ", f"Basic {other}", other, "Bearer \udcff"):
        with pytest.raises(UnauthorizedError):
            gate.services(shown)
    path.unlink()
    with pytest.raises(UnauthorizedError):
        gate.services(f"Bearer {other}")


@pytest.mark.parametrize("name", ["shop", "a b", "", "-x"])
def test_bad_names(tmp_path: Path, name: str) -> None:
    """A name that is taken, or that nobody could type, is refused with the remedy."""
    path = tmp_path / "tokens.json"
    add_token(path, "shop", [])

    with pytest.raises(CollectorError, match=r"remove it|letters"):
        add_token(path, name, [])
    assert len(read_tokens(path)) == 1


def test_what_a_token_may_not_say_is_taken_out() -> None:
    """Spans of another service are rejected with the reason, and are not in what the journal keeps."""
    request = traces(attempt(1), attempt(2), service="shop")
    request.MergeFrom(traces(attempt(3), service="stolen"))
    body = Body(TRACES, Encoding.PROTOBUF, "", request.SerializeToString())
    decoded = decode(body, 2**20, frozenset({"shop"}))
    again = decode(decoded.body, 2**20)

    assert decoded.rows["ServiceName"].to_pylist() == ["shop", "shop"]
    assert decoded.rejected == {"service 'stolen' is not one that the token speaks for": 1}
    assert again.rows.equals(decoded.rows)
    assert decode(body, 2**20, frozenset({"shop", "stolen"})).body is body
    assert decode(Body(LOGS, Encoding.PROTOBUF, "", b""), 2**20, frozenset({"shop"})).rows.num_rows == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_no_token_no_listening(tmp_path: Path, host: str) -> None:
    """Without a token `farebox up` does not listen beyond loopback, says how to make one, and makes no ledger."""
    said = refused("--dsn", f"chdb:{tmp_path}/ledger", "--otlp-host", host)

    assert f"--otlp-host {host} takes telemetry from other machines" in said
    assert "farebox tokens add" in said
    assert not (tmp_path / "ledger").exists()


def test_no_tls_no_listening(tmp_path: Path) -> None:
    """With a token and without TLS it does not listen beyond loopback either, unless something else encrypts."""
    gate = Gate(tmp_path / "tokens.json")
    with pytest.raises(CollectorError, match="would travel in clear"):
        check_tls(None, gate)
    check_tls(None, gate, plaintext=True)
    check_tls(None)

    add_token(tmp_path / "ledger" / "tokens.json", "shop", [])
    said = refused("--dsn", f"chdb:{tmp_path}/ledger", "--otlp-host", "0.0.0.0")

    assert "FAREBOX_OTLP_PLAINTEXT=true" in said
    assert not (tmp_path / "ledger" / "metadata").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"otlp_host": "everywhere"}, "is no IP address"),
        ({"tls_key": "/nowhere"}, "go together"),
        ({"tls_key": "/nowhere", "tls_certificate": "/nowhere"}, "cannot be used"),
    ],
)
def test_misuse(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    """What cannot be is one sentence that names the value."""
    assert words in refused("--dsn", f"chdb:{tmp_path}/ledger", "--otlp-port", "0", **settings)


def test_command(tmp_path: Path) -> None:
    """Tokens are made, listed without their secrets, and removed, by the command."""
    dsn = ("--dsn", f"chdb:{tmp_path}/ledger")
    secret = tokens(*dsn, "add", "shop", "--service", "shop").stdout.strip()
    listed = tokens(*dsn, "list", "--json").stdout
    removed = tokens(*dsn, "remove", "shop").returncode
    unknown = tokens(*dsn, "remove", "shop")

    assert secret.startswith("fbx_")
    assert [(each["name"], each["services"]) for each in json.loads(listed)] == [("shop", ["shop"])]
    assert "sha256" not in listed
    assert (removed, unknown.returncode) == (0, 2)
    assert "no token 'shop'" in unknown.stderr


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself."""
    folder = tmp_path_factory.mktemp("tls")
    chain, key = folder / "chain.pem", folder / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    words += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", str(key), "-out", str(chain)]
    subprocess.run(words, check=True, capture_output=True)
    return chain, key


def test_beyond_loopback(start_up: Callable[..., Up], tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """Over TLS and with a token all is as on loopback, by HTTP and gRPC; without, nothing but the state of health."""
    folder, (chain, key) = tmp_path / "ledger", certificate
    secret = add_token(folder / "tokens.json", "shop", ["shop"])
    up = start_up(folder, otlp_host="0.0.0.0", tls_certificate=str(chain), tls_key=str(key))
    address = up.otlp
    bearer = {"Authorization": f"Bearer {secret}"}
    kind = {"Content-Type": "application/x-protobuf"}
    body = traces(attempt(1)).SerializeToString()
    mixed = traces(attempt(2))
    mixed.MergeFrom(traces(attempt(3), service="other"))

    def get(path: str, **headers: str) -> requests.Response:
        return requests.get(address + path, headers=headers, verify=str(chain), timeout=20)

    def post(content: bytes, **headers: str) -> requests.Response:
        return requests.post(
            address + "/v1/traces", content, headers={**kind, **headers}, verify=str(chain), timeout=20
        )

    answers = [
        post(body),
        post(body, Authorization="Bearer wrong"),
        get("/metrics"),
        get("/v1/budgets"),
        get("/nowhere"),
    ]
    assert [each.status_code for each in answers] == [401] * 5
    assert answers[0].headers["www-authenticate"].startswith("Bearer")
    assert get("/healthz").json() == {"status": "ok"}
    assert get("/readyz").json() == {"status": "ready"}
    assert get("/metrics", **bearer).status_code == get("/healthz", **bearer).status_code == 200
    assert post(body, **bearer).content == b""
    partial = ExportTraceServiceResponse.FromString(post(mixed.SerializeToString(), **bearer).content).partial_success
    assert (partial.rejected_spans, "'other'" in partial.error_message) == (1, True)

    credentials = grpc.ssl_channel_credentials(chain.read_bytes())
    with grpc.secure_channel(up.grpc, credentials) as channel:
        export = channel.unary_unary(EXPORT)
        shown = [("authorization", f"Bearer {secret}")]
        with pytest.raises(grpc.RpcError) as refusal:
            export(body, timeout=20)
        assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED  # type: ignore[attr-defined]
        assert export(traces(attempt(4)).SerializeToString(), timeout=20, metadata=shown) == b""
    found = sorted(row[0] for row in up.rows("SELECT DISTINCT SpanId FROM otel_traces"))
    assert found == [f"{number:016x}" for number in (1, 2, 4)]
    assert secret not in "".join(up.errors)
    assert not any(secret.encode() in path.read_bytes() for path in (folder / "journal").iterdir())
    assert up.stop() == 0
