"""Every failure that a user can expect: what happened, why, what to do next, and the exit code.

`main` in `migrate/cli/__init__.py` prints an error and ends with its exit code.

    MigrateError
      NothingSelected     1   the selection matches no object
      BadUsage            2   the command, a config file or a plan cannot be understood
        ArchiveDamaged    2   the file is not an archive, or cannot be read
      IncompleteResult    3   some objects could not be read or written
        DiskFull          3   what was read until then is kept
      OperationRefused    4   going on could damage data
        PlanEdited            the plan file was changed after it was written
        PlanUnknown           the archive does not know the plan
        PlanStale             source or target changed since the plan was made
        ArchiveTooNew         a later version of this program wrote the archive
        ArchiveBusy           another program writes to the archive
      ServiceUnreachable  5   no answer from the service
        SignInFailed          the service refuses the credentials
        ServiceRetired        the service ended its API

    RequestFailed             one request failed; a stage reports it as one line of its result
      NoResponse              no connection, or no complete answer in time
      InvalidResponse         an answer that cannot be read
        ResponseTooLarge
      NotFound                the object or the route does not exist
      AccessDenied            the credentials do not allow the request
      NotDownloadable         the service never returns the bytes of this file
      OutcomeUnknown          a request that writes may or may not have been carried out
      NotSent                 a request was not sent, because the command is being stopped
      PaginationError         a listing cannot be read to its end
"""

from __future__ import annotations

from collections.abc import Mapping


class MigrateError(Exception):
    """An expected failure; shown as three short lines, never as a traceback."""

    exit_code = 1

    def __init__(self, what: str, why: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.todo = todo

    def lines(self) -> list[str]:
        """The message as it is shown: what, why, what to do next."""
        lines = [self.what]
        if self.why:
            lines.append(f"why: {self.why}")
        if self.todo:
            lines.append(f"next: {self.todo}")
        return lines


class NothingSelected(MigrateError):
    exit_code = 1


class BadUsage(MigrateError):
    exit_code = 2


class IncompleteResult(MigrateError):
    exit_code = 3


class DiskFull(IncompleteResult):
    pass


class OperationRefused(MigrateError):
    exit_code = 4


class PlanEdited(OperationRefused):
    pass


class PlanUnknown(OperationRefused):
    pass


class PlanStale(OperationRefused):
    pass


class ArchiveTooNew(OperationRefused):
    pass


class ArchiveBusy(OperationRefused):
    pass


class ArchiveDamaged(BadUsage):
    pass


class ServiceUnreachable(MigrateError):
    exit_code = 5


class SignInFailed(ServiceUnreachable):
    pass


class ServiceRetired(ServiceUnreachable):
    pass


# Stands in place of the HTTP status of a request that was not sent.
NOT_SENT_STATUS = 499


class RequestFailed(Exception):
    """One request did not do what it should. `status` is 0 when there was no usable answer."""

    def __init__(
        self, what: str, status: int = 0, code: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.status = status
        self.code = code
        self.headers = headers or {}

    @property
    def request_id(self) -> str:
        """The id that the service's support asks for; Azure uses another header."""
        return self.headers.get("apim-request-id") or self.headers.get("x-request-id") or ""

    def __str__(self) -> str:
        tail = f" (request id {self.request_id})" if self.request_id else ""
        return f"{self.what}{tail}"


class NoResponse(RequestFailed):
    """There was no answer: no connection, a timeout, a connection that ended."""


class InvalidResponse(RequestFailed):
    """The service answered, but with something that cannot be read."""


class ResponseTooLarge(InvalidResponse):
    """The service answered with more than is taken; asked again it would do so again."""


class NotFound(RequestFailed):
    """404, 405, 410 or 501: the object is unknown, or the route does not exist here."""


class AccessDenied(RequestFailed):
    """401 or 403: the credentials do not allow it."""


class NotDownloadable(RequestFailed):
    """The service keeps the bytes of this purpose to itself."""


class OutcomeUnknown(RequestFailed):
    """A writing request got no usable answer: it may or may not have been carried out."""


class NotSent(RequestFailed):
    """The command is being stopped: the request was not sent. `status` replaces that of HTTP."""

    def __init__(self) -> None:
        super().__init__("stopped before it was sent", status=NOT_SENT_STATUS)


class PaginationError(RequestFailed):
    """A listing that cannot be read to its end: the server repeats itself or gives no cursor."""
