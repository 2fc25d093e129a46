"""Uploads files, fills vector stores with as few requests as the service allows, and waits for ingestion."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, cast

from migrate.archive.blobs import Blob, BlobFile
from migrate.archive.journal import JournalEntry
from migrate.errors import OutcomeUnknown, RequestFailed
from migrate.model import JSON, Entity
from migrate.model.entity import creation_time
from migrate.model.file import normalize_filename
from migrate.model.normalize import normalize_entity
from migrate.model.vector_store import ingestion_error
from migrate.stages.apply.context import ApplyContext, Body, Unresolved
from migrate.stages.apply.create import CLOCKS, create_once, give_up, sent_at, was_sent, written
from migrate.stages.plan.plan_file import Action

PROCESSING = 30.0
"""Seconds to wait for an uploaded file to be taken in."""
POLL = (0.1, 5.0)
"""Shortest and longest pause between two looks at a store, in seconds."""


def upload(shop: ApplyContext, action: Action) -> None:
    """Upload one file from the archive. Files carry no metadata: after a lost answer the newest file
    of the same name and size that nobody knows yet is ours."""
    file = shop.source.of("file")[action.id]
    earlier = shop.record(action)
    if earlier and earlier.state == "done":
        shop.settle(file, earlier.target_id)
        shop.count("skipped", kind="file")
        return
    blob = shop.source.snapshot.blob(file.id)
    if blob is None or blob.sha256 != file.fields.get("sha256"):
        shop.fail("file", file.id, file.name, "its bytes are not in the archive any more")
        return
    fitted, _ = shop.codec.adapt(file, shop.fit)
    with shop.alike(fitted.fields.get("filename"), blob.size):
        body = _uploaded(shop, action, fitted, blob, earlier)
    if body is not None:
        _processed(shop, body)


def _uploaded(
    shop: ApplyContext, action: Action, file: Entity, blob: Blob, earlier: JournalEntry | None
) -> Body | None:
    """The file on the target, settled; None when it could not be uploaded, which is told."""
    sent = {"sha256": blob.sha256}
    (entry,) = shop.journal.intend([("create", "file", "", file.id, action.name)], sent)
    shop.sent.add(file.id)
    name, purpose = str(file.fields["filename"]), str(file.fields["purpose"])

    def send() -> Body:
        data = cast(BinaryIO, BlobFile(shop.source.snapshot.conn, blob))
        return shop.writer.upload(name, purpose, data)

    try:
        body, found = create_once(shop, send, uploaded(shop, file, blob, sent_at(earlier)), was_sent(earlier))
    except RequestFailed as failed:
        give_up(shop, action, [entry], failed)
        return None
    shop.settle(file, str(body["id"]))
    shop.journal.record_done(entry, str(body["id"]), written=written(shop, "file", body))
    shop.count("adopted" if found and earlier is None else "created", kind="file")
    return body


def uploaded(shop: ApplyContext, file: Entity, blob: Blob, since: float) -> Callable[[], Body | None]:
    """Finds a file that may have been uploaded: by name and size, new, and nobody else's. Where another
    file of the same name and size may have been uploaded too, only its bytes tell which it is."""

    def find() -> Body | None:
        taken = {*shop.ids.values(), *shop.strangers}
        for body in shop.writer.newest("file"):
            if creation_time(body, since) < since - CLOCKS:
                return None
            there = shop.codec.decode("file", body, "", None)[0]
            if shape(there) != shape(file) or there.id in taken:
                continue
            if _rivals(shop, file, blob) and not _holds(shop, there.id, blob):
                shop.note(f"file {there.id} may be a copy of {file.name} that nobody needs (lost answer)")
                continue
            if shop.claim("file", there.id, file.id):
                return body
        return None

    return find


def shape(file: Entity) -> tuple[JSON, JSON]:
    """What a file is known by on the target: name and size."""
    return normalize_entity(file).get("filename"), file.fields.get("bytes")


def _rivals(shop: ApplyContext, file: Entity, blob: Blob) -> bool:
    """Whether a file of other content may have been uploaded under this name and size."""
    return any(
        other.id != file.id
        and other.fields.get("bytes") == file.fields.get("bytes")
        and normalize_filename(other.name) == normalize_filename(file.name)
        and other.fields.get("sha256") != blob.sha256
        and ("file", other.id) not in shop.ids
        and other.id in shop.sent
        for other in shop.source.of("file").values()
    )


def _holds(shop: ApplyContext, file_id: str, blob: Blob) -> bool:
    """Whether a file of the target has these bytes, where it gives them back."""
    digest = hashlib.sha256()
    try:
        with shop.writer.content(file_id) as chunks:
            for data in chunks:
                digest.update(data)
    except RequestFailed:
        return False
    return digest.hexdigest() == blob.sha256


def _processed(shop: ApplyContext, body: Body) -> None:
    """Wait until the service has taken a file in (Azure says pending or running until then); attaching it
    earlier may be refused. One that stays so is not waited for longer than `PROCESSING`."""
    end = time.monotonic() + PROCESSING
    while body.get("status") in ("pending", "running") and time.monotonic() < end:
        shop.writer.pace.nap(POLL[0])
        try:
            body = shop.writer.get("file", str(body["id"]))
        except RequestFailed:
            return


def fill(shop: ApplyContext, store: str, actions: list[Action]) -> None:
    """Put files into one store, in batches of one chunking each."""
    there = shop.ids.get(("vector_store", store))
    todo = [action for action in actions if not _done(shop, action)]
    if not todo:
        return
    if there is None:
        for action in todo:
            shop.fail(action.kind, action.id, action.name, f"its vector store {store} could not be made")
        return
    members = {e.id: e for e in shop.source.members("vector_store_file", store)}
    rows: list[tuple[Action, Body]] = []
    for action in todo:
        try:
            rows.append((action, shop.codec.create_wire(shop.fitted(members[action.id]))))
        except Unresolved as failed:
            shop.fail(action.kind, action.id, action.name, str(failed))
    for batch in _batches(shop, rows):
        _attach(shop, there, batch)


def _done(shop: ApplyContext, action: Action) -> bool:
    earlier = shop.record(action)
    if earlier is None or earlier.state != "done":
        return False
    shop.count("skipped", kind=action.kind)
    return True


def _batches(shop: ApplyContext, rows: list[tuple[Action, Body]]) -> Iterator[list[tuple[Action, Body]]]:
    """Rows that may share a request: a batch has one chunking, unless the service takes rows."""
    profile = shop.fit.profile
    groups: dict[str, list[tuple[Action, Body]]] = {}
    for action, row in rows:
        key = "" if profile.batch_rows else json.dumps(row.get("chunking_strategy"), sort_keys=True)
        groups.setdefault(key, []).append((action, row))
    for group in groups.values():
        for start in range(0, len(group), profile.batch_max):
            yield group[start : start + profile.batch_max]


def _attach(shop: ApplyContext, store: str, batch: list[tuple[Action, Body]]) -> None:
    """One request for many files. Attaching is idempotent (a file lies in a store once), so a lost
    answer is settled by sending again; a refused batch is tried file by file to name the culprit."""
    entries = shop.journal.intend(
        [("create", action.kind, action.parent, action.id, action.name) for action, _ in batch]
    )

    def send() -> Body:
        shop.writer.attach(store, [row for _, row in batch])
        return {"id": store}

    try:
        create_once(shop, send, lambda: None, resumed=False)
    except RequestFailed as failed:
        if len(batch) > 1 and not isinstance(failed, OutcomeUnknown):
            for row in batch:
                _attach(shop, store, [row])
            return
        give_up(shop, batch[0][0], entries, failed)
        return
    there = [(entry, str(row["file_id"])) for entry, (_, row) in zip(entries, batch, strict=True)]
    shop.journal.record_all_done((entry, file_id, store, None) for entry, file_id in there)
    with shop.lock:
        shop.unmarked |= {(store, file_id): entry for entry, file_id in there}
    shop.count("created", len(batch), "vector_store_file")


def await_ingestion(shop: ApplyContext, stores: Iterable[str], patience: float) -> None:
    """Wait until the service has worked through every store, then name what it refused."""
    for store in stores:
        there = shop.ids.get(("vector_store", store))
        if there is None:
            continue
        try:
            if not _settled(shop, there, patience):
                name = shop.source.of("vector_store")[store].name
                shop.fail("vector_store", store, name, f"still being ingested after {patience:.0f} s")
            _name_refused(shop, store, there)
        except RequestFailed as failed:
            shop.fail("vector_store", store, "", f"its ingestion could not be followed: {failed}")


def _settled(shop: ApplyContext, store: str, patience: float) -> bool:
    end, pause = time.monotonic() + patience, POLL[0]
    while True:
        body = shop.writer.get("vector_store", store)
        counts: JSON = body.get("file_counts") or {}
        if not counts.get("in_progress") and body.get("status") != "in_progress":
            return True
        if time.monotonic() > end:
            return False
        shop.progress.say(f"waiting for the ingestion of {counts.get('in_progress')} file(s)")
        time.sleep(pause)
        pause = min(POLL[1], 2 * pause)


def _name_refused(shop: ApplyContext, store: str, there: str) -> None:
    """Failed files, except those that were failed on the source as well. How each was left is noted."""
    was: dict[str, Entity] = {
        shop.ids.get(("file", str(e.fields["file_id"])), ""): e
        for e in shop.source.members("vector_store_file", store)
    }
    for page in shop.writer.pages("vector_store_file", there):
        marks = [
            (entry, str(body["id"]), there, written(shop, "vector_store_file", body, there))
            for body in page.bodies
            if (entry := shop.unmarked.get((there, str(body.get("id")))))
        ]
        shop.journal.record_all_done(marks)
        for body in page.bodies:
            source = was.get(str(body.get("id")))
            if body.get("status") not in ("failed", "cancelled") or source is None:
                continue
            reason = ingestion_error(body)
            if source.facts.get("status") in ("failed", "cancelled"):
                shop.note(f"vector_store_file {source.id}: not searchable, as on the source ({reason})")
            else:
                shop.fail("vector_store_file", source.id, source.name, f"the service refused it: {reason}")
