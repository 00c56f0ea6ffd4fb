"""A ledger's address is read, or refused in a sentence that never shows the password."""

from __future__ import annotations

from pathlib import Path

import pytest

from farebox_ledger import Dsn, parse_dsn
from farebox_ledger.errors import DsnError


@pytest.mark.parametrize(
    ("text", "dsn"),
    [
        ("chdb:.farebox", Dsn("chdb", path=Path(".farebox"))),
        ("chdb:data/ledger", Dsn("chdb", path=Path("data/ledger"))),
        ("chdb:///srv/ledger", Dsn("chdb", path=Path("/srv/ledger"))),
        ("chdb:/srv/my%20ledger", Dsn("chdb", path=Path("/srv/my ledger"))),
        ("chdb:data?database=other", Dsn("chdb", "other", path=Path("data"))),
        ("clickhouse://db", Dsn("clickhouse", host="db")),
        (
            "clickhouse://me:p%40ss@db.example:9000/costs",
            Dsn("clickhouse", "costs", host="db.example", port=9000, user="me", password="p@ss"),
        ),
        ("clickhouse://db?secure=true", Dsn("clickhouse", host="db", port=8443, secure=True)),
    ],
)
def test_an_address_is_read(text: str, dsn: Dsn) -> None:
    """Folders, servers, ports, users and databases stand where a person expects them."""
    assert parse_dsn(text) == dsn


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ledger", "starts with no scheme that farebox knows"),
        ("postgres://db", "starts with no scheme that farebox knows"),
        ("chdb:", "names no folder"),
        ("chdb://data/x", "has two slashes: write chdb:data/x or three slashes"),
        ("chdb:data?databse=x", "has the unknown option 'databse'"),
        ("chdb:data?database=a-b", "names the database 'a-b'"),
        ("clickhouse:///farebox", "names no host"),
        ("clickhouse://db:port/x", "is unreadable"),
    ],
)
def test_an_unreadable_address_is_refused(text: str, words: str) -> None:
    """The sentence says what is wrong with the address."""
    with pytest.raises(DsnError) as refused:
        parse_dsn(text)

    assert words in str(refused.value)


def test_the_password_is_never_shown() -> None:
    """Neither a refusal nor the address in words nor its repr holds the password."""
    dsn = parse_dsn("clickhouse://me:secret@db/costs")
    with pytest.raises(DsnError) as refused:
        parse_dsn("clickhouse://me:secret@db/costs?colour=red")

    assert "secret" not in f"{refused.value} {dsn} {dsn!r}"
    assert str(dsn) == "clickhouse://me@db:8123/costs"
