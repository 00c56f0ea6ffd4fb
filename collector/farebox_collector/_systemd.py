"""Writes the unit with which systemd runs `farebox up`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

__all__ = ["unit_text"]

UNIT = """\
# farebox up --systemd > /etc/systemd/system/farebox.service   (or ~/.config/systemd/user/farebox.service)
# systemctl daemon-reload && systemctl enable --now farebox
[Unit]
Description=farebox: what LLM calls cost and how they fail
After=network-online.target
Wants=network-online.target

[Service]
ExecStart={command}
WorkingDirectory={folder}
Environment=PYTHONUNBUFFERED=1
# It stops by itself within five seconds; killed, it loses nothing that it acknowledged.
TimeoutStopSec=10
Restart=on-failure
RestartSec=2
# The embedded ClickHouse has many files open, and cuts off what it writes at a limit of size.
LimitNOFILE=65536
LimitFSIZE=infinity
UMask=0077
NoNewPrivileges=true
PrivateTmp=true
ProtectSystem=strict
ReadWritePaths={folder}

[Install]
WantedBy=multi-user.target
"""


def unit_text(arguments: list[str], folder: Path) -> str:
    """Write the unit for `farebox up` with these arguments, in this folder, by the Python that runs now."""
    program = Path(sys.executable).parent / "farebox"
    command = " ".join(shlex.quote(each).replace("%", "%%") for each in (str(program), "up", *arguments))
    return UNIT.format(command=command, folder=str(folder).replace("%", "%%"))
