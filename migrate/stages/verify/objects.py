"""Compare objects of the source with their counterparts on the target."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrate.codecs.adapt.metadata import merge_existing_metadata
from migrate.codecs.capabilities import unsupported_fields_of
from migrate.model import Entity
from migrate.model.file import is_same_filename
from migrate.model.normalize import normalize_entity, normalize_written_fields
from migrate.model.object_diff import diff_objects
from migrate.model.project_resources import connections_in_other_project
from migrate.model.references import named_keys
from migrate.model.results.apply import NOT_DELETED, VerifyFinding, VerifyResult
from migrate.model.secrets import remove_owner_secrets, with_target_credentials
from migrate.model.stamp import stamp
from migrate.model.vector_store import ingestion_error
from migrate.stages.config_directory.match import is_equal_on_target
from migrate.stages.estate import Estate
from migrate.stages.object_fingerprints import is_unchanged
from migrate.stages.verify.context import VerifyContext, finding

# Kinds whose target ids must each belong to one object of the source.
KINDS_WITH_UNIQUE_TARGET = frozenset({"file", "vector_store", "assistant", "thread"})

# Kind and state on the target -> why an object that is there cannot be used.
UNUSABLE_REASONS = {
    ("vector_store", "expired"): "the store has expired and cannot be searched",
    ("vector_store_file", "in_progress"): "the service is still ingesting it",
    ("file", "error"): "the service could not process it",
}
NOT_INGESTED_STATES = ("failed", "cancelled")


def verify_object(ctx: VerifyContext, entity: Entity, present: Entity | None, result: VerifyResult) -> None:
    """Count one object of the source and add its findings to a result. `present`: its counterpart."""
    result.checked[entity.kind] = result.checked.get(entity.kind, 0) + 1
    result.findings += compare_object(ctx, entity, present)


def compare_object(ctx: VerifyContext, entity: Entity, present: Entity | None) -> Iterator[VerifyFinding]:
    """The findings about one object. The expected form is computed from the archive; only what the plan
    reported may differ."""
    if present is None:
        ids = ctx.message_target_ids(entity.id) if entity.kind == "message" else []
        target_id = ids[-1] if ids else ctx.target_id(entity.kind, entity.id) or ""
        yield finding(entity, target_id, "", "it is not on the target")
        return
    if ctx.same_place and is_unchanged(entity, present):
        return
    settled = ctx.plan.settled
    if ctx.source.codec.ids_are_keys and is_equal_on_target(
        entity, present, settled.models, settled.connections, ctx.target_id
    ):
        if entity.key in ctx.created:
            yield from _state_findings(ctx, entity, present)
        return
    if not ctx.source.codec.stores_secrets:
        entity = with_target_credentials(entity, present)
    adapted = merge_existing_metadata(ctx.adapted(entity), present, ctx.target.capabilities)
    expected_form = normalize_entity(adapted)
    present_form = normalize_written_fields(remove_owner_secrets(present))
    expected_form.pop("sha256", None)  # bytes are proved by reading them, not by what a listing shows
    changes = diff_objects(expected_form, present_form)
    # The form that was tried first may have been refused.
    for target, other_form in ctx.other_forms(entity, adapted) if changes else ():
        if not diff_objects(normalize_entity(other_form), present_form):
            ctx.note_losses(entity, target)
            return
    kept = {
        *ctx.kept_fields.get(entity.key, ()),
        *unsupported_fields_of(entity, ctx.target.capabilities),
    }
    for change in changes:
        if change.path == "filename" and is_same_filename(change.left, change.right):
            continue  # uploaded before filename endings were adapted to vector stores
        if re.split(r"[.\[]", change.path)[0] not in kept:
            yield finding(entity, present.id, change.path, "differs", change.left, change.right)
    if entity.kind != "message":  # no field of a message refers to a connection
        for expected, found in connections_in_other_project(adapted.fields, present.fields):
            yield finding(entity, present.id, "connections", "differs", expected, found)
    yield from _state_findings(ctx, entity, present)


def _state_findings(ctx: VerifyContext, entity: Entity, present: Entity) -> Iterator[VerifyFinding]:
    """Objects that are on the target and cannot be used, unless the source's could not be used either."""
    status = present.facts.get("status")
    reason = UNUSABLE_REASONS.get((entity.kind, str(status)))
    if reason and "status" not in ctx.kept_fields.get(entity.key, ()):
        yield finding(entity, present.id, "status", reason, "usable", status)
    not_ingested = entity.kind == "vector_store_file" and status in NOT_INGESTED_STATES
    if not_ingested and entity.facts.get("status") not in NOT_INGESTED_STATES:
        reason = f"the service could not ingest it: {ingestion_error(present.facts)}"
        yield VerifyFinding(entity.kind, entity.id, present.id, "", "status", reason)


def check_configuration(ctx: VerifyContext, target: Estate, result: VerifyResult) -> None:
    """Check files, vector stores with their files, and assistants."""
    for kind in ("file", "vector_store", "assistant"):
        for entity in ctx.expected_objects(kind, ctx.source.objects(kind).values()):
            verify_object(ctx, entity, target.objects(kind).get(ctx.target_id(kind, entity.id) or ""), result)
    copies = {id_ for kind, id_, _ in ctx.plan.settled.further if kind == "vector_store"}
    written = {parent for kind, parent, _ in ctx.expected if kind == "vector_store_file"}
    for store in ctx.source.objects("vector_store").values():
        is_expected = ("vector_store", "", store.id) in ctx.expected
        if store.id in copies:
            continue  # the original is compared with their common counterpart
        if is_expected or store.id in written:
            _check_store_files(ctx, store.id, target, result, whole=is_expected)
    result.findings += _duplicates(ctx, target)
    result.findings += _not_relinked(ctx, target)
    result.findings += _not_deleted(ctx, target)


def _check_store_files(
    ctx: VerifyContext, store: str, target: Estate, result: VerifyResult, whole: bool
) -> None:
    """Check the files that should be in a store. `whole`: they should be all of its files."""
    target_store = ctx.target_id("vector_store", store)
    members = target.members("vector_store_file", target_store) if target_store else []
    present = {entity.id: entity for entity in members}
    for entity in ctx.expected_objects("vector_store_file", ctx.source.members("vector_store_file", store)):
        file = ctx.target_id("file", str(entity.fields["file_id"])) or ""
        verify_object(ctx, entity, present.pop(file, None), result)
    if not (whole and ctx.source.codec.lists_everything) or ctx.same_place:
        return  # the rest is not the source's, or was added after the source was read
    for file in present:
        if ("vector_store_file", target_store, file) not in ctx.staying:
            reason = f"in store {target_store}, but not in {store}"
            result.findings.append(VerifyFinding("vector_store_file", "", file, "", "", reason))


def _not_relinked(ctx: VerifyContext, target: Estate) -> Iterator[VerifyFinding]:
    """Objects in which a restore should have updated references to new ids."""
    for action in ctx.plan.actions:
        if not action.relinks:
            continue
        present = target.objects(action.kind).get(action.target_id)
        named = named_keys(present) if present else set()
        for kind, id_ in action.relinks:
            new_id = ctx.target_id(kind, ctx.plan.source_of(kind, id_))
            if (kind, id_) in named or (kind, new_id) not in named:
                reason = f"it should name {kind} {new_id} instead of {id_}"
                yield VerifyFinding(action.kind, action.id, action.target_id, action.name, "", reason)


def _duplicates(ctx: VerifyContext, target: Estate) -> Iterator[VerifyFinding]:
    """Objects that were created twice, and target objects that are the counterpart of two source objects."""
    owners: dict[tuple[str, str], str] = {}
    for kind, _, id_ in sorted(ctx.expected):
        target_id = ctx.target_id(kind, id_)
        in_place = (kind, id_) in ctx.in_place or target_id == id_
        if kind not in KINDS_WITH_UNIQUE_TARGET or not target_id or in_place:
            continue
        owner = owners.setdefault((kind, target_id), id_)
        if owner != id_:
            yield VerifyFinding(kind, id_, target_id, "", "id", f"is also the counterpart of {owner}")
    for kind in ("vector_store", "assistant", "thread"):
        if kind == "assistant" and ctx.source.names_are_ids:
            continue
        for present in target.entities(kind):
            type_, _, source_id = stamp(present).partition(":")
            target_id = ctx.target_id(kind, source_id)
            if type_ == ctx.source.type and target_id and target_id != present.id:
                reason = f"was created twice, also as {target_id}"
                yield VerifyFinding(kind, source_id, present.id, present.name, "id", reason)


def _not_deleted(ctx: VerifyContext, target: Estate) -> Iterator[VerifyFinding]:
    """Objects that the plan deletes and that still exist."""
    for action in ctx.plan.actions:
        if action.action != "delete" or action.kind == "thread":
            continue
        if action.target_parent:
            present = {row.id for row in target.members(action.kind, action.target_parent)}
        else:
            present = set(target.objects(action.kind))
        if action.target_id in present:
            yield VerifyFinding(action.kind, action.id, action.target_id, action.name, "", NOT_DELETED)
