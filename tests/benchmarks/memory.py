"""Is memory flat? RSS after many wrapped calls and abandoned streams, against the same after a tenth of them.

python tests/benchmarks/memory.py [--calls 100000] [--streams 10000]
"""

from __future__ import annotations

import argparse
import gc
import os
from pathlib import Path

from overhead import ASK, COLUMNS, make, sink

import farebox


def rss_mib() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def calls(count: int) -> None:
    _, content, call = COLUMNS["anthropic text"]
    client = farebox.wrap(make("a", content))
    for _ in range(count):
        call(client)
    client.close()


def abandoned(count: int) -> None:
    _, content, _ = COLUMNS["anthropic stream"]
    client = farebox.wrap(make("a", content))
    for _ in range(count):
        for number, _ in enumerate(client.messages.create(**ASK, stream=True)):
            if number == 5:
                break
    client.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--streams", type=int, default=10_000)
    args = parser.parse_args()
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = sink()
    for name, run, count in (("calls", calls, args.calls), ("abandoned streams", abandoned, args.streams)):
        run(count // 10)
        farebox.flush(30)
        gc.collect()
        early = rss_mib()
        run(count - count // 10)
        farebox.flush(60)
        gc.collect()
        late = rss_mib()
        print(f"{count:>7} {name:18} {early:7.1f} MiB after a tenth, {late:7.1f} MiB after all: x{late / early:.3f}")


if __name__ == "__main__":
    main()
