"""Writes files that must be there after a power cut, readable by this user alone."""

from __future__ import annotations

import ctypes
import os
import secrets
import sys
from pathlib import Path

__all__ = [
    "boot_id",
    "create_file",
    "make_folder",
    "remove_file",
    "sync_file",
    "sync_folder",
    "sync_system",
    "write_all",
]

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
F_FULLFSYNC = 51  # macOS: fsync alone leaves the data in the drive's cache


def boot_id() -> str:
    """Name the time since the machine started, for as long as what was written and not synced is not lost.

    Where the system has no such name it is another for each process.
    """
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_hex(16)


def make_folder(path: Path) -> None:
    """Create a folder for this user alone, or make the one that is there so."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)


def create_file(path: Path) -> int:
    """Create a file that must not exist yet and open it for appending; its name is durable, its content not yet."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        sync_folder(path.parent)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; a disk that fills up may take only some of them before it says so."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_file(descriptor: int) -> None:
    """Return once the content of a file is on the disk."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(descriptor, F_FULLFSYNC)
    else:
        os.fdatasync(descriptor)


def sync_folder(path: Path) -> None:
    """Return once the names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_system(path: Path) -> None:
    """Return once all that was written so far to the file system of this path is on the disk, whoever wrote it.

    Raises:
        OSError: it is not.
    """
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:  # not Linux: all file systems, then
        os.sync()
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(path))
    finally:
        os.close(descriptor)


def remove_file(path: Path) -> bool:
    """Delete a file; False if it cannot be deleted now. One that is gone already is deleted."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
