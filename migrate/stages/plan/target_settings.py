"""What a target offers in, what a plan decides about it out: names, connections, what stays in place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.codecs import CODECS, Capabilities
from migrate.codecs.adapt.models import target_model_name
from migrate.errors import RequestFailed
from migrate.model import JSON, Entity
from migrate.model.entity import usability
from migrate.model.estate_location import EstateLocation
from migrate.model.normalize import normalize_entity
from migrate.model.project_resources import connections_in, short_connection_name
from migrate.model.results.plan import TargetSettings
from migrate.stages.estate import Estate
from migrate.stages.match.pairs import ObjectPairs
from migrate.stages.plan.options import PlanOptions

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

InventoryRows = dict[str, dict[str, JSON]]

REASONING_MODELS = re.compile(r"(o\d|gpt-5(?!.*chat))", re.IGNORECASE)
"""How names of models begin that refuse sampling numbers."""


@dataclass(frozen=True)
class TargetInventory:
    """What a target's project has; None where nobody can list it. Deployments: name -> model."""

    deployments: Mapping[str, str] | None = None
    connections: frozenset[str] | None = None
    unseen: str = ""
    """Why deployments could not be listed, where they should have been."""
    absent: frozenset[str] = frozenset()
    """Kinds that the service does not have any more."""

    @classmethod
    def of(cls, reader: Reader) -> TargetInventory:
        """Ask a live target."""
        models, why = _listed(reader.deployments)
        linked, _ = _listed(reader.connections)
        named = None if models is None else {n: str(row.get("modelName") or n) for n, row in models.items()}
        return cls(named, None if linked is None else frozenset(linked), why)


def _listed(ask: Callable[[], InventoryRows | None]) -> tuple[InventoryRows | None, str]:
    """What a project lists, or why it does not."""
    try:
        return ask(), ""
    except RequestFailed as failed:
        return None, str(failed)


def settle_target(
    source: Estate,
    target: Estate,
    pairs: ObjectPairs,
    capabilities: Capabilities,
    choices: PlanOptions,
    offer: TargetInventory,
    copies: Set[tuple[str, str]] = frozenset(),
) -> TargetSettings:
    """Settle everything about a target that adapting, applying and verifying must see alike. Adds to
    `pairs` what the target holds already under the same id. `copies`: (kind, id) of files and stores that
    were made from others and that both sides show."""
    in_place: set[tuple[str, str]] = set()
    if source.type in capabilities.shared_with:
        if choices.copy_files:
            _part(source, pairs)
        else:
            in_place |= _in_place(source, target, pairs)
        in_place |= {(kind, id_) for kind, id_ in copies if pairs.ids[kind].get(id_, id_) == id_}
        for kind, id_ in in_place:
            pairs.ids.setdefault(kind, {})[id_] = id_
    if not source.codec.files_immutable:  # no service can change a file: an existing one is used as it is
        in_place |= {("file", id_) for id_ in pairs.ids.get("file", {})}
    here = None if source.codec.ids_are_keys else EstateLocation.from_url(source.side.url)
    there = offer.connections
    deployments = offer.deployments
    return TargetSettings(
        models=choices.models,
        connections={**_by_name(source, there), **choices.connections},
        deployments=None if deployments is None else frozenset(deployments),
        connections_there=None if there is None else there | {short_connection_name(id_) for id_ in there},
        names=_names(source, target, pairs, capabilities),
        reasoning=_reasoning(source, choices, deployments),
        bytes_later=choices.bytes_later,
        unseen=offer.unseen,
        in_place=frozenset(in_place),
        absent=offer.absent,
        rewrite_ids=choices.rewrite_ids,
        agent_version=choices.agent_version,
        place=None if here is None or here.is_same_place(EstateLocation.from_url(target.side.url)) else here,
    )


def _part(source: Estate, pairs: ObjectPairs) -> None:
    """Nothing is used where it is when everything is to be copied; what an earlier move copied into the
    shared place stays its own counterpart."""
    for kind in ("file", "vector_store"):
        known = pairs.ids.get(kind, {})
        copies = {theirs for ours, theirs in known.items() if ours != theirs}
        for id_ in source.objects(kind):
            if id_ in copies:
                known[id_] = id_
            elif known.get(id_) == id_:
                del known[id_]


def _in_place(source: Estate, target: Estate, pairs: ObjectPairs) -> set[tuple[str, str]]:
    """Files and stores that both generations of one project share: the same id, and all else agrees."""
    found = {
        ("file", id_) for id_ in _shared("file", source, target, pairs) if _same_file(id_, source, target)
    }
    files = {id_ for _, id_ in found}
    for id_ in _shared("vector_store", source, target, pairs):
        ours, theirs = source.store_files[id_], target.store_files[id_]
        alike = normalize_entity(source.objects("vector_store")[id_]) == normalize_entity(
            target.objects("vector_store")[id_]
        )
        if alike and ours == theirs and ours <= files:
            found.add(("vector_store", id_))
    for kind in ("file", "vector_store"):  # found so by an earlier plan: the source's own for good
        found |= {(kind, id_) for id_, there in pairs.ids.get(kind, {}).items() if id_ == there}
    return found


def _shared(kind: str, source: Estate, target: Estate, pairs: ObjectPairs) -> Iterable[str]:
    """Ids that are on both sides, usable, and not paired with another object. What an earlier move put into
    the shared place is among them: it is there already, and is not moved again."""
    known = pairs.ids.get(kind, {})
    for id_, entity in source.objects(kind).items():
        there = target.objects(kind).get(id_)
        usable = there is not None and usability(there) == "usable" == usability(entity)
        if usable and known.get(id_, id_) == id_:
            yield id_


def _same_file(id_: str, source: Estate, target: Estate) -> bool:
    """Name and size agree."""
    return _name_and_size(source.objects("file")[id_]) == _name_and_size(target.objects("file")[id_])


def _name_and_size(file: Entity) -> tuple[JSON, JSON]:
    """The size is the one its service told, whatever bytes the archive has."""
    return file.name, file.facts.get("bytes_told", file.fields.get("bytes"))


def _names(source: Estate, target: Estate, pairs: ObjectPairs, capabilities: Capabilities) -> dict[str, str]:
    """Source id of an assistant -> its address on the target: the one it has, else a free one."""
    choose = CODECS[capabilities.service].assign_names
    if choose is None:
        return {}
    known = dict(pairs.ids.get("assistant", {}))
    fresh = [(e.id, e.name) for e in source.objects("assistant").values() if e.id not in known]
    return {**known, **choose(fresh, target.objects("assistant").keys())}


def _by_name(source: Estate, there: frozenset[str] | None) -> dict[str, str]:
    """Connections that the target has under the same short name and another id."""
    by_name = {short_connection_name(id_): id_ for id_ in there or ()}
    named = {id_ for e in source.objects("assistant").values() for id_ in connections_in(e.fields)}
    return {
        old: by_name[short_connection_name(old)]
        for old in named
        if there is not None
        and old not in there
        and old != short_connection_name(old)
        and short_connection_name(old) in by_name
    }


def _reasoning(source: Estate, choices: PlanOptions, there: Mapping[str, str] | None) -> frozenset[str]:
    """Deployments in use that refuse sampling numbers: by their model, or by name where nobody tells it."""
    used = {str(e.fields.get("model")) for e in source.objects("assistant").values()}
    mapped = {target_model_name(name, choices.models, choices.connections) for name in used}
    return frozenset(name for name in mapped if REASONING_MODELS.match(_bare((there or {}).get(name, name))))


def _bare(model: str) -> str:
    """The model's own name, also of one behind a connection."""
    return model.rpartition("/")[2]
