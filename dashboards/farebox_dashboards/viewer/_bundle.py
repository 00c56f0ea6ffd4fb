"""The page itself: the built bundle, read once into memory, so that no path of a request is ever one of a file."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["Bundle", "read_bundle"]

INDEX = "index.html"
# Vite puts a hash of the content into the names under this folder, so they may be kept for good.
HASHED = "assets/"
FOREVER = "public, max-age=31536000, immutable"
KINDS = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".sha256": "text/plain",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
COMPRESSED = (".css", ".html", ".js", ".txt")
COMPRESSION_LEVEL = 6


@dataclass(frozen=True)
class _File:
    """One file of the bundle."""

    name: str
    content: bytes

    @cached_property
    def compressed(self) -> bytes | None:
        """Its content compressed, once, when it is first asked for; None where that does not help."""
        if not self.name.endswith(COMPRESSED):
            return None
        return gzip.compress(self.content, COMPRESSION_LEVEL, mtime=0)

    @cached_property
    def tag(self) -> str:
        """An entity tag."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'


class Bundle:
    """The files of the built page, by their paths in it."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self._files = {name: _File(name, content) for name, content in contents.items()}

    def answer(self, request: Request, name: str) -> Response | None:
        """Answer with a file of the bundle; None if it has none of that name."""
        found = self._files.get(name)
        if found is None:
            return None
        headers = {"ETag": found.tag, "Vary": "Accept-Encoding"}
        headers["Cache-Control"] = FOREVER if name.startswith(HASHED) else "no-cache"
        if request.headers.get("if-none-match") == found.tag:
            return Response(status_code=304, headers=headers)
        body = found.content
        if "gzip" in request.headers.get("accept-encoding", "") and found.compressed is not None:
            body = found.compressed
            headers["Content-Encoding"] = "gzip"
        kind = KINDS.get(name[name.rfind(".") :], "application/octet-stream")
        return Response(body, headers=headers, media_type=kind)

    def index(self, request: Request) -> Response:
        """Answer with the page; it reads from its address what to show."""
        answer = self.answer(request, INDEX)
        assert answer is not None
        return answer


@cache
def read_bundle() -> Bundle:
    """Read the bundle that the package ships."""
    contents: dict[str, bytes] = {}
    _gather(files("farebox_dashboards").joinpath("viewer", "bundle"), "", contents)
    return Bundle(contents)


def _gather(folder: Traversable, prefix: str, contents: dict[str, bytes]) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            _gather(entry, f"{prefix}{entry.name}/", contents)
        else:
            contents[prefix + entry.name] = entry.read_bytes()
