"""Greets clickhouse-go, and with it Grafana's ClickHouse plugin: the one block that it reads by another protocol.

Over HTTP the driver begins with one query, whose answer it decodes as of its own protocol version, and reads all others
as of the revision that this answer names. The embedded engine writes blocks as of revision 0; so this one block is
written here, as of the driver's version, and names revision 0.
Source: ClickHouse/clickhouse-go 2.47.0, conn_http.go and lib/proto/block.go, read 2026-11-23.
"""

from __future__ import annotations

import re
import struct

from farebox_collector._native import number, text

__all__ = ["greets", "hello"]

QUESTION = re.compile(
    r"\s*SELECT\s+displayName\(\)\s*,\s*version\(\)\s*,\s*revision\(\)\s*,\s*timezone\(\)\s*;?\s*", re.IGNORECASE
)
# From these protocol versions on a block begins with facts about itself, and each column says how it is serialised.
WITH_BLOCK_INFO, WITH_SERIALIZATION = 51903, 54454
# Not an overflow (field 1), no bucket (field 2: -1), the end.
BLOCK_INFO = number(1) + b"\0" + number(2) + struct.pack("<i", -1) + number(0)
REVISION = 0


def greets(sql: str, protocol_version: str) -> bool:
    """Say whether a query is the driver's first."""
    return protocol_version.isdecimal() and int(protocol_version) > 0 and QUESTION.fullmatch(sql) is not None


def hello(protocol_version: int, version: str, timezone: str) -> bytes:
    """Write the block that answers it, as of a protocol version."""
    columns = (
        ("displayName()", "String", text("farebox")),
        ("version()", "String", text(version)),
        ("revision()", "UInt32", struct.pack("<I", REVISION)),
        ("timezone()", "String", text(timezone)),
    )
    plainly = b"\0" if protocol_version >= WITH_SERIALIZATION else b""
    begin = BLOCK_INFO if protocol_version >= WITH_BLOCK_INFO else b""
    return (
        begin
        + number(len(columns))
        + number(1)
        + b"".join(text(name) + text(kind) + plainly + value for name, kind, value in columns)
    )
