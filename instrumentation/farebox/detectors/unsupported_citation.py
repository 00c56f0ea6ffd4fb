"""Count the URLs, DOIs and arXiv ids of an answer that stand nowhere in the request.

Definition: each distinct reference in the answer's text, code blocks aside, that the request does not hold,
whatever its scheme, `www.`, fragment or last slash; a DOI or arXiv id counts the same within a link. The count is
farebox.unsupported_citations. Not a verdict: the model may know the reference; but it cannot have looked it up.
Does not apply to calls with web search, retrieval or other tools that the provider runs.
Source: RFC 3986; DOI Handbook 2.2; arxiv.org/help/arxiv_identifier.
Measured: precision 1.000 (0.741-1.000), recall 1.000 (0.741-1.000), false positives 0.000 (0.000-0.243) on 23
labelled answers (ours).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from farebox import semconv as name
from farebox.detectors._answer import Answer, Choice
from farebox.detectors._code import without_blocks
from farebox.detectors._finding import Finding
from farebox.detectors._limits import REQUEST_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, NotCheckedError
from farebox.detectors._request import looks_things_up, strings_of

__all__ = ["check"]

_URL = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"'`|\\^{}\[\]，。；）、「」]{3,2000}", re.IGNORECASE)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s<>\"'`|\\^{}\[\]，。；）]{1,200}", re.IGNORECASE)
_ARXIV = re.compile(
    r"\barxiv(?:\.org/(?:abs|pdf|html)/|[: ]{1,3})((?:\d{4}\.\d{4,5}|[a-z-]{2,10}(?:\.[a-z]{2})?/\d{7}))(?:v\d+)?",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?*_~'\""


def check(answer: Answer) -> Finding | None:
    """Count over all choices; does not apply where the provider looked things up."""
    if not answer.request or answer.searched or looks_things_up(answer.request):
        return None
    choices = [choice for choice in answer.texts if not choice.other]
    if not choices:
        return None
    if any(len(choice.text) > TEXT_CHARACTERS_MAX for choice in choices):
        raise NotCheckedError("TEXT_CHARACTERS_MAX")
    found = {reference for choice in choices for reference in _references(choice)}
    count = len(_unsupported(found, answer.request)) if found else 0
    return Finding(("",) if count else (), {name.UNSUPPORTED_CITATIONS: count})


def _references(choice: Choice) -> Iterator[str]:
    """Yield each reference in the one form in which it is looked for: lower case, without its trimmings."""
    text = choice.text
    if not any(sign in text for sign in ("://", "10.", "www.", "WWW.")) and "arxiv" not in text.lower():
        return
    text = without_blocks(text)
    for match in _ARXIV.finditer(text):
        yield match.group(1).lower()
    for match in _DOI.finditer(text):
        yield _trimmed(match.group()).lower()
    for match in _URL.finditer(text):
        url = _trimmed(match.group())
        if not _DOI.search(url) and not _ARXIV.search(url):
            yield re.sub(r"^(?:https?://)?(?:www\.)?", "", url.lower()).partition("#")[0].rstrip("/")


def _trimmed(reference: str) -> str:
    """Take off the punctuation of the sentence around a reference, and a bracket that was opened before it."""
    while True:
        bare = reference.rstrip(_TRAILING)
        if bare.endswith(")") and bare.count(")") > bare.count("("):
            bare = bare[:-1]
        if bare == reference:
            return bare
        reference = bare


def _unsupported(references: set[str], request: Mapping[str, Any]) -> set[str]:
    left = REQUEST_CHARACTERS_MAX
    for text in strings_of(request):
        left -= len(text)
        if left < 0:
            raise NotCheckedError("REQUEST_CHARACTERS_MAX")
        lowered = text.lower()
        references = {reference for reference in references if reference not in lowered}
        if not references:
            break
    return references
