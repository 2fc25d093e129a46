"""The journal: the intent before a request, the outcome after it, and the id map that is read from both."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from migrate.archive import Archive
from migrate.archive.id_map import Side, created_source_ids, id_map, message_id_pairs
from migrate.archive.journal import Journal, JournalEntry

EAST, WEST = Side("azure-openai", "https://east"), Side("openai", "https://west")
NORTH = Side("openai", "https://north")
JOB = ("create", "assistant", "", "asst_1", "A")


def journal(archive: Archive, digest: str = "d1", source: Side = EAST, target: Side = WEST) -> Journal:
    return Journal(archive, digest, source, target)


def only(one: Journal) -> JournalEntry:
    (entry,) = one.entries()
    return entry


def pairs(archive: Archive, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
    return [(line.source_id, line.target_id) for line in id_map(archive.conn, *args, **kwargs)]


def test_an_intent_is_there_before_the_outcome(archive: Archive) -> None:
    one = journal(archive)
    one.record_intent([JOB])
    entry = only(one)
    assert (entry.state, entry.action, entry.source_id, entry.name) == ("intended", "create", "asst_1", "A")
    assert entry.started_at
    assert pairs(archive) == []


def test_an_outcome_makes_the_id_map(archive: Archive) -> None:
    one = journal(archive)
    (entry,) = one.record_intent([JOB])
    one.record_done(entry, "asst_new", written="abc")
    assert (only(one).state, only(one).target_id, only(one).written) == ("done", "asst_new", "abc")
    assert pairs(archive) == [("asst_1", "asst_new")]


def test_a_failure_is_kept_with_its_reason_and_maps_nothing(archive: Archive) -> None:
    one = journal(archive)
    one.record_failed(one.record_intent([JOB]), "400: no")
    assert (only(one).state, only(one).error) == ("failed", "400: no")
    assert pairs(archive) == []


def test_what_failed_after_it_was_done_maps_nothing(archive: Archive) -> None:
    one = journal(archive)
    (entry,) = one.record_intent([JOB])
    one.record_done(entry, "asst_new", written="abc")
    one.record_failed([entry], "it is gone again")
    assert pairs(archive) == []


def test_a_new_attempt_is_the_same_line(archive: Archive) -> None:
    one = journal(archive)
    (first,) = one.record_intent([JOB], before={"name": "was"})
    one.record_failed([first], "500")
    (second,) = one.record_intent([JOB], before={"name": "is"})
    assert second == first
    entry = only(one)
    assert (entry.state, entry.error) == ("intended", "")
    assert entry.before == {"name": "was"}, "the first reading is what a rollback restores"


def test_many_intents_keep_their_order(archive: Archive) -> None:
    one = journal(archive)
    jobs = [("create", "message", "thread_1", f"msg_{n}", "") for n in range(50)]
    ids = one.record_intent(jobs)
    one.record_all_done([(entry, f"new_{n}", "thread_new", None) for n, entry in enumerate(ids)])
    assert [entry.source_id for entry in one.entries()] == [job[3] for job in jobs]
    assert len(pairs(archive)) == 50


def test_a_plan_that_is_applied_again_finds_its_lines(tmp_path: Path) -> None:
    for _ in range(2):
        with Archive.open(tmp_path / "a.db", write=True, create=True) as archive:
            one = journal(archive)
            one.record_intent([JOB])
    with Archive.open(tmp_path / "a.db", write=True) as archive:
        assert len(list(journal(archive).entries())) == 1
        assert list(journal(archive, "another plan").entries()) == []


def test_the_id_map_is_narrowed(archive: Archive) -> None:
    for digest, target, new in (("d1", WEST, "w"), ("d2", NORTH, "n")):
        one = journal(archive, digest, target=target)
        one.record_done(one.record_intent([JOB])[0], new)
        one.record_done(one.record_intent([("create", "file", "", "file-a", "a.txt")])[0], f"file-{new}")
    assert sorted(pairs(archive, EAST, WEST)) == [("asst_1", "w"), ("file-a", "file-w")]
    assert pairs(archive, EAST, NORTH, "asst_1") == [("asst_1", "n")]
    assert pairs(archive, WEST) == []
    assert pairs(archive, source_id="'; --") == []


@pytest.mark.parametrize("digests", [("a", "b"), ("b", "a")])
def test_a_later_line_overrules_an_earlier_one(archive: Archive, digests: tuple[str, str]) -> None:
    for digest, new in zip(digests, ("first", "second"), strict=True):
        one = journal(archive, digest)
        one.record_done(one.record_intent([JOB])[0], new, written=new)
    assert dict(pairs(archive, EAST, WEST)) == {"asst_1": "second"}
    assert dict(pairs(archive)) == {"asst_1": "second"}
    assert dict(pairs(archive, source_id="asst_1")) == {"asst_1": "second"}


def test_a_deletion_maps_nothing(archive: Archive) -> None:
    one = journal(archive)
    one.record_done(one.record_intent([("delete", *JOB[1:])])[0], "asst_new")
    assert pairs(archive) == []


def test_one_id_in_two_stores_is_two_lines(archive: Archive) -> None:
    one = journal(archive)
    for n, entry in enumerate(
        one.record_intent([("create", "vector_store_file", f"vs_{n}", "file-a", "") for n in range(2)])
    ):
        one.record_done(entry, "file-b", f"new_vs_{n}")
    assert sorted((line.source_parent, line.target_parent) for line in id_map(archive.conn)) == [
        ("vs_0", "new_vs_0"),
        ("vs_1", "new_vs_1"),
    ]


def put(one: Journal, action: str, thread: str, *messages: str) -> None:
    """Record messages that were found in a thread on the target, each with its own id and a suffix."""
    one.record_created(
        ((action, "message", thread, old, ""), f"{old}'", f"{thread}'", "") for old in messages
    )


def test_messages_are_left_out_or_asked_for_by_their_thread(archive: Archive) -> None:
    one = journal(archive)
    one.record_done(one.record_intent([JOB])[0], "asst_new")
    put(one, "create", "thread_1", "m1", "m2")
    put(one, "adopt", "thread_2", "m3")
    assert [line.kind for line in id_map(archive.conn, EAST, WEST, messages=False)] == ["assistant"]
    assert len(pairs(archive, EAST, WEST)) == 4
    assert dict(message_id_pairs(archive.conn, EAST, WEST, "thread_1")) == {"m1": "m1'", "m2": "m2'"}
    assert dict(message_id_pairs(archive.conn, EAST, WEST, "thread_2")) == {"m3": "m3'"}
    assert dict(message_id_pairs(archive.conn, EAST, NORTH, "thread_1")) == {}
    assert dict(message_id_pairs(archive.conn, WEST, EAST, "thread_1")) == {}
    assert created_source_ids(archive.conn, EAST, WEST) == {("assistant", "asst_new"): "asst_1"}


def test_messages_of_a_thread_are_the_current_ones(archive: Archive) -> None:
    first, second = journal(archive, "d1"), journal(archive, "d2")
    put(first, "create", "thread_1", "m1", "m2")
    put(first, "undo", "thread_1", "m1", "m2")
    assert dict(message_id_pairs(archive.conn, EAST, WEST, "thread_1")) == {}
    put(second, "create", "thread_1", "m2")
    assert dict(message_id_pairs(archive.conn, EAST, WEST, "thread_1")) == {"m2": "m2'"}
    assert second.mapped_message_ids("thread_1") == {"m2'"}


def test_reading_one_thread_does_not_scan_the_journal(archive: Archive) -> None:
    asked: list[str] = []
    archive.conn.set_trace_callback(asked.append)
    one = journal(archive)
    one.mapped_message_ids("thread_1")
    one.created_messages("thread_1")
    archive.conn.set_trace_callback(None)
    reading = [sql for sql in asked if sql.startswith("SELECT") and "source_parent" in sql]
    assert len(reading) == 2
    for sql in reading:
        steps = [row[3] for row in archive.conn.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert any("source_parent=?" in step for step in steps), steps
        assert not any(step.startswith("SCAN j") for step in steps), steps


def test_a_large_journal_is_read_in_parts_and_without_its_messages(archive: Archive) -> None:
    one, other = journal(archive, "d1"), journal(archive, "d2")
    many = [f"m{n}" for n in range(2_500)]
    put(one, "create", "thread_1", *many)
    one.record_intent([JOB, ("update", "message", "thread_1", "m1", "")])
    put(other, "create", "thread_1", "another plan's")
    assert [entry.source_id for entry in one.entries()] == [*many, "asst_1", "m1"]
    assert [(e.action, e.source_id) for e in one.entries(messages=False)] == [
        ("create", "asst_1"),
        ("update", "m1"),
    ], "what nobody knows the outcome of is told"


def test_what_a_plan_put_into_a_thread(archive: Archive) -> None:
    one, other = journal(archive, "d1"), journal(archive, "d2")
    put(one, "adopt", "thread_1", "m1")
    put(one, "create", "thread_1", "m2", "m3")
    put(one, "adopt", "thread_2", "m5")
    put(one, "undo", "thread_1", "m2")
    put(other, "create", "thread_1", "m4")
    assert [entry.source_id for entry in one.created_messages("thread_1")] == ["m3"]
    assert sorted(one.threads_with_messages()) == [("thread_1", "thread_1'", 2), ("thread_2", "thread_2'", 0)]
    assert one.has_action()
    assert one.has_action("undo")
    assert not other.has_action("undo")
    assert not journal(archive, "d3").has_action()


def test_threads_share_one_journal(archive: Archive) -> None:
    one = journal(archive)

    def work(worker: int) -> None:
        for n in range(20):
            (entry,) = one.record_intent([("create", "file", "", f"f{worker}-{n}", "")])
            one.record_done(entry, f"new{worker}-{n}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = dict(pairs(archive))
    assert found == {f"f{w}-{n}": f"new{w}-{n}" for w in range(8) for n in range(20)}
