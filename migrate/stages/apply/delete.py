"""Deletes objects, and looks whether they are gone: what a service answers to a deletion proves nothing.

A service may have no route for it (404, 405, 410, 501), may answer 200 with `deleted: false`, may fail after
it has deleted, or may say that it deleted and keep the object. Only a GET decides.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from migrate.errors import NotThere, OutcomeUnknown, RequestFailed
from migrate.model import KINDS

if TYPE_CHECKING:
    from migrate.endpoints.interface import Writer

TRIES = 3
"""How often a deletion without a usable answer is sent: deleting twice does no harm."""
LOOKS_S = (0.0, 0.3, 1.0, 3.0)
"""Seconds before each look at an object whose deletion was accepted: a list may show it a moment longer."""
ACCEPTED = "the service answered as if it had been deleted"


def remove(writer: Writer, kind: str, ids: Sequence[str], parent: str = "") -> dict[str, str]:
    """Delete objects of one kind that lie below one parent, in this order. Id -> what the service answered,
    of those that are still there. Raises `RequestFailed` when nobody can see whether they are gone."""
    answers = {id_: _sent(writer, kind, id_, parent) for id_ in ids}
    left = list(ids)
    for seconds in LOOKS_S:
        writer.pace.nap(seconds)
        there = still_there(writer, kind, left, parent)
        left = [id_ for id_ in left if id_ in there]
        if not any(answers[id_] == ACCEPTED for id_ in left):
            break
    return {id_: f"it is still there: {answers[id_]}" for id_ in left}


def still_there(writer: Writer, kind: str, ids: Collection[str], parent: str = "") -> set[str]:
    """Which of these objects the service shows. What lies below a parent is looked for in its list, since a
    service may not show a single message. Raises `RequestFailed` when it cannot be seen."""
    if not ids:
        return set()
    if KINDS[kind].parent:
        try:
            pages = writer.pages(kind, parent)
            return {str(body.get("id")) for page in pages for body in page.bodies} & set(ids)
        except NotThere as failed:
            _must_mean_absent(failed)
            return set()  # what lay in it is gone with it
    return {id_ for id_ in ids if _answers(writer, kind, id_)}


def _answers(writer: Writer, kind: str, id_: str) -> bool:
    try:
        writer.get(kind, id_)
    except NotThere as failed:
        _must_mean_absent(failed)
        return False
    return True


ABSENT = (404, 410)
"""Statuses of a GET that say: there is no such object. 405 and 501 say that it cannot be asked for."""


def _must_mean_absent(failed: NotThere) -> None:
    if failed.status not in (0, *ABSENT):
        raise RequestFailed(f"whether it is gone cannot be seen: {failed}", failed.status) from None


def _sent(writer: Writer, kind: str, id_: str, parent: str) -> str:
    """Send a deletion; what was answered."""
    for left in reversed(range(TRIES)):
        try:
            writer.delete(kind, id_, parent)
        except OutcomeUnknown as lost:
            if not left:
                return str(lost)
        except RequestFailed as failed:
            return str(failed)
        else:
            return ACCEPTED
    raise AssertionError("unreachable")
