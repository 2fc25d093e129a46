"""Metadata that fits: strings within the limits, and our own keys where there is room for them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.model import JSON, Entity
from migrate.model.stamp import is_stamp, remove_stamp_keys, unused_stamp_keys


def fit_metadata(
    entity: Entity, target: Target, losses: LossCollector, reserved: Collection[str] = ()
) -> dict[str, str]:
    """The metadata to write. The stamp never pushes out a key of the owner's. `reserved` keys belong to
    the service there."""
    capabilities = target.capabilities
    given = entity.fields.get("metadata") or {}
    kept: dict[str, str] = {}
    for key, value in remove_stamp_keys(given).items() if isinstance(given, Mapping) else ():
        if key in reserved:
            losses.add_lost("metadata", f"{key!r} is a key that the portal writes itself", "use another key")
            continue
        text = value if isinstance(value, str) else _as_text(value)
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
        losses.add_adapted("metadata", "no room for our stamp: only the journal will know where it came from")
    return kept


def free_pairs(kept: dict[str, str], target: Target) -> int:
    """How many more keys fit."""
    return target.capabilities.metadata_pairs - len(kept)


def stamp_value(source_type: str, source_id: str) -> str:
    """The value of our one metadata key."""
    return f"{source_type}:{source_id}"


def _as_text(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False)
