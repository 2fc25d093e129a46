"""Ctrl-C and SIGTERM while a step of a command runs that has no result to show yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from migrate.errors import IncompleteResult


@contextmanager
def resumable(what: str, why: str, todo: str) -> Iterator[None]:
    """End a step that is stopped with `IncompleteResult`: what happened, why, and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        raise IncompleteResult(what, why, todo) from None
