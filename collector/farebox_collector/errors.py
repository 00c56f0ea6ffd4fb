"""Errors of the collector.

FareboxError                exit code 2: one sentence for the operator
└── CollectorError          `farebox up` cannot start
    └── PortTakenError      another process listens on the port

RequestError                a client's request is answered with an error status; never ends the process
├── MalformedError          400: the body is not what its content type says
├── TooLargeError           413: the body is larger than a named maximum
├── UnauthorizedError       401: no token is shown where one is needed, or one that is not known
├── UnsupportedError        415: a content type or encoding that is not spoken here
├── StalledError            408: the client stopped sending
└── BusyError               503: requests in work hold too much, or the journal cannot be written; come back
    └── JournalFullError    503: the store has not taken enough for too long

StoreError                  ClickHouse did not take an insert
├── StoreRefusedError       because of the rows: the same rows fail again
└── StoreUnavailableError   because of its own state: the same rows may succeed later
"""

from __future__ import annotations

from farebox.errors import FareboxError

__all__ = [
    "BusyError",
    "CollectorError",
    "JournalFullError",
    "MalformedError",
    "PortTakenError",
    "RequestError",
    "StalledError",
    "StoreError",
    "StoreRefusedError",
    "StoreUnavailableError",
    "TooLargeError",
    "UnauthorizedError",
    "UnsupportedError",
]


class CollectorError(FareboxError):
    """`farebox up` cannot start."""


class PortTakenError(CollectorError):
    """Another process listens on the port."""


class RequestError(Exception):
    """A request that is answered with an error status; `grpc_code` is its google.rpc.Code."""

    status = 400
    grpc_code = 3  # INVALID_ARGUMENT
    retry_after_s: int | None = None


class MalformedError(RequestError):
    """The body is not what its content type says."""


class TooLargeError(RequestError):
    """The body is larger than a named maximum."""

    status = 413
    grpc_code = 8  # RESOURCE_EXHAUSTED


class UnauthorizedError(RequestError):
    """No token is shown where one is needed, or one that is not known."""

    status = 401
    grpc_code = 16  # UNAUTHENTICATED


class UnsupportedError(RequestError):
    """A content type or encoding that is not spoken here."""

    status = 415


class StalledError(RequestError):
    """The client stopped sending in the middle of a request."""

    status = 408
    grpc_code = 4  # DEADLINE_EXCEEDED


class BusyError(RequestError):
    """The collector cannot keep the body now; the client should come back."""

    status = 503
    grpc_code = 14  # UNAVAILABLE
    retry_after_s = 1


class JournalFullError(BusyError):
    """The journal holds all that it may, since the store has not taken it."""

    retry_after_s = 10


class StoreError(Exception):
    """ClickHouse did not take an insert, for a reason that may lie in the rows or in the store."""


class StoreRefusedError(StoreError):
    """The rows were refused: the same rows fail again."""


class StoreUnavailableError(StoreError):
    """The store cannot take rows now: the same rows may succeed later; `too_many` if fewer may succeed sooner."""

    too_many = False
