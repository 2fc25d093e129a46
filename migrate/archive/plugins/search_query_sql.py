"""The full-text search of an archive as one SQL query with a form, for programs that show queries.

It finds what `search --query` finds for words, phrases, beginnings of words, left-out words and the filters
`kind:` and `role:`, the newest first. What it cannot do is the first row of its result.
"""

from __future__ import annotations

import json
import sqlite3

from migrate.archive.text_index.reader import IN_SNAPSHOT_SQL, PLACE_SQL, match_expression
from migrate.errors import BadUsage
from migrate.model.document_texts import read_document
from migrate.model.search_excerpt import make_excerpt
from migrate.model.search_query import SearchQuery, parse_search_query

WORDS_FUNCTION, PROBLEM_FUNCTION, EXCERPT_FUNCTION = "search_words", "search_problem", "search_excerpt"
MAX_ROWS = 200
# No document has it: folding removes these characters from words.
NO_DOCUMENT = '"\ue010"'
FOUND_MARKS = ("«", "»")


def search_sql(snapshot: str) -> str:
    """The query, with the parameters `q`, `kind` and others. `snapshot`: an expression for its number."""
    of_files = f"snapshot_id = {snapshot} AND kind = 'file' AND parent_id = ''"
    files = f"(SELECT manifest_id FROM scopes WHERE {of_files})"
    endpoint = f"(SELECT endpoint_id FROM snapshots WHERE id = {snapshot})"
    parts = IN_SNAPSHOT_SQL.split("?")
    in_snapshot = "".join(
        f"{part}{value}" for part, value in zip(parts, (snapshot, files, endpoint, ""), strict=True)
    )
    return f"""
WITH found AS MATERIALIZED (
  SELECT f.rowid AS document, g.kind_id, g.parent_id, g.pack_id,
    CASE WHEN g.pack_id >= 0 THEN {PLACE_SQL} ELSE g.place END AS place
  FROM text_words f CROSS JOIN text_segments g
    ON g.first = (SELECT max(x.first) FROM text_segments x WHERE x.first <= f.rowid)
  WHERE text_words MATCH {WORDS_FUNCTION}(:q) AND {in_snapshot}
    AND (:kind = '' OR g.kind_id = (SELECT id FROM kinds WHERE name = :kind))
  ORDER BY f.rowid DESC LIMIT {MAX_ROWS}
),
objects AS MATERIALIZED (
  SELECT found.*, CASE WHEN found.pack_id >= 0
    THEN json_extract(CAST(sqlar_uncompress(packs.data, packs.size) AS TEXT), '$[' || found.place || ']')
    ELSE json_object('id', (SELECT file_id FROM text_files WHERE id = found.place)) END AS body
  FROM found LEFT JOIN packs ON packs.id = found.pack_id
)
SELECT NULL AS snapshot, NULL AS kind, NULL AS id, NULL AS parent, NULL AS role, NULL AS created_at_iso,
  {PROBLEM_FUNCTION}(:q) AS excerpt
WHERE {PROBLEM_FUNCTION}(:q) IS NOT NULL
UNION ALL
SELECT * FROM (SELECT {snapshot}, kinds.name, json_extract(body, '$.id'), nullif(parents.object_id, ''),
  json_extract(body, '$.role'), CASE WHEN json_type(body, '$.created_at') IN ('integer', 'real')
    THEN strftime('%Y-%m-%dT%H:%M:%SZ', json_extract(body, '$.created_at'), 'unixepoch') END,
  CASE WHEN pack_id >= 0 THEN {EXCERPT_FUNCTION}(kinds.name, body, :q) ELSE '(in the text of the file)' END
FROM objects JOIN kinds ON kinds.id = kind_id LEFT JOIN parents ON parents.id = parent_id
ORDER BY document DESC)
""".strip()


def register_search_functions(conn: sqlite3.Connection) -> None:
    """Add the functions that the query needs."""
    conn.create_function(WORDS_FUNCTION, 1, _words, deterministic=True)
    conn.create_function(PROBLEM_FUNCTION, 1, _problem, deterministic=True)
    conn.create_function(EXCERPT_FUNCTION, 3, _excerpt, deterministic=True)


def _words(text: object) -> str:
    """The query of FTS5 for a query of a user; one that finds nothing where that cannot be used."""
    if _problem(text) is not None:
        return NO_DOCUMENT
    return match_expression(parse_search_query(str(text)))


def _problem(text: object) -> str | None:
    """Why a query cannot be used here, or None."""
    try:
        query = parse_search_query(str(text or ""))
    except BadUsage as error:
        return ": ".join(filter(None, (error.what, error.why, error.todo)))
    if _has_other_filters(query):
        return "here the filters are kind: and role:; assistants-migrate search --query has all of them"
    return None


def _has_other_filters(query: SearchQuery) -> bool:
    dates = query.after is not None or query.before is not None
    return dates or any((query.threads, query.assistants, query.files, query.meta))


def _excerpt(kind: object, body: object, text: object) -> str:
    """The part of an object's text with the words that were found, in marks."""
    terms = parse_search_query(str(text)).terms
    document = read_document(str(kind), json.loads(str(body)))
    _, pieces = make_excerpt(document.fields, terms)
    return "".join(piece.join(FOUND_MARKS) if is_found else piece for piece, is_found in pieces)
