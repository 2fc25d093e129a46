"""Choose the share of an estate that a drill restores."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from math import ceil

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
    chosen = [id_ for kind in SAMPLED_KINDS for id_ in _share(_ids(source, kind), sample)]
    for kind in OTHER_KINDS:
        chosen = chosen or _share(_ids(source, kind), sample)
    return Selection(ids=tuple(chosen))


def _ids(source: Estate, kind: str) -> list[str]:
    objects = source.iter_threads() if kind == "thread" else source.objects(kind).values()
    return [entity.id for entity in objects]


def _share(ids: Iterable[str], sample: Sample) -> list[str]:
    ranked = sorted(
        ids, key=lambda id_: hashlib.sha256(f"{sample.seed}:{id_}".encode("utf-8", "replace")).digest()
    )
    return ranked[: ceil(len(ranked) * sample.percent / 100)]
