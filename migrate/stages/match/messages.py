"""Pair the messages of a thread on the source with those on the target, according to the journal.

A message that arrived once is not derived again from today's source: if the source no longer has it, it keeps
its place on the target, and so do those behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, TypeVar


class HasId(Protocol):
    """Whatever has an id."""

    @property
    def id(self) -> str: ...


def target_order(ids: Sequence[str], existing: Iterable[str]) -> list[str]:
    """The messages of a thread of the source in the order of the target, then the others.

    `ids`: of the source, in its order. `existing`: source ids of the messages on the target, in its order; ''
    or an id that is gone where the source has no such message."""
    known = set(ids)
    first = list(dict.fromkeys(id_ for id_ in existing if id_ in known))
    arrived = set(first)
    return [*first, *(id_ for id_ in ids if id_ not in arrived)]


_SourceT = TypeVar("_SourceT", bound=HasId)
_TargetT = TypeVar("_TargetT", bound=HasId)


def pair_messages(
    source: Iterable[_SourceT],
    target: Iterable[_TargetT],
    source_ids: Mapping[str, str],
    listed_ids: Callable[[], Collection[str]],
) -> Iterator[tuple[_SourceT | None, _TargetT | None]]:
    """Pairs of messages, in order.

    `source_ids`: id on the target -> id on the source, from the journal. `listed_ids` gives the ids of all
    messages that the source has in this thread; it is called only where a pair does not fit. Without a source
    message is one that the source no longer has, or that others wrote at the end; without a target message,
    one that has not arrived."""
    known_ids = cache(listed_ids)
    remaining = iter(target)
    for message in source:
        counterpart = next(remaining, None)
        while counterpart is not None:
            source_id = source_ids.get(counterpart.id)
            if source_id is None or source_id == message.id or source_id in known_ids():
                break
            yield None, counterpart
            counterpart = next(remaining, None)
        yield message, counterpart
    for counterpart in remaining:
        yield None, counterpart


@dataclass(frozen=True)
class LostMessages:
    """What a thread lacks of its source. Ids are of the source, in its order.

    `replayed`: messages that can be written again. `others`: items that cannot. `at_end`: everything that is
    there comes before the first of `replayed`, in the order of the source, so that they can be appended."""

    replayed: tuple[str, ...]
    others: tuple[str, ...]
    at_end: bool


def find_lost(listed: Iterable[str], replayed: Sequence[str], present: Sequence[str]) -> LostMessages:
    """What a thread lacks. `listed`: all ids that the source has in it; `replayed`: those that are written.
    `present`: ids on the source of what the thread has, in its order; '' for what the source does not
    have."""
    there, writable = set(present), set(replayed)
    kept = [id_ for id_ in present if id_ in writable]
    return LostMessages(
        tuple(id_ for id_ in replayed if id_ not in there),
        tuple(id_ for id_ in listed if id_ not in there and id_ not in writable),
        all(present) and kept == list(replayed[: len(kept)]),
    )
