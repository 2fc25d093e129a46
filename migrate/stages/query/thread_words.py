"""The first words of a thread, by which people know it: no service gives threads a name."""

from __future__ import annotations

from migrate.archive.snapshots.reader import ListingBodies, SnapshotReader
from migrate.model.document_texts import read_document
from migrate.model.thread_summary import ThreadSummary
from migrate.stages.query.bounded_bodies import BoundedBodies

# Messages from the beginning of a thread in which the first words of a user are looked for.
MAX_FIRST_MESSAGES = 5


def words_of_thread(snapshot: SnapshotReader, thread: str) -> str:
    """The first words of the thread of an id, without credentials; '' where it has none."""
    return words_of_messages(snapshot.listing_bodies("message", thread))


def words_of_messages(messages: ListingBodies | BoundedBodies) -> str:
    """The first words of a user, or of anybody where no user is among the first messages; without
    credentials."""
    ends = ThreadSummary()
    for place in range(min(len(messages), MAX_FIRST_MESSAGES)):
        body = messages.read(place)
        ends.add_message(body, read_document("message", body), 0)
    return ends.first_words
