"""Find the JSON that an answer consists of, if it is meant to be JSON."""

from __future__ import annotations

import re

from farebox.detectors._answer import Answer, Choice

__all__ = ["json_of", "looks_like_json", "without_fence"]

# A JSON object or array with something in it; prose in brackets, links and footnotes look otherwise.
_BEGINS = re.compile(
    r"""\s{0,64}(?:\{\s{0,512}(?:"|\}|$)|\[\s{0,512}(?:[\[{"\d]|-\d|\]\s{0,64}$|$|(?:true|false|null)\s{0,8}[,\]]))"""
)
# A line that announces it, and the JSON after that up to the end.
_INTRODUCED = re.compile(r"""\bjson\b[^\n]{0,80}:\s{1,16}((?:\{|\[\s{0,64}[{\[])\s{0,512}"[^\x00]*)\Z""", re.IGNORECASE)
LINES_MAX = 2_000
_FENCED = frozenset({"json", "jsonc"})


def looks_like_json(text: str) -> bool:
    """Tell whether text begins as a JSON object or array does."""
    return _BEGINS.match(text) is not None


def json_of(choice: Choice, answer: Answer) -> str | None:
    """Return the text that should parse as JSON: the answer, or its JSON block; None when it is not meant to be JSON.

    What the request put in the model's mouth is part of it. A block counts when the answer is nothing else, or when
    it was never closed; so does JSON that begins after a line of introduction. Of several objects, a line each, it is
    the last.
    """
    text = choice.text
    if not text.strip():
        return None
    prefill = answer.prompt.prefill
    if prefill and not _BEGINS.match(text):
        text = _opened(prefill) + text
    blocks = choice.blocks
    if blocks:
        last = blocks[-1]
        alone = len(blocks) == 1 and choice.text.lstrip().startswith(("```", "~~~"))
        meant = last.language in _FENCED or (alone and not last.language)
        if meant and (not last.closed or (alone and (answer.output.json or _BEGINS.match(last.code)))):
            return last.code
    if _BEGINS.match(text):
        return _last_line(text)
    if answer.output.json:
        return text
    introduced = _INTRODUCED.search(text) if "json" in text or "JSON" in text else None
    return text[introduced.start(1) :] if introduced else None


def _last_line(text: str) -> str:
    """Return the last of JSON lines: where each line before it is whole; the text itself if it is not such."""
    lines = [line for line in text.split("\n", LINES_MAX) if line.strip()]
    if len(lines) < 2 or len(lines) > LINES_MAX or not all(line[0] == "{" for line in lines):
        return text
    return lines[-1] if all(line.rstrip()[-1] == "}" for line in lines[:-1]) else text


def _opened(prefill: str) -> str:
    """Return the JSON in a prefill: what stands after an opening fence, or from its first bracket on."""
    after = prefill.rpartition("```json")[2].lstrip()
    found = re.search(r"[\[{]", after)
    return after[found.start() :] if found else ""


def without_fence(text: str) -> str:
    """Return the inside of a text that is one Markdown block, the text itself otherwise."""
    bare = text.strip()
    if not bare.startswith("```"):
        return bare.removesuffix("```").rstrip() if bare.count("```") == 1 else bare
    return bare.partition("\n")[2].removesuffix("```").strip()
