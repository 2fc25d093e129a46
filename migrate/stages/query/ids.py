"""Find the counterparts of an object in the id map, in either direction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import storable_text
from migrate.archive.id_map import Side, id_map, journal_names
from migrate.archive.snapshots.history import snapshots_with
from migrate.model.results.archive import IdMapping
from migrate.stages.object_lookup import FoundObject, ObjectLookup, check_one_fits


@dataclass(frozen=True)
class MappedIds:
    """What the id map has of one object. `id`: what the user wrote, or the id that it means. `snapshot`:
    where the map has nothing of it, the newest snapshot that has the object, None where no snapshot has it.
    """

    id: str
    rows: tuple[IdMapping, ...] = ()
    snapshot: int | None = None


def find_mapped_ids(conn: SqlConnection, text: str, target: Side | None) -> MappedIds:
    """The rows of the id map about one object: those with this old id; else those with this new id; else
    those of the object that has this name, or an id that begins with it, on either side.

    `target`: only what was moved there. Raises `BadUsage` where several objects fit."""
    text = storable_text(text)
    if rows := _rows_of(conn, text, target):
        return MappedIds(text, rows)
    number = next(snapshots_with(conn, text), None)
    if number is not None:
        return MappedIds(text, snapshot=number)
    fits = ObjectLookup(conn, more=(FoundObject(*row) for row in journal_names(conn))).find(text)
    rows_by_fit = {found: rows for found in fits if (rows := _rows_of(conn, found.id, target))}
    if rows_by_fit:
        # The two sides of one move are one object.
        origins: dict[tuple[str, str, str, str], FoundObject] = {}
        for found, mapped in rows_by_fit.items():
            for row in mapped:
                origins.setdefault(_origin(row), found)
        check_one_fits(text, list(dict.fromkeys(origins.values())))
        return MappedIds(text, next(iter(rows_by_fit.values())))
    check_one_fits(text, fits)
    if not fits:
        return MappedIds(text)
    return MappedIds(fits[0].id, snapshot=next(snapshots_with(conn, fits[0].id), None))


def _rows_of(conn: SqlConnection, id_: str, target: Side | None) -> tuple[IdMapping, ...]:
    rows: Iterator[IdMapping] = id_map(conn, target=target, source_id=id_)
    return tuple(rows) or tuple(id_map(conn, target=target, target_id=id_))


def _origin(row: IdMapping) -> tuple[str, str, str, str]:
    return row.kind, row.source_id, row.source_type, row.source_url
