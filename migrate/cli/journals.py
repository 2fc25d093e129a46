"""What the journals of the archives at hand know about two estates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.cli.config import Config
from migrate.cli.estates import Archived, resolve

if TYPE_CHECKING:
    from migrate.stages.estate import Estate


def known_pairs(sides: list[tuple[str, Estate]], config: Config) -> dict[tuple[str, str], str]:
    """(kind, left id) -> right id, from the journal of either side's archive, in either direction."""
    from migrate.archive.damaged import damage_told
    from migrate.archive.journal import id_map
    from migrate.archive.store import Archive
    from migrate.stages.comparing.pairing import trusted

    left, right = sides[0][1], sides[1][1]
    pairs: dict[tuple[str, str], str] = {}
    for text, _ in sides:
        found = resolve(text, config)
        if not isinstance(found, Archived):
            continue
        with Archive.open(found.path) as archive, damage_told(found.path):
            pairs.update(trusted(left, right, id_map(archive.conn, left.side, right.side)))
            lines = trusted(right, left, id_map(archive.conn, right.side, left.side))
            pairs = {**{(kind, new): old for (kind, old), new in lines.items()}, **pairs}
    return pairs
