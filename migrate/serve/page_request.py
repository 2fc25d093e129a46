"""One request for a page: what was asked for, what answers it, and pages for what cannot be answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from migrate.archive.snapshots.reader import NoSuchSnapshot, SnapshotReader, list_snapshots
from migrate.errors import ArchiveBusy, ArchiveDamaged, ArchiveTooNew, BadUsage, DiskFull, MigrateError
from migrate.model.known_secrets import redact
from migrate.model.results.archive import SnapshotInfo
from migrate.serve.addresses import PageLinks, segment_id
from migrate.serve.connections import ArchiveAccess, ServedEstate
from migrate.serve.html_answers import message_page, page

# A number in an address. A longer one is of nothing.
SHORT_NUMBER = re.compile(r"[0-9]{1,18}")


class PageNotFound(MigrateError):
    """What the address names does not exist. `other`: number of a snapshot that has it."""

    def __init__(self, what: str, todo: str, other: int | None = None) -> None:
        super().__init__(what, f"snapshot {other} has it" if other else "", todo)
        self.other = other


# Error -> status of its page; the first class that fits counts.
ERROR_STATUSES: tuple[tuple[type[MigrateError], int], ...] = (
    (NoSuchSnapshot, 404),
    (PageNotFound, 404),
    (ArchiveDamaged, 500),
    (ArchiveTooNew, 503),
    (ArchiveBusy, 503),
    (DiskFull, 503),
    (BadUsage, 400),
    (MigrateError, 500),
)


@dataclass(frozen=True)
class PageRequest:
    """A request for a page of one snapshot. `segments`: parts of its path by name, as they were sent.
    `query`: by name, the last value of each."""

    access: ArchiveAccess
    snapshot: SnapshotReader
    estate: ServedEstate
    links: PageLinks
    segments: Mapping[str, str]
    query: Mapping[str, str]
    # The path below the snapshot: the same place in another one.
    place: str = ""

    @property
    def id(self) -> str:
        """The id of the object that the address names."""
        return segment_id(self.segments["id"])

    def not_found(self, kind: str) -> PageNotFound:
        """The error for an object that the snapshot does not have. It gives another snapshot that has it,
        preferably one of the same estate."""
        here, id_ = self.snapshot, self.id
        side = here.info.type, here.info.url
        others = [info for info in list_snapshots(here.conn) if info.id != here.info.id]
        others.sort(key=lambda info: ((info.type, info.url) == side, info.id), reverse=True)
        found = (info.id for info in others if SnapshotReader(here.conn, info).find(id_))
        todo = "look for its id or its name in the box at the top"
        return PageNotFound(f"snapshot {here.info.id} has no {kind} {id_[:200]}", todo, next(found, None))

    def number(self, name: str, default: int = 0) -> int:
        """A number in the query."""
        return number_in_text(self.query.get(name, "")) or default

    def answer(self, template: str, section: str, status: int = 200, **context: Any) -> Response:
        """A page of the snapshot, as `snapshot_page` makes it."""
        info, place = self.snapshot.info, self.place
        return snapshot_page(
            self.access, self.estate, info, template, section=section, place=place, status=status, **context
        )


def snapshot_page(
    access: ArchiveAccess,
    estate: ServedEstate,
    info: SnapshotInfo,
    template: str,
    /,
    *,
    section: str = "",
    place: str = "",
    status: int = 200,
    **context: Any,
) -> Response:
    """A page about a snapshot of an estate. `section`: the entry of the navigation to which it belongs;
    `place`: its path below the snapshot, where it has one."""
    return page(
        template,
        status,
        section=section,
        place=place,
        snapshot=info,
        estate=estate,
        estates=access.estates(),
        links=PageLinks(info.id),
        archive=access.path.name,
        **context,
    )


PageFunction: TypeAlias = Callable[[PageRequest], Response]
ArchiveFunction: TypeAlias = Callable[[ArchiveAccess, Request], Response]


def number_in_text(text: str) -> int | None:
    """A number of an address, or None."""
    return int(text) if SHORT_NUMBER.fullmatch(text) else None


def snapshot_endpoint(access: ArchiveAccess, function: PageFunction) -> Callable[[Request], Response]:
    """What answers requests for a page of a snapshot."""

    def answer(access: ArchiveAccess, request: Request) -> Response:
        text = request.path_params["snapshot"]
        number = number_in_text(text)
        if number is None:
            raise NoSuchSnapshot(f"{text[:40]!r} is not the number of a snapshot")
        with access.reader(number) as snapshot:
            links = PageLinks(number)
            asked = PageRequest(
                access,
                snapshot,
                access.estate_of(snapshot.info),
                links,
                request.path_params,
                request.query_params,
                request.url.path.removeprefix(links.overview()),
            )
            try:
                return function(asked)
            except PageNotFound as error:
                told = {"what": error.what, "todo": error.todo, "other": error.other}
                return asked.answer("missing.html.j2", "", 404, **told)

    return archive_endpoint(access, answer)


def archive_endpoint(access: ArchiveAccess, function: ArchiveFunction) -> Callable[[Request], Response]:
    """What answers requests for a page of the whole archive."""

    def answer(request: Request) -> Response:
        try:
            return function(access, request)
        except MigrateError as error:
            return error_page(error)

    return answer


def error_page(error: MigrateError) -> Response:
    """The page of an expected failure."""
    status = next(status for type_, status in ERROR_STATUSES if isinstance(error, type_))
    return message_page(status, *(redact(text) for text in (error.what, error.why, error.todo)))


def redirect(path: str) -> Response:
    """To another page of this server."""
    return RedirectResponse(path, 303)
