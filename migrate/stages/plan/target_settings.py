"""Decide what is the same for all objects of a plan: names on the target, connections, and which objects the
target already has under the same id."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from migrate.codecs.adapt.models import target_model_name
from migrate.model.entity import usability
from migrate.model.normalize import normalize_entity
from migrate.model.project_resources import connections_in, short_connection_name
from migrate.model.results.plan import TargetSettings
from migrate.stages.estate import Estate
from migrate.stages.match.files import reported_name_and_size
from migrate.stages.match.pairs import ObjectPairs
from migrate.stages.plan.agent_names import agent_names
from migrate.stages.plan.inputs import PlanInputs
from migrate.stages.plan.options import PlanOptions

# Names of models that refuse temperature and top_p begin like this.
REASONING_MODELS = re.compile(r"(o\d|gpt-5(?!.*chat))", re.IGNORECASE)
# Kinds that both generations of a project can share.
_SHARED_KINDS = ("file", "vector_store")


def settle_target(inputs: PlanInputs) -> TargetSettings:
    """Decide everything about a target that plan, apply and verify must agree on. Adds to the pairs the
    objects that the target already has under the same id."""
    source, target, pairs, options = inputs.source, inputs.target, inputs.pairs, inputs.options
    journal, inventory = inputs.journal, inputs.inventory
    # (kind, id) of objects that source and target share: the target has them under the same id.
    in_place: set[tuple[str, str]] = set()
    if source.type in inputs.capabilities.shared_with:
        if options.copy_files:
            _separate_shared(source, pairs)
        else:
            in_place |= _find_shared(source, target, pairs)
        in_place |= {
            (kind, id_) for kind, id_ in journal.shared_copies if pairs.ids[kind].get(id_, id_) == id_
        }
        for kind, id_ in in_place:
            pairs.ids.setdefault(kind, {})[id_] = id_
    if not source.codec.files_immutable:  # no service can change a file: an existing one is used as it is
        in_place |= {("file", id_) for id_ in pairs.ids.get("file", {})}
    deployments, connections = inventory.deployments, inventory.connections
    known_connections = (
        None if connections is None else connections | {short_connection_name(id_) for id_ in connections}
    )
    return TargetSettings(
        models=dict(options.models),
        connections={**_connections_by_name(source, connections), **options.connections},
        deployments=None if deployments is None else frozenset(deployments),
        connections_there=known_connections,
        names=agent_names(inputs),
        reasoning=_reasoning_deployments(source, options, deployments or {}),
        in_place=frozenset(in_place),
        absent=inventory.absent,
        rewrite_ids=options.rewrite_ids,
        agent_version=options.agent_version,
        citations=True,
    )


def add_journal_pairs(settings: TargetSettings, inputs: PlanInputs) -> TargetSettings:
    """Add pairs that only the journal knows to the pairs, and to the settings.

    `arrived`: objects that an earlier apply created or adopted and that the source no longer has. As long as
    the target has them, references to them are kept. With --prune the vector stores and assistants among them
    are deleted, so only files are added then.

    `further`: second copies of one object. A reference to a second copy becomes a reference to the first
    one. In a restore, also objects of the place that the snapshot lacks."""
    source, target, pairs, journal = inputs.source, inputs.target, inputs.pairs, inputs.journal
    removed_on_source: dict[tuple[str, str], str] = {}
    if source.codec.lists_everything:
        kinds = ("file",) if inputs.options.prune else ("file", "vector_store", "assistant")
        removed_on_source = {
            (kind, source_id): target_id
            for (kind, source_id), target_id in journal.trusted_ids.items()
            if kind in kinds and source_id not in source.objects(kind) and target_id in target.objects(kind)
        }
    unread = _not_in_snapshot(inputs) - removed_on_source.keys()
    for (kind, source_id), target_id in (removed_on_source | {key: key[1] for key in unread}).items():
        pairs.ids.setdefault(kind, {}).setdefault(source_id, target_id)
    second_copies = [(*key, origin) for key, origin in journal.second_copies.items()]
    for kind, source_id, origin in second_copies:
        pairs.ids.setdefault(kind, {})[source_id] = origin
    further = tuple(sorted([*second_copies, *((kind, id_, id_) for kind, id_ in unread)]))
    return settings.model_copy(update={"arrived": unread | removed_on_source.keys(), "further": further})


def _not_in_snapshot(inputs: PlanInputs) -> frozenset[tuple[str, str]]:
    """Of a restore into the snapshot's own place: what is there and not in the snapshot, which may be
    filtered or partial. A restored object refers to it by the same id."""
    source, target = inputs.source, inputs.target
    if not inputs.options.restore or source.side != target.side:
        return frozenset()
    found: set[tuple[str, str]] = set()
    for kind in ("file", "vector_store", "assistant"):
        known = source.objects(kind).keys() | set(inputs.pairs.ids.get(kind, {}).values())
        found |= {(kind, id_) for id_ in target.objects(kind).keys() - known}
    return frozenset(found)


def _separate_shared(source: Estate, pairs: ObjectPairs) -> None:
    """Remove pairs of the same id for --copy-files: each shared object is copied. Copies that an earlier move
    made in a shared place stay pairs of themselves, so that they are not copied again."""
    for kind in _SHARED_KINDS:
        ids = pairs.ids.get(kind, {})
        copies = {target_id for source_id, target_id in ids.items() if source_id != target_id}
        for id_ in source.objects(kind):
            if id_ in copies:
                ids[id_] = id_
            elif ids.get(id_) == id_:
                del ids[id_]


def _find_shared(source: Estate, target: Estate, pairs: ObjectPairs) -> set[tuple[str, str]]:
    """Files and stores that both generations of one project share: the same id and the same content."""
    source_files, target_files = source.objects("file"), target.objects("file")
    files = {
        id_
        for id_ in _same_ids("file", source, target, pairs)
        if reported_name_and_size(source_files[id_]) == reported_name_and_size(target_files[id_])
    }
    stores = {
        id_
        for id_ in _same_ids("vector_store", source, target, pairs)
        if normalize_entity(source.objects("vector_store")[id_])
        == normalize_entity(target.objects("vector_store")[id_])
        and source.store_files[id_] == target.store_files[id_]
        and source.store_files[id_] <= files
    }
    # an earlier plan used these where they are
    known = {
        (kind, source_id)
        for kind in _SHARED_KINDS
        for source_id, target_id in pairs.ids.get(kind, {}).items()
        if source_id == target_id
    }
    return known | {("file", id_) for id_ in files} | {("vector_store", id_) for id_ in stores}


def _same_ids(kind: str, source: Estate, target: Estate, pairs: ObjectPairs) -> Iterator[str]:
    """Ids that are on both sides, usable, and not paired with another object. Copies of an earlier move are
    among them: they exist already and are not moved again."""
    ids = pairs.ids.get(kind, {})
    for id_, entity in source.objects(kind).items():
        existing = target.objects(kind).get(id_)
        is_usable = existing is not None and usability(existing) == "usable" == usability(entity)
        if is_usable and ids.get(id_, id_) == id_:
            yield id_


def _connections_by_name(source: Estate, existing: frozenset[str] | None) -> dict[str, str]:
    """Connections of the source -> those of the target with the same short name and another id."""
    if existing is None:
        return {}
    by_name = {short_connection_name(id_): id_ for id_ in existing}
    used = {id_ for entity in source.objects("assistant").values() for id_ in connections_in(entity.fields)}
    names = {id_: short_connection_name(id_) for id_ in used - existing}
    return {id_: by_name[name] for id_, name in names.items() if id_ != name and name in by_name}


def _reasoning_deployments(source: Estate, options: PlanOptions, models: Mapping[str, str]) -> frozenset[str]:
    """Deployments in use that refuse temperature and top_p: by their model, or by name if that is unknown."""
    used = {str(entity.fields.get("model")) for entity in source.objects("assistant").values()}
    names = {target_model_name(name, options.models, options.connections) for name in used}
    # a model behind a connection is called CONNECTION/MODEL
    return frozenset(
        name for name in names if REASONING_MODELS.match(models.get(name, name).rpartition("/")[2])
    )
