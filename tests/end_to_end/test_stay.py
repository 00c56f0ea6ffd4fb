"""`make demo STAY=1` leaves the dashboards up with traffic that moves, until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import requests
from end_to_end.test_demo import FOLDER, children, invoiced, running, start, wait_until
from viewer.conftest import chosen

STOP_S = 5
MAKEFILE = Path(__file__).parents[2] / "Makefile"


def overview(url: str) -> dict[str, Any]:
    """Ask a viewer for the Overview's exact figures of the last half hour, as its page does."""
    uid = "farebox-overview"
    panels = requests.get(f"{url}/api/dashboards/{uid}", timeout=10).json()["panels"]
    (panel,) = [each["id"] for each in panels if each["title"] == "Exact figures"]
    now = round(1000 * time.time())
    question = {"dashboard": uid, "panel": panel, "from": now - 1_800_000, "to": now, "variables": chosen(uid)}
    answer = requests.post(url + "/api/panel", json=question, timeout=30)
    assert answer.status_code == 200, answer.text
    names, amounts, *_ = answer.json()["frames"][0]["data"]["values"]
    return dict(zip(names, amounts, strict=True))


def test_stay_shows_a_demo_that_moves(tmp_path: Path) -> None:
    """It prints the viewer's address, Overview has the demo's money, calls go on, and Ctrl-C ends all of it soon."""
    demo = start(tmp_path, "--calls", "20", "--stay")
    assert demo.stdout is not None
    output, said = demo.stdout.fileno(), ""
    os.set_blocking(output, False)

    def address() -> str | None:
        nonlocal said
        with contextlib.suppress(BlockingIOError):
            said += os.read(output, 65536).decode()
        found = re.search(r"Dashboards +(http://\S+?)/d/farebox-overview", said)
        return found[1] if found and "farebox report" in said else None

    try:
        url = wait_until(address, demo)
        begun = invoiced(tmp_path)
        spend = overview(url)["spend"]
        wait_until(lambda: invoiced(tmp_path) > begun, demo)
        theirs = children(demo.pid)
        assert len(theirs) == 2
        asked = time.monotonic()
        demo.send_signal(signal.SIGINT)
        code = demo.wait(30)
        took = time.monotonic() - asked
    finally:
        demo.kill()
        demo.wait()
        for pipe in (demo.stdout, demo.stderr):
            pipe.close()  # type: ignore[union-attr]

    assert float(spend) > 0
    assert code == 0
    assert took < STOP_S
    assert not running(theirs)
    assert not (tmp_path / FOLDER / "up.json").exists()


def test_make_passes_stay_on() -> None:
    """`make demo STAY=1` is `farebox demo --stay`."""
    assert "$(if $(filter 1,$(STAY)),--stay)" in MAKEFILE.read_text(encoding="utf-8")
