"""Every setting of farebox: its name, type, unit, default and what it does.

A value is looked up as argument > environment (`FAREBOX_DSN`) > `farebox.toml` (`dsn = "…"`) > default.
An empty value means unset. The page SETTINGS.md is generated from `SETTINGS`.
"""

from __future__ import annotations

import os
import re
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from farebox.errors import SettingError

__all__ = ["SETTINGS", "Setting", "setting", "settings_table"]

TOML_FILE = "farebox.toml"
LOOK_S = 1.0
# When the file was last looked at (seconds, monotonic), and its time of change then; None: there was none.
_looked: tuple[float, float | None] = (-LOOK_S, None)


@dataclass(frozen=True)
class Setting:
    """One row of the table; `parse` raises ValueError on what is not allowed."""

    name: str
    kind: str
    parse: Callable[[str], Any]
    default: Any
    sentence: str

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return "FAREBOX_" + self.name.upper()

    def resolve(self, argument: Any = None) -> Any:
        """Look the value up: argument, environment, farebox.toml, default.

        Raises:
            SettingError: the first value found is not allowed; names the value and where it stood.
        """
        for source, raw in self._candidates(argument):
            if raw is None or raw == "":
                continue
            if not isinstance(raw, str):
                return raw  # an argument already of the right type
            try:
                return self.parse(raw)
            except ValueError as error:
                raise SettingError(f"{source}={raw!r} is not {self.kind}: {error}") from None
        return self.default

    def _candidates(self, argument: Any) -> list[tuple[str, Any]]:
        from_file = _toml(TOML_FILE, _mtime_lately()).get(self.name)
        if from_file is not None:
            from_file = str(from_file).lower() if isinstance(from_file, bool) else str(from_file)
        return [
            (f"--{self.name.replace('_', '-')}", argument),
            (self.variable, os.environ.get(self.variable)),
            (f"{TOML_FILE}: {self.name}", from_file),
        ]


def _mtime_lately() -> float | None:
    """Return when farebox.toml was changed, as it was at most LOOK_S ago.

    The recorder asks at every call, and looking at the disk each time would hand the interpreter to whoever waits.
    """
    global _looked
    if time.monotonic() - _looked[0] >= LOOK_S:
        try:
            changed = os.stat(TOML_FILE).st_mtime
        except OSError:
            changed = None
        _looked = (time.monotonic(), changed)
    return _looked[1]


@lru_cache(maxsize=4)
def _toml(path: str, mtime: float | None) -> Mapping[str, Any]:
    if mtime is None:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingError(f"{path} cannot be read as TOML: {error}; mend or remove it") from None


def _text(raw: str) -> str:
    return raw


def _port(raw: str) -> int:
    port = int(raw)
    if not 0 <= port <= 65535:
        raise ValueError("a port is 0 to 65535, 0 meaning any free one")
    return port


def _positive(raw: str) -> int:
    number = int(raw)
    if number <= 0:
        raise ValueError("must be above 0")
    return number


def _days(raw: str) -> int:
    number = int(raw)
    if not 0 <= number <= 36_500:
        raise ValueError("must be a whole number from 0 to 36500")
    return number


def _up_to_32768(raw: str) -> int:
    number = _positive(raw)
    if number > 32_768:
        raise ValueError("must be 32768 at most")
    return number


def _function_name(raw: str) -> str:
    module, _, function = raw.strip().partition(":")
    if not all(map(str.isidentifier, (*module.split("."), *function.split(".")))):
        raise ValueError("must name a function, as in my_package.my_module:my_function")
    return raw.strip()


def _flag(raw: str) -> bool:
    match raw.strip().lower():
        case "true" | "1" | "on" | "yes":
            return True
        case "false" | "0" | "off" | "no":
            return False
    raise ValueError("allowed are true and false")


def _size(raw: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]i?B|B)?", raw.strip(), re.IGNORECASE)
    if found is None:
        raise ValueError("allowed are bytes, or a number with KB, MB, GB, TB, KiB, MiB, GiB or TiB")
    unit = (found[2] or "B").upper()
    return int(float(found[1]) * (1024 if "I" in unit else 1000) ** "BKMGT".index(unit[0]))


def _form(raw: str) -> str:
    if raw not in ("text", "json"):
        raise ValueError("allowed are text and json")
    return raw


def _names(raw: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in raw.split(",") if name.strip())


SETTINGS: dict[str, Setting] = {
    each.name: each
    for each in (
        Setting(
            "dsn",
            "a ledger's address",
            _text,
            "chdb:.farebox",
            "Where the ledger is: `chdb:folder`, `chdb:///absolute/folder` or `clickhouse://user:password@host:8123/farebox`.",
        ),
        Setting("ledger_days", "a number of days", _days, 0, "How long attempts and their sums are kept; 0 for good."),
        Setting("traces_days", "a number of days", _days, 30, "How long spans are kept as they came; 0 for good."),
        Setting("content_days", "a number of days", _days, 7, "How long captured content is kept; 0 for good."),
        Setting(
            "otlp_host",
            "an IP address",
            _text,
            "127.0.0.1",
            "Address that `farebox up` takes telemetry on; beyond loopback it needs tokens (`farebox tokens`) and TLS.",
        ),
        Setting(
            "otlp_plaintext",
            "true or false",
            _flag,
            False,
            "Take telemetry beyond loopback without TLS: where a proxy or a mesh before `farebox up` encrypts.",
        ),
        Setting("otlp_port", "a port", _port, 4318, "Port of OTLP/HTTP in `farebox up`."),
        Setting("grpc_port", "a port", _port, 4317, "Port of OTLP/gRPC in `farebox up`, with the extra `grpc`."),
        Setting(
            "tls_certificate", "a file", _text, "", "Certificate chain, in PEM, of `farebox up` for OTLP over TLS."
        ),
        Setting("tls_key", "a file", _text, "", "Key of that certificate, in PEM."),
        Setting(
            "clickhouse_port",
            "a port",
            _port,
            8123,
            "Port of the read-only ClickHouse HTTP interface of `farebox up`, on loopback.",
        ),
        Setting("clickhouse_password", "text", _text, "", "What clients of that interface show; unset: nothing."),
        Setting("viewer_port", "a port", _port, 3001, "Port of the dashboards in a browser in `farebox up`."),
        Setting(
            "viewer_host",
            "an IP address",
            _text,
            "127.0.0.1",
            "Address that the viewer listens on; beyond loopback it needs `FAREBOX_VIEWER_TOKEN`.",
        ),
        Setting("viewer_token", "text", _text, "", "What a browser must show to see the viewer: `?token=…` once."),
        Setting(
            "body_bytes_max",
            "a number of bytes",
            _positive,
            16 * 1024 * 1024,
            "Largest OTLP request body, before and after decompression.",
        ),
        Setting(
            "intake_bytes_max",
            "a number of bytes",
            _positive,
            256 * 1024 * 1024,
            "Bytes of all OTLP requests in work in `farebox up`; beyond it clients are asked to come back (503).",
        ),
        Setting(
            "log_format", "text or json", _form, "text", "How `farebox up` writes its log to stderr, a line an event."
        ),
        Setting(
            "memory",
            "a size",
            _size,
            0,
            "Most memory of the embedded ClickHouse in `farebox up`, as 2GB; 0 for nine tenths of the machine's.",
        ),
        Setting(
            "journal",
            "a folder",
            _text,
            "",
            "Where `farebox up` keeps what it acknowledged until it is stored; unset: in the ledger's folder, for a "
            "server `.farebox/host-port-database`.",
        ),
        Setting(
            "journal_bytes_max",
            "a number of bytes",
            _positive,
            1024 * 1024 * 1024,
            "Largest journal of `farebox up`; beyond it clients are asked to come back (503).",
        ),
        Setting(
            "journal_hours_max",
            "a number of hours",
            _positive,
            72,
            "How long `farebox up` goes on taking telemetry while the ledger takes none.",
        ),
        Setting(
            "alert_webhook",
            "an address",
            _text,
            "",
            "Where `farebox up` posts alerts that fire or are resolved, as JSON; also `webhook` under `[alerts]`.",
        ),
        Setting(
            "alert_every_s",
            "a number of seconds",
            _positive,
            60,
            "How often `farebox up` asks the alert rules; slow ones every tenth time.",
        ),
        Setting(
            "dashboards_url",
            "an address",
            _text,
            "http://localhost:3001",
            "Where the dashboards are that alerts lead to: the viewer of `farebox up`, or a Grafana.",
        ),
        Setting(
            "queue_records_max",
            "a number of attempts",
            _positive,
            10_000,
            "Attempts waiting in the application for the recorder; newer ones are dropped and counted.",
        ),
        Setting(
            "queue_bytes_max",
            "a number of bytes",
            _positive,
            64 * 1024 * 1024,
            "Bytes of requests and responses waiting for the recorder; newer ones are dropped and counted.",
        ),
        Setting(
            "spool_dir",
            "a folder",
            _text,
            "",
            "Where the application writes spans down before they are sent; a later process delivers what is left.",
        ),
        Setting(
            "spool_bytes_max",
            "a number of bytes",
            _positive,
            256 * 1024 * 1024,
            "Largest spool; beyond it spans wait in memory.",
        ),
        Setting(
            "include_usage",
            "true or false",
            _flag,
            True,
            "Ask hosts that support it for the usage of OpenAI-compatible streams, unseen by the caller.",
        ),
        Setting(
            "detectors_off",
            "names of detectors",
            _text,
            "",
            "Failure detectors not to run, all or by name, or for one route: `disclaimer, batch:all`.",
        ),
        Setting(
            "detectors_ms_max",
            "a number of milliseconds",
            _positive,
            250,
            "Processor time after which no further detector begins on an answer; those left out are `not_checked`.",
        ),
        Setting(
            "import_names",
            "a file",
            _text,
            "",
            "A list of importable names beside the shipped one, as `python -m farebox.detectors.names` makes it.",
        ),
        Setting(
            "capture_content",
            "true or false",
            _flag,
            False,
            "Export prompts, answers and tools' arguments as log records, through the redaction if there is one.",
        ),
        Setting(
            "content_characters_max",
            "a number of characters",
            _up_to_32768,
            16_384,
            "Length at which a text of captured content is cut, after its redaction; at most 32768.",
        ),
        Setting(
            "redact",
            "package.module:function",
            _function_name,
            "",
            "Function from text to text, or None to drop it, that sees each text of content before its export.",
        ),
        Setting(
            "hash_users",
            "true or false",
            _flag,
            False,
            "Record a keyed one-way hash instead of the `user` tag.",
        ),
        Setting(
            "hash_key",
            "text",
            _text,
            "",
            "Key of all one-way hashes; unset means random per process, so hashes of two processes do not match.",
        ),
        Setting(
            "propagate",
            "tag names, comma-separated",
            _names,
            (),
            "Tags that cross processes in OTel baggage; whoever receives your requests sees them.",
        ),
    )
}


def setting(name: str, argument: Any = None) -> Any:
    """Resolve one setting of the table by name."""
    return SETTINGS[name].resolve(argument)


def settings_table() -> str:
    """Return the table of settings, as Markdown."""
    rows = ["| setting | type | default | what it does |", "|---|---|---|---|"]
    for each in SETTINGS.values():
        default = "on" if each.default is True else "off" if each.default is False else each.default
        shown = f"`{default}`" if default not in ("", ()) else "unset"
        rows.append(f"| `{each.variable}` | {each.kind} | {shown} | {each.sentence} |")
    return "\n".join(rows)
