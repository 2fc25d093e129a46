"""What journals know of two estates: which object was made from which, and with which bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Told:
    """`objects`: (kind, left id) -> right id of all but messages. `messages`: asked with a thread on the left
    and its counterpart, left and right id of those in them, of which the last counts; there may be a million.
    `sent`: (left id, right id) of files -> hash of the bytes that one was made with from the other. `copies`:
    ids of vector stores beside a config directory that were made from others of the same place."""

    objects: Mapping[tuple[str, str], str] = field(default_factory=dict)
    messages: Callable[[str, str], Iterable[tuple[str, str]]] = lambda left, right: ()
    sent: Mapping[tuple[str, str], str] = field(default_factory=dict)
    copies: frozenset[str] = frozenset()
