"""Each snippet of Python on a page runs as it stands, against both providers on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from instrumentation.provider import start
from instrumentation.test_sender import Collector

from documentation.pages import PAGES, blocks, named

# One process for all of them: each in a namespace of its own, as a reader would paste it into a file of its own.
RUNNER = """
import json, sys
for name, text in json.load(sys.stdin):
    print(name, flush=True)
    exec(compile(text, name, "exec"), {"__name__": "snippet"})
"""


def test_every_snippet_runs(tmp_path: Path) -> None:
    """Nothing is raised, nothing is warned of, and the calls that they make are recorded."""
    provider = start()
    snippets = [(f"{named(page)}:{each.line}", each.text) for page in PAGES for each in blocks(page, "python")]
    with Collector().running() as collector:
        environment = provider.environment(collector.endpoint)
        done = subprocess.run(
            [sys.executable, "-c", RUNNER],
            input=json.dumps(snippets),
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    assert done.returncode == 0, done.stdout.splitlines()[-1] + done.stderr
    assert len(snippets) >= 10
    told = [
        each.value.string_value for span in collector.spans for each in span.attributes if each.key == "farebox.route"
    ]
    assert {"support", "hello", "escalated", "summaries", "nightly"} <= set(told)
