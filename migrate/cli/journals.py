"""What the journals of the archives at hand know about two estates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.cli.config import Config
from migrate.cli.estates import Archived, resolve

if TYPE_CHECKING:
    from migrate.stages.estate import Estate


def known_pairs(sides: list[tuple[str, Estate]], config: Config) -> dict[tuple[str, str], str]:
    """(kind, left id) -> right id, from the journal of either side's archive, in either direction."""
    from migrate.archive.journal import id_map
    from migrate.archive.store import Archive

    left, right = sides[0][1].side, sides[1][1].side
    pairs: dict[tuple[str, str], str] = {}
    for text, _ in sides:
        found = resolve(text, config)
        if not isinstance(found, Archived):
            continue
        with Archive.open(found.path) as archive:
            pairs.update({(m.kind, m.source_id): m.target_id for m in id_map(archive.conn, left, right)})
            back = {(m.kind, m.target_id): m.source_id for m in id_map(archive.conn, right, left)}
            pairs = {**back, **pairs}
    return pairs
