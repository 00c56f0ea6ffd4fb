"""Runs the simulated providers as a process; says where they listen and stops with its parent."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import sys
import threading
from pathlib import Path

from farebox_demo.providers._invoice import Invoice
from farebox_demo.providers._server import Providers

STDIN = 0


def main() -> None:
    """Serve until SIGTERM, SIGINT or, if asked, until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m farebox_demo.providers", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="same seed and requests, same answers and invoice total")
    parser.add_argument("--invoice", type=Path, required=True, help="JSON lines file to append to, one line an attempt")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0 takes a free one")
    parser.add_argument("--until-stdin-ends", action="store_true", help="stop when the parent closes the pipe or dies")
    asyncio.run(_serve(parser.parse_args()))


async def _serve(args: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if args.until_stdin_ends:
        threading.Thread(target=_wait_for_parent, args=(loop, stop), daemon=True).start()
    providers = Providers(seed=args.seed, invoice=Invoice(args.invoice), run=secrets.token_hex(8))
    port = await providers.server.start(args.port)
    sys.stdout.write(json.dumps({"port": port}) + "\n")
    sys.stdout.flush()
    await stop.wait()
    await providers.server.stop()
    providers.invoice.close()


def _wait_for_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # Not through sys.stdin: a thread that holds its lock makes the interpreter's end a fatal error.
    while os.read(STDIN, 1):
        pass
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    main()
