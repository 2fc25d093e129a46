"""The tables of the full-text index are there as a whole or not at all; what is half of it can be removed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.text_index.schema import create_text_index, has_text_index
from migrate.archive.text_index.tables import INDEX_ENTRIES
from migrate.errors import ArchiveDamaged
from migrate.stages.index.run import build_index, remove_index
from tests.archive.filling import facts, filled


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("s") / "estate.db"
    filled(path)
    with Archive.open(path, write=True) as archive:
        build_index(archive)
    return path


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        for sql in statements:
            conn.execute(sql)


def test_the_entries_are_those_that_sqlite_writes() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        create_text_index(conn)
        rows = conn.execute("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    assert set(rows) == INDEX_ENTRIES.keys()


def test_an_archive_with_an_index_is_opened_like_any_other(indexed: Path) -> None:
    for write in (False, True):
        with Archive.open(indexed, write=write) as archive:
            assert has_text_index(archive.conn)


DAMAGED = {
    **{f"{name} is gone": (f"DROP {type_} {name}",) for type_, name in sorted(INDEX_ENTRIES)},
    "only one is there": tuple(
        f"DROP TABLE {name}"
        for name in ("text_vocabulary", "text_words", "text_segments", "text_files", "thread_summaries",
                     "thread_assistants", "metadata_pairs", "indexed_snapshots")
    ),
    "a column more": ("ALTER TABLE text_segments ADD COLUMN more",),
    "a view in the place of a table": ("DROP TABLE metadata_pairs", "CREATE VIEW metadata_pairs AS SELECT 1"),
    "another tokenizer": (
        "DROP TABLE text_words",
        "CREATE VIRTUAL TABLE text_words USING fts5(text, name, content='')",
    ),
}  # fmt: skip


@pytest.mark.parametrize("statements", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_part_of_an_index_is_damage_and_can_be_built_again(
    indexed: Path, tmp_path: Path, statements: tuple[str, ...]
) -> None:
    path = tmp_path / "estate.db"
    shutil.copy(indexed, path)
    before = facts(path)
    run(path, *statements)
    for write in (False, True):
        with pytest.raises(ArchiveDamaged, match=r"full-text index of .* is damaged") as refused:
            Archive.open(path, write=write)
        assert refused.value.todo == f"build it again: index --rebuild {path}"
    copy = tmp_path / "copy.db"
    shutil.copy(path, copy)
    with Archive.open(path, write=True, ignore_index=True) as archive:
        assert build_index(archive, rebuild=True).all_documents
    with Archive.open(copy, write=True, ignore_index=True) as archive:
        assert remove_index(archive)
    for left in (path, copy):
        with Archive.open(left) as archive:
            assert has_text_index(archive.conn) == (left == path)
        assert facts(left) == before


def test_what_is_foreign_is_refused_also_where_the_index_is_ignored(indexed: Path, tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    shutil.copy(indexed, path)
    run(path, "CREATE TRIGGER more AFTER INSERT ON text_segments BEGIN SELECT 1; END")
    with pytest.raises(ArchiveDamaged, match="trigger that was not created by this program: more"):
        Archive.open(path, write=True, ignore_index=True)
