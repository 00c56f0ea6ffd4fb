"""Run in a virtual environment that holds `pip install farebox` alone: is it light, and does it say what is missing?"""

import importlib.metadata
import subprocess
import sys
import time

HEAVY = {"chdb", "clickhouse-connect", "pyarrow", "numpy", "pandas", "starlette", "uvicorn", "grpcio", "grafana-client"}
IMPORT_S_MAX = 0.2
TIMED_IMPORT = "import time; t = time.perf_counter(); import farebox; print(time.perf_counter() - t)"

names = {distribution.metadata["Name"].lower() for distribution in importlib.metadata.distributions()}
assert not names & HEAVY, f"the base install brought {sorted(names & HEAVY)}"

subprocess.run([sys.executable, "-c", "import farebox"], check=True)
best = min(
    float(
        subprocess.run(
            [sys.executable, "-c", TIMED_IMPORT],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    )
    for _ in range(5)
)
assert best < IMPORT_S_MAX, f"import farebox took {best:.3f} s, above {IMPORT_S_MAX}"

began = time.monotonic()
missing = subprocess.run([f"{sys.prefix}/bin/farebox", "up"], capture_output=True, text=True, check=False)
assert missing.returncode == 2, missing
assert "pip install 'farebox[" in missing.stderr, missing.stderr
assert "Traceback" not in missing.stderr, missing.stderr

sys.stdout.write(f"{len(names)} packages, import in {best * 1000:.0f} ms, a missing extra is named\n")
sys.stdout.write("1 passed, 0 failed\n")
