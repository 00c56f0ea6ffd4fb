"""The read-only ClickHouse HTTP interface over the embedded ledger.

It speaks as much of ClickHouse's HTTP protocol as its clients need to read: queries by GET and POST, parameters,
settings, formats, gzip, and errors as ClickHouse gives them; and as an OpenTelemetry Collector needs to insert.
Source: clickhouse.com/docs/interfaces/http, read 2026-11-22.
"""

from __future__ import annotations

import gzip
import hmac
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes

from clickhouse_connect.driver.exceptions import ClickHouseError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from farebox_collector._bodies import Budget, decompress, read_body
from farebox_collector._counts import Counts
from farebox_collector._hello import greets, hello
from farebox_collector._reader import Answer, Question, Reader
from farebox_collector._readonly import READONLY, RefusedError
from farebox_collector._writer import AUTHENTICATION_FAILED, Writer, insert_in, inserts, secret_in
from farebox_collector.errors import RequestError

__all__ = ["endpoint", "guarded"]

QUERY_BYTES_MAX = 4 * 1024 * 1024
QUERIES_BYTES_MAX = 64 * 1024 * 1024
GZIP_WORTH_BYTES = 1024
GZIP_LEVEL = 1

# Parameters of the protocol that are no settings; those that only steer ClickHouse's own server mean nothing here.
PROTOCOL = frozenset(
    {
        "async_insert",
        "buffer_size",
        "client_protocol_version",
        "compress",
        "database",
        "decompress",
        "default_format",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "http_zlib_compression_level",
        "password",
        "query",
        "query_id",
        "quota_key",
        "readonly",
        "role",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "user",
        "wait_end_of_query",
        "wait_for_async_insert",
    }
)

# ClickHouse's status for its error codes; all others are 500.
BAD_REQUEST = 400
STATUSES = {
    27: BAD_REQUEST,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
    36: BAD_REQUEST,  # BAD_ARGUMENTS
    48: 501,  # NOT_IMPLEMENTED
    43: BAD_REQUEST,  # ILLEGAL_TYPE_OF_ARGUMENT
    46: 404,  # UNKNOWN_FUNCTION
    47: 404,  # UNKNOWN_IDENTIFIER
    53: BAD_REQUEST,  # TYPE_MISMATCH
    60: 404,  # UNKNOWN_TABLE
    62: BAD_REQUEST,  # SYNTAX_ERROR
    73: BAD_REQUEST,  # UNKNOWN_FORMAT
    81: 404,  # UNKNOWN_DATABASE
    115: 404,  # UNKNOWN_SETTING
    READONLY: 403,
    202: 503,  # TOO_MANY_SIMULTANEOUS_QUERIES
    456: BAD_REQUEST,  # UNKNOWN_QUERY_PARAMETER
    497: 403,  # ACCESS_DENIED
    AUTHENTICATION_FAILED: 403,
}
CONTENT_TYPES = {
    "CSV": "text/csv; charset=UTF-8",
    "CSVWithNames": "text/csv; charset=UTF-8",
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TabSeparatedWithNames": "text/tab-separated-values; charset=UTF-8",
    "TabSeparatedWithNamesAndTypes": "text/tab-separated-values; charset=UTF-8",
}
BINARY = "application/octet-stream"
BINARY_FORMATS = (
    "Arrow",
    "Avro",
    "BSON",
    "MsgPack",
    "Native",
    "Npy",
    "ORC",
    "Parquet",
    "Protobuf",
    "RawBLOB",
    "RowBinary",
)


@dataclass(frozen=True)
class _Asked:
    """A request as it was understood."""

    question: Question
    query_id: str
    accepts_gzip: bool
    protocol_version: str = ""


def endpoint(reader: Reader, writer: Writer, counts: Counts, database: str, timezone: str) -> Starlette:
    """Make the ASGI application; `timezone` is the engine's own, which clients read dates by.

    Whatever inserts goes to the writer, and to nobody else.
    """
    budget = Budget(QUERIES_BYTES_MAX)
    common = {"X-ClickHouse-Server-Display-Name": "farebox", "X-ClickHouse-Timezone": timezone}

    async def ping(_: Request) -> Response:
        return PlainTextResponse("Ok.\n", headers=common)

    async def ask(request: Request) -> Response:
        if request.method == "GET" and "query" not in request.query_params:
            return await ping(request)
        counts.add("queries")
        try:
            values = request.query_params
            if "1" in (values.get("compress"), values.get("decompress")):
                raise RefusedError("LZ4 and zstd are not spoken here; set the client's compression to gzip", 48)
            insert = insert_in(values.get("query", ""), values.get("database", database), database)
            if insert is not None and request.method == "POST":
                await writer.insert(request, insert)
                return Response(headers={**common, "X-ClickHouse-Summary": "{}"})
            with budget.claim() as claim:
                body = await read_body(request, claim, QUERY_BYTES_MAX)
                asked = _understand(request, body, database)
                answer = await _answer(reader, asked, timezone)
        except RequestError as error:
            return PlainTextResponse(f"{error}\n", error.status, common)
        except (RefusedError, RuntimeError, ClickHouseError, OSError) as error:
            counts.add("queries_failed")
            return _failure(str(error), common)
        return _success(asked, answer, common)

    return Starlette(routes=[Route("/", ask, methods=["GET", "POST"]), Route("/ping", ping)])


def guarded(app: ASGIApp, passwords: tuple[str, ...], counts: Counts) -> ASGIApp:
    """Ask for one of these passwords whatever is asked for; an insert's token is the writer's to check."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/ping":
            request = Request(scope)
            shown = secret_in(request.headers, request.query_params).encode()
            known = [hmac.compare_digest(shown, each.encode()) for each in passwords]  # all, so that time tells nothing
            if not any(known) and not inserts(request.query_params.get("query", "")):
                counts.add("queries_refused")
                words = "the password is missing or not known; show the one of FAREBOX_CLICKHOUSE_PASSWORD"
                refusal = RefusedError(words, AUTHENTICATION_FAILED)
                await _failure(str(refusal), {})(scope, receive, send)
                return
        await app(scope, receive, send)

    return checked


async def _answer(reader: Reader, asked: _Asked, timezone: str) -> Answer:
    """Let the engine answer, or greet a driver that begins with a question of the protocol."""
    if not greets(asked.question.sql, asked.protocol_version) or asked.question.default_format != "Native":
        return await reader.ask(asked.question)
    told = await reader.ask(Question("SELECT version()", asked.question.database))
    body = hello(int(asked.protocol_version), told.body.decode().strip(), timezone)
    return Answer(body, "Native", 1, len(body), told.elapsed_s)


def _understand(request: Request, body: bytes, database: str) -> _Asked:
    values = dict(request.query_params)
    body = decompress(body, request.headers.get("content-encoding", ""), QUERY_BYTES_MAX)
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        values |= _form(content_type, body)
        body = b""
    sql = "\n".join(text for text in (values.get("query", ""), body.decode("utf-8", "replace")) if text)
    question = Question(
        sql=sql.strip(),
        database=values.get("database") or request.headers.get("x-clickhouse-database") or database,
        default_format=values.get("default_format") or request.headers.get("x-clickhouse-format") or "TabSeparated",
        parameters={name.removeprefix("param_"): value for name, value in values.items() if name.startswith("param_")},
        settings={
            name: value for name, value in values.items() if name not in PROTOCOL and not name.startswith("param_")
        },
    )
    wants_gzip = values.get("enable_http_compression") == "1" and "gzip" in request.headers.get("accept-encoding", "")
    query_id, protocol = values.get("query_id") or str(uuid.uuid4()), values.get("client_protocol_version", "")
    return _Asked(question, query_id, wants_gzip, protocol)


def _form(content_type: str, body: bytes) -> Mapping[str, str]:
    """Read the fields of a multipart form, as clients send parameters too long for a URL."""
    message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    fields = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = content.decode("utf-8", "replace")
    return fields


def _success(asked: _Asked, answer: Answer, common: Mapping[str, str]) -> Response:
    summary = {
        "read_rows": str(answer.rows_read),
        "read_bytes": str(answer.bytes_read),
        "result_bytes": str(len(answer.body)),
        "elapsed_ns": str(round(answer.elapsed_s * 1e9)),
    }
    headers = {
        **common,
        "X-ClickHouse-Query-Id": asked.query_id,
        "X-ClickHouse-Format": answer.format,
        "X-ClickHouse-Summary": json.dumps(summary),
        "Content-Type": _content_type(answer.format),
    }
    body = answer.body
    if asked.accepts_gzip and len(body) >= GZIP_WORTH_BYTES:
        body = gzip.compress(body, GZIP_LEVEL)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers)


def _failure(words: str, common: Mapping[str, str]) -> Response:
    """Answer as ClickHouse does: its words in the body, its code in a header, a status that goes with it."""
    found = re.search(r"Code: (\d+)", words)
    code = int(found[1]) if found else 0
    start = found.start() if found else 0
    headers = {**common, "X-ClickHouse-Exception-Code": str(code)}
    return PlainTextResponse(words[start:].strip() + "\n", STATUSES.get(code, 500), headers)


def _content_type(name: str) -> str:
    return CONTENT_TYPES.get(name, BINARY if name.startswith(BINARY_FORMATS) else "text/plain; charset=UTF-8")
