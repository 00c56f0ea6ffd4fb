"""The read-only ClickHouse interface: real clients read through it, and nothing else can be done through it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from clickhouse_connect.driver.exceptions import DatabaseError
from farebox_up import Up
from otlp_messages import span, traces

from farebox_ledger import Dsn, open_reader

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that nobody may read through the endpoint."""
    path = tmp_path_factory.mktemp("private") / "secret.csv"
    path.write_text("a,b\n1,topsecret\n")
    return path


@pytest.fixture
def client(up: Up) -> Iterator[Client]:
    with up.client() as client:
        yield client


def ask(up: Up, sql: str, **options: str) -> requests.Response:
    return requests.post(
        f"http://127.0.0.1:{up.clickhouse_port}/",
        data=sql.encode(),
        params={"database": "farebox", **options},
        timeout=30,
    )


def test_query(client: Client) -> None:
    """Values of many types come back as they are."""
    row = client.query(
        "SELECT toUInt8(1) AS a, 'té\\t' AS b, toDecimal128('0.000000000001', 12) AS c, NULL AS d, [1, 2] AS e, "
        "map('k', 'v') AS f, toDateTime64('2026-11-22 10:00:00.123456', 6, 'UTC') AS g"
    ).first_item

    assert row == {
        "a": 1,
        "b": "té\t",
        "c": Decimal("0.000000000001"),
        "d": None,
        "e": [1, 2],
        "f": {"k": "v"},
        "g": datetime(2026, 11, 22, 10, 0, 0, 123456),  # noqa: DTZ001 -- the client gives UTC without a zone
    }


def test_parameters(client: Client) -> None:
    """Parameters of all kinds arrive, long ones by a form as well."""
    values = {"s": "it's a\ttab\n\\", "n": 7, "a": ["x", "y'z"], "t": datetime(2026, 1, 1, tzinfo=UTC)}
    sql = "SELECT {s:String}, {n:UInt8}, {a:Array(String)}, toUnixTimestamp({t:DateTime('UTC')})"

    assert client.query(sql, values).first_row == (values["s"], 7, ["x", "y'z"], 1767225600)
    assert client.query("SELECT length({s:String})", {"s": "x" * 50_000}).first_row == (50_000,)


GREETING = "SELECT displayName(), version(), revision(), timezone()"


def as_native(text: str) -> bytes:
    return bytes([len(text.encode())]) + text.encode()


def test_grafanas_driver_is_greeted_in_its_own_protocol(up: Up) -> None:
    """clickhouse-go reads the first block as of its version, 54460; it names revision 0, as of which the rest comes."""
    version, timezone = ask(up, "SELECT version(), timezone()").text.strip().split("\t")
    answer = ask(up, GREETING, default_format="Native", client_protocol_version="54460", max_execution_time="60")

    columns = (
        ("displayName()", "String", as_native("farebox")),
        ("version()", "String", as_native(version)),
        ("revision()", "UInt32", bytes(4)),
        ("timezone()", "String", as_native(timezone)),
    )
    block_info = b"\x01\x00\x02\xff\xff\xff\xff\x00"
    assert answer.headers["X-ClickHouse-Format"] == "Native"
    assert answer.content == block_info + b"\x04\x01" + b"".join(
        as_native(name) + as_native(kind) + b"\x00" + value for name, kind, value in columns
    )
    assert ask(up, "SELECT 1", default_format="Native", client_protocol_version="54460").content == (
        b"\x01\x01\x011\x05UInt8\x01"
    )


@pytest.mark.parametrize("asked", [{}, {"default_format": "Native"}, {"client_protocol_version": "no number"}])
def test_whoever_else_asks_that_is_answered_plainly(asked: dict[str, str], up: Up) -> None:
    """Only a driver that names its version and reads Native is greeted; the engine answers all others, or refuses."""
    assert not ask(up, GREETING, **asked).content.startswith(b"\x01\x00\x02")


def test_arrow(client: Client) -> None:
    """Arrow tables come through."""
    assert client.query_arrow("SELECT number, toString(number) AS text FROM numbers(3)").to_pydict() == {
        "number": [0, 1, 2],
        "text": ["0", "1", "2"],
    }


def test_data_frame(client: Client) -> None:
    """Data frames come through."""
    assert client.query_df("SELECT number AS n FROM numbers(3)")["n"].tolist() == [0, 1, 2]


def test_command_and_empty_results(client: Client) -> None:
    """A command gives its one value, an empty result keeps its columns."""
    sql = "SELECT 1 AS one, map('k', toNullable(2)) AS m WHERE {no:Bool} -- FORMAT x"
    empty = client.query(sql, {"no": False})

    assert client.command("SELECT 42") == 42
    assert client.command("EXISTS TABLE otel_traces") == 1
    assert (empty.result_rows, empty.column_names) == ([], ("one", "m"))
    assert [kind.name for kind in empty.column_types] == ["UInt8", "Map(String, Nullable(UInt8))"]
    assert client.query_arrow(sql, {"no": False}).column_names == ["one", "m"]


def test_streams_and_large_results(client: Client) -> None:
    """A result of a million rows comes through, compressed."""
    with client.query_rows_stream("SELECT number FROM numbers(1000000)") as stream:
        assert sum(row[0] for row in stream) == 499_999_500_000


def test_settings(client: Client) -> None:
    """A setting reaches the one query it is for, by URL or in the statement."""
    settings = {"session_timezone": "Asia/Tokyo", "max_threads": 1}

    assert client.command("SELECT timezone()", settings=settings) == "Asia/Tokyo"
    assert client.command("SELECT timezone()") != "Asia/Tokyo"
    assert client.command("SELECT getSetting('max_threads') SETTINGS max_threads = 1, final = 0") == 1


def test_limits_of_a_query(client: Client) -> None:
    """A query is ended after the time it was given."""
    with pytest.raises(DatabaseError, match="TIMEOUT_EXCEEDED"):
        client.command("SELECT max(sipHash64(number)) FROM numbers(1e12)", settings={"max_execution_time": 1})
    with pytest.raises(DatabaseError, match="TOO_MANY_ROWS_OR_BYTES"):
        client.command("SELECT * FROM numbers(100)", settings={"max_result_rows": 10})


def test_sees_what_was_just_stored(up: Up) -> None:
    """What has been acknowledged can be read at once."""
    for number in range(900, 910):
        up.post(traces(span(number)).SerializeToString())

        assert up.rows(f"SELECT count() FROM otel_traces WHERE SpanId = '{number:016x}'") == [(1,)]


def test_many_readers(up: Up) -> None:
    """Clients read side by side; each gets its own answer."""
    answers: dict[int, list[str]] = {}

    def read(number: int) -> None:
        answers[number] = [ask(up, f"SELECT {number} + sleep(0.01)").text for _ in range(10)]

    threads = [threading.Thread(target=read, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {number: [f"{number}\n"] * 10 for number in range(16)}


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT", 400, 62),
        ("SELECT 1 FORM x y", 400, 62),
        ("", 400, 62),
        ("SELECT * FROM nothing", 404, 60),
        ("SELECT * FROM nowhere.nothing", 404, 81),
        ("SELECT nothing", 404, 47),
        ("SELECT nofunction(1)", 404, 46),
        ("SELECT {x:UInt8}", 400, 456),
        ("SELECT 1 FORMAT NoSuchFormat", 400, 73),
        ("SELECT throwIf(1)", 500, 395),
    ],
)
def test_errors(up: Up, sql: str, status: int, code: int) -> None:
    """An error has ClickHouse's words, its code in the header, and a status that fits."""
    answer = ask(up, sql)

    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (status, str(code))
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")


WRITES = [
    "INSERT INTO otel_traces (TraceId) VALUES ('x')",
    "CREATE TABLE mine (a UInt8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE mine (a UInt8)",
    "CREATE FUNCTION mine AS x -> x",
    "DROP TABLE otel_traces",
    "TRUNCATE TABLE otel_traces",
    "ALTER TABLE otel_traces DELETE WHERE 1",
    "DELETE FROM otel_traces WHERE 1",
    "UPDATE otel_traces SET TraceId = '' WHERE 1",
    "RENAME TABLE otel_traces TO x",
    "OPTIMIZE TABLE otel_traces",
    "GRANT ALL ON *.* TO default",
    "SYSTEM RELOAD DICTIONARIES",
    "SYSTEM SHUTDOWN",
    "KILL QUERY WHERE 1",
    "SET max_threads = 1",
    "USE system",
    "ATTACH TABLE x",
    "BACKUP DATABASE farebox TO File('x')",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE otel_traces",
    "SELECT 1 INTO OUTFILE '{folder}/out.csv'",
    "SELECT 1 INTO OUTFILE '{folder}/out.csv' FORMAT CSV",
]
REACHES = [
    "SELECT * FROM file('{secret}', 'CSV')",
    "SELECT * FROM `file`('{secret}', 'LineAsString')",
    "SELECT * FROM file /* x */ ('{secret}')",
    "DESCRIBE TABLE file('{secret}')",
    "SELECT file('{secret}')",
    "SELECT \"file\"('{secret}')",
    "SELECT * APPLY file FROM (SELECT '{secret}')",
    "SELECT * APPLY(file) FROM (SELECT '{secret}')",
    "SELECT arrayMap(file, ['{secret}'])",
    "SELECT arrayMap(`file`, ['{secret}'])",
    "SELECT 1 IN file('{secret}', 'LineAsString')",
    "WITH (SELECT file('{secret}')) AS x SELECT x",
    "SELECT * FROM view(SELECT file('{secret}'))",
    "EXPLAIN SELECT file('{secret}')",
    "SHOW TABLES WHERE file('{secret}') = ''",
    "SELECT * FROM farebox.otel_traces |> WHERE file('{secret}') = ''",
    "SELECT 1 LIMIT (SELECT length(file('{secret}')))",
    "SELECT * FROM fileCluster('x', '{secret}')",
    "SELECT * FROM filesystem('{folder}')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1', 'system.one')",
    "SELECT * FROM s3('http://127.0.0.1:1/bucket/x')",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM executable('id', 'TSV', 'x String')",
    "SELECT * FROM python(x)",
    "SELECT * FROM Python('x')",
    "SELECT * FROM eval('SELECT 1')",
    "SELECT * FROM loop(numbers(1))",
    "SELECT * FROM merge('default', '.*')",
    "SELECT aiGenerate('x')",
    "SELECT 1 SETTINGS additional_result_filter = 'file(\\'{secret}\\') = 1'",
    "SELECT (SELECT 1 SETTINGS additional_result_filter = 'x')",
    "SELECT * FROM (SELECT 1 SETTINGS max_threads = 1, readonly = 0)",
    "SELECT 1 SETTINGS max_threads = foo(1), readonly = 0",
    "SELECT 1 FORMAT CSV SETTINGS output_format_schema = '{folder}/out'",
    "SELECT 1 SETTINGS format_template_row = '{secret}' FORMAT Template",
    "SHOW TABLES SETTINGS log_comment = 'x'",
]


@pytest.mark.parametrize("sql", WRITES + REACHES)
def test_refused(up: Up, secret: Path, sql: str) -> None:
    """Whatever writes, controls, or reaches out of the ledger is refused before it runs."""
    answer = ask(up, sql.replace("{secret}", str(secret)).replace("{folder}", str(secret.parent)))

    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) in ((403, "164"), (400, "62"))
    assert "topsecret" not in answer.text
    assert [path.name for path in secret.parent.iterdir()] == ["secret.csv"]


def test_function_by_parameter(up: Up, secret: Path) -> None:
    """A function's name cannot be smuggled in as a parameter."""
    for name in ("file", "`file`", " file"):
        answer = ask(up, "SELECT arrayMap({f:Identifier}, [{p:String}])", param_f=name, param_p=str(secret))

        assert answer.status_code in (400, 403, 404)
        assert "topsecret" not in answer.text


@pytest.mark.parametrize("table", ["`default`.`{secret}`", "{table:Identifier}", "default.{table:Identifier}"])
def test_files_as_tables(up: Up, secret: Path, table: str) -> None:
    """A file is no table, by whatever name: the engine's user has no right to read files."""
    for name in (str(secret), f"default.{secret}", f"`default`.`{secret}`"):
        answer = ask(up, f"SELECT * FROM {table.replace('{secret}', str(secret))}", param_table=name)

        assert answer.status_code in (400, 403, 404)
        assert "topsecret" not in answer.text


@pytest.mark.parametrize(
    "name", ["additional_result_filter", "readonly_", "format_schema", "output_format_schema", "config-file", "dialect"]
)
def test_refused_settings(up: Up, name: str) -> None:
    """Settings that are not on the list are refused by name."""
    answer = ask(up, "SELECT 1", **{name: "1"})

    assert answer.status_code == 403
    assert name in answer.text


def test_names_that_are_no_functions(up: Up) -> None:
    """Words in strings, comments and column names are not mistaken for functions or settings."""
    answer = ask(
        up,
        "SELECT 'file(1)' AS url, 'SETTINGS x = 1' AS remote, `settings` /* file('x') */ FROM "
        "(SELECT 1 AS settings) -- SETTINGS readonly = 0",
    )

    assert answer.text == "file(1)\tSETTINGS x = 1\t1\n"


def test_get_formats_and_compression(up: Up) -> None:
    """curl's ways: GET, formats by clause, parameter and header, gzip in both directions, ping."""
    base = f"http://127.0.0.1:{up.clickhouse_port}"
    headers = {"Content-Encoding": "gzip", "X-ClickHouse-Format": "JSONEachRow"}
    zipped = requests.get(
        base, {"query": "SELECT number FROM numbers(10000)", "enable_http_compression": "1"}, timeout=10
    )

    assert requests.get(base, {"query": "SELECT 1 AS a FORMAT JSONCompact"}, timeout=10).json()["data"] == [[1]]
    assert requests.get(base, {"query": "SELECT 1", "default_format": "CSVWithNames"}, timeout=10).text == '"1"\n1\n'
    assert requests.post(base, gzip.compress(b"SELECT 1 AS a"), headers=headers, timeout=10).json() == {"a": 1}
    assert requests.post(base, b"+ 1", params={"query": "SELECT 1"}, timeout=10).text == "2\n"
    assert (zipped.headers["content-encoding"], len(zipped.text.split())) == ("gzip", 10000)
    assert [requests.get(base + path, timeout=10).text for path in ("/", "/ping")] == ["Ok.\n"] * 2
    assert requests.get(base, {"query": "SELECT 1", "default_format": "DataFrame"}, timeout=10).status_code == 400
    assert requests.get(base, headers={"Host": "attacker.example"}, timeout=10).status_code == 400


def test_ledger_commands_find_it(start_up: Callable[..., Up], tmp_path: Path) -> None:
    """The ledger's own reader finds the running `farebox up` and asks it."""
    from farebox_ledger import open_reader, parse_dsn, running

    dsn = parse_dsn(f"chdb:{tmp_path / 'ledger'}")
    own = start_up(tmp_path / "ledger")
    own.post(traces(span(1)).SerializeToString())
    announced = running(dsn)
    with open_reader(dsn) as client:
        counted = client.command("SELECT count() FROM otel_traces")

    assert announced is not None
    assert (announced.pid, announced.clickhouse_port) == (own.process.pid, own.clickhouse_port)
    assert counted == 1
    assert own.stop() == 0
    assert running(dsn) is None


def test_password(start_up: Callable[..., Up], tmp_path: Path) -> None:
    """Where a password is set nobody reads without it, but the commands of the user whose ledger it is."""
    up = start_up(tmp_path / "ledger", clickhouse_password="open sesame")
    address = f"http://127.0.0.1:{up.clickhouse_port}/?query=SELECT+1"
    answers = [
        requests.get(address, timeout=20),
        requests.get(address, auth=("any", "wrong"), timeout=20),
        requests.get(address, auth=("any", "open sesame"), timeout=20),
        requests.get(address + "&password=open+sesame", timeout=20),
        requests.get(address, headers={"X-ClickHouse-Key": "open sesame"}, timeout=20),
        requests.get(address.replace("/?query=SELECT+1", "/ping"), timeout=20),
    ]
    with open_reader(Dsn("chdb", path=up.folder)) as client:
        attempts = client.command("SELECT count() FROM llm_attempts")

    assert [each.status_code for each in answers] == [403, 403, 200, 200, 200, 200]
    assert answers[0].headers["X-ClickHouse-Exception-Code"] == "516"
    assert attempts == 0
