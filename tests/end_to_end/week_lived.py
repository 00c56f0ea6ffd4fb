"""Lives the week of `week.py`: a shop and a `farebox up` as processes, and what people do meanwhile."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import farebox_up
from clickhouse_connect.driver.client import Client
from dashboards.asking import ask, choice
from end_to_end.week import BEGIN, DAY, DEPLOYED, END, HOUR, NEW_OUTPUT_PRICE, REPRICED_AT

from farebox._cli import main

__all__ = ["KILLED_AT", "Week", "live", "moment"]

KILLED_AT = BEGIN + DAY + 12 * HOUR + timedelta(minutes=10)
DELIVERED_S = 60
DAY_S = 86_400


@dataclass
class Week:
    """The week as it went: the `farebox up` that holds its ledger, and what the shop said after each stretch."""

    up: farebox_up.Up
    said: list[str] = field(default_factory=list)
    _client: Client | None = None

    @property
    def client(self) -> Client:
        """A connection to the port that Grafana reads."""
        self._client = self._client or self.up.client()
        return self._client

    def tell(self, words: str, *paths: Path) -> tuple[Any, int]:
        """Run a command on the ledger: its JSON, and its exit code."""
        with redirect_stdout(io.StringIO()) as out:
            code = main([*words.split(), *map(str, paths), "--dsn", f"chdb:{self.up.folder}", "--json"])
        return json.loads(out.getvalue()), code

    def ask(self, name: str, since: datetime = BEGIN, until: datetime = END, **chosen: Any) -> list[dict[str, Any]]:
        """Ask a dashboard's question, by the day."""
        return ask(self.client, name, since, until, choice(**chosen), DAY_S)

    def close(self) -> None:
        """End what runs."""
        if self._client is not None:
            self._client.close()
        self.up.end()


class Shop:
    """The process that makes the week's calls."""

    def __init__(self, otlp: str) -> None:
        environment = farebox_up.environment() | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
            "OTEL_SERVICE_NAME": "shop",
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        words = [sys.executable, "-m", "end_to_end.week_shop"]
        self._process = subprocess.Popen(
            words, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def go_on(self, until: datetime, patience_s: int = DELIVERED_S) -> str:
        """Make the calls until then; what it says of them: how many so far, and whether all were delivered."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{until.isoformat()} {patience_s}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """End it, as it ends by itself once nothing is asked of it."""
        self._process.communicate(timeout=DELIVERED_S)


@contextmanager
def live(folder: Path) -> Iterator[Week]:
    """Live the week: what people do in it is done when its time has come."""
    prices = folder / "prices.csv"
    line = f"fireworks,qwen3.5-flash,output_tokens,{NEW_OUTPUT_PRICE},1,{REPRICED_AT:%Y-%m-%d},contract"
    prices.write_text(f"provider,model,unit,price,per,valid_from,source\n{line}\n", encoding="utf-8")
    lived = Week(farebox_up.start(folder / "ledger"))
    shop = Shop(lived.up.otlp)
    try:
        lived.said.append(shop.go_on(KILLED_AT, 0))
        lived.up.stop(signal.SIGKILL)
        lived.up.end()
        lived.said.append(shop.go_on(KILLED_AT + HOUR, 0))
        lived.up = farebox_up.start(lived.up.folder, otlp_port=int(lived.up.otlp.rpartition(":")[2]))
        lived.said.append(shop.go_on(DEPLOYED))
        lived.tell(f"annotate deploy-v7 --route reports --who ann --at {moment(DEPLOYED)}")
        lived.said.append(shop.go_on(REPRICED_AT))
        lived.tell("prices import", prices)
        lived.said.append(shop.go_on(END))
        yield lived
    finally:
        shop.close()
        lived.close()


def moment(at: datetime) -> str:
    """Write a moment as commands take it."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
