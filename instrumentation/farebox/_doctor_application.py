"""What `farebox doctor` looks at in the application: settings, SDKs, others that record, the exporter, a test call."""

from __future__ import annotations

import difflib
import os
import re
import secrets
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.metadata import PackageNotFoundError, entry_points, requires, version
from pathlib import Path
from threading import Thread
from typing import Any

from farebox.checks import Finding, State, Visit
from farebox.errors import SettingError
from farebox.settings import SETTINGS, TOML_FILE

__all__ = ["check"]

ROUTE = "farebox-doctor"
PREFIX = "FAREBOX_"
FLUSH_S = 2.0
SDKS = ("anthropic", "openai")
# Sections of farebox.toml, and variables that are no settings of one value.
SECTIONS = frozenset({"alerts", "aliases", "commitments", "discounts", "prices", "routes"})


def check(visit: Visit) -> Iterator[Finding]:
    """Look at this environment as an application in it would find it."""
    yield from _settings()
    yield from _sdks()
    yield _others()
    reached = _exporter()
    yield reached
    if reached.state is not State.WRONG:
        yield _test_call(visit)


def _settings() -> Iterator[Finding]:
    """Each setting is allowed, and no variable or key is misspelt."""
    wrong = False
    for each in SETTINGS.values():
        try:
            each.resolve()
        except SettingError as error:
            wrong = True
            yield Finding("settings", State.WRONG, str(error), f"{each.variable} takes {each.kind}")
    known = {each.variable for each in SETTINGS.values()}
    for name in sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known):
        wrong = True
        yield Finding(
            "settings", State.LOOK, f"{name} is no setting of farebox", _meant(name.removeprefix(PREFIX), PREFIX)
        )
    keys = _toml_keys()
    for key in sorted(keys - SETTINGS.keys() - SECTIONS):
        wrong = True
        yield Finding("settings", State.LOOK, f"{key} in {TOML_FILE} is no setting of farebox", _meant(key))
    if not wrong:
        given = sorted({name for name in os.environ if name in known} | {f"{TOML_FILE}: {key}" for key in keys})
        yield Finding("settings", State.FINE, f"given: {', '.join(given)}" if given else "all at their defaults")


def _meant(name: str, prefix: str = "") -> str:
    """Say which setting was probably meant, spelt as `name` is."""
    near = difflib.get_close_matches(name.lower(), SETTINGS, 1)
    if not near:
        return "remove it"
    return f"did you mean {prefix + near[0].upper() if prefix else near[0]}?"


def _toml_keys() -> set[str]:
    try:
        return set(tomllib.loads(Path(TOML_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError):  # what cannot be read is said when a setting is looked up
        return set()


def _sdks() -> Iterator[Finding]:
    """The SDKs that are installed are ones that farebox is tested with."""
    found = 0
    for name in SDKS:
        try:
            installed = version(name)
        except PackageNotFoundError:
            continue
        found += 1
        lowest = _lowest(name)
        if _numbers(installed) < _numbers(lowest):
            sentence = f"{installed} is older than {lowest}, the oldest supported"
            yield Finding(name, State.WRONG, sentence, f"pip install '{name}>={lowest}'")
        else:
            yield Finding(name, State.FINE, f"{installed} (supported from {lowest})")
    if not found:
        yield Finding(
            "SDKs", State.LOOK, "neither anthropic nor openai is installed here", "run this where the application runs"
        )


def _lowest(name: str) -> str:
    """Return the lowest version that farebox's own metadata asks for."""
    for requirement in requires("farebox") or ():
        matched = re.match(rf"{name}\s*>=\s*([\d.]+)", requirement)
        if matched:
            return matched[1]
    return "0"


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release)[:3])


def _others() -> Finding:
    """Tell which other instrumentations of the same SDKs are installed."""
    points = entry_points(group="opentelemetry_instrumentor")
    names = {point.value.partition(":")[0] for point in points}
    others = sorted(name for name in names if name.rpartition(".")[2] in SDKS or ".genai." in name)
    if not others:
        return Finding("other instrumentations", State.FINE, "none of these SDKs is installed")
    return Finding(
        "other instrumentations",
        State.FINE,
        f"{', '.join(others)}: a call that they report too counts once",
    )


def _exporter() -> Finding:
    """Send an empty request where spans would go."""
    from farebox._otlp_environment import connector, variable

    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Finding("exporter", State.WRONG, "OTEL_SDK_DISABLED is true: nothing is recorded", "unset it")
    named = variable("ENDPOINT", "traces")
    try:
        transport: Any = connector()()
        delivery = transport.send(b"")
        transport.close()
    except (ModuleNotFoundError, OSError, ValueError) as error:
        return Finding("exporter", State.WRONG, str(error))
    if not delivery.taken:
        remedy = "mend OTEL_EXPORTER_OTLP_ENDPOINT, or start what listens there" if named else "start `farebox up`"
        return Finding("exporter", State.WRONG, f"the collector takes nothing: {delivery.reason}", remedy)
    return Finding("exporter", State.FINE, f"the collector at {named or 'http://localhost:4318'} takes spans")


def _test_call(visit: Visit) -> Finding:
    """Make one call to a server of our own, which costs nothing, and have the collector take its span."""
    name = next((name for name in SDKS if _is_installed(name)), None)
    if name is None:
        return Finding("test call", State.SKIPPED, "no SDK is installed here")
    import farebox

    task = f"doctor-{secrets.token_hex(8)}"
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    import_module(name)  # what takes long is no part of the way that is timed
    called_at = datetime.now(UTC)
    try:
        with farebox.tags(route=ROUTE, task=task):
            _call(name, f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()
    if not farebox.flush(FLUSH_S):
        return Finding(
            "test call",
            State.WRONG,
            f"recorded, but the collector did not take it within {FLUSH_S:g} s",
            "look at the log of the collector",
        )
    visit.task, visit.called_at = task, called_at
    return Finding("test call", State.FINE, f"one call of {name} to a server of our own was recorded and taken")


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def _call(name: str, base: str) -> None:
    import farebox

    sdk = import_module(name)
    if name == "anthropic":
        with sdk.Anthropic(api_key="none", base_url=base, max_retries=0) as client:
            asked = {"model": ROUTE, "messages": [{"role": "user", "content": "hello"}]}
            farebox.wrap(client).messages.count_tokens(**asked)
    else:
        with sdk.OpenAI(api_key="none", base_url=f"{base}/v1", max_retries=0) as client:
            farebox.wrap(client).responses.input_tokens.count(model=ROUTE, input="hello")


class _Provider(BaseHTTPRequestHandler):
    """Counts the tokens of anything: a call that is free at every provider."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b'{"object": "response.input_tokens", "input_tokens": 1}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the doctor does."""
