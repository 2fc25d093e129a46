"""A text in, the bodies of a snapshot that may hold it out, without decoding the others.

Bodies are stored as `json.dumps` writes them, so a text has one spelling in them, apart from bodies that
were escaped as a whole. Whoever asks looks into the fields that matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from migrate.archive.reading import Body
from migrate.archive.threads import Asked


def candidates(conn: Asked, snapshot: int, kind: str, text: str) -> Iterator[tuple[str, Body]]:
    """Parent id and body of every object of a kind in whose JSON the text occurs, whatever its case."""
    wanted = json.dumps(text, ensure_ascii=False)[1:-1].casefold()
    rows = conn.execute(
        "SELECT s.parent_id, b.body FROM scopes s JOIN entries e ON e.manifest_id = s.manifest_id "
        "JOIN bodies b ON b.id = e.body_id WHERE s.snapshot_id = ? AND s.kind = ? "
        "ORDER BY s.parent_id, e.ordinal",
        (snapshot, kind),
    )
    for parent, body in rows:
        if "\\u" in body or wanted in body.casefold():
            yield parent, json.loads(body)
