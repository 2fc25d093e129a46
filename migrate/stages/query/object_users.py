"""Find who refers to a file, a vector store or an assistant: assistants, vector stores, and threads by their
own resources. Messages are not read: an archive may have millions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.codecs import CODECS
from migrate.model import Entity
from migrate.model.input_limits import loads
from migrate.model.references import named_keys
from migrate.model.results.query import ObjectUser, ObjectUsers
from migrate.model.secrets import mask_text
from migrate.stages.query.thread_words import words_of_thread

# Threads whose own resources are searched. It takes some 2 ms a thousand.
MAX_THREADS_SEARCHED = 30_000
# Threads that are listed.
MAX_THREADS_LISTED = 10


def find_users(snapshot: SnapshotReader, kind: str, object_id: str) -> ObjectUsers:
    """Who refers to an object of a snapshot."""
    users = [_user(entity) for entity in _referring(snapshot, "assistant", kind, object_id)]
    if kind == "file":
        users += _stores_with(snapshot, object_id)
    count = snapshot.count("thread", "")
    if count > MAX_THREADS_SEARCHED:
        return ObjectUsers(tuple(users), unread_threads=count)
    threads: list[ObjectUser] = []
    for thread in _referring(snapshot, "thread", kind, object_id):
        if len(threads) == MAX_THREADS_LISTED:
            return ObjectUsers(tuple(users), tuple(threads), more_threads=True)
        threads.append(replace(_user(thread), name=words_of_thread(snapshot, thread.id)))
    return ObjectUsers(tuple(users), tuple(threads))


def _referring(snapshot: SnapshotReader, of: str, kind: str, object_id: str) -> Iterator[Entity]:
    """The objects of a kind without a parent that refer to an object. Only those whose text has the id are
    decoded."""
    stored_id = storable_text(object_id)
    forms = {json.dumps(stored_id, ensure_ascii=ascii_)[1:-1] for ascii_ in (False, True)}
    decode = CODECS[snapshot.info.type].decode
    for _, text in snapshot.texts(of):
        if not any(form in text for form in forms):
            continue
        first, *derived = decode(of, loads(text), "", None)
        if first.id != object_id and any((kind, object_id) in named_keys(e) for e in (first, *derived)):
            yield first


def _stores_with(snapshot: SnapshotReader, file_id: str) -> Iterator[ObjectUser]:
    """The vector stores that have a file, with its state in each."""
    for kind, parent, body in snapshot.find(file_id):
        if kind == "vector_store_file":
            store = snapshot.body_of("vector_store", parent) or {}
            name = str(store.get("name") or "")
            yield ObjectUser("vector_store", parent, mask_text(name), str(body.get("status") or ""))


def _user(entity: Entity) -> ObjectUser:
    return ObjectUser(entity.kind, storable_text(entity.id), mask_text(entity.name))
