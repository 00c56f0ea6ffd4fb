"""Errors that the viewer answers a browser with; none ends the process.

ViewerError             the status, and a sentence for the person at the browser
├── MalformedError      400: the request is not one that the page makes
├── RefusedError        403: it comes from another site
├── UnknownError        404: there is no such dashboard, panel, variable or call
├── OversizeError       413: it is larger than a named maximum
├── AnswerError         422: ClickHouse does not answer it; carries the statement
└── BusyError           503: too many questions wait
"""

from __future__ import annotations

__all__ = [
    "AnswerError",
    "BusyError",
    "MalformedError",
    "OversizeError",
    "RefusedError",
    "UnknownError",
    "ViewerError",
]


class ViewerError(Exception):
    """A request that is answered with an error status."""

    status = 400


class MalformedError(ViewerError):
    """The request is not one that the page makes."""


class RefusedError(ViewerError):
    """The request comes from another site, or from nobody who may see the ledger."""

    status = 403


class UnknownError(ViewerError):
    """There is no such dashboard, panel, variable or call."""

    status = 404


class OversizeError(ViewerError):
    """The request is larger than a named maximum."""

    status = 413


class AnswerError(ViewerError):
    """ClickHouse does not answer; `sql` is the statement as it was asked."""

    status = 422

    def __init__(self, words: str, sql: str) -> None:
        super().__init__(words)
        self.sql = sql


class BusyError(ViewerError):
    """Too many questions wait already."""

    status = 503
