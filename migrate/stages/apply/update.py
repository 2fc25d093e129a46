"""Update and delete objects of the target. The journal keeps what they were before, for a rollback."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from migrate.codecs.adapt.metadata import merge_existing_metadata
from migrate.errors import NotFound, NotSent, OperationRefused, OutcomeUnknown, RequestFailed
from migrate.model import KINDS, Entity
from migrate.model.first_of import first_of
from migrate.model.normalize import normalize_written_fields
from migrate.model.results.plan import Action, Plan
from migrate.model.secrets import with_target_credentials
from migrate.model.stamp import stamp, stamp_keys_in
from migrate.stages.apply.context import ApplyContext, RequestBody, UnresolvedReference
from migrate.stages.apply.create import create_once, fail_object, left_fingerprint, request_was_sent
from migrate.stages.object_fingerprints import message_fingerprint, object_fingerprint
from migrate.stages.plan.relink import relinked

if TYPE_CHECKING:
    from migrate.endpoints.interface import Writer

# A second deletion is harmless, so a deletion without an answer is sent again.
MAX_DELETE_TRIES = 3
# Delays before each check whether an object was deleted: a listing may show it a moment longer.
DELETION_LOOK_DELAYS_S = (0.0, 0.3, 1.0, 3.0)
DELETION_WITHOUT_EFFECT = "the service answered as if it had been deleted"
# A GET with one of these statuses means that the object does not exist. 405 and 501 mean that this service
# cannot be asked for it.
ABSENT_STATUSES = (404, 410)
MAX_DELETIONS_SHOWN = 5
CHANGED_BY_OTHERS = "it was changed by others since the plan was made"


def delete_objects(writer: Writer, kind: str, ids: Sequence[str], parent: str) -> dict[str, str]:
    """Delete objects of one kind and one parent, in this order. Returns id -> reason for those that are still
    there. Raises `RequestFailed` when it cannot be checked whether they are gone."""
    answers = {id_: _send_deletion(writer, kind, id_, parent) for id_ in ids}
    remaining = list(ids)
    for seconds in DELETION_LOOK_DELAYS_S:
        writer.limiter.sleep(seconds)
        present = remaining_ids(writer, kind, remaining, parent)
        remaining = [id_ for id_ in remaining if id_ in present]
        if all(answers[id_] != DELETION_WITHOUT_EFFECT for id_ in remaining):
            break
    return {id_: f"it is still there: {answers[id_]}" for id_ in remaining}


def _send_deletion(writer: Writer, kind: str, id_: str, parent: str) -> str:
    """Send a deletion. Returns what the service answered."""
    answer = ""
    for _ in range(MAX_DELETE_TRIES):
        try:
            writer.delete(kind, id_, parent)
        except OutcomeUnknown as lost:
            answer = str(lost)
        except NotSent:
            raise
        except RequestFailed as failed:
            return str(failed)
        else:
            return DELETION_WITHOUT_EFFECT
    return answer


def remaining_ids(writer: Writer, kind: str, ids: Collection[str], parent: str = "") -> set[str]:
    """Which of these objects the service shows. Objects below a parent are searched in its listing, because
    some services cannot show a single message. Raises `RequestFailed` when it cannot be checked."""
    if not ids:
        return set()
    if not KINDS[kind].parent:
        return {id_ for id_ in ids if _exists(writer, kind, id_)}
    try:
        pages = writer.pages(kind, parent)
        return {str(body.get("id")) for page in pages for body in page.bodies} & set(ids)
    except NotFound as failed:
        _require_absent_status(failed)
        return set()  # deleted together with its parent


def _exists(writer: Writer, kind: str, id_: str) -> bool:
    try:
        writer.get(kind, id_)
    except NotFound as failed:
        _require_absent_status(failed)
        return False
    return True


def _require_absent_status(failed: NotFound) -> None:
    if failed.status not in (0, *ABSENT_STATUSES):
        raise RequestFailed(f"whether it is gone cannot be checked: {failed}", failed.status) from None


def source_entity(ctx: ApplyContext, action: Action) -> Entity:
    """The object of the source that an action is about."""
    if action.parent:
        return next(e for e in ctx.source.iter_members(action.kind, action.parent) if e.id == action.id)
    return ctx.source.objects(action.kind)[action.id]


def update_object(ctx: ApplyContext, action: Action) -> None:
    """Change the planned fields, only if the object is still the one for which the plan was made."""
    if ctx.is_done(action):
        return
    kind, target_id, parent = action.kind, action.target_id, action.target_parent
    resumed = request_was_sent(ctx.entry_of(action))
    entries: list[int] = []
    try:
        entity = source_entity(ctx, action)
        before = ctx.writer.get(kind, target_id, parent)
        present = ctx.decode(kind, before, parent)
        if not ctx.source.codec.stores_secrets:
            entity = with_target_credentials(entity, present)
        if action.relinks:
            adapted = _relinked(ctx, action, present)
        else:
            adapted = merge_existing_metadata(ctx.adapted(entity), present, ctx.target.capabilities)
        updated_before = resumed and find_updated(ctx, action, adapted) is not None
        if object_fingerprint(present) != action.before and not updated_before:
            ctx.fail(kind, action.id, action.name, CHANGED_BY_OTHERS)
            return
        if ctx.source.codec.ids_are_keys:
            adapted = _with_stamp_of(present, adapted)
        elif ctx.same_place and action.id == target_id and not action.relinks:
            adapted = _with_own_stamp(entity, adapted)
        request = ctx.codec.update_request(adapted, frozenset(action.fields), present)
        entries = [ctx.record_intent(action, before)]
        body, _ = create_once(
            ctx,  # searched after a lost answer: sending an update again may add a version
            lambda: ctx.writer.update(kind, target_id, request, parent),
            lambda: find_updated(ctx, action, adapted),
            resumed,
        )
        if kind == "message":  # the answer may have another form than what is read (recorded of Azure)
            body = _read_back(ctx, kind, target_id, parent)
    except RequestFailed as failed:
        fail_object(ctx, action, entries, failed)
        return
    if kind == "message":
        written = message_fingerprint(ctx.codec, body, parent)
    else:
        written = left_fingerprint(ctx, kind, body, parent)
    ctx.journal.record_done(entries[0], target_id, parent, written)
    ctx.count("updated", kind=kind)


def _read_back(ctx: ApplyContext, kind: str, target_id: str, parent: str) -> RequestBody:
    """What was written, as it is read. Raises `OutcomeUnknown`, so that the next run looks again."""
    try:
        return ctx.writer.get(kind, target_id, parent)
    except RequestFailed as failed:
        raise OutcomeUnknown(f"it was written, and could not be read back: {failed}") from None


def _relinked(ctx: ApplyContext, action: Action, present: Entity) -> Entity:
    """The object as it is now, with the new ids of recreated objects. Raises `UnresolvedReference` where one
    was not created."""

    def new_id(kind: str, id_: str) -> str | None:
        return ctx.target_id(kind, ctx.source_of(kind, id_))

    for kind, id_ in action.relinks:
        if new_id(kind, id_) in (None, id_):
            raise UnresolvedReference(f"it names {kind} {id_}, which could not be created")
    return relinked(present, frozenset(action.relinks), new_id)


def _with_stamp_of(present: Entity, adapted: Entity) -> Entity:
    """The new form with the stamp that the target's object has: a config directory changes objects, not their
    origin."""
    metadata, origin = adapted.fields.get("metadata"), stamp(present)
    keys = stamp_keys_in(metadata)
    if origin and keys is not None and isinstance(metadata, dict):
        return adapted.with_fields(metadata={**metadata, keys.stamp: origin})
    return adapted


def _with_own_stamp(archived: Entity, adapted: Entity) -> Entity:
    """The form of an object that gets its own older state again: with the stamp that it had, or none. Without
    a stamp, other keys of this program in its metadata would belong to the user, so then the stamp stays."""
    metadata = adapted.fields.get("metadata")
    keys = stamp_keys_in(metadata)
    if keys is None or not isinstance(metadata, dict):
        return adapted
    others = {key: value for key, value in metadata.items() if key != keys.stamp}
    if origin := stamp(archived):
        return adapted.with_fields(metadata={**others, keys.stamp: origin})
    return adapted if any(map(keys.carrier, others)) else adapted.with_fields(metadata=others)


def find_updated(ctx: ApplyContext, action: Action, adapted: Entity) -> RequestBody | None:
    """The object on the target, if its planned fields have the planned values."""
    body = ctx.writer.get(action.kind, action.target_id, action.target_parent)
    present = normalize_written_fields(ctx.decode(action.kind, body, action.target_parent))
    expected = normalize_written_fields(adapted)
    return body if all(present.get(name) == expected.get(name) for name in action.fields) else None


def refuse_foreign_deletions(plan: Plan, ctx: ApplyContext) -> None:
    """Raise `OperationRefused` if a plan deletes an object that, according to the journal, was not created
    from this source."""
    deletions = [action for action in plan.actions if action.action == "delete"]
    if not deletions:
        return
    created, store_files = ctx.journal.created_source_ids()

    def source_id(action: Action) -> str | None:
        if action.target_parent:
            return store_files.get((action.target_parent, action.target_id))
        return created.get((action.kind, action.target_id))

    foreign = [action for action in deletions if source_id(action) != action.id]
    if foreign:
        names = [f"{a.kind} {a.name or a.id} [{a.target_id}]" for a in foreign]
        raise OperationRefused(
            f"the plan deletes {len(foreign):,} object(s) that were not created from this archive",
            first_of(names, MAX_DELETIONS_SHOWN),
            "run plan again and read the new one",
        )


def delete_object(ctx: ApplyContext, action: Action) -> None:
    """Delete an object that this program created and the source no longer has, if it was not changed since.
    It is done when the service no longer shows it."""
    if ctx.is_done(action):
        return
    kind, target_id, parent = action.kind, action.target_id, action.target_parent
    earlier = ctx.entry_of(action)
    try:
        before = ctx.writer.get(kind, target_id, parent)
    except NotFound:
        if earlier and request_was_sent(earlier):
            ctx.journal.record_done(earlier.id, target_id, parent)
            ctx.count("deleted", kind=kind)
        return
    except RequestFailed as failed:
        fail_object(ctx, action, [], failed)
        return
    present = object_fingerprint(ctx.decode(kind, before, parent))
    if not request_was_sent(earlier) and present != action.before:
        ctx.fail(kind, action.id, action.name, CHANGED_BY_OTHERS)
        return
    entry = ctx.record_intent(action, before)
    try:
        remaining = delete_objects(ctx.writer, kind, [target_id], parent)
    except RequestFailed as failed:
        fail_object(ctx, action, [], failed)
        return
    if remaining:
        ctx.fail(kind, action.id, action.name, remaining[target_id])
        return
    ctx.journal.record_done(entry, target_id, parent)
    ctx.count("deleted", kind=kind)
