"""The tables of the full-text index. An archive has all of them or none: `index` creates them.

| table | a row is |
|---|---|
| `text_words` | an FTS5 index without a copy of the text: the words of one document |
| `text_vocabulary` | a view of it by word, for `check` and for a text taken as it is |
| `text_segments` | a range of documents: neighbours in a pack, in listings of one parent |
| `text_files` | a file of an estate with its bytes; its document, where they are text |
| `thread_summaries` | what a list shows of a thread in one state: its body, its listings |
| `thread_assistants` | an assistant that answered in it |
| `metadata_pairs` | one key of metadata of one body, and its value |
| `indexed_snapshots` | a snapshot of which everything is in the index |
| `text_index_state` | the form in which the index was written |

Documents are numbered from 1. Those of one thread follow each other, threads with older messages come first,
and what is indexed later has higher numbers: so the highest numbers are the newest.
"""

from __future__ import annotations

import re

# The texts below are part of the format, as those of archive/schema.py: `schema_check` compares them.
INDEX_SQL = (
    "CREATE VIRTUAL TABLE text_words USING fts5(text, name, content='', tokenize='ascii')",
    "CREATE VIRTUAL TABLE text_vocabulary USING fts5vocab(text_words, 'row')",
    """CREATE TABLE text_segments (
           first INTEGER PRIMARY KEY, count INTEGER NOT NULL,
           kind_id INTEGER NOT NULL, parent_id INTEGER NOT NULL,
           pack_id INTEGER NOT NULL, place INTEGER NOT NULL, -- of the contents of a file: -1 and its row
           oldest_at INTEGER NOT NULL, newest_at INTEGER NOT NULL, times BLOB)""",
    "CREATE INDEX text_segments_pack ON text_segments (pack_id, parent_id)",
    """CREATE TABLE text_files (
           id INTEGER PRIMARY KEY, endpoint_id INTEGER NOT NULL, file_id TEXT NOT NULL,
           blob_id INTEGER NOT NULL, id_key INTEGER NOT NULL, document INTEGER, is_cut INTEGER NOT NULL,
           UNIQUE (endpoint_id, file_id))""",
    """CREATE TABLE thread_summaries (
           id INTEGER PRIMARY KEY, body INTEGER NOT NULL, parent_id INTEGER NOT NULL,
           messages INTEGER NOT NULL, runs INTEGER NOT NULL, run_steps INTEGER NOT NULL,
           newest_at INTEGER NOT NULL, oldest_at INTEGER NOT NULL, sorted_at INTEGER NOT NULL,
           count INTEGER NOT NULL, first_words TEXT NOT NULL, assistants TEXT NOT NULL,
           has_files INTEGER NOT NULL, has_errors INTEGER NOT NULL,
           UNIQUE (body, parent_id, messages, runs, run_steps))""",
    "CREATE INDEX thread_summaries_sorted ON thread_summaries (sorted_at)",
    "CREATE INDEX thread_summaries_parent ON thread_summaries (parent_id)",
    """CREATE TABLE thread_assistants (
           assistant_id TEXT NOT NULL, summary_id INTEGER NOT NULL,
           PRIMARY KEY (assistant_id, summary_id)) WITHOUT ROWID""",
    """CREATE TABLE metadata_pairs (
           key TEXT NOT NULL, value TEXT NOT NULL, body INTEGER NOT NULL,
           PRIMARY KEY (key, value, body)) WITHOUT ROWID""",
    """CREATE TABLE indexed_snapshots (
           snapshot_id INTEGER PRIMARY KEY, digest TEXT NOT NULL, last_document INTEGER NOT NULL)""",
    "CREATE TABLE text_index_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)
# Tables that FTS5 creates for itself, with the texts that it gives them.
SHADOW_SQL = (
    "CREATE TABLE 'text_words_data'(id INTEGER PRIMARY KEY, block BLOB)",
    "CREATE TABLE 'text_words_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID",
    "CREATE TABLE 'text_words_docsize'(id INTEGER PRIMARY KEY, sz BLOB)",
    "CREATE TABLE 'text_words_config'(k PRIMARY KEY, v) WITHOUT ROWID",
)
# Tables that are programs of SQLite. They are removed first, and take theirs with them.
VIRTUAL_TABLES = ("text_vocabulary", "text_words")

_CREATED = re.compile(r"CREATE (?:VIRTUAL )?(TABLE|INDEX) '?(\w+)'?(?: ON (\w+))?")


def _index_entries() -> dict[tuple[str, str], str]:
    """Type and name of each entry of the schema -> its table and its text."""
    entries = {}
    for sql in (*INDEX_SQL, *SHADOW_SQL):
        type_, name, table = _CREATED.match(sql).groups()  # type: ignore[union-attr]
        entries[(type_.lower(), name)] = f"{table or name}: {normalized_index_sql(sql)}"
    return entries


def normalized_index_sql(sql: str) -> str:
    """A text of the schema without line ends, and without the quotation marks in which FTS5 writes names:
    its versions may use others."""
    text = " ".join(sql.split())
    return re.sub(r"^CREATE TABLE ['\"](\w+)['\"]", r"CREATE TABLE \1", text)


INDEX_ENTRIES = _index_entries()
INDEX_NAMES = frozenset(name for _, name in INDEX_ENTRIES)
