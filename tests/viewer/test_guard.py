"""Only the viewer's own page reads the ledger: hosts, origins, tokens, headers, and requests that mean no good."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
import requests
from viewer.conftest import Viewer

DATA = "/api/dashboards"


def raw(viewer: Viewer, request: bytes) -> int:
    """Send bytes as they are and give the status."""
    port = urlsplit(viewer.url).port
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        return int(connection.recv(4096).split(b" ")[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:3001", "LOCALHOST", "[::1]:3001"])
def test_names_of_this_machine_are_answered(host: str, viewer: Viewer) -> None:
    """127.0.0.1 and localhost are served, whatever the port."""
    assert viewer.get(DATA, Host=host).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:3001", "", "evil@localhost"]
)
def test_another_name_is_refused(host: str, viewer: Viewer) -> None:
    """A page that points its own name at this machine reads nothing: neither data nor the page."""
    assert viewer.get(DATA, Host=host).status_code == 403
    assert viewer.get("/", Host=host).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "file://"])
def test_another_origin_is_refused(origin: str, viewer: Viewer) -> None:
    """A request that a page of another origin sends is refused, and none is told that it may read the answer."""
    answer = viewer.post("/api/panel", viewer.question(panel=2), Origin=origin)

    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_its_own_origin_is_answered(viewer: Viewer) -> None:
    """The page's own requests, as a browser marks them, are served."""
    own = {"Origin": viewer.url, "Sec-Fetch-Site": "same-origin"}

    assert requests.post(viewer.url + "/api/panel", json=viewer.question(panel=2), headers=own, timeout=30).ok


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_across_sites_is_refused_data(site: str, viewer: Viewer) -> None:
    """Another site may link to a dashboard; it may not fetch data."""
    assert viewer.get(DATA, Sec_Fetch_Site=site).status_code == 403
    assert viewer.get("/d/farebox-overview", Sec_Fetch_Site=site).status_code == 200


@pytest.mark.parametrize("path", ["/", DATA, "/nosuch", "/api/dashboards/nosuch"])
def test_every_answer_is_fenced_in(path: str, viewer: Viewer) -> None:
    """Nothing from elsewhere runs in the page or is loaded into it, no other page frames it, and data is not kept."""
    headers = viewer.get(path).headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "http" not in headers["Content-Security-Policy"]
    if path.startswith("/api"):
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/assets/../../__init__.py", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/_app.py", "/assets/%00",
     "//etc/passwd", "/assets/", "/index.html/..", "/api/dashboards/..%2f..%2fx", "/d/a/b", "/\\etc\\passwd"],
)  # fmt: skip
def test_no_path_leads_to_a_file(path: str, viewer: Viewer) -> None:
    """Whatever a path is made of, it names a file of the bundle or nothing."""
    host = viewer.url.removeprefix("http://")

    assert raw(viewer, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()) == 404


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n", 400),
        (b"PUT /api/panel HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
        (b"DELETE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
        (b"GET /api/panel HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        (b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 414),
        (b"GET /?" + b"a" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 414),
    ],
)  # fmt: skip
def test_what_is_no_request_of_the_page_is_refused(request_: bytes, status: int, viewer: Viewer) -> None:
    """Broken requests, other methods and endless addresses are answered 4xx."""
    assert raw(viewer, request_) == status


def test_a_token_lets_in_under_any_name_and_nothing_else_does(guarded: Viewer) -> None:
    """With a token there is no page and no data without it, whatever host is named; the header carries it."""
    for path in ("/", DATA, "/assets/index.js", "/?token=wrong", "/?token="):
        assert guarded.get(path, Host="dash.example").status_code == 401
    assert guarded.get(DATA, Authorization="Bearer wrong").status_code == 401
    assert guarded.get(DATA, Cookie="farebox_viewer=s3cret").status_code == 401
    assert guarded.get(DATA, Authorization="Bearer s3cret", Host="dash.example").status_code == 200
    assert guarded.get(DATA, Authorization="Bearer s3cret", Origin="http://evil").status_code == 403


def test_a_token_in_the_address_becomes_a_cookie(guarded: Viewer) -> None:
    """The token leaves the address at once; the cookie that replaces it is out of scripts' reach and is no token."""
    answer = guarded.get("/d/farebox-overview?from=now-6h&token=s3cret")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/d/farebox-overview?from=now-6h")
    cookie = answer.headers["Set-Cookie"]
    assert "s3cret" not in cookie
    assert {"HttpOnly", "SameSite=lax"} <= set(cookie.split("; "))
    assert guarded.get(DATA, Cookie=cookie.partition(";")[0]).status_code == 200
    assert guarded.get("//evil.example/?token=s3cret").headers["Location"] == "/evil.example/"
