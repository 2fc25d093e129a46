"""Bodies in, objects by id out: held as text, and decoded each time one is asked for.

A decoded thread takes four times the memory of its text, and there may be 100,000 on each side.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from migrate.model import JSON, Entity


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
