"""As much of Grafana's HTTP API as a push needs, on loopback: it keeps what it is given and notes every request."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["TOKEN", "FakeGrafana", "fake_grafana"]

TOKEN = "glsa_secret"


@dataclass
class FakeGrafana:
    """What it holds, and what it was asked: method, path and body."""

    url: str = ""
    version: str = "13.2.2"
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    datasources: dict[str, dict[str, Any]] = field(default_factory=dict)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    refusal: tuple[int, str] | None = None
    provenance: str = "api"

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Methods and paths of what was to change something."""
        return [(method, path) for method, path, _ in self.requests if method != "GET"]

    def answer(self, method: str, path: str, body: Any, token: str) -> tuple[int, Any]:
        """Answer as Grafana 13 does."""
        self.requests.append((method, path, body))
        if path == "/api/frontend/settings":
            return 200, {"buildInfo": {"version": self.version, "commit": "x", "database": "ok"}}
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        if self.refusal is not None and method != "GET":
            return self.refusal[0], {"message": self.refusal[1]}
        return (
            self._folders(method, path, body)
            or self._datasources(method, path, body)
            or self._alerting(method, path, body)
            or self._boards(method, path, body)
        )

    def _folders(self, method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method == "POST" and path == "/api/folders":
            self.folders[body["uid"]] = body
            return 200, body
        found = re.fullmatch("/api/folders/(.+)", path)
        return _one(self.folders, found[1]) if found else None

    def _datasources(self, method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method == "POST" and path == "/api/datasources":
            self.datasources[body["uid"]] = body
            return 200, {"datasource": body, "id": 1, "message": "Datasource added"}
        found = re.fullmatch("/api/datasources/uid/(.+)", path)
        if found and method == "PUT":
            self.datasources[found[1]] = body
            return 200, {"datasource": body, "id": 1, "message": "Datasource updated"}
        if found:
            status, held = _one(self.datasources, found[1])
            return status, {key: value for key, value in held.items() if key != "secureJsonData"}
        return None

    def _alerting(self, method: str, path: str, body: Any) -> tuple[int, Any] | None:
        """Keep rules, contact points and templates; secrets are not told again, models get keys of Grafana's own."""
        found = re.fullmatch(
            "/api/v1/provisioning/(contact-points|templates|folder/farebox/rule-groups)(?:/(.+))?", path
        )
        if found is None:
            return None
        kind, name = found[1], found[2]
        if kind == "contact-points" and method == "GET":
            return 200, [self._told(each) for each in self.contacts.values()]
        if kind == "contact-points":
            self.contacts[name or body["uid"]] = {**body, "provenance": self.provenance}
            return 202, {"message": "contactpoint updated"}
        held = self.templates if kind == "templates" else self.groups
        if method == "GET":
            return _one(held, name)
        held[name] = {"name": name, **body, "provenance": self.provenance}
        for rule in body.get("rules", []):
            for step in rule["data"]:
                step["model"] |= {"intervalMs": 1000, "maxDataPoints": 43200}
            rule |= {"id": 1, "updated": "2026-11-23T07:00:00Z", "provenance": self.provenance}
        return 202, held[name]

    def _told(self, contact: dict[str, Any]) -> dict[str, Any]:
        secret = {"slack": "url", "pagerduty": "integrationKey"}.get(contact["type"])
        settings = {key: "[REDACTED]" if key == secret else value for key, value in contact["settings"].items()}
        return {**contact, "settings": settings}

    def _boards(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "POST" and path == "/api/dashboards/db":
            uid = body["dashboard"]["uid"]
            version = self.dashboards.get(uid, {}).get("dashboard", {}).get("version", 0) + 1
            kept = {**body["dashboard"], "id": 7, "version": version}
            self.dashboards[uid] = {"dashboard": kept, "meta": {"folderUid": body["folderUid"]}}
            return 200, {"uid": uid, "status": "success", "version": version}
        found = re.fullmatch("/api/dashboards/uid/(.+)", path)
        return _one(self.dashboards, found[1]) if found else (404, {"message": f"no such path: {path}"})


@contextmanager
def fake_grafana() -> Iterator[FakeGrafana]:
    """Run one on a port of its own."""
    grafana = FakeGrafana()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            # Without this header Grafana lets nobody edit in its pages what came by its API.
            grafana.provenance = "" if self.headers.get("X-Disable-Provenance") == "true" else "api"
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = grafana.answer(
                self.command, self.path, json.loads(text) if text else None, self.headers.get("Authorization", "")
            )
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    grafana.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield grafana
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _one(held: dict[str, dict[str, Any]], uid: str) -> tuple[int, Any]:
    return (200, held[uid]) if uid in held else (404, {"message": "not found"})
