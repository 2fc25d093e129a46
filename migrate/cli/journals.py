"""What the journals of the archives at hand know about two estates."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.cli.config import Config
from migrate.cli.estates import Archived, resolve

if TYPE_CHECKING:
    from migrate.stages.estate import Estate


def known_pairs(
    sides: list[tuple[str, Estate]], config: Config, journal: Path | None = None
) -> dict[tuple[str, str], str]:
    """(kind, left id) -> right id, from the journal of either side's archive and of one that is given, in
    either direction."""
    from migrate.archive.damaged import damage_told
    from migrate.archive.journal import id_map
    from migrate.archive.store import Archive
    from migrate.stages.comparing.pairing import trusted

    left, right = sides[0][1], sides[1][1]
    found = [f.path for text, _ in sides if isinstance(f := resolve(text, config), Archived)]
    pairs: dict[tuple[str, str], str] = {}
    for path in dict.fromkeys([*([journal] if journal else []), *found]):
        with Archive.open(path) as archive, damage_told(path):
            pairs.update(trusted(left, right, id_map(archive.conn, left.side, right.side)))
            lines = trusted(right, left, id_map(archive.conn, right.side, left.side))
            pairs = {**{(kind, new): old for (kind, old), new in lines.items()}, **pairs}
    return pairs


def sent_bytes(
    sides: list[tuple[str, Estate]], config: Config, journal: Path | None = None
) -> dict[tuple[str, str], str]:
    """(left id, right id) -> hash of the bytes with which one file was made from the other, from the same
    journals."""
    from migrate.archive.damaged import damage_told
    from migrate.archive.journal import uploads
    from migrate.archive.store import Archive

    left, right = sides[0][1].side, sides[1][1].side
    found = [f.path for text, _ in sides if isinstance(f := resolve(text, config), Archived)]
    sent: dict[tuple[str, str], str] = {}
    for path in dict.fromkeys([*found, *([journal] if journal else [])]):
        with Archive.open(path) as archive, damage_told(path):
            back = {(new, old): sha for (old, new), sha in uploads(archive.conn, right, left).items()}
            sent |= {pair: sha for pair, sha in {**back, **uploads(archive.conn, left, right)}.items() if sha}
    return sent


def threads_at(archives: Iterable[Path], first: Estate, type_: str, url: str) -> tuple[str, ...]:
    """Ids of threads that a place should hold: those of the other side where it is the same place, and what
    the journals say was made there, or moved from there."""
    from migrate.archive.damaged import damage_told
    from migrate.archive.journal import Side, id_map
    from migrate.archive.store import Archive

    here = Side(type_, url)
    ids = [thread.id for thread in first.threads()] if first.side == here else []
    for path in dict.fromkeys(archives):
        with Archive.open(path) as archive, damage_told(path):
            ids += [m.target_id for m in id_map(archive.conn, first.side, here) if m.kind == "thread"]
            ids += [m.source_id for m in id_map(archive.conn, here, first.side) if m.kind == "thread"]
    return tuple(dict.fromkeys(ids))
