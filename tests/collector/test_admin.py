"""Commands that change a ledger reach it while `farebox up` holds it, with the secret in its folder and not without."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from farebox_up import Up, environment, wait_until
from otlp_messages import attempt, traces

CLI = [sys.executable, "-c", "import sys; from farebox._cli import main; sys.exit(main())"]
PRICES = (
    '[[prices]]\nprovider = "acme"\nmodel = "m-1"\n'
    'uncached_input_tokens = "2"\noutput_tokens = "4"\nvalid_from = "2020-01-01"\n'
)
CALL = {
    "farebox.provider": "acme",
    "gen_ai.response.model": "m-1",
    "farebox.usage.uncached_input_tokens": 1_000_000,
    "farebox.usage.output_tokens": 0,
}


def address(up: Up) -> str:
    """Where the running process takes actions."""
    return f"http://127.0.0.1:{json.loads((up.folder / 'up.json').read_text())['admin_port']}"


def post(up: Up, action: str, body: str = "{}", token: str | None = None, **headers: str) -> requests.Response:
    """Ask for an action, with the ledger's token unless another is given."""
    shown = (up.folder / "up.token").read_text() if token is None else token
    headers = {"Authorization": f"Bearer {shown}", **headers}
    return requests.post(f"{address(up)}/admin/{action}", data=body, headers=headers, timeout=30)


def test_the_token_is_for_this_user_alone(up: Up) -> None:
    """The secret lies in the ledger's folder, readable by nobody else."""
    assert stat.S_IMODE((up.folder / "up.token").stat().st_mode) == 0o600
    assert len((up.folder / "up.token").read_text()) >= 40


@pytest.mark.parametrize("token", ["", "guess", "\xe9"])
def test_without_the_token_nothing_is_done(up: Up, token: str) -> None:
    """Another token, or none, gets 401, whatever action it names."""
    answers = [post(up, action, "no JSON", token) for action in ("reprice", "unknown")]
    answers.append(requests.post(f"{address(up)}/admin/reprice", data="{}", timeout=30))

    assert [answer.status_code for answer in answers] == [401] * 3
    assert "the token is not the one" in answers[0].json()["error"]


def test_a_web_page_reaches_nothing(up: Up) -> None:
    """A request for another host name is refused, even with the token."""
    assert post(up, "reprice", Host="evil.example").status_code == 400


@pytest.mark.parametrize(
    ("action", "body", "words"),
    [
        ("reprice", "[]", "the body is not a JSON object"),
        ("reprice", "{", "the body is not a JSON object"),
        ("reprice", "{}", "the action reprice cannot be carried out as it was asked (KeyError: 'since')"),
        ("destroy", "{}", "this farebox knows no action 'destroy'; it has "),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(up: Up, action: str, body: str, words: str) -> None:
    """A body or an action that is not understood gets 400 and says why."""
    answer = post(up, action, body)

    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_the_past_is_priced_anew_while_up_runs(
    start_up: Callable[..., Up], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`farebox reprice` changes the ledger that `farebox up` holds, which takes calls as ever."""
    monkeypatch.chdir(tmp_path)
    running = start_up(tmp_path / "ledger")
    asked = "SELECT toString(sum(list_cost)), countIf(list_cost IS NULL), count() FROM llm_attempts"
    assert running.post(traces(attempt(1, CALL)).SerializeToString()).status_code == 200
    wait_until(lambda: running.rows(asked)[0] == (None, 1, 1))
    (tmp_path / "farebox.toml").write_text(PRICES, encoding="utf-8")
    wait_until(lambda: running.rows("SELECT count() FROM price WHERE provider = 'acme'")[0][0] > 0)

    command = [*CLI, "reprice", "--dsn", "chdb:ledger", "--since", "2026-01-01", "--who", "ann", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=120, check=False)
    assert running.post(traces(attempt(2, CALL)).SerializeToString()).status_code == 200
    wait_until(lambda: running.rows(asked)[0][2] == 2)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "dry_run": False,
        "changes": [
            {
                "model": "m-1",
                "old_state": "no_price",
                "new_state": "priced",
                "attempts": 1,
                "old_cost": None,
                "new_cost": "2.000000000000",
            }
        ],
    }
    assert running.rows(asked) == [("4", 0, 2)]
    assert running.rows("SELECT who, toString(new_list_cost) FROM adjustments") == [("ann", "2")]
    assert running.counts()["actions"] == 1
    assert running.stop() == 0
    assert not (tmp_path / "ledger" / "up.json").exists()
