"""A small disk of one's own that gets full, turns read-only, or loses its power: ext4 in a file.

Where that may not be mounted it is memory, which can only get full, or no disk at all. Mounting is for root on Linux.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["Disk", "disk"]

BYTES = 512 * 2**20
UMOUNT_S_MAX = 10.0
# linux/fs/ext4/ext4.h: stop the file system at once, and write nothing more, not even its own log.
EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, struct.pack("I", 2)


class Disk:
    """A disk under a folder; `kind` is ext4, tmpfs, or none, where nothing below does anything."""

    def __init__(self, folder: Path, kind: str, image: Path) -> None:
        self.folder = folder
        self.kind = kind
        self._image = image
        self._ballast = folder / "ballast"

    @property
    def is_real(self) -> bool:
        """Whether it has a medium that can fail."""
        return self.kind == "ext4"

    def fill(self, left: int) -> None:
        """Leave so many bytes free, as far as that goes."""
        if self.kind == "none":
            return
        free = os.statvfs(self.folder)
        with suppress(OSError), self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(free.f_bavail * free.f_frsize - left, 1))

    def empty(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)

    def turn_read_only(self) -> None:
        """Take nothing more, as a file system does that has met an error, whoever has files open there."""
        if self.is_real:
            subprocess.run(["mount", "-o", "remount,abort", str(self.folder)], check=True, capture_output=True)

    def cut_power(self) -> None:
        """Lose all that was written and not brought to the medium by a sync."""
        import fcntl

        if self.is_real:
            descriptor = os.open(self.folder, os.O_RDONLY)
            try:
                fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH)
            finally:
                os.close(descriptor)

    def mount_again(self) -> None:
        """Come back with what is on the medium; nobody may have a file open there."""
        if self.is_real:
            self._unmount()
            _mount(self.folder, self._image)

    def remove(self) -> None:
        """Take it away."""
        if self.kind != "none":
            self._unmount()
        self._image.unlink(missing_ok=True)

    def _unmount(self) -> None:
        deadline = time.monotonic() + UMOUNT_S_MAX
        while subprocess.run(["umount", str(self.folder)], capture_output=True, check=False).returncode != 0:
            assert time.monotonic() < deadline, f"{self.folder} is in use"
            time.sleep(0.05)


@contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """Give a folder a disk of its own, as real as may be mounted here."""
    image = folder.with_name(folder.name + ".img")
    words = ["mount", "-t", "tmpfs", "-o", f"size={BYTES}", "farebox-chaos", str(folder)]
    if _format(image) and _mount(folder, image):
        made = Disk(folder, "ext4", image)
    elif shutil.which("mount") and subprocess.run(words, capture_output=True, check=False).returncode == 0:
        made = Disk(folder, "tmpfs", image)
    else:
        made = Disk(folder, "none", image)
    try:
        yield made
    finally:
        made.remove()


def _format(image: Path) -> bool:
    if not (shutil.which("mkfs.ext4") and shutil.which("mount")):
        return False
    with image.open("wb") as file:
        file.truncate(BYTES)
    words = ["mkfs.ext4", "-q", "-F", "-m", "0", str(image)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _mount(folder: Path, image: Path) -> bool:
    words = ["mount", "-o", "loop,errors=remount-ro", str(image), str(folder)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0
