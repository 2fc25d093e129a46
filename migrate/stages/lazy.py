"""Bodies in, objects by id out: held as text, and decoded each time one is asked for.

A decoded thread takes four times the memory of its text, and there may be 100,000 on each side.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar, overload

from migrate.model import JSON, Entity

T = TypeVar("T")
S = TypeVar("S")


class Listed(Sequence[T], Generic[T]):
    """What `read` makes of each of `places`."""

    def __init__(self, read: Callable[[int], T], places: Sequence[int]) -> None:
        self._read, self._places = read, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> Listed[T]: ...
    def __getitem__(self, at: int | slice) -> T | Listed[T]:
        if isinstance(at, slice):
            return Listed(self._read, self._places[at])
        return self._read(self._places[at])

    def only(self, at: Sequence[int]) -> Listed[T]:
        """Those at some places of it."""
        return Listed(self._read, [self._places[n] for n in at])

    def seen(self, through: Callable[[T], S]) -> Listed[S]:
        """What a function makes of each."""
        read = self._read
        return Listed(lambda place: through(read(place)), self._places)


class Held(Mapping[str, Entity]):
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
