"""Takes the picture of an estate while it is open, where a report will show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.stages.estate import Estate
    from migrate.stages.query.diagram import Picture


class Camera:
    """`pictures` are pairs of a label and a picture; none when nobody will look."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self.pictures: tuple[tuple[str, Picture], ...] = ()

    def take(self, label: str, estate: Estate) -> None:
        """One more picture, unless nobody wants any."""
        if not self._wanted:
            return
        from migrate.archive.snapshots.reader import SnapshotReader, newest_of
        from migrate.stages.estate import Estate
        from migrate.stages.query.cleanup import PROJECT
        from migrate.stages.query.diagram import picture

        conn, side = estate.snapshot.conn, estate.side
        info = newest_of(conn, PROJECT.get(side.type, ""), side.url)
        beside = Estate(SnapshotReader(conn, info)) if info else None
        self.pictures = (*self.pictures, (label, picture(estate, beside=beside)))


NOBODY_LOOKS = Camera(wanted=False)
