"""Choose the share of an estate that a drill restores."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from math import ceil

from migrate.model.entity import Entity
from migrate.model.sample import Sample
from migrate.model.selection import Selection
from migrate.stages.estate import Estate

# Kinds of which a share is chosen. What the chosen objects need is included.
SAMPLED_KINDS = ("thread", "assistant")
# Kinds of which a share is chosen where an estate has no object of `SAMPLED_KINDS`, the first one that it
# has.
OTHER_KINDS = ("vector_store", "file")


def sample_selection(source: Estate, sample: Sample) -> Selection:
    """The selection of a sample: a share of the threads, each whole, and of the assistants, at least one of
    each. It depends on the ids and the seed alone, not on their order."""
    chosen = [id_ for kind in SAMPLED_KINDS for id_ in _share(source.entities(kind), sample)]
    for kind in OTHER_KINDS:
        chosen = chosen or _share(source.entities(kind), sample)
    return Selection(ids=tuple(chosen))


def _share(entities: Iterable[Entity], sample: Sample) -> list[str]:
    ranked = sorted(
        (entity.id for entity in entities),
        key=lambda id_: hashlib.sha256(f"{sample.seed}:{id_}".encode("utf-8", "replace")).digest(),
    )
    return ranked[: ceil(len(ranked) * sample.percent / 100)]
