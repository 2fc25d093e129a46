"""What an interrupted apply may have made on the target without learning its id.

Such objects must not pass for somebody else's change when the apply goes on; the makers find and adopt
them one by one.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrate.archive.journal import Entry
from migrate.model import Key
from migrate.stages.estate import Estate, stamp
from migrate.stages.writing.stocking import shape
from migrate.stages.writing.workshop import Workshop


def unsettled(shop: Workshop, target: Estate) -> set[Key]:
    """Keys of objects on the target that answer to an intent without an outcome."""
    open_ = [e for e in shop.earlier.values() if e.state == "intended" and e.action == "create"]
    if not open_:
        return set()
    return {*_stamped(shop, open_, target), *_files(shop, open_, target), *_attached(shop, open_, target)}


def _stamped(shop: Workshop, open_: list[Entry], target: Estate) -> Iterator[Key]:
    """By stamp; one whose metadata had no room for a stamp, by its name."""
    stamps = {f"{shop.source.type}:{e.source_id}" for e in open_}
    names = {(e.kind, e.name) for e in open_ if e.name}
    for kind in ("assistant", "vector_store"):
        for entity in target.of(kind).values():
            mark = stamp(entity)
            if mark in stamps or (not mark and (kind, entity.name) in names):
                yield entity.key


def _files(shop: Workshop, open_: list[Entry], target: Estate) -> Iterator[Key]:
    """By name and size: files carry no metadata."""
    sent = {e.source_id for e in open_ if e.kind == "file"}
    fitted = (shop.codec.adapt(f, shop.fit)[0] for f in shop.source.of("file").values() if f.id in sent)
    shapes = set(map(shape, fitted))
    yield from (file.key for file in target.of("file").values() if shape(file) in shapes)


def _attached(shop: Workshop, open_: list[Entry], target: Estate) -> Iterator[Key]:
    """Files put into stores that were there before: by the ids of both, which the journal knows."""
    ids = {(e.kind, e.source_id): e.target_id for e in shop.earlier.values() if e.target_id}
    wanted = {ids.get(("file", e.source_id)) for e in open_ if e.kind == "vector_store_file"} - {None}
    for store in target.of("vector_store") if wanted else ():
        yield from (row.key for row in target.members("vector_store_file", store) if row.id in wanted)
