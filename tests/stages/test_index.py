"""The index has every snapshot, and what it has does not depend on how it came about."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.check.integrity import check_archive
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.archive.text_index.digest import seal_index
from migrate.archive.text_index.index_batch import IndexBatch
from migrate.archive.text_index.schema import WRITE_OPTIONS, has_text_index
from migrate.archive.text_index.tables import INDEX_NAMES
from migrate.errors import ArchiveDamaged
from migrate.model import index_words
from migrate.model.results.text_search import ThreadFilters
from migrate.stages.index import run
from migrate.stages.index.run import build_index, remove_index
from migrate.stages.progress import Progress
from migrate.stages.query.thread_list import list_threads
from tests.archive.filling import TYPE, Listing, write
from tests.stages.searching import estate, found, hits, message, snapshot

ROOT = Path(__file__).parents[2]
OTHER = "https://west.example.com"


def listings(threads: int = 6, messages: int = 5, more: str = "") -> list[Listing]:
    """Threads whose newest messages are in another order than the threads. `more`: a word in the last message
    of each second thread."""
    bodies = {
        f"thread_{t}": [
            message(
                f"msg_{t}_{n}",
                f"words {t} word{n} {more if n == messages - 1 and t % 2 else ''}",
                at=1_000 * (9 - t) + n,
            )
            for n in range(messages)
        ]
        for t in range(threads)
    }
    rows = estate(
        bodies,
        assistant=[{"id": "asst_1", "name": f"Desk {more}"}],
        file=[{"id": "file-a", "filename": "a.txt"}],
    )
    rows += [("run", "thread_1", [{"id": "run_1", "status": "completed", "metadata": {"why": "words"}}])]
    rows += [
        (
            "run_step",
            "thread_1",
            [{"id": "step_1", "step_details": {"tool_calls": [{"type": "x", "x": {"input": "stepword"}}]}}],
        )
    ]
    return [
        *rows,
        ("vector_store", "", [{"id": "vs_1", "name": "Store"}]),
        ("vector_store_file", "vs_1", [{"id": "file-a"}]),
    ]


def content(archive: Archive) -> dict[str, Any]:
    """Everything that an index has, also every word of every document with its place."""
    conn = archive.conn
    names = sorted(
        name
        for name in INDEX_NAMES
        if not name.startswith("text_words") and not name.endswith(("_pack", "_sorted", "_parent"))
    )
    tables = {name: conn.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in names}
    # How FTS5 divides the words into parts depends on when they were committed, and so does the hash.
    tables["text_index_state"] = [row for row in tables["text_index_state"] if row[0] != "digest"]
    conn.execute("CREATE VIRTUAL TABLE temp.places USING fts5vocab(main, text_words, instance)")
    tables["words"] = conn.execute("SELECT * FROM places ORDER BY 1, 2, 3, 4").fetchall()
    conn.execute("DROP TABLE temp.places")
    return tables


def fill(archive: Archive) -> None:
    """Three snapshots of two estates, with bytes of a file."""
    first = write(archive, listings())
    link_file_to_blob(archive, first.endpoint, "file-a", store_blob(archive, [b"text of a file"]), "download")
    write(archive, listings(more="later"))
    write(archive, listings(threads=2), url=OTHER)


def test_several_snapshots_and_estates_are_searched_apart(archive: Archive) -> None:
    fill(archive)
    result = build_index(archive)
    assert (result.snapshots, result.unfinished, result.rebuilt, result.files) == ((1, 2, 3), (), "", 1)
    assert found(archive, "later", 1) == []
    assert found(archive, "later", 2) == ["asst_1", "msg_1_4", "msg_3_4", "msg_5_4"]
    assert found(archive, "later", 3) == []
    assert len(found(archive, "words kind:message", 1)) == len(found(archive, "words kind:message", 2)) == 30
    assert len(found(archive, "words kind:message", 3)) == 10
    assert found(archive, "stepword", 2) == ["step_1"]
    assert [found(archive, '"text of a file"', number) for number in (1, 2, 3)] == [
        ["file-a"],
        ["file-a"],
        [],
    ]
    for number, count in ((1, 6), (2, 6), (3, 2)):
        page = list_threads(snapshot(archive, number), ThreadFilters())
        assert (page.is_indexed, [row.id for row in page.rows]) == (
            True,
            [f"thread_{n}" for n in range(count)],
        )


def test_the_newest_threads_have_the_highest_numbers(archive: Archive) -> None:
    write(archive, listings())
    build_index(archive)
    assert [hit.parent for hit in hits(archive, "kind:message")][::5] == [f"thread_{n}" for n in range(6)]


def test_a_further_snapshot_adds_only_what_is_new(archive: Archive) -> None:
    write(archive, listings())
    first = build_index(archive)
    assert build_index(archive).documents == 0
    write(archive, listings())
    assert build_index(archive).documents == 0
    write(archive, listings(more="later"))
    again = build_index(archive)
    assert again.documents == 4  # the last messages of three threads, and the assistant
    assert again.all_documents == first.documents + 4
    assert again.snapshots == (1, 2, 3)


def test_it_is_the_same_whether_snapshots_are_added_one_by_one_or_at_once(tmp_path: Path) -> None:
    contents = []
    for one_by_one in (True, False):
        with Archive.open(tmp_path / f"{one_by_one}.db", write=True, create=True) as archive:
            first = write(archive, listings())
            link_file_to_blob(archive, first.endpoint, "file-a", store_blob(archive, [b"text"]), "download")
            for more in ("later", "latest"):
                if one_by_one:
                    build_index(archive)
                write(archive, listings(more=more))
            build_index(archive)
            contents.append(content(archive))
    assert contents[0] == contents[1]


class Stopped(Exception):
    pass


class StopAfter(Progress):
    """Ends the program after so many counts."""

    def __init__(self, counts: int) -> None:
        self.left = counts

    def count(self, what: str, done: int = 1) -> None:
        self.left -= 1
        if not self.left:
            raise Stopped


def test_it_is_the_same_after_any_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "OBJECTS_PER_COMMIT", 3)
    with Archive.open(tmp_path / "whole.db", write=True, create=True) as archive:
        fill(archive)
        build_index(archive)
        whole = content(archive)
    with Archive.open(tmp_path / "stopped.db", write=True, create=True) as archive:
        fill(archive)
        interruptions = 0
        while True:
            try:
                build_index(archive, StopAfter(2))
                break
            except Stopped:
                interruptions += 1
        assert interruptions > 5
        assert content(archive) == whole


def test_batches_that_were_not_committed_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "OBJECTS_PER_COMMIT", 3)
    contents = []
    for fails in (False, True):
        with Archive.open(tmp_path / f"{fails}.db", write=True, create=True) as archive:
            fill(archive)
            with monkeypatch.context() as patched:
                write_batch, left = IndexBatch.write, [2]

                def failing(batch: IndexBatch, conn: Any, write: Any = write_batch, left: Any = left) -> None:
                    write(batch, conn)
                    left[0] -= 1
                    if not left[0]:
                        left[0] = 3
                        raise Stopped

                if fails:
                    patched.setattr(IndexBatch, "write", failing)
                is_done = False
                while not is_done:
                    with suppress(Stopped):
                        build_index(archive)
                        is_done = True
                    assert fails or is_done
            contents.append(content(archive))
    assert contents[0] == contents[1]


KILLED = """
import os, signal, sys
from pathlib import Path
from migrate.archive import Archive
from migrate.stages.index import run
from migrate.stages.progress import Progress

class Kill(Progress):
    left = int(sys.argv[2])
    def count(self, what, done=1):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)

run.OBJECTS_PER_COMMIT = 5
with Archive.open(Path(sys.argv[1]), write=True) as archive:
    run.build_index(archive, Kill())
"""


def test_it_is_the_same_after_a_kill(tmp_path: Path) -> None:
    for name in ("whole", "killed"):
        with Archive.open(tmp_path / f"{name}.db", write=True, create=True) as archive:
            fill(archive)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed.db"), "12"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert killed.returncode == -signal.SIGKILL
    contents = []
    for name in ("whole", "killed"):
        with Archive.open(tmp_path / f"{name}.db", write=True) as archive:
            assert has_text_index(archive.conn) == (name == "killed")
            build_index(archive)
            contents.append(content(archive))
    assert contents[0] == contents[1]


def test_a_thread_that_is_listed_twice_is_indexed_once(archive: Archive) -> None:
    rows = [
        (kind, parent, [bodies[0], *bodies, bodies[0]] if kind == "thread" else bodies)
        for kind, parent, bodies in listings()
    ]
    write(archive, rows)
    assert build_index(archive).snapshots == (1,)
    assert len(content(archive)["thread_summaries"]) == 6


@pytest.mark.parametrize("name", ["before\x00behind", "\x00behind", "half\ud800behind behind", "", "\x00"])
def test_a_name_is_indexed_to_its_end(archive: Archive, name: str) -> None:
    """SQLite ends a string that it takes out of JSON at its first NUL."""
    write(archive, estate({}, assistant=[{"id": "asst_1", "name": name, "model": "m"}]))
    build_index(archive)
    assert check_archive(archive.conn).damage == ()
    assert bool(found(archive, "behind")) is ("behind" in name)


def test_an_interrupted_snapshot_waits(archive: Archive) -> None:
    write(archive, listings())
    writer = SnapshotWriter.begin(archive, TYPE, OTHER, {}, None)
    result = build_index(archive)
    assert (result.snapshots, result.unfinished) == ((1,), (2,))
    writer.finish("complete", "")
    assert build_index(archive).snapshots == (1, 2)


def test_bytes_that_come_later_are_indexed_in_the_place_of_earlier_ones(archive: Archive) -> None:
    endpoint = write(archive, listings()).endpoint
    link_file_to_blob(archive, endpoint, "file-a", store_blob(archive, [b"parsed words of it"]), "parsed")
    build_index(archive)
    assert found(archive, '"parsed words"') == ["file-a"]
    write(archive, listings())
    link_file_to_blob(archive, endpoint, "file-a", store_blob(archive, [b"downloaded text"]), "download")
    build_index(archive)
    assert (found(archive, '"parsed words"'), found(archive, "downloaded")) == ([], ["file-a"])


def test_an_index_in_another_form_is_built_again(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    from migrate.archive.text_index import schema

    write(archive, listings())
    build_index(archive)
    before = content(archive)
    monkeypatch.setattr(schema, "INDEX_FORMAT", "another")
    assert "another version" in build_index(archive).rebuilt
    after = content(archive)
    assert after.pop("text_index_state") != before.pop("text_index_state")
    assert after == before
    assert index_words.INDEX_FORMAT != "another"


def test_what_is_removed_leaves_nothing(archive: Archive) -> None:
    write(archive, listings())
    before = archive.conn.execute("SELECT name FROM sqlite_master ORDER BY 1").fetchall()
    assert not remove_index(archive)
    build_index(archive)
    assert remove_index(archive)
    assert archive.conn.execute("SELECT name FROM sqlite_master ORDER BY 1").fetchall() == before


def test_a_reader_sees_the_index_as_it_was_committed(archive: Archive) -> None:
    write(archive, listings())
    build_index(archive)
    half = "SELECT count(*) FROM text_words WHERE text_words MATCH 'half'"
    reading = archive.open_read_connection()
    try:
        with archive.transaction() as conn:
            conn.execute("INSERT INTO text_words (rowid, text) VALUES (999, 'half written')")
            assert reading.execute(half).fetchone() == (0,)
        assert reading.execute(half).fetchone() == (1,)
    finally:
        reading.close()


def test_few_parts_are_left_after_many_small_additions(archive: Archive) -> None:
    parts = []
    for number in range(12):
        write(archive, listings(more=f"later{number}" if number else ""))
        build_index(archive)
        parts.append(archive.conn.execute("SELECT count(DISTINCT segid) FROM text_words_idx").fetchone()[0])
    assert parts[:3] == [1, 2, 3]
    assert max(parts) < 6


def test_an_index_of_an_earlier_version_is_written_as_fast_and_is_no_damage(archive: Archive) -> None:
    write(archive, listings())
    build_index(archive)
    with archive.transaction() as conn:
        conn.execute("INSERT INTO text_words (text_words, rank) VALUES ('automerge', 4)")
        seal_index(conn)
    build_index(archive)
    stored = dict(archive.conn.execute("SELECT k, v FROM text_words_config").fetchall())
    assert WRITE_OPTIONS.items() <= stored.items()
    assert check_archive(archive.conn).damage == ()


def test_long_texts_are_committed_in_smaller_batches(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(archive, listings())
    commits: list[str] = []
    archive.conn.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    monkeypatch.setattr(run, "BYTES_PER_COMMIT", 200)
    build_index(archive)
    archive.conn.set_trace_callback(None)
    assert len(commits) > 5


@pytest.mark.parametrize("objects", [1, 3, 25_000])
def test_a_message_that_is_listed_twice_is_indexed_once(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, objects: int
) -> None:
    monkeypatch.setattr(run, "OBJECTS_PER_COMMIT", objects)
    write(
        archive,
        [
            (kind, parent, [*bodies, *bodies[::-1]] if kind == "message" else bodies)
            for kind, parent, bodies in listings()
        ],
    )
    build_index(archive)
    assert len(found(archive, "words kind:message")) == 30
    places = archive.conn.execute("SELECT pack_id, place, count, parent_id FROM text_segments").fetchall()
    assert len({(pack, place + n) for pack, place, count, _ in places for n in range(count)}) == sum(
        count for _, _, count, _ in places
    )


def test_damage_that_the_reading_thread_meets_is_reported_and_the_thread_ends(archive: Archive) -> None:
    write(archive, listings())
    archive.conn.execute("UPDATE packs SET data = x'00' WHERE kind = 'message'")
    with pytest.raises(ArchiveDamaged) as damaged:
        build_index(archive)
    assert "check" in damaged.value.todo
    assert "index" not in {thread.name for thread in threading.enumerate()}
