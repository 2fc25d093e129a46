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
from migrate.model.results.plan import Action
from migrate.model.vector_store import ingestion_error
from migrate.stages.apply.context import ApplyContext, RequestBody, UnresolvedReference
from migrate.stages.apply.create import (
    CLOCK_DIFFERENCE_S,
    create_once,
    fail_object,
    left_fingerprint,
    request_time,
    request_was_sent,
)

FILE_PROCESSING_TIMEOUT_S = 30.0
"""Seconds to wait for an uploaded file to be taken in."""
POLL_INTERVAL_S = (0.1, 5.0)
"""Shortest and longest pause between two looks at a store, in seconds."""


def upload_file(ctx: ApplyContext, action: Action) -> None:
    """Upload one file from the archive. Files carry no metadata: after a lost answer the newest file
    of the same name and size that nobody knows yet is ours."""
    file = ctx.source.objects("file")[action.id]
    earlier = ctx.record(action)
    if earlier and earlier.state == "done":
        ctx.settle(file, earlier.target_id)
        ctx.count("skipped", kind="file")
        return
    blob = ctx.source.snapshot.blob(file.id)
    if blob is None or blob.sha256 != file.fields.get("sha256"):
        ctx.fail("file", file.id, file.name, "its bytes are not in the archive any more")
        return
    fitted, _ = ctx.codec.adapt(file, ctx.fit)
    with ctx.alike(fitted.fields.get("filename"), blob.size):
        body = _uploaded(ctx, action, fitted, blob, earlier)
    if body is not None:
        _processed(ctx, body)


def _uploaded(
    ctx: ApplyContext, action: Action, file: Entity, blob: Blob, earlier: JournalEntry | None
) -> RequestBody | None:
    """The file on the target, settled; None when it could not be uploaded, which is told."""
    sent = {"sha256": blob.sha256}
    (entry,) = ctx.journal.intend([("create", "file", "", file.id, action.name)], sent)
    ctx.sent.add(file.id)
    name, purpose = str(file.fields["filename"]), str(file.fields["purpose"])

    def send() -> RequestBody:
        data = cast(BinaryIO, BlobFile(ctx.source.snapshot.conn, blob))
        return ctx.writer.upload(name, purpose, data)

    try:
        body, found = create_once(
            ctx, send, find_uploaded(ctx, file, blob, request_time(earlier)), request_was_sent(earlier)
        )
    except RequestFailed as failed:
        fail_object(ctx, action, [entry], failed)
        return None
    ctx.settle(file, str(body["id"]))
    ctx.journal.record_done(entry, str(body["id"]), written=left_fingerprint(ctx, "file", body))
    ctx.count("adopted" if found and earlier is None else "created", kind="file")
    return body


def find_uploaded(
    ctx: ApplyContext, file: Entity, blob: Blob, since: float
) -> Callable[[], RequestBody | None]:
    """Finds a file that may have been uploaded: by name and size, new, and nobody else's. Where another
    file of the same name and size may have been uploaded too, only its bytes tell which it is."""

    def find() -> RequestBody | None:
        taken = {*ctx.ids.values(), *ctx.preexisting_ids}
        for body in ctx.writer.newest("file"):
            if creation_time(body, since) < since - CLOCK_DIFFERENCE_S:
                return None
            there = ctx.codec.decode("file", body, "", None)[0]
            if name_and_size(there) != name_and_size(file) or there.id in taken:
                continue
            if _rivals(ctx, file, blob) and not _holds(ctx, there.id, blob):
                ctx.note(f"file {there.id} may be a copy of {file.name} that nobody needs (lost answer)")
                continue
            if ctx.claim("file", there.id, file.id):
                return body
        return None

    return find


def name_and_size(file: Entity) -> tuple[JSON, JSON]:
    """What a file is known by on the target: name and size."""
    return normalize_entity(file).get("filename"), file.fields.get("bytes")


def _rivals(ctx: ApplyContext, file: Entity, blob: Blob) -> bool:
    """Whether a file of other content may have been uploaded under this name and size."""
    return any(
        other.id != file.id
        and other.fields.get("bytes") == file.fields.get("bytes")
        and normalize_filename(other.name) == normalize_filename(file.name)
        and other.fields.get("sha256") != blob.sha256
        and ("file", other.id) not in ctx.ids
        and other.id in ctx.sent
        for other in ctx.source.objects("file").values()
    )


def _holds(ctx: ApplyContext, file_id: str, blob: Blob) -> bool:
    """Whether a file of the target has these bytes, where it gives them back."""
    digest = hashlib.sha256()
    try:
        with ctx.writer.content(file_id) as chunks:
            for data in chunks:
                digest.update(data)
    except RequestFailed:
        return False
    return digest.hexdigest() == blob.sha256


def _processed(ctx: ApplyContext, body: RequestBody) -> None:
    """Wait until the service has taken a file in (Azure says pending or running until then); attaching it
    earlier may be refused. One that stays so is not waited for longer than `FILE_PROCESSING_TIMEOUT_S`."""
    end = time.monotonic() + FILE_PROCESSING_TIMEOUT_S
    while body.get("status") in ("pending", "running") and time.monotonic() < end:
        ctx.writer.limiter.sleep(POLL_INTERVAL_S[0])
        try:
            body = ctx.writer.get("file", str(body["id"]))
        except RequestFailed:
            return


def fill_vector_store(ctx: ApplyContext, store: str, actions: list[Action]) -> None:
    """Put files into one store, in batches of one chunking each."""
    there = ctx.ids.get(("vector_store", store))
    todo = [action for action in actions if not _done(ctx, action)]
    if not todo:
        return
    if there is None:
        for action in todo:
            ctx.fail(action.kind, action.id, action.name, f"its vector store {store} could not be made")
        return
    members = {e.id: e for e in ctx.source.members("vector_store_file", store)}
    rows: list[tuple[Action, RequestBody]] = []
    for action in todo:
        try:
            rows.append((action, ctx.codec.create_request(ctx.fitted(members[action.id]))))
        except UnresolvedReference as failed:
            ctx.fail(action.kind, action.id, action.name, str(failed))
    for batch in _batches(ctx, rows):
        _attach(ctx, there, batch)


def _done(ctx: ApplyContext, action: Action) -> bool:
    earlier = ctx.record(action)
    if earlier is None or earlier.state != "done":
        return False
    ctx.count("skipped", kind=action.kind)
    return True


def _batches(
    ctx: ApplyContext, rows: list[tuple[Action, RequestBody]]
) -> Iterator[list[tuple[Action, RequestBody]]]:
    """Rows that may share a request: a batch has one chunking, unless the service takes rows."""
    capabilities = ctx.fit.capabilities
    groups: dict[str, list[tuple[Action, RequestBody]]] = {}
    for action, row in rows:
        key = "" if capabilities.batch_rows else json.dumps(row.get("chunking_strategy"), sort_keys=True)
        groups.setdefault(key, []).append((action, row))
    for group in groups.values():
        for start in range(0, len(group), capabilities.batch_max):
            yield group[start : start + capabilities.batch_max]


def _attach(ctx: ApplyContext, store: str, batch: list[tuple[Action, RequestBody]]) -> None:
    """One request for many files. Attaching is idempotent (a file lies in a store once), so a lost
    answer is settled by sending again; a refused batch is tried file by file to name the culprit."""
    entries = ctx.journal.intend(
        [("create", action.kind, action.parent, action.id, action.name) for action, _ in batch]
    )

    def send() -> RequestBody:
        ctx.writer.attach(store, [row for _, row in batch])
        return {"id": store}

    try:
        create_once(ctx, send, lambda: None, resumed=False)
    except RequestFailed as failed:
        if len(batch) > 1 and not isinstance(failed, OutcomeUnknown):
            for row in batch:
                _attach(ctx, store, [row])
            return
        fail_object(ctx, batch[0][0], entries, failed)
        return
    there = [(entry, str(row["file_id"])) for entry, (_, row) in zip(entries, batch, strict=True)]
    ctx.journal.record_all_done((entry, file_id, store, None) for entry, file_id in there)
    with ctx.lock:
        ctx.unmarked |= {(store, file_id): entry for entry, file_id in there}
    ctx.count("created", len(batch), "vector_store_file")


def await_ingestion(ctx: ApplyContext, stores: Iterable[str], patience: float) -> None:
    """Wait until the service has worked through every store, then name what it refused."""
    for store in stores:
        there = ctx.ids.get(("vector_store", store))
        if there is None:
            continue
        try:
            if not _settled(ctx, there, patience):
                name = ctx.source.objects("vector_store")[store].name
                ctx.fail("vector_store", store, name, f"still being ingested after {patience:.0f} s")
            _name_refused(ctx, store, there)
        except RequestFailed as failed:
            ctx.fail("vector_store", store, "", f"its ingestion could not be followed: {failed}")


def _settled(ctx: ApplyContext, store: str, patience: float) -> bool:
    end, pause = time.monotonic() + patience, POLL_INTERVAL_S[0]
    while True:
        body = ctx.writer.get("vector_store", store)
        counts: JSON = body.get("file_counts") or {}
        if not counts.get("in_progress") and body.get("status") != "in_progress":
            return True
        if time.monotonic() > end:
            return False
        ctx.progress.say(f"waiting for the ingestion of {counts.get('in_progress')} file(s)")
        time.sleep(pause)
        pause = min(POLL_INTERVAL_S[1], 2 * pause)


def _name_refused(ctx: ApplyContext, store: str, there: str) -> None:
    """Failed files, except those that were failed on the source as well. How each was left is noted."""
    was: dict[str, Entity] = {
        ctx.ids.get(("file", str(e.fields["file_id"])), ""): e
        for e in ctx.source.members("vector_store_file", store)
    }
    for page in ctx.writer.pages("vector_store_file", there):
        marks = [
            (entry, str(body["id"]), there, left_fingerprint(ctx, "vector_store_file", body, there))
            for body in page.bodies
            if (entry := ctx.unmarked.get((there, str(body.get("id")))))
        ]
        ctx.journal.record_all_done(marks)
        for body in page.bodies:
            source = was.get(str(body.get("id")))
            if body.get("status") not in ("failed", "cancelled") or source is None:
                continue
            reason = ingestion_error(body)
            if source.facts.get("status") in ("failed", "cancelled"):
                ctx.note(f"vector_store_file {source.id}: not searchable, as on the source ({reason})")
            else:
                ctx.fail("vector_store_file", source.id, source.name, f"the service refused it: {reason}")
