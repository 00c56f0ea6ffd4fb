"""Reads the address of a ledger: an embedded store in a folder, or a ClickHouse server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from farebox_ledger.errors import DsnError

__all__ = ["DATABASE", "Dsn", "parse_dsn"]

DATABASE = "farebox"
HTTP_PORT = 8123
HTTPS_PORT = 8443
ALLOWED = "`chdb:folder`, `chdb:///absolute/folder` or `clickhouse://user:password@host:8123/database`"
DATABASE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True)
class Dsn:
    """Where a ledger is; `path` is set for chdb, `host` to `secure` for clickhouse."""

    kind: Literal["chdb", "clickhouse"]
    database: str = DATABASE
    path: Path | None = None
    host: str = ""
    port: int = HTTP_PORT
    user: str = "default"
    password: str = field(default="", repr=False)
    secure: bool = False

    @property
    def folder(self) -> Path:
        """Folder of the embedded store; only a `chdb` address has one."""
        if self.path is None:
            raise DsnError(f"{self} names a server, not a folder; this needs {ALLOWED.split(' or ')[0]}")
        return self.path

    def __str__(self) -> str:
        """Address as a person would write it, without the password."""
        if self.path is not None:
            suffix = "" if self.database == DATABASE else f"?database={self.database}"
            return f"chdb:{'//' if self.path.is_absolute() else ''}{self.path}{suffix}"
        suffix = "?secure=true" if self.secure else ""
        return f"clickhouse://{self.user}@{self.host}:{self.port}/{self.database}{suffix}"


def parse_dsn(text: str) -> Dsn:
    """Read `chdb:folder[?database=name]` or `clickhouse://user:password@host:8123/database[?secure=true]`.

    Raises:
        DsnError: unreadable; the message names what is allowed, and never the password.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError as error:
        raise DsnError(f"the ledger's address {_hide(text)!r} is unreadable ({error}); write {ALLOWED}") from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme == "chdb":
        return _embedded(text, parts, options)
    if parts.scheme == "clickhouse":
        return _server(text, parts, port, options)
    raise DsnError(f"the ledger's address {_hide(text)!r} starts with no scheme that farebox knows; write {ALLOWED}")


def _embedded(text: str, parts: SplitResult, options: dict[str, str]) -> Dsn:
    if parts.netloc:
        raise DsnError(f"{_hide(text)!r} has two slashes: write chdb:{parts.netloc}{parts.path} or three slashes")
    if not parts.path:
        raise DsnError(f"{_hide(text)!r} names no folder; write {ALLOWED}")
    database = _database(text, options.pop("database", DATABASE))
    _refuse_options(text, options, "database")
    return Dsn(kind="chdb", database=database, path=Path(unquote(parts.path)).expanduser())


def _server(text: str, parts: SplitResult, port: int | None, options: dict[str, str]) -> Dsn:
    if not parts.hostname:
        raise DsnError(f"{_hide(text)!r} names no host; write {ALLOWED}")
    secure = options.pop("secure", "false").lower() in ("1", "true", "yes", "on")
    database = _database(text, options.pop("database", "") or unquote(parts.path.strip("/")) or DATABASE)
    _refuse_options(text, options, "database and secure")
    return Dsn(
        kind="clickhouse",
        database=database,
        host=parts.hostname,
        port=port or (HTTPS_PORT if secure else HTTP_PORT),
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        secure=secure,
    )


def _database(text: str, name: str) -> str:
    if not DATABASE_NAME.fullmatch(name):
        raise DsnError(f"{_hide(text)!r} names the database {name!r}; use letters, digits and _ only")
    return name


def _refuse_options(text: str, options: dict[str, str], allowed: str) -> None:
    if options:
        raise DsnError(f"{_hide(text)!r} has the unknown option {next(iter(options))!r}; allowed are {allowed}")


def _hide(text: str) -> str:
    """Blank the password, if there is one, so that it never reaches a terminal or a log."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", text)
