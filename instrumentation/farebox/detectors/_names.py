"""Lists of names in sorted text files, looked up without loading them: a million names cost no memory.

Lines that begin with `#` say when and from what a file was made; names are lower case, with `_` for `-` and `.`.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from farebox.errors import SettingError
from farebox.settings import setting

__all__ = ["NameFile", "import_names", "normal", "stdlib_names", "write_names"]


def normal(name: str) -> str:
    """Return the form in which names are kept and looked up."""
    return name.strip().lower().replace("-", "_").replace(".", "_")


class NameFile:
    """A sorted file of names; `in` searches it by halves."""

    def __init__(self, data: bytes | mmap.mmap) -> None:
        self._data = data

    @classmethod
    def open(cls, path: Path) -> NameFile:
        """Map a file into memory.

        Raises:
            SettingError: there is no such file, or it is empty.
        """
        try:
            with path.open("rb") as file:
                return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError) as error:
            raise SettingError(
                f"FAREBOX_IMPORT_NAMES={str(path)!r} cannot be read ({error}); "
                "make it with python -m farebox.detectors.names"
            ) from None

    def __contains__(self, name: str) -> bool:
        wanted = normal(name).encode()
        low, high = 0, len(self._data)
        while low < high:
            start = self._data.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = self._data.find(b"\n", start)
            end = high if end < 0 else end
            line = bytes(self._data[start:end])
            if line == wanted:
                return True
            if line < wanted:
                low = end + 1
            else:
                high = start
        return False


def write_names(path: Path, names: Iterable[str], made: str) -> int:
    """Write a file of names, sorted as it is searched; return how many. `made`: when, and from what."""
    lines = sorted({each for name in names if (each := normal(name)) and not each.startswith("#")}, key=str.encode)
    path.write_text(f"# {made}\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


@lru_cache(maxsize=4)
def _mapped(path: str) -> NameFile:
    return NameFile.open(Path(path))


@lru_cache(maxsize=1)
def _shipped() -> NameFile:
    return NameFile(files("farebox.detectors").joinpath("data/import_names.txt").read_bytes())


@lru_cache(maxsize=2)
def stdlib_names(list_name: str = "stdlib_names") -> dict[str, frozenset[str]]:
    """Return the names in each module of the standard library, of any version; or those that were there once."""
    text = files("farebox.detectors").joinpath(f"data/{list_name}.txt").read_text(encoding="utf-8")
    lines = (line.split(" ") for line in text.splitlines() if not line.startswith("#"))
    return {module: frozenset(names) for module, *names in lines}


def import_names() -> tuple[NameFile, ...]:
    """Return the files that are asked for names of importable modules: the shipped one, and the one of the setting."""
    own = setting("import_names")
    return (_shipped(), _mapped(own)) if own else (_shipped(),)
