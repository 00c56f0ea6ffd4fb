"""Follow the README from top to bottom, as a newcomer would: a fresh clone, a bare environment, packages of its own.

    python tests/follow_readme.py                                   # all of it; some minutes, about 3 GB
    python tests/follow_readme.py --done 'make demo' --done 'make test' --venv .venv --demo demo.txt

Every line of its shell blocks is run, every snippet of Python too, in their order. --done names lines that were run
already, --venv an environment in which farebox is installed already. The providers are a server of this machine; what
needs Docker or a Grafana is skipped, and said to be. Needs nothing but Python and git.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from documentation.pages import blocks  # noqa: E402
from instrumentation.provider import start  # noqa: E402

# How this machine reaches a package index is no part of what a newcomer sets up.
NETWORK = re.compile(r"(?i)(pip_((extra_)?index_url|find_links|config_file|cert)|ssl_cert_file|(https?|no)_proxy)")
PORTS = {
    "FAREBOX_OTLP_PORT": 4318,
    "FAREBOX_GRPC_PORT": 4317,
    "FAREBOX_CLICKHOUSE_PORT": 8123,
    "FAREBOX_VIEWER_PORT": 3001,
}
UP_S_MAX = 60
LINE_S_MAX = 1800


class Newcomer:
    """One reader of the README, with a clone, a shell of their own, and nothing else."""

    def __init__(self, home: Path, done: list[str], venv: Path | None) -> None:
        self.clone, self.work, self.done = home / "farebox", home / "work", set(done)
        self.work.mkdir()
        if subprocess.run(["git", "clone", "--quiet", str(ROOT), str(self.clone)], check=False).returncode:
            ignored = shutil.ignore_patterns(".*cache*", ".venv", ".artifacts", "node_modules", "__pycache__")
            shutil.copytree(ROOT, self.clone, ignore=ignored)  # no repository, or somebody else's
        self.is_installed = venv is not None
        if venv is None:
            venv = home / "venv"
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        provider = start()
        self.environment = {
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PATH": f"{venv.resolve()}/bin:/usr/local/bin:/usr/bin:/bin",
            "ANTHROPIC_API_KEY": "none",
            "ANTHROPIC_BASE_URL": provider.base,
            **{name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)},
            **_free_ports(),
        }
        self.background: list[subprocess.Popen[str]] = []

    def follow(self, line: str) -> str:
        """Do what a line of a shell block says, and say what came of it."""
        if line in self.done:
            return "was run already"
        if line.startswith("docker "):
            if not _has_compose():
                return "skipped: there is no Docker here"
            line = "docker compose config --quiet"
        if line.startswith("farebox dashboards push"):
            return "skipped: there is no Grafana here"
        if line == "farebox up":
            return self.up()
        if line.startswith("pip install"):
            if self.is_installed:
                return "was installed already"
            # A reader who wraps a client has its SDK already.
            self.run(["pip", "install", "--quiet", "anthropic"], self.work)
            self.run(shlex.split(line), self.clone)
            return "ok"
        if line.startswith("cp "):
            self.run(shlex.split(line), self.clone)
            filled = re.sub(r"(?m)(PASSWORD)=$", r"\1=chosen", (self.clone / ".env").read_text())
            (self.clone / ".env").write_text(filled)
            return "ok"
        self.run(shlex.split(line), self.clone if line.startswith(("make", "docker")) else self.work)
        return "ok"

    def run(self, words: list[str], folder: Path) -> str:
        """Run a program to its end; a failure ends everything."""
        words[0] = shutil.which(words[0], path=self.environment["PATH"]) or words[0]
        done = subprocess.run(
            words, cwd=folder, env=self.environment, capture_output=True, text=True, check=False, timeout=LINE_S_MAX
        )
        if done.returncode:
            raise SystemExit(
                f"{shlex.join(words)} exited {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
        return done.stdout

    def up(self) -> str:
        """Start the collector and leave it running, as in a second terminal."""
        program = shutil.which("farebox", path=self.environment["PATH"]) or "farebox"
        log = self.work / "up.log"
        with log.open("w") as out:
            self.background.append(
                subprocess.Popen(
                    [program, "up"], cwd=self.work, env=self.environment, stdout=out, stderr=out, text=True
                )
            )
        began = time.monotonic()
        while "Ledger " not in log.read_text():
            if self.background[-1].poll() is not None or time.monotonic() - began > UP_S_MAX:
                raise SystemExit(f"farebox up did not start:\n{log.read_text()}")
            time.sleep(0.1)
        return "ok, it runs"

    def end(self) -> None:
        """Stop what runs."""
        for process in self.background:
            process.terminate()
            process.wait(30)


def _has_compose() -> bool:
    """Tell whether there is a Docker with Compose."""
    try:
        return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _free_ports() -> dict[str, str]:
    """Keep to the ports of the README unless somebody has one of them here."""
    with contextlib.ExitStack() as stack:
        try:
            for port in PORTS.values():
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        except OSError:
            sys.stdout.write("somebody has a port of farebox's here: others are taken\n")
            found = {}
            for name in PORTS:
                server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
                found[name] = str(server.getsockname()[1])
            return {**found, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{found['FAREBOX_OTLP_PORT']}"}
    return {}


# Points of a percentage: one prompt among the five hundred of a route.
HITS_OFF_MAX = 0.3


def steps(page: Path) -> Iterator[tuple[str, str]]:
    """Give what a page says to do, in its order: lines of shell, whole snippets of Python."""
    for block in blocks(page):
        if block.language == "sh":
            for line in block.text.splitlines():
                if command := re.split(r"\s+# ", line)[0].strip():
                    yield "sh", command
        elif block.language == "python":
            yield "python", block.text


def compare_demo(printed: str) -> None:
    """Refuse a README whose figures of the demo are not those that were printed.

    Times are each machine's own, and of two calls that begin together either may be the one that finds the cache empty:
    where the host takes the same for cached tokens that moves the share of cache hits, and no money.
    """

    def plain(line: str) -> tuple[str, float]:
        line = re.sub(r"\s+", " ", re.sub(r"[\d,.]+ (ms|s)\b", "", line)).strip()
        rest, hits, after = re.match(r"(.*?)(?:([\d.]+)%)?([^%]*)$", line).groups()  # type: ignore[union-attr]
        return f"{rest}%{after}", float(hits or 0)

    (shown,) = (each.text for each in blocks(ROOT / "README.md") if "per success" in each.text)
    figures = [line for line in shown.splitlines() if re.search(r"\d", line) and not line.endswith("…")]
    there = dict(plain(line) for line in printed.splitlines())
    if missing := [line for line in figures if abs(there.get(plain(line)[0], -1.0) - plain(line)[1]) > HITS_OFF_MAX]:
        raise SystemExit("the demo printed other figures than the README shows:\n" + "\n".join(missing))
    sys.stdout.write(f"{len(figures)} lines of the README's demo are as it printed them\n")


def main() -> None:
    """Follow the README, and say of each step what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--done", action="append", default=[], metavar="LINE", help="a line that was run already")
    parser.add_argument(
        "--demo", type=Path, metavar="FILE", help="what `make demo` printed, to hold the README's against"
    )
    parser.add_argument("--venv", type=Path, metavar="FOLDER", help="an environment with farebox in it")
    args = parser.parse_args()
    began = time.monotonic()
    if args.demo:
        compare_demo(args.demo.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as home:
        newcomer = Newcomer(Path(home), args.done, args.venv)
        try:
            for language, text in steps(newcomer.clone / "README.md"):
                shown = text.strip().splitlines()[0]
                said = newcomer.follow(text) if language == "sh" else "ok"
                if language == "python":
                    newcomer.run(["python", "-c", text], newcomer.work)
                sys.stdout.write(f"{time.monotonic() - began:6.0f} s  {shown:76} {said}\n")
                sys.stdout.flush()
            report = newcomer.run(["farebox", "report"], newcomer.work)
        finally:
            newcomer.end()
    if "support" not in report:
        raise SystemExit(f"the call of the README is not in the report:\n{report}")
    sys.stdout.write("The README holds.\n1 passed, 0 failed\n")


if __name__ == "__main__":
    main()
