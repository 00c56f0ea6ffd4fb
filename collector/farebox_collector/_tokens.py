"""Knows who may send: bearer tokens, of which only hashes are kept, each for all services or for some."""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from farebox_collector._files import make_folder
from farebox_collector.errors import CollectorError, UnauthorizedError

__all__ = ["FILE", "Gate", "Token", "add_token", "read_tokens", "remove_token"]

FILE = "tokens.json"
PREFIX = "fbx_"
SECRET_BYTES = 32
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
REMEDY = "show a token that `farebox tokens add` made, as `Authorization: Bearer …`"
WRITE_REMEDY = "show one that `farebox tokens add NAME --write` made, as the password"


@dataclass(frozen=True)
class Token:
    """One token: its secret's SHA-256 (a secret of 256 random bits needs no slow hash), and services it speaks for.

    One that `writes` is for inserts over the ClickHouse interface, and for nothing else.
    """

    name: str
    sha256: str
    services: list[str] = field(default_factory=list)
    added_at: str = ""
    writes: bool = False


class Gate:
    """Lets requests in that show a token; the file is read again whenever it changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[int, int] | None = None
        self._tokens: list[Token] = []

    def services(self, authorization: str) -> frozenset[str]:
        """Return the services that the sender speaks for, an empty set for all.

        Raises:
            UnauthorizedError: no token is shown, or one that is not known.
        """
        scheme, _, shown = authorization.partition(" ")
        found = self._find(shown.strip() if scheme.lower() == "bearer" else "")
        if found is None or found.writes:
            raise UnauthorizedError(f"the token is missing or not known; {REMEDY}")
        return frozenset(found.services)

    def check_write(self, secret: str) -> None:
        """Pass whoever shows a token that writes.

        Raises:
            UnauthorizedError: none is shown, or one that is not known or is for sending.
        """
        found = self._find(secret)
        if found is None or not found.writes:
            raise UnauthorizedError(f"only a token that writes inserts here; {WRITE_REMEDY}")

    def _find(self, secret: str) -> Token | None:
        found, digest = None, _digest(secret)
        for token in self._current():  # all of them, so that time tells nothing
            if hmac.compare_digest(token.sha256.encode(), digest.encode()):
                found = token
        return found

    def _current(self) -> list[Token]:
        try:
            status = self._path.stat()
            mark = (status.st_mtime_ns, status.st_ino)
            if mark != self._read:
                self._tokens, self._read = read_tokens(self._path), mark
        except (OSError, CollectorError):  # taken away or spoilt: nobody is let in
            self._tokens, self._read = [], None
        return self._tokens


def read_tokens(path: Path) -> list[Token]:
    """List the tokens of a file; none where there is no file.

    Raises:
        CollectorError: it is unreadable.
    """
    try:
        return [Token(**each) for each in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise CollectorError(f"the tokens in {path} cannot be read ({error}); mend the file or remove it") from None


def add_token(path: Path, name: str, services: Iterable[str], *, writes: bool = False) -> str:
    """Make a token and return its secret, which is kept nowhere.

    Raises:
        CollectorError: the name is taken or no name, or the file cannot be written.
    """
    tokens = read_tokens(path)
    if not NAME.fullmatch(name):
        raise CollectorError(f"{name!r} is no name for a token; use up to 64 letters, digits, `.`, `_` and `-`")
    if any(token.name == name for token in tokens):
        raise CollectorError(f"there is a token {name!r} already; remove it with `farebox tokens remove {name}`")
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    added_at = datetime.now(UTC).isoformat(timespec="seconds")
    _write(path, [*tokens, Token(name, _digest(secret), sorted(set(services)), added_at, writes)])
    return secret


def remove_token(path: Path, name: str) -> None:
    """Forget a token; a running `farebox up` does not let it in any more.

    Raises:
        CollectorError: there is none of that name.
    """
    tokens = read_tokens(path)
    if all(token.name != name for token in tokens):
        names = ", ".join(token.name for token in tokens) or "none"
        raise CollectorError(f"there is no token {name!r} in {path}; there are: {names}")
    _write(path, [token for token in tokens if token.name != name])


def _write(path: Path, tokens: list[Token]) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        make_folder(path.parent)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump([asdict(token) for token in tokens], file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise CollectorError(
            f"the tokens in {path} cannot be written: {error.strerror}; choose another folder"
        ) from None


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
