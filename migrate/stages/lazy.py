"""Entities by id, held as JSON text and decoded at each access.

A decoded thread takes four times the memory of its text, and there may be 100,000 on each side.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar, overload

from migrate.model import JSON, Entity

_T = TypeVar("_T")
_S = TypeVar("_S")


class LazySequence(Sequence[_T], Generic[_T]):
    """What `read` makes of each of `places`."""

    def __init__(self, read: Callable[[int], _T], places: Sequence[int]) -> None:
        self._read, self._places = read, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> _T: ...
    @overload
    def __getitem__(self, at: slice) -> LazySequence[_T]: ...
    def __getitem__(self, at: int | slice) -> _T | LazySequence[_T]:
        if isinstance(at, slice):
            return LazySequence(self._read, self._places[at])
        return self._read(self._places[at])

    def select(self, at: Sequence[int]) -> LazySequence[_T]:
        """Those at some places of it."""
        return LazySequence(self._read, [self._places[n] for n in at])

    def map(self, through: Callable[[_T], _S]) -> LazySequence[_S]:
        """What a function makes of each."""
        read = self._read
        return LazySequence(lambda place: through(read(place)), self._places)


class LazyEntities(Mapping[str, Entity]):
    """Objects of one kind by id, in the order in which they came."""

    def __init__(self, bodies: Iterable[JSON], decode: Callable[[JSON], Entity]) -> None:
        self._decode = decode
        self._texts = {decode(body).id: _text(body) for body in bodies}

    def __getitem__(self, id_: str) -> Entity:
        return self._decode(json.loads(self._texts[id_]))

    def __contains__(self, id_: object) -> bool:
        return id_ in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def _text(body: JSON) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
