"""A text in, the bodies of a snapshot that may hold it out, without decoding the others.

Bodies are stored as `json.dumps` writes them, so a text has one spelling in them, apart from bodies that
were escaped as a whole. Whoever asks looks into the fields that matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from migrate.archive.snapshots.reader import Body, SnapshotReader
from migrate.model.json_depth import loads


def candidates(snapshot: SnapshotReader, kind: str, text: str) -> Iterator[tuple[str, Body]]:
    """Parent id and body of every object of a kind in whose JSON the text occurs, whatever its case."""
    wanted = json.dumps(text, ensure_ascii=False)[1:-1].casefold()
    for parent, body in snapshot.texts(kind, None):
        if "\\u" in body or wanted in body.casefold():
            yield parent, loads(body)
