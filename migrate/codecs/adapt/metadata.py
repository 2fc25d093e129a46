"""Metadata that fits the target: the owner's pairs, and keys of this program, other tools and the portal."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.codecs.capabilities import MAX_METADATA_PAIRS, Capabilities
from migrate.model import JSON, Entity
from migrate.model.stamp import (
    ORIGINAL_ASSISTANT_KEY,
    STAMP,
    is_stamp,
    original_assistant_id,
    remove_stamp_keys,
    stamp_keys_in,
    unused_stamp_keys,
)


def fit_metadata(
    entity: Entity, target: Target, losses: LossCollector, reserved: Collection[str] = ()
) -> dict[str, str]:
    """The metadata to write. The stamp never replaces a key of the owner. `reserved`: keys that the target
    service writes itself."""
    capabilities = target.capabilities
    given = entity.fields.get("metadata") or {}
    kept: dict[str, str] = {}
    for key, value in remove_stamp_keys(given).items() if isinstance(given, Mapping) else ():
        if key in reserved:
            losses.add_lost("metadata", f"{key!r} is a key that the portal writes itself", "use another key")
            continue
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if not isinstance(value, str):
            losses.add_adapted("metadata", f"{key!r} is not a string and is written as one")
        if len(key) > capabilities.metadata_key_max or len(text) > capabilities.metadata_value_max:
            losses.add_lost(
                "metadata", f"{key!r} is longer than the target's limit", "it stays in the archive"
            )
        elif len(kept) >= capabilities.metadata_pairs:
            losses.add_lost(
                "metadata", f"{key!r} is beyond {capabilities.metadata_pairs} pairs", "kept in the archive"
            )
        else:
            kept[key] = text
    stamp = stamp_value(target.stamp_type or target.source_type, entity.id)
    names = unused_stamp_keys(kept)
    fits = len(kept) < capabilities.metadata_pairs and len(stamp) <= capabilities.metadata_value_max
    if names is not None and fits and is_stamp(stamp):
        kept[names.stamp] = stamp
    else:
        losses.add_adapted(
            "metadata", "no room for the stamp: only the journal will record where it came from"
        )
    return kept


def free_pairs(kept: dict[str, str], target: Target) -> int:
    """How many more keys the target accepts."""
    return target.capabilities.metadata_pairs - len(kept)


def stamp_value(source_type: str, source_id: str) -> str:
    """The value of the stamp: TYPE:ID of the source object."""
    return f"{source_type}:{source_id}"


# Time when the agent was last saved in the portal; it has no meaning on another service.
PORTAL_TIME_KEY = "modified_at"
# Metadata keys that the portal writes on agents. They are not compared and never overwritten.
PORTAL_KEYS = frozenset({"logo", "voiceLiveConfig", "description", PORTAL_TIME_KEY})


def portal_settings(entity: Entity) -> dict[str, str]:
    """The settings of an agent that a user chose in the portal."""
    portal = entity.facts.get("portal") or {}
    return {k: v for k, v in portal.items() if k != PORTAL_TIME_KEY and isinstance(v, str) and v}


def fitting_portal_settings(entity: Entity, pairs: int) -> dict[str, str]:
    """The portal settings that fit in metadata which has `pairs` keys already."""
    return dict(list(portal_settings(entity).items())[: max(0, MAX_METADATA_PAIRS - pairs)])


def report_lost_portal_settings(
    entity: Entity, kept: dict[str, str], service: str, losses: LossCollector
) -> None:
    """Report the portal settings that do not arrive. `kept`: those that do."""
    lost = [key for key in portal_settings(entity) if key not in kept]
    if lost:
        why = "metadata has no room for" if kept or service == "foundry" else f"{service} has no portal for"
        losses.add_lost("metadata", f"{why} portal settings: {', '.join(lost)}", "the archive has them")


def merge_existing_metadata(fitted: Entity, existing: Entity, capabilities: Capabilities) -> Entity:
    """The object that the target will have, where another tool created `existing` from the same assistant.

    Keys that the other tool wrote (a `migrated_from` that is no stamp of this program, `original_v1_id`) stay
    beside the owner's keys and this program's. Any other object is returned unchanged.
    """
    if fitted.kind != "assistant" or original_assistant_id(existing) != fitted.id:
        return fitted
    given: Mapping[str, JSON] = fitted.fields.get("metadata") or {}
    own = remove_stamp_keys(given)
    foreign = {k: v for k, v in remove_stamp_keys(existing.fields["metadata"]).items() if k not in own}
    room = max(0, capabilities.metadata_pairs - len(own))
    # Keys that name the origin come first.
    ranked = sorted(foreign, key=lambda key: key not in (ORIGINAL_ASSISTANT_KEY, STAMP))
    metadata: dict[str, JSON] = {**{key: foreign[key] for key in ranked[:room]}, **own}
    before, names = stamp_keys_in(given), unused_stamp_keys(metadata)
    name = fitted.fields.get("name")
    if before is not None and names is not None and len(metadata) < capabilities.metadata_pairs:
        metadata[names.stamp] = given[before.stamp]
        if before.name in given and len(metadata) < capabilities.metadata_pairs:
            metadata[names.name] = given[before.name]
    carried = names is not None and names.name in metadata
    if before is not None and before.name in given and not carried:
        name = existing.id  # metadata has no room for the original name, so the address is the name
    return fitted.with_fields(metadata=metadata, name=name)
