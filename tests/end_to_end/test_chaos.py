"""Whatever happens to the collector, each acknowledged span is in the ledger once, and money is right to a digit."""

from __future__ import annotations

from pathlib import Path

import pytest
from end_to_end.chaos import run, template


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template(tmp_path_factory.mktemp("chaos") / "empty")


@pytest.mark.parametrize(
    ("seed", "names", "application", "server"),
    [
        (6, ["kill", "cut_power", "fill_disk", "turn_read_only"], True, False),
        (7, ["take_server_away", "freeze_server"], False, True),
    ],
)
def test_books_equal_the_ledger(
    empty: Path, tmp_path: Path, seed: int, names: list[str], application: bool, server: bool
) -> None:
    """Killed, frozen, without disk, power, journal or server, over bad lines: the ledger equals the senders' books."""
    outcome = run(seed, empty, tmp_path, 0, names=names, application=application, server=server)

    assert outcome.faults == []
    assert outcome.acknowledged > 0
