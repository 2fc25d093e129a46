"""Say which filters of a query without hits cannot fit anything: most are mistyped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrate.archive.snapshots.reader import SnapshotReader
from migrate.archive.text_index.reader import IndexReader
from migrate.model.index_words import role_word
from migrate.model.search_query import FILTER_NAMES, METADATA_FILTER, SearchQuery
from migrate.stages.object_lookup import ObjectLookup

# A word that looks like a filter; an address of the web does not.
_FILTER_LIKE = re.compile(r"([A-Za-z]+):(?!//)\S")


def unmatched_filter_notes(
    snapshot: SnapshotReader, reader: IndexReader, query: SearchQuery
) -> Iterator[str]:
    """A sentence for each filter that names what is not there, and each word that looks like a filter."""
    for role in query.roles:
        if not reader.has_word(role_word(role)):
            yield f"no message of the archive has the role {role!r}; most have user or assistant"
    lookup = ObjectLookup(snapshot.conn, snapshot)
    filters = (("thread", query.threads), ("assistant", query.assistants), ("file", query.files))
    for kind, values in filters:
        for value in values:
            if lookup.find_one(value, (kind,)) is None:
                yield f"snapshot {snapshot.info.id} has no {kind} {value!r}"
    for term in query.terms:
        if match := _FILTER_LIKE.match(term.text):
            names = ", ".join((*FILTER_NAMES, f"{METADATA_FILTER}KEY"))
            yield f"{match[1]}: is no filter, {term.text!r} was looked for as words; filters are {names}"
