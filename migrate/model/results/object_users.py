"""Who refers to an object."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ObjectUser:
    """An object that refers to another one. `status`: of a file in a vector store, else ''."""

    kind: str
    id: str
    name: str = ""
    status: str = ""


@dataclass(frozen=True)
class ObjectUsers:
    """The objects that refer to one object. `threads`: the first ones that have it among their own
    resources; `more_threads`: whether there are more. `unread_threads`: how many threads were not searched,
    because there are too many; 0 where all were."""

    users: tuple[ObjectUser, ...]
    threads: tuple[ObjectUser, ...] = ()
    more_threads: bool = False
    unread_threads: int = 0
