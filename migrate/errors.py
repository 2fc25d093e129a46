"""Every failure a user can expect: what happened, why, what to do next, and the exit code.

MigrateError
  NothingSelected   1   the selection fits no object
  BadUsage          2   the command, config file or plan cannot be understood
  Incomplete        3   some objects could not be read or written
  Refused           4   carrying on would risk somebody's data
    PlanEdited          the plan file is not the one that was written
    PlanUnknown         the archive does not know the plan
    PlanStale           source or target moved since the plan
    ArchiveTooNew       the archive was written by a later version
  Unreachable       5   no answer, no sign-in, or the service is retired
    SignInFailed
    ServiceRetired
  ArchiveDamaged    2   the file is not an archive, or cannot be read
  ArchiveBusy       4   another program writes to the archive
  DiskFull          3   what was read until then is kept

RequestFailed         one request; a stage turns it into a named line of its result
  NoAnswer, NotThere, Denied, NotDownloadable, OutcomeUnknown, PagingBroken, Unreadable (TooLarge)
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
        said = [self.what]
        if self.why:
            said.append(f"why: {self.why}")
        if self.todo:
            said.append(f"next: {self.todo}")
        return said


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
        """What the service's support asks for; Azure names it differently."""
        return self.headers.get("apim-request-id") or self.headers.get("x-request-id") or ""

    def __str__(self) -> str:
        tail = f" (request id {self.request_id})" if self.request_id else ""
        return f"{self.what}{tail}"


class NoResponse(RequestFailed):
    """Nobody answered: no connection, a timeout, a connection that ended."""


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


class PaginationError(RequestFailed):
    """A listing that cannot be read to its end: the server repeats itself or gives no cursor."""
