"""Pair the messages of a thread on the source with those on the target, according to the journal.

What arrived once is not derived anew from today's source: a message that the source no longer has keeps its
place on the target, and those behind it keep theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Protocol, TypeVar


class HasId(Protocol):
    """Whatever has an id."""

    @property
    def id(self) -> str: ...


def target_order(ids: Sequence[str], standing: Iterable[str]) -> list[str]:
    """The messages of a thread of the source in the order in which they stand on the target, then the others.
    `standing`: ids on the source of what stands there, '' or an id that is gone where it is of no message."""
    here = set(ids)
    first = list(dict.fromkeys(id_ for id_ in standing if id_ in here))
    arrived = set(first)
    return [*first, *(id_ for id_ in ids if id_ not in arrived)]


_SourceT = TypeVar("_SourceT", bound=HasId)
_TargetT = TypeVar("_TargetT", bound=HasId)


def pair_messages(
    ours: Iterable[_SourceT],
    theirs: Iterable[_TargetT],
    made_from: Mapping[str, str],
    here: Callable[[], Collection[str]],
) -> Iterator[tuple[_SourceT | None, _TargetT | None]]:
    """Pairs in order. `made_from`: id on the target -> id on the source, by the journal. `here`: ids of all
    that the source has in this thread, asked for only where two do not fit. Without a counterpart on the left
    is what was made from a message that is gone, or what others wrote at the end; on the right, what has not
    arrived."""
    known = cache(here)
    rest = iter(theirs)
    for one in ours:
        other = next(rest, None)
        while other is not None:
            old = made_from.get(other.id)
            if old is None or old == one.id or old in known():
                break
            yield None, other
            other = next(rest, None)
        yield one, other
    for other in rest:
        yield None, other
