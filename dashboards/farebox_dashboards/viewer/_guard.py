"""Lets in only the viewer's own page: host, origin and token of each request, and the headers of each answer.

A page of another site must not read the ledger, neither by pointing its own name at 127.0.0.1 (the Host says so) nor
by sending requests across (Origin and Sec-Fetch-Site say so). Beyond loopback a token takes the place of the name.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Access", "Guard"]

COOKIE = "farebox_viewer"
COOKIE_S = 30 * 24 * 3600
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
PATH_CHARACTERS_MAX = 1024
QUERY_CHARACTERS_MAX = 16 * 1024
# What a browser says of where a request comes from; a browser that says nothing is too old to be let in to data.
OWN_SITES = ("same-origin", "none")

# Styles: Grafana's components add rules through the style sheets' own interface, in elements that are empty; the hash
# is that of an empty text. Images: sparklines and icons are drawn inline, nothing is loaded from elsewhere.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Access:
    """Who may look: whoever is on this machine, or, with a token, whoever has it under whatever host name."""

    token: str = field(default="", repr=False)

    @property
    def cookie(self) -> str:
        """What a browser keeps in place of the token; the token cannot be had from it."""
        return hashlib.sha256(b"farebox viewer\0" + self.token.encode()).hexdigest()


class Guard:
    """Wraps the application: refuses strangers before it hears of them, and adds headers to all it answers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refused = self._refusal(scope)
        await (refused or self._app)(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("only GET, HEAD and POST are spoken here\n", 405, {"Allow": "GET, HEAD, POST"})
        if len(scope["path"]) > PATH_CHARACTERS_MAX or len(scope["query_string"]) > QUERY_CHARACTERS_MAX:
            return PlainTextResponse("the address is too long\n", 414)
        headers = Headers(scope=scope)
        strange = _strangeness(scope, headers, names_matter=not self._access.token)
        if strange:
            return PlainTextResponse(f"{strange}\n", 403)
        return self._token_refusal(scope, headers) if self._access.token else None

    def _token_refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Let in who shows the token; an address that carries it is answered with a cookie, and an address without."""
        if self._shown(_bearer(headers), self._access.token) or self._shown(_cookie(headers), self._access.cookie):
            return None
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = "".join(value for name, value in asked if name == "token")
        if scope["method"] == "GET" and self._shown(given, self._access.token):
            rest = urlencode([(name, value) for name, value in asked if name != "token"])
            # One slash: two would name another host.
            answer = RedirectResponse("/" + scope["path"].lstrip("/") + (f"?{rest}" if rest else ""), 303)
            secure = scope["scheme"] == "https"
            answer.set_cookie(COOKIE, self._access.cookie, COOKIE_S, httponly=True, samesite="lax", secure=secure)
            return answer
        words = "this viewer wants its token: add ?token=… to the address once, or send Authorization: Bearer …\n"
        return PlainTextResponse(words, 401, {"WWW-Authenticate": "Bearer"})

    @staticmethod
    def _shown(given: str, wanted: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


def _strangeness(scope: Scope, headers: Headers, *, names_matter: bool) -> str:
    """Say why a request is not one of our own page; empty if it is."""
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    if len(hosts) != 1:
        return "a request names one host"
    if names_matter and _name(hosts[0]) not in LOOPBACK_NAMES:
        return "this viewer answers to 127.0.0.1 and localhost only"
    if any(origin not in _own_origins(hosts[0]) for origin in origins):
        return "this viewer answers its own page only"
    reads_data = scope["path"].startswith("/api/")
    site = headers.get("sec-fetch-site", "none")
    if site not in OWN_SITES and (reads_data or scope["method"] == "POST"):
        return "this viewer answers its own page only"
    return ""


def _name(host: str) -> str:
    """Give a Host without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _own_origins(host: str) -> Iterable[str]:
    return (f"http://{host}", f"https://{host}")


def _bearer(headers: Headers) -> str:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
