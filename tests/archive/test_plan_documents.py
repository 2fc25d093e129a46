"""A plan that was applied is stored in its archive, complete, and is merged with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.check.integrity import check_archive
from migrate.archive.hashes import RowDamaged
from migrate.archive.id_map import Side
from migrate.archive.journal import Journal
from migrate.archive.registered_plans import interrupted_plans, read_plan_document

EAST, WEST = Side("azure-openai", "https://east"), Side("openai", "https://west")
JOB = ("create", "assistant", "", "asst_1", "A")
TEXT = b'{"actions": []}'


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.open(tmp_path / "a.db", write=True, create=True)


def test_what_was_kept_is_read_back(archive: Archive) -> None:
    with archive:
        Journal(archive, "d1", EAST, WEST, TEXT)
        Journal(archive, "d1", EAST, WEST, b"another time")
        Journal(archive, "d2", EAST, WEST)
        assert read_plan_document(archive.conn, "d1") == TEXT
        assert read_plan_document(archive.conn, "d2") is None
        assert not check_archive(archive.conn).damage


@pytest.mark.parametrize("column", ["document = x'00'", "sha = 'x'", "digest = 'd1' || ''  , hash = x'00'"])
def test_a_plan_that_was_changed_is_damage(archive: Archive, column: str) -> None:
    with archive:
        Journal(archive, "d1", EAST, WEST, TEXT)
        with archive.transaction() as conn:
            conn.execute(f"UPDATE plan_documents SET {column}")
        with pytest.raises(RowDamaged):
            read_plan_document(archive.conn, "d1")
        assert check_archive(archive.conn).damage


def test_an_apply_is_interrupted_while_an_outcome_is_unknown(archive: Archive) -> None:
    with archive:
        one = Journal(archive, "d1", EAST, WEST, TEXT)
        assert list(interrupted_plans(archive.conn, EAST, WEST)) == []
        (entry,) = one.record_intent([JOB])
        assert list(interrupted_plans(archive.conn, EAST, WEST)) == ["d1"]
        assert list(interrupted_plans(archive.conn, WEST, EAST)) == []
        one.record_done(entry, "asst_new")
        assert list(interrupted_plans(archive.conn, EAST, WEST)) == []
