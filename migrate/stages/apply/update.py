"""Updates and deletes objects that are on the target, keeping what was there for an undo."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.archive.id_map import Side, created_source_ids, created_store_file_ids
from migrate.codecs.adapt.metadata import merge_existing_metadata
from migrate.errors import NotFound, OperationRefused, OutcomeUnknown, RequestFailed
from migrate.model import KINDS, Entity
from migrate.model.normalize import normalize_written_fields
from migrate.model.results.plan import Action, Plan
from migrate.model.secrets import with_target_credentials
from migrate.model.stamp import stamp_keys_in
from migrate.stages.apply.context import ApplyContext, RequestBody
from migrate.stages.apply.create import create_once, fail_object, left_fingerprint, request_was_sent
from migrate.stages.estate import stamp
from migrate.stages.fingerprints import message_fingerprint, object_fingerprint

if TYPE_CHECKING:
    from migrate.endpoints.interface import Writer


MAX_DELETE_TRIES = 3
"""How often a deletion without a usable answer is sent: deleting twice does no harm."""
DELETION_LOOK_DELAYS_S = (0.0, 0.3, 1.0, 3.0)
"""Seconds before each look at an object whose deletion was accepted: a list may show it a moment longer."""
DELETION_WITHOUT_EFFECT = "the service answered as if it had been deleted"


def delete_objects(writer: Writer, kind: str, ids: Sequence[str], parent: str = "") -> dict[str, str]:
    """Delete objects of one kind that lie below one parent, in this order. Id -> what the service answered,
    of those that are still there. Raises `RequestFailed` when nobody can see whether they are gone."""
    answers = {id_: _sent(writer, kind, id_, parent) for id_ in ids}
    left = list(ids)
    for seconds in DELETION_LOOK_DELAYS_S:
        writer.limiter.sleep(seconds)
        there = remaining_ids(writer, kind, left, parent)
        left = [id_ for id_ in left if id_ in there]
        if not any(answers[id_] == DELETION_WITHOUT_EFFECT for id_ in left):
            break
    return {id_: f"it is still there: {answers[id_]}" for id_ in left}


def remaining_ids(writer: Writer, kind: str, ids: Collection[str], parent: str = "") -> set[str]:
    """Which of these objects the service shows. What lies below a parent is looked for in its list, since a
    service may not show a single message. Raises `RequestFailed` when it cannot be seen."""
    if not ids:
        return set()
    if KINDS[kind].parent:
        try:
            pages = writer.pages(kind, parent)
            return {str(body.get("id")) for page in pages for body in page.bodies} & set(ids)
        except NotFound as failed:
            _must_mean_absent(failed)
            return set()  # what lay in it is gone with it
    return {id_ for id_ in ids if _answers(writer, kind, id_)}


def _answers(writer: Writer, kind: str, id_: str) -> bool:
    try:
        writer.get(kind, id_)
    except NotFound as failed:
        _must_mean_absent(failed)
        return False
    return True


ABSENT_STATUSES = (404, 410)
"""Statuses of a GET that say: there is no such object. 405 and 501 say that it cannot be asked for."""


def _must_mean_absent(failed: NotFound) -> None:
    if failed.status not in (0, *ABSENT_STATUSES):
        raise RequestFailed(f"whether it is gone cannot be seen: {failed}", failed.status) from None


def _sent(writer: Writer, kind: str, id_: str, parent: str) -> str:
    """Send a deletion; what was answered."""
    for left in reversed(range(MAX_DELETE_TRIES)):
        try:
            writer.delete(kind, id_, parent)
        except OutcomeUnknown as lost:
            if not left:
                return str(lost)
        except RequestFailed as failed:
            return str(failed)
        else:
            return DELETION_WITHOUT_EFFECT
    raise AssertionError("unreachable")


MAX_DELETIONS_SHOWN = 5
"""Objects that an error names."""


def update_object(ctx: ApplyContext, action: Action) -> None:
    """Change the planned fields, and only if the object is still the one that was planned for."""
    earlier = ctx.record(action)
    if earlier and earlier.state == "done":
        ctx.count("skipped", kind=action.kind)
        return
    entries: list[int] = []
    try:
        entity = _source(ctx, action)
        before = ctx.writer.get(action.kind, action.target_id, action.target_parent)
        there = ctx.codec.decode(action.kind, before, action.target_parent, None)[0]
        if not ctx.source.codec.stores_secrets:
            entity = with_target_credentials(entity, there)
        fitted = merge_existing_metadata(ctx.fitted(entity), there, ctx.fit.capabilities)
        ours = request_was_sent(earlier) and find_updated(ctx, action, fitted) is not None
        if object_fingerprint(there) != action.before and not ours:
            ctx.fail(action.kind, action.id, action.name, "it was changed by others since the plan was made")
            return
        if ctx.source.codec.ids_are_keys:
            fitted = _still_made_from(fitted, there)
        wire = ctx.codec.update_request(fitted, frozenset(action.fields), there)
        job = ("update", action.kind, action.parent, action.id, action.name)
        entries = ctx.journal.intend([job], before)
        body, _ = create_once(
            ctx,  # after a lost answer a look: sending again may add a version
            lambda: ctx.writer.update(action.kind, action.target_id, wire, action.target_parent),
            lambda: find_updated(ctx, action, fitted),
            resumed=request_was_sent(earlier),
        )
    except RequestFailed as failed:
        fail_object(ctx, action, entries, failed)
        return
    if action.kind == "message":
        mark = message_fingerprint(ctx.codec, body, action.target_parent)
    else:
        mark = left_fingerprint(ctx, action.kind, body, action.target_parent)
    ctx.journal.record_done(entries[0], action.target_id, action.target_parent, mark)
    ctx.count("updated", kind=action.kind)


def _still_made_from(fitted: Entity, there: Entity) -> Entity:
    """A config directory changes what is there; what it was made from stays true."""
    metadata, mark = fitted.fields.get("metadata"), stamp(there)
    names = stamp_keys_in(metadata)
    if mark and names is not None and isinstance(metadata, dict):
        return fitted.with_fields(metadata={**metadata, names.stamp: mark})
    return fitted


def find_updated(ctx: ApplyContext, action: Action, fitted: Entity) -> RequestBody | None:
    """The object, if the planned fields are what they should be."""
    body = ctx.writer.get(action.kind, action.target_id, action.target_parent)
    there = normalize_written_fields(ctx.codec.decode(action.kind, body, action.target_parent, None)[0])
    wanted = normalize_written_fields(fitted)
    return body if all(there.get(name) == wanted.get(name) for name in action.fields) else None


def _source(ctx: ApplyContext, action: Action) -> Entity:
    if action.parent:
        return next(e for e in ctx.source.iter_members(action.kind, action.parent) if e.id == action.id)
    if action.kind == "thread":
        return ctx.source.threads_by_id[action.id]
    return ctx.source.objects(action.kind)[action.id]


def refuse_foreign_deletions(plan: Plan, archive: Archive) -> None:
    """Raises `OperationRefused` where a plan deletes what this archive's journal did not make from this
    source."""
    sides = (Side(plan.source.type, plan.source.url), Side(plan.target.type, plan.target.url))
    wanted = [action for action in plan.actions if action.action == "delete"]
    ours = created_source_ids(archive.conn, *sides) if wanted else {}
    rows = created_store_file_ids(archive.conn, *sides) if wanted else {}
    foreign = [
        action
        for action in wanted
        if (
            rows.get((action.target_parent, action.target_id))
            if action.target_parent
            else ours.get((action.kind, action.target_id))
        )
        != action.id
    ]
    if foreign:
        named = ", ".join(f"{a.kind} {a.name or a.id} [{a.target_id}]" for a in foreign[:MAX_DELETIONS_SHOWN])
        more = (
            f" and {len(foreign) - MAX_DELETIONS_SHOWN:,} more" if len(foreign) > MAX_DELETIONS_SHOWN else ""
        )
        raise OperationRefused(
            f"the plan deletes {len(foreign):,} object(s) that this archive did not make",
            f"{named}{more}",
            "run plan again and read the new one",
        )


def delete_object(ctx: ApplyContext, action: Action) -> None:
    """Delete what we made and the source no longer has, if nobody changed it since. It is done when the
    service shows it no more."""
    earlier = ctx.record(action)
    if earlier and earlier.state == "done":
        ctx.count("skipped", kind=action.kind)
        return
    kind, there, parent = action.kind, action.target_id, action.target_parent
    try:
        before = ctx.writer.get(kind, there, parent)
    except NotFound:
        if request_was_sent(earlier) and earlier:
            ctx.journal.record_done(earlier.id, there, parent)
            ctx.count("deleted", kind=kind)
        return
    except RequestFailed as failed:
        fail_object(ctx, action, [], failed)
        return
    now = object_fingerprint(ctx.codec.decode(kind, before, parent, None)[0])
    if not request_was_sent(earlier) and now != action.before:
        ctx.fail(kind, action.id, action.name, "it was changed by others since the plan was made")
        return
    (entry,) = ctx.journal.intend([("delete", kind, action.parent, action.id, action.name)], before)
    try:
        left = delete_objects(ctx.writer, kind, [there], parent)
    except RequestFailed as failed:
        fail_object(ctx, action, [], failed)
        return
    if left:
        ctx.fail(kind, action.id, action.name, left[there])
        return
    ctx.journal.record_done(entry, there, parent)
    ctx.count("deleted", kind=kind)
