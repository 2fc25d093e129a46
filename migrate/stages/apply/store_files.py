"""Upload files, add them to vector stores with as few requests as the service allows, and wait for ingestion.

The vector store itself is created in `create.py`, as every object that is sent as JSON.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import BinaryIO, cast

from migrate.archive.blobs import Blob, BlobFile
from migrate.codecs.capabilities import batches_of_store_files
from migrate.errors import OutcomeUnknown, RequestFailed
from migrate.model import JSON, Entity
from migrate.model.entity import creation_time
from migrate.model.file import normalize_filename
from migrate.model.results.plan import Action
from migrate.model.vector_store import ingestion_error
from migrate.stages.apply.context import ApplyContext, RequestBody, UnresolvedReference
from migrate.stages.apply.create import (
    CLOCK_DIFFERENCE_S,
    create_once,
    create_planned,
    fail_object,
    left_fingerprint,
)
from migrate.stages.match.files import exact_name_and_size, read_file_hash

# Time limit for an uploaded file to become usable.
FILE_PROCESSING_TIMEOUT_S = 30.0
# Between two checks of a store: doubled from the first to the second.
POLL_INTERVAL_S = (0.1, 5.0)
NOT_INGESTED = ("failed", "cancelled")

_StoreRow = tuple[Action, RequestBody]


def upload_file(ctx: ApplyContext, action: Action) -> None:
    """Upload one file from the archive, and wait until it can be attached."""
    file = ctx.source.objects("file")[action.id]
    if ctx.is_done(action, file):
        return
    blob = ctx.source.snapshot.blob(file.id)
    if blob is None or blob.sha256 != file.fields.get("sha256"):
        ctx.fail("file", file.id, file.name, "its bytes are no longer in the archive")
        return
    adapted, _ = ctx.codec.adapt(file, ctx.target)
    name, purpose = str(adapted.fields["filename"]), str(adapted.fields["purpose"])

    def send() -> RequestBody:
        data = cast(BinaryIO, BlobFile(ctx.source.snapshot.conn, blob))
        return ctx.writer.upload(name, purpose, data)

    with ctx.one_at_a_time(name, blob.size):
        ctx.started_uploads.add(file.id)
        created = create_planned(ctx, action, adapted, send, find_by_content, {"sha256": blob.sha256})
    if created:
        _await_processing(ctx, created[0])


def find_by_content(ctx: ApplyContext, action: Action, file: Entity, since: float) -> RequestBody | None:
    """Search the newest files by name and size: files have no metadata, so no stamp. The bytes are compared
    where an upload of another file with this name and size was started too."""
    blob = ctx.source.snapshot.blob(file.id)
    if blob is None:
        return None
    used_ids = {*ctx.ids.values(), *ctx.preexisting_ids}
    for body in ctx.writer.newest("file"):
        if creation_time(body, since) < since - CLOCK_DIFFERENCE_S:
            return None
        present = ctx.decode("file", body)
        if exact_name_and_size(present) != exact_name_and_size(file) or present.id in used_ids:
            continue
        if _has_rivals(ctx, file, blob) and not _has_bytes(ctx, present.id, blob):
            ctx.note(f"file {present.id} may be an unused copy of {file.name} (its answer was lost)")
        elif ctx.claim("file", present.id, file.id):
            return body
    return None


def _has_rivals(ctx: ApplyContext, file: Entity, blob: Blob) -> bool:
    """Whether a file with other content may have been uploaded under this name and size."""
    return any(
        rival.id != file.id
        and rival.fields.get("bytes") == file.fields.get("bytes")
        and normalize_filename(rival.name) == normalize_filename(file.name)
        and rival.fields.get("sha256") != blob.sha256
        and ("file", rival.id) not in ctx.ids
        and rival.id in ctx.started_uploads
        for rival in ctx.source.objects("file").values()
    )


def _has_bytes(ctx: ApplyContext, file_id: str, blob: Blob) -> bool:
    """Whether a file of the target has these bytes. False where the service does not return them."""
    try:
        return read_file_hash(ctx.writer, file_id) == blob.sha256
    except RequestFailed:
        return False


def _await_processing(ctx: ApplyContext, body: RequestBody) -> None:
    """Wait until a file can be attached: Azure shows pending or running, and may refuse it until then."""
    end = time.monotonic() + FILE_PROCESSING_TIMEOUT_S
    while body.get("status") in ("pending", "running") and time.monotonic() < end:
        ctx.writer.limiter.sleep(POLL_INTERVAL_S[0])
        try:
            body = ctx.writer.get("file", str(body["id"]))
        except RequestFailed:
            return


def fill_vector_store(ctx: ApplyContext, store: str, actions: list[Action]) -> None:
    """Attach files to the counterpart of one store."""
    target_id = ctx.target_id("vector_store", store)
    planned = [action for action in actions if not ctx.is_done(action)]
    members = {e.id: e for e in ctx.source.members("vector_store_file", store)} if planned else {}
    rows: list[_StoreRow] = []
    for action in planned:
        if target_id is None:
            reason = f"its vector store {store} could not be created"
            ctx.fail(action.kind, action.id, action.name, reason)
            continue
        try:
            rows.append((action, ctx.codec.create_request(ctx.adapted(members[action.id]))))
        except UnresolvedReference as failed:
            ctx.fail(action.kind, action.id, action.name, str(failed))
    bodies = ((row, row[1]) for row in rows)
    for batch in batches_of_store_files(bodies, ctx.target.capabilities):
        _attach(ctx, str(target_id), batch)


def _attach(ctx: ApplyContext, store: str, batch: list[_StoreRow]) -> None:
    """Attach many files with one request. A store has a file once, so after a lost answer the request is sent
    again. After a refusal each file is sent alone, to find the one that is refused."""
    entries = ctx.journal.record_intent(
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
    lines = [(entry, str(row["file_id"])) for entry, (_, row) in zip(entries, batch, strict=True)]
    ctx.journal.record_all_done((entry, file_id, store, None) for entry, file_id in lines)
    with ctx.lock:
        ctx.unfinished_store_files |= {(store, file_id): entry for entry, file_id in lines}
    ctx.count("created", len(batch), "vector_store_file")


def await_ingestion(ctx: ApplyContext, stores: Iterable[str], timeout_s: float) -> None:
    """Wait until the service has indexed the files of every store, then report those that it refused."""
    for store in stores:
        target_id = ctx.target_id("vector_store", store)
        if target_id is None:
            continue
        try:
            if not _is_ingested(ctx, target_id, timeout_s):
                name = ctx.source.objects("vector_store")[store].name
                ctx.fail("vector_store", store, name, f"its files were not ingested within {timeout_s:.0f} s")
            _report_refused(ctx, store, target_id)
        except RequestFailed as failed:
            ctx.fail("vector_store", store, "", f"its ingestion could not be followed: {failed}")


def _is_ingested(ctx: ApplyContext, store: str, timeout_s: float) -> bool:
    end, pause = time.monotonic() + timeout_s, POLL_INTERVAL_S[0]
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


def _report_refused(ctx: ApplyContext, store: str, target_id: str) -> None:
    """Report files that could not be indexed, unless they could not be on the source either. Note the final
    state of each file in the journal."""
    sources: dict[str, Entity] = {
        ctx.ids.get(("file", str(e.fields["file_id"])), ""): e
        for e in ctx.source.members("vector_store_file", store)
    }
    for page in ctx.writer.pages("vector_store_file", target_id):
        ctx.journal.record_all_done(
            (entry, str(body["id"]), target_id, left_fingerprint(ctx, "vector_store_file", body, target_id))
            for body in page.bodies
            if (entry := ctx.unfinished_store_files.get((target_id, str(body.get("id")))))
        )
        for body in page.bodies:
            source = sources.get(str(body.get("id")))
            if body.get("status") not in NOT_INGESTED or source is None:
                continue
            reason = ingestion_error(body)
            if source.facts.get("status") in NOT_INGESTED:
                ctx.note(f"vector_store_file {source.id}: not searchable, as on the source ({reason})")
            else:
                ctx.fail("vector_store_file", source.id, source.name, f"the service refused it: {reason}")
