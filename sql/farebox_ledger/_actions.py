"""Carries out what changes a ledger: in this process, or by the running `farebox up` that holds it.

An action is a function of a client and of what is asked, in JSON's types, which answers in them too; it must bear to be
cut anywhere and repeated. A command names its action and need not know who carries it out.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from farebox_ledger._dsn import Dsn
from farebox_ledger._lock import Up, running
from farebox_ledger._store import open_store, require_folder
from farebox_ledger.errors import LedgerError, StoreHeldError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["ACTIONS", "Action", "carry_out", "new_token", "perform", "read_token"]

Action = Callable[["Client", Mapping[str, Any]], dict[str, Any]]

# Where each action is; imported only when somebody asks for it.
ACTIONS: Mapping[str, str] = {
    "backup": "farebox_ledger._backup:backup_as_asked",
    "annotate": "farebox_ledger._marks:annotate_as_asked",
    "forget": "farebox_ledger._forget:forget_as_asked",
    "import_outcomes": "farebox_ledger._outcomes:import_as_asked",
    "set_budget": "farebox_ledger._budgets:set_as_asked",
    "reconcile": "farebox_ledger.reconcile._run:reconcile_as_asked",
    "reprice": "farebox_ledger._reprice:reprice_as_asked",
}

# What works on what is there: of an address where nothing is it makes no ledger.
OF_THE_PAST = ("backup", "forget", "reprice")

TOKEN_FILE = "up.token"  # noqa: S105 -- a file's name
TOKEN_BYTES = 32
STARTING_S_MAX = 5.0
POLL_S = 0.05
CONNECT_S_MAX = 5.0


def perform(dsn: Dsn, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out an action on a ledger, whoever holds it; waits for a `farebox up` that is just starting.

    Raises:
        LedgerError: the ledger cannot be reached or is not there, or the action failed; says what is wrong.
    """
    if name in OF_THE_PAST:
        require_folder(dsn)
    deadline = time.monotonic() + STARTING_S_MAX
    while True:
        up = running(dsn)
        if up is not None and up.pid != os.getpid():
            return _ask(dsn, up, name, asked)
        try:
            with open_store(dsn) as store:
                return carry_out(store.client, name, asked)
        except StoreHeldError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(POLL_S)


def carry_out(client: Client, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out an action with a client that may write.

    Raises:
        LedgerError: there is no such action, it failed, or what was asked is not what it takes.
    """
    if name not in ACTIONS:
        raise LedgerError(f"this farebox knows no action {name!r}; it has {', '.join(sorted(ACTIONS))}")
    module, _, function = ACTIONS[name].partition(":")
    action: Action = getattr(import_module(module), function)
    try:
        return action(client, asked)
    except (KeyError, TypeError, ValueError) as error:
        words = f"{type(error).__name__}: {error}"
        raise LedgerError(f"the action {name} cannot be carried out as it was asked ({words})") from error


def new_token(folder: Path) -> str:
    """Write a new secret into a ledger's folder, readable by this user alone; who knows it may change the ledger."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    draft = folder / f"{TOKEN_FILE}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(token)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / TOKEN_FILE)
    return token


def read_token(folder: Path) -> str:
    """Read the secret of the `farebox up` that holds a ledger.

    Raises:
        LedgerError: this user may not.
    """
    try:
        return (folder / TOKEN_FILE).read_text(encoding="ascii")
    except OSError as error:
        raise LedgerError(
            f"{folder / TOKEN_FILE} cannot be read ({error.strerror}); only the user who runs `farebox up` may change "
            "its ledger"
        ) from None


def _ask(dsn: Dsn, up: Up, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    import requests

    with requests.Session() as session:
        session.trust_env = False  # neither a proxy nor .netrc has a part in this
        try:
            answer = session.post(
                f"http://127.0.0.1:{up.admin_port}/admin/{name}",
                data=json.dumps(asked),
                headers={"Authorization": f"Bearer {read_token(dsn.folder)}", "Content-Type": "application/json"},
                timeout=(CONNECT_S_MAX, None),  # what is asked may take as long as it takes
            )
            told = answer.json()
        except (requests.RequestException, ValueError):
            raise LedgerError(
                f"the `farebox up` that holds {dsn} (process {up.pid}) ended before it answered; repeat the command"
            ) from None
    if answer.status_code != 200:
        raise LedgerError(str(told.get("error", f"`farebox up` answered {answer.status_code}")))
    return cast("dict[str, Any]", told)
