"""Find the code in an answer: fenced blocks, and what is left of the text without code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Block", "blocks_of", "without_blocks", "without_code"]

_INLINE = re.compile(r"`[^`\n]{1,400}`")
_FENCES = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; closed: its closing fence is there."""

    language: str
    code: str
    closed: bool = True


def blocks_of(text: str) -> tuple[Block, ...]:
    """Return the fenced blocks of Markdown, the last one even if the text ends inside it."""
    if not any(fence in text for fence in _FENCES):
        return ()
    return tuple(block for block in _parts(text) if isinstance(block, Block))


def without_blocks(text: str) -> str:
    """Return text without fenced blocks."""
    if not any(fence in text for fence in _FENCES):
        return text
    return "\n".join(part for part in _parts(text) if isinstance(part, str))


def without_code(text: str) -> str:
    """Return text without fenced blocks and inline code."""
    text = without_blocks(text)
    return _INLINE.sub(" ", text) if "`" in text else text


def _parts(text: str) -> Iterator[str | Block]:
    """Yield the lines outside of fences as they are, and each fenced block."""
    fence, language, code = "", "", list[str]()
    for line in text.split("\n"):
        bare = line.strip()
        if fence:
            if bare.startswith(fence) and not bare.strip(fence[0]):
                yield Block(language, "\n".join(code))
                fence = ""
            else:
                code.append(line)
        elif bare.startswith(_FENCES):
            mark = bare[: len(bare) - len(bare.lstrip(bare[0]))]
            info = bare[len(mark) :].strip()
            if mark[0] in info:  # ```code``` within one line
                yield line
                continue
            fence, language, code = mark, info.split(maxsplit=1)[0].lower() if info else "", []
        else:
            yield line
    if fence:
        yield Block(language, "\n".join(code), closed=False)
