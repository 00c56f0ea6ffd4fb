"""Takes the README's screenshots of seeded traffic: `make screenshots`."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from dashboards.traffic import BACKSLASHES, DAY, HOSTILE, ROUTES, TENANT, UNTIL, deployment, make_traffic, spans
from ledger.spans import store
from viewer.browser import launch, opened
from viewer.conftest import milliseconds, serving

from farebox_ledger import Dsn, open_store, refresh_all

NAMES = dict(zip(ROUTES, ("support", "plan", "extract", "search"), strict=True))
SHOTS = (
    ("overview", "/d/farebox-overview", "dark", (1280, 1140)),
    ("failure-modes", "/d/farebox-failure-modes", "light", (1280, 800)),
    ("phone", "/d/farebox-route", "dark", (390, 800)),
)


def main(folder: Path) -> None:
    """Seed a ledger, open its dashboards, and write a PNG for each shot."""
    folder.mkdir(parents=True, exist_ok=True)
    assert {HOSTILE, BACKSLASHES} < set(NAMES)
    made = [
        replace(each, route=NAMES[each.route], tenant="acme" if each.tenant == TENANT else each.tenant)
        for each in make_traffic()
    ]
    with tempfile.TemporaryDirectory() as ledger, open_store(Dsn("chdb", path=Path(ledger))) as opened_store:
        store(opened_store.client, *spans(made), deployment())
        refresh_all(opened_store.client)
        with serving(opened_store.dsn) as viewer, launch() as browser:
            for name, path, colours, size in SHOTS:
                with opened(browser, viewer.url, size, colours) as window:
                    window.go(f"{path}?from={milliseconds(UNTIL - DAY)}&to={milliseconds(UNTIL)}")
                    window.page.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
