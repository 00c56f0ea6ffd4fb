"""Names that stand for secrets and processes: keyed one-way hashes, and this process's instance id."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from functools import lru_cache
from typing import Any

from farebox.settings import SETTINGS, setting

__all__ = ["hash_key", "instance_id", "key_fingerprint", "keyed_hash"]

_AWS_ACCESS_KEY = re.compile(r"AWS4-[\w-]+ Credential=([^/,]+)/")
_RANDOM_KEY = secrets.token_bytes(32)
_instance = secrets.token_hex(8)


def instance_id() -> str:
    """Return this process's random id; a forked child has its own."""
    return _instance


@lru_cache(maxsize=4096)
def keyed_hash(value: str) -> str:
    """Hash a value one way, 16 hex digits, with FAREBOX_HASH_KEY or a key that lives as long as the process."""
    return hashlib.blake2b(value.encode(), key=hash_key(), digest_size=8).hexdigest()


def hash_key() -> bytes:
    """Return the key of all one-way hashes: FAREBOX_HASH_KEY, else one that lives as long as the process."""
    return _hash_key(os.environ.get(SETTINGS["hash_key"].variable))


@lru_cache(maxsize=4)
def _hash_key(_: str | None) -> bytes:
    return str(setting("hash_key")).encode()[:64] or _RANDOM_KEY


def key_fingerprint(headers: Any) -> str | None:
    """Return the fingerprint of the API key that a request carries, None if it carries none.

    Of an AWS signature, which differs from request to request, it is that of the access key's id.
    """
    secret = headers.get("x-api-key") or headers.get("api-key") or headers.get("authorization")
    if not secret:
        return None
    signed = _AWS_ACCESS_KEY.match(secret)
    return keyed_hash(signed.group(1) if signed else secret.removeprefix("Bearer "))


def _new_instance() -> None:
    global _instance
    _instance = secrets.token_hex(8)


os.register_at_fork(after_in_child=_new_instance)
