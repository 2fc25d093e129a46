"""How many members changed between two snapshots, and where that is no longer counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrate.archive import Archive
from migrate.archive.snapshots import changes
from migrate.archive.snapshots.changes import compare_members
from migrate.model.results.overview import MemberChange
from tests.archive.filling import Listing, write


def messages(*texts: str) -> list[dict[str, Any]]:
    """Messages whose ids are the first letters of their texts."""
    return [{"id": text[0], "content": text} for text in texts]


def threads(**texts: list[dict[str, Any]]) -> list[Listing]:
    rows: list[Listing] = [("thread", "", [{"id": id_} for id_ in texts])]
    return [*rows, *(("message", id_, bodies) for id_, bodies in texts.items())]


@pytest.fixture
def archive(tmp_path: Path) -> Any:
    with Archive.open(tmp_path / "estate.db", write=True, create=True) as archive:
        write(archive, threads(t=messages("a", "b", "c"), u=messages("a", "b"), gone=messages("a")))
        write(archive, threads(t=messages("a", "b!", "d", "e"), u=messages("b", "a"), new=messages("x")))
        yield archive


def test_members_are_counted_by_their_ids(archive: Archive) -> None:
    found = compare_members(archive.conn, 1, 2, "message")
    assert found == MemberChange("message", parents=2, more=1, added=2, removed=1, changed=1)
    assert compare_members(archive.conn, 1, 1, "message") == MemberChange("message", 0, 0)


@pytest.mark.parametrize("limit", ["MAX_BODIES_READ", "MAX_PARENTS_READ", "MAX_MEMBERS_UNFOLDED"])
def test_too_many_are_not_counted(archive: Archive, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(changes, limit, 1)
    assert compare_members(archive.conn, 1, 2, "message") == MemberChange("message", 2, 1, None, None, None)
