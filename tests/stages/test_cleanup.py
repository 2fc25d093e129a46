"""Objects that could be removed are listed, each with one clear reason, and only from what was read."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.bodies import BodyRow
from migrate.archive.snapshots.reader import newest_snapshot
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.model.results.query import CleanupResult, Diagram
from migrate.reports.commands.objects import cleanup_document, cleanup_text, cleanup_totals
from migrate.stages.estate import Estate
from migrate.stages.query.cleanup import CLEANUP_MARKS, CLEANUP_RULES, find_cleanup
from migrate.stages.query.diagram import DIAGRAM_KINDS, estate_diagram
from tests.archive.filling import Listing, reader, write

PROJECT = "https://acme.example.com/api/projects/p"
Body = dict[str, Any]


def file(id_: str, **more: Any) -> Body:
    return {"id": id_, "filename": f"{id_}.txt", "purpose": "assistants", "bytes": 10, **more}


def searching(id_: str, *stores: str, **more: Any) -> Body:
    resources = {"file_search": {"vector_store_ids": list(stores)}}
    return {"id": id_, "name": id_, "model": "m", "tool_resources": resources, **more}


def message(id_: str, file_id: str = "", **more: Any) -> Body:
    attached = [{"file_id": file_id, "tools": []}] if file_id else []
    return {"id": id_, "role": "user", "content": [], "attachments": attached, **more}


def estate(
    archive: Archive,
    files: tuple[Body, ...] = (),
    stores: tuple[Body, ...] = (),
    rows: dict[str, list[Body]] | None = None,
    assistants: tuple[Body, ...] = (),
    threads: tuple[Body, ...] = (),
    messages: dict[str, list[Body]] | None = None,
    runs: dict[str, list[Body]] | None = None,
    steps: dict[str, list[Body]] | None = None,
    without: tuple[str, ...] = (),
    **begin: Any,
) -> Estate:
    """An estate of which everything was read but the kinds in `without`."""
    listings: list[Listing] = [
        ("file", "", list(files)),
        ("vector_store", "", list(stores)),
        ("assistant", "", list(assistants)),
        ("thread", "", list(threads)),
    ]
    for one in stores:
        listings.append(("vector_store_file", one["id"], (rows or {}).get(one["id"], [])))
    for one in threads:
        listings.append(("message", one["id"], (messages or {}).get(one["id"], [])))
        listings.append(("run", one["id"], (runs or {}).get(one["id"], [])))
        if steps is not None:
            listings.append(("run_step", one["id"], steps.get(one["id"], [])))
    write(archive, [listing for listing in listings if listing[0] not in without], **begin)
    return Estate(reader(archive))


def found(of: Estate, *marks: str, beside: Estate | None = None) -> dict[str, list[str]]:
    """Mark -> ids."""
    rows: dict[str, list[str]] = {}
    for one in find_cleanup(of, marks or CLEANUP_MARKS, beside).findings:
        rows.setdefault(one.mark, []).append(one.id)
    return rows


def test_an_estate_in_order_has_nothing(archive: Archive) -> None:
    whole = estate(
        archive,
        (file("file-a"),),
        ({"id": "vs_1", "name": "S"},),
        {"vs_1": [{"id": "file-a"}]},
        (searching("asst_1", "vs_1"),),
        ({"id": "thread_1"},),
        {"thread_1": [message("msg_1", "file-a")]},
        {"thread_1": [{"id": "run_1", "assistant_id": "asst_1"}]},
    )
    assert find_cleanup(whole, CLEANUP_MARKS) == CleanupResult(
        (), (), ("1 files whose bytes are not here were compared by name and size alone",)
    )


def test_an_orphan_names_what_is_not_there(archive: Archive) -> None:
    whole = estate(
        archive,
        (file("file-a"),),
        ({"id": "vs_1"},),
        {"vs_1": [{"id": "file-a"}, {"id": "file-gone"}]},
        (searching("asst_1", "vs_1"), searching("asst_2", "vs_gone", "vs_1")),
        ({"id": "thread_1", "tool_resources": {"file_search": {"vector_store_ids": ["vs_gone"]}}},),
        {"thread_1": [message("msg_1", "file-a"), message("msg_2", "file-gone")]},
    )
    rows = {one.id: one for one in find_cleanup(whole, ("orphan",)).findings}
    assert list(rows) == ["asst_2", "file-gone", "thread_1", "msg_2"]
    assert rows["asst_2"].why == "names vector_store vs_gone, not there"
    assert (rows["file-gone"].kind, rows["file-gone"].parent) == ("vector_store_file", "vs_1")
    assert rows["msg_2"].parent == "thread_1"


def test_one_row_for_an_object_that_names_many(archive: Archive) -> None:
    whole = estate(archive, assistants=(searching("asst_1", *(f"vs_{n}" for n in range(9))),))
    (row,) = find_cleanup(whole, ("orphan",)).findings
    assert row.why.endswith("vs_2 and 6 more, not there")


def test_a_file_that_its_store_refused(archive: Archive) -> None:
    row = {"id": "file-a", "status": "failed", "last_error": {"message": "too odd"}}
    lost = {"id": "file-gone", "status": "failed"}
    whole = estate(archive, (file("file-a"),), ({"id": "vs_1"},), {"vs_1": [row, lost]})
    rows = [(one.id, one.why) for one in find_cleanup(whole, ("orphan",)).findings]
    assert rows == [
        ("file-gone", "names file file-gone, not there"),
        ("file-a", "the vector store could not index it: too odd"),
    ]


def test_what_a_citation_of_a_container_names_is_no_orphan(archive: Archive) -> None:
    note = {"type": "container_file_citation", "file_id": "cfile_1", "text": "x"}
    part = {"type": "text", "text": {"value": "x", "annotations": [note]}}
    whole = estate(
        archive,
        threads=({"id": "thread_1"},),
        messages={"thread_1": [{"id": "msg_1", "role": "assistant", "content": [part]}]},
    )
    assert found(whole, "orphan") == {}


def test_unused_is_what_nothing_names(archive: Archive) -> None:
    picked = {"type": "image_file", "image_file": {"file_id": "file-b"}}
    inner = {"type": "connected_agent", "connected_agent": {"id": "asst_3", "name": "x", "description": "y"}}
    whole = estate(
        archive,
        (file("file-a"), file("file-b"), file("file-c"), file("file-d", purpose="batch")),
        ({"id": "vs_1"}, {"id": "vs_2"}, {"id": "vs_3", "usage_bytes": 7}),
        {"vs_1": [{"id": "file-a"}]},
        (searching("asst_1", "vs_1", tools=[inner]), searching("asst_2"), searching("asst_3")),
        ({"id": "thread_1", "tool_resources": {"file_search": {"vector_store_ids": ["vs_2"]}}},),
        {"thread_1": [message("msg_1", content=[picked])]},
        {"thread_1": [{"id": "run_1", "assistant_id": "asst_1"}]},
    )
    assert found(whole, "unused") == {"unused": ["vs_3", "file-c", "asst_2"]}
    kept = find_cleanup(whole, ("unused",))
    assert kept.notes == ("1 files of purpose batch: jobs that are not read may use them",)
    assert cleanup_totals(list(kept.findings)) == {
        "vector_store": (1, 7),
        "file": (1, 10),
        "assistant": (1, 0),
    }


def test_an_assistant_that_a_message_names_has_worked(archive: Archive) -> None:
    whole = estate(
        archive,
        assistants=(searching("asst_1"),),
        threads=({"id": "thread_1"},),
        messages={"thread_1": [message("msg_1", role="assistant", assistant_id="asst_1")]},
    )
    assert found(whole, "unused") == {}


@pytest.mark.parametrize(
    ("missing", "silent"),
    [
        ("thread", {"vector_store", "file", "assistant"}),
        ("assistant", {"vector_store", "file"}),
        ("message", {"file", "assistant"}),
        ("run", {"assistant"}),
        ("vector_store_file", {"file"}),
    ],
)
def test_nothing_is_claimed_unused_without_the_reading_it_needs(
    archive: Archive, missing: str, silent: set[str]
) -> None:
    whole = estate(
        archive,
        (file("file-a"),),
        ({"id": "vs_1"},),
        assistants=(searching("asst_1"),),
        threads=({"id": "thread_1"},),
        without=(missing,),
    )
    kept = find_cleanup(whole, ("unused",))
    claimed = {one.kind for one in kept.findings}
    there = {"vector_store", "file", "assistant"} - {missing}
    assert claimed == there - silent
    assert kept.unproven
    assert all("were read" in line for line in kept.unproven)


def step(id_: str, *calls: Body) -> Body:
    return {
        "id": id_,
        "run_id": "run_1",
        "type": "tool_calls",
        "status": "completed",
        "step_details": {"type": "tool_calls", "tool_calls": list(calls)},
    }


IMAGE: Body = {
    "type": "code_interpreter",
    "code_interpreter": {"outputs": [{"type": "image", "image": {"file_id": "file-a"}}]},
}
HIT: Body = {"type": "file_search", "file_search": {"results": [{"file_id": "file-a", "score": 0.5}]}}
GONE: Body = {"type": "file_search", "file_search": {"results": [{"file_id": "file-gone"}]}}


@pytest.mark.parametrize(("calls", "unused"), [([IMAGE], []), ([HIT, GONE], []), ([GONE], ["file-a"])])
def test_a_file_that_only_a_step_of_a_run_names_is_in_use(
    archive: Archive, calls: list[Body], unused: list[str]
) -> None:
    whole = estate(
        archive,
        (file("file-a"),),
        threads=({"id": "thread_1"},),
        steps={"thread_1": [step("step_1", *calls)]},
    )
    assert found(whole, "unused", "orphan").get("unused", []) == unused
    assert found(whole, "orphan") == {}


def test_steps_that_could_not_be_read_prove_nothing_unused(archive: Archive) -> None:
    writer = write(
        archive,
        [
            ("file", "", [file("file-a")]),
            ("vector_store", "", []),
            ("assistant", "", []),
            ("thread", "", [{"id": "thread_1"}]),
            ("message", "thread_1", []),
            ("run", "thread_1", []),
        ],
        state="partial",
    )
    writer.end_listing("run_step", "thread_1", "failed", "500")
    kept = find_cleanup(Estate(reader(archive)), ("unused",))
    assert [one.id for one in kept.findings] == []
    assert any("steps of thread_1 were read: 500" in line for line in kept.unproven)


def test_a_filtered_or_hinted_listing_is_not_whole(archive: Archive) -> None:
    options = {"include": [], "exclude": [["thread", "x*"]]}
    whole = estate(archive, stores=({"id": "vs_1"},), options=options)
    assert found(whole, "unused") == {}
    assert "filtered" in find_cleanup(whole, ("unused",)).unproven[0]
    writer = write(archive, [("vector_store", "", [{"id": "vs_1"}]), ("assistant", "", [])], options={"n": 1})
    archive.conn.execute(
        "DELETE FROM listed WHERE snapshot_id = ? AND kind_id = (SELECT id FROM kinds WHERE name = 'thread')",
        (writer.id,),
    )
    writer.end_listing("thread", "", "complete", "threads were only read by the ids that were given")
    assert found(Estate(reader(archive)), "unused") == {}


def test_a_reference_to_a_kind_that_was_not_read_is_no_orphan(archive: Archive) -> None:
    whole = estate(archive, assistants=(searching("asst_1", "vs_1"),), without=("vector_store",))
    kept = find_cleanup(whole, ("orphan",))
    assert not kept.findings
    assert kept.unproven == (
        "references to a missing vector_store: not all vector stores were read: not asked for",
    )


def test_a_thread_that_was_deleted_meanwhile_proves_nothing(archive: Archive) -> None:
    whole = estate(archive, (file("file-a"),), threads=({"id": "thread_1"},))
    number = whole.snapshot.info.id
    archive.conn.execute(
        "UPDATE listed SET state = 'gone' WHERE snapshot_id = ? AND kind_id = "
        "(SELECT id FROM kinds WHERE name = 'message')",
        (number,),
    )
    assert found(Estate(reader(archive)), "unused") == {}


def test_a_file_list_of_the_first_version_is_no_store_to_clean_up(archive: Archive) -> None:
    old = {"name": "A", "model": "m", "tools": [{"type": "retrieval"}], "file_ids": ["file-a"]}
    whole = estate(
        archive,
        (file("file-a"),),
        assistants=({"id": "asst_1", **old}, {"id": "asst_2", **old, "name": "B"}),
        threads=({"id": "thread_1"},),
        runs={"thread_1": [{"id": "run_1", "assistant_id": "asst_1"}]},
    )
    kept = find_cleanup(whole, CLEANUP_MARKS)
    assert {(one.kind, one.mark) for one in kept.findings} == {("assistant", "unused")}


def test_the_newest_snapshot_of_the_other_generation_is_taken(archive: Archive) -> None:
    for state in ("complete", "complete", "partial"):
        writer = SnapshotWriter.begin(archive, "foundry", PROJECT, {}, None)
        writer.finish(state, "")  # type: ignore[arg-type]
    write(archive, [])
    SnapshotWriter.begin(archive, "foundry", PROJECT, {"n": 1}, None)
    newest = newest_snapshot(archive.conn, "foundry", PROJECT)
    assert newest
    assert newest.id == 2
    assert newest_snapshot(archive.conn, "foundry-classic", PROJECT) is None
    archive.conn.execute("UPDATE snapshots SET state = 'reading' WHERE state = 'complete'")
    assert (newest_snapshot(archive.conn, "foundry", PROJECT) or newest).id == 3


def project(archive: Archive, type_: str, listings: list[Listing]) -> Estate:
    writer = SnapshotWriter.begin(archive, type_, PROJECT, {}, None)
    for kind, parent, bodies in listings:
        writer.add_page(kind, parent, [BodyRow.from_json(kind, body) for body in bodies], "")
        writer.end_listing(kind, parent)
    writer.finish("complete", "")
    return Estate(reader(archive))


def test_what_a_project_shares_is_unused_only_if_neither_generation_uses_it(archive: Archive) -> None:
    stores: Listing = ("vector_store", "", [{"id": "vs_1"}, {"id": "vs_2"}])
    empty: list[Listing] = [("file", "", []), ("thread", "", [])]
    below: list[Listing] = [("vector_store_file", "vs_1", []), ("vector_store_file", "vs_2", [])]
    classic = project(archive, "foundry-classic", [*empty, stores, *below, ("assistant", "", [])])
    tool = {"type": "file_search", "vector_store_ids": ["vs_1"]}
    latest = {"version": "1", "definition": {"kind": "prompt", "model": "m", "tools": [tool]}}
    agent = {"id": "a", "name": "a", "versions": {"latest": latest}}
    new = project(archive, "foundry", [*empty, stores, *below, ("assistant", "", [agent])])
    assert found(classic, "unused") == {}
    assert "foundry estate" in find_cleanup(classic, ("unused",)).unproven[0]
    assert found(classic, "unused", beside=new) == {"unused": ["vs_2"]}
    assert found(new, "unused", beside=classic) == {"unused": ["vs_2"]}
    assert "keeps no runs" in find_cleanup(new, ("unused",), classic).unproven[0]


def test_expired_by_the_service_or_by_its_time(archive: Archive) -> None:
    whole = estate(
        archive,
        (file("file-a", expires_at=1), file("file-b", expires_at=4e9), file("file-c", expires_at="1")),
        (
            {"id": "vs_1", "status": "expired"},
            {"id": "vs_2", "status": "completed", "expires_at": 86400},
            {"id": "vs_3", "expires_at": None},
            {"id": "vs_4", "expires_at": True},
        ),
    )
    rows = [(one.id, one.why) for one in find_cleanup(whole, ("expired",)).findings]
    assert rows == [
        ("vs_1", "the service reports it as expired"),
        ("vs_2", "its time had passed: 1970-01-02T00:00:00+00:00"),
        ("file-a", "its time had passed: 1970-01-01T00:00:01+00:00"),
    ]


def test_what_was_not_read_may_be_expired(archive: Archive) -> None:
    whole = estate(archive, without=("file",))
    assert find_cleanup(whole, ("expired",)).unproven == (
        "expired files: not all files were read: not asked for",
    )


def test_duplicates_of_files_are_those_of_an_older_one(archive: Archive) -> None:
    whole = estate(
        archive,
        (
            file("file-a", created_at=9),
            file("file-b", created_at=2),
            file("file-c", filename="same", bytes=5),
            file("file-d", filename="same", bytes=5),
            file("file-e", filename="same", bytes=6),
            file("file-f", filename="x", bytes=5),
            file("file-g", filename="x", bytes=5),
        ),
    )
    endpoint = archive.conn.execute("SELECT id FROM endpoints").fetchone()[0]
    for id_, content, origin in (
        ("file-a", b"1", "download"),
        ("file-b", b"1", "original"),
        ("file-f", b"2", "download"),
        ("file-g", b"3", "download"),
        ("file-c", b"4", "parsed"),
        ("file-e", b"4", "parsed"),
    ):
        link_file_to_blob(archive, endpoint, id_, store_blob(archive, [content]), origin)
    rows = [(one.id, one.of) for one in find_cleanup(whole, ("duplicate",)).findings]
    assert rows == [("file-a", "file-b"), ("file-d", "file-c")]
    assert "guess" in find_cleanup(whole, ("duplicate",)).findings[1].why


def test_duplicates_of_assistants_and_stores_differ_in_their_name_at_most(archive: Archive) -> None:
    base = {"model": "m", "instructions": "i"}
    whole = estate(
        archive,
        stores=tuple({"id": f"vs_{n}", "name": f"S{n}"} for n in range(1, 6)),
        rows={
            "vs_1": [{"id": "file-a"}, {"id": "file-b"}],
            "vs_2": [{"id": "file-b"}, {"id": "file-a"}],
            "vs_3": [{"id": "file-a"}],
        },
        assistants=(
            {"id": "asst_1", "name": "A", **base, "created_at": 2},
            {"id": "asst_2", "name": "B", **base, "tools": [], "created_at": 1},
            {"id": "asst_3", "name": "A", **base, "metadata": {"k": "v"}},
        ),
    )
    rows = [(one.id, one.why) for one in find_cleanup(whole, ("duplicate",)).findings]
    assert rows == [
        ("asst_1", "like asst_2 but for the name"),
        ("vs_2", "like vs_1 but for the name, with the same files"),
    ]


def test_every_mark_has_a_rule_and_only_requested_ones_are_listed(archive: Archive) -> None:
    whole = estate(archive, (file("file-a", expires_at=1), file("file-b", filename="file-a.txt")))
    assert (
        set(CLEANUP_MARKS)
        == {"orphan", "unused", "expired", "duplicate"}
        == {mark for mark, _ in CLEANUP_RULES}
    )
    assert set(found(whole)) == {"unused", "expired", "duplicate"}
    assert set(found(whole, "expired")) == {"expired"}


def test_an_object_with_several_marks_is_counted_once(archive: Archive) -> None:
    whole = estate(archive, (file("file-a", expires_at=1), file("file-b", bytes=100)))
    kept = find_cleanup(whole, CLEANUP_MARKS)
    assert cleanup_text(kept).count("file-a.txt") == 2
    assert "2 files, 110 bytes" in cleanup_text(kept)
    assert cleanup_document(kept)["totals"] == {"file": {"objects": 2, "bytes": 110}}
    assert {"why", "bytes", "mark"} <= cleanup_document(kept)["objects"][0].keys()
    assert cleanup_document(kept, "assistant")["objects"] == []


def test_hostile_objects_are_data(archive: Archive) -> None:
    odd = "x\ud800\x1b[2J"
    writer = SnapshotWriter.begin(archive, "azure-openai", "https://e.example.com", {}, None)
    bodies: dict[str, Body] = {
        "vector_store": {"id": odd, "name": {"a": 1}, "usage_bytes": "many", "expires_at": 1},
        "assistant": {"id": odd, "tools": "none", "tool_resources": [1], "name": odd * 99},
        "thread": {"id": odd, "tool_resources": {"file_search": {"vector_store_ids": "x"}}},
        "file": {"id": "file-a", "bytes": -1, "filename": ["x"], "purpose": None},
    }
    for kind, body in bodies.items():
        writer.add_page(kind, "", [BodyRow.from_json(kind, body)], "")
        writer.end_listing(kind)
    writer.finish("complete", "")
    whole = Estate(reader(archive))
    kept = find_cleanup(whole, CLEANUP_MARKS)
    assert "expired" in {one.mark for one in kept.findings}
    assert cleanup_text(kept)
    assert cleanup_document(kept)
    assert len(estate_diagram(whole).nodes) == 4


def drawn(of: Diagram) -> set[tuple[str, str]]:
    return {(of.nodes[one].id, of.nodes[other].id) for one, other in of.edges}


def test_the_picture_has_what_hangs_on_what(archive: Archive) -> None:
    hangs = {"tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}}}
    whole = estate(
        archive,
        (file("file-a"), file("file-b")),
        ({"id": "vs_1", "name": "S", "status": "expired"},),
        {"vs_1": [{"id": "file-a"}]},
        (searching("asst_1", "vs_1"), searching("asst_2", "vs_gone")),
        (*({"id": f"thread_{n}", **hangs} for n in range(50)), {"id": "other"}, {"id": "lost"}),
        {"other": [message("msg_1", "file-b")], "lost": [message("msg_2", "file-gone")]},
        {"other": [{"id": "run_1", "assistant_id": "asst_1"}]},
    )
    seen = estate_diagram(whole)
    nodes = {node.id: (node.kind, node.marks, node.weight) for node in seen.nodes}
    assert nodes == {
        "asst_1": ("assistant", (), 1),
        "asst_2": ("assistant", ("orphan", "unused"), 1),
        "vs_1": ("vector_store", ("expired",), 1),
        "file-a": ("file", (), 1),
        "file-b": ("file", (), 1),
        "thread_0": ("thread", (), 50),
        "other": ("thread", (), 1),
        "lost": ("thread", ("orphan",), 1),
    }
    assert drawn(seen) == {
        ("asst_1", "vs_1"),
        ("vs_1", "file-a"),
        ("thread_0", "vs_1"),
        ("other", "file-b"),
        ("other", "asst_1"),
    }
    assert seen.left_out == {}


def test_the_picture_leaves_out_the_least_connected_without_a_mark(archive: Archive) -> None:
    whole = estate(
        archive,
        (*(file(f"file-{n}", bytes=n + 1) for n in range(30)), file("file-x", purpose="batch", expires_at=1)),
        ({"id": "vs_1"},),
        {"vs_1": [{"id": f"file-{n}"} for n in range(30)]},
        (searching("asst_1", "vs_1"),),
        tuple({"id": f"thread_{n}"} for n in range(1, 9)),
        {"thread_1": [message("msg_1", "file-1")]},
        {"thread_1": [{"id": "run_1", "assistant_id": "asst_1"}]},
    )
    seen = estate_diagram(whole, max_nodes=5)
    assert [node.id for node in seen.nodes] == ["asst_1", "vs_1", "file-1", "file-x", "thread_1"]
    assert seen.left_out == {"file": 29, "thread": 7}
    assert drawn(seen) == {
        ("asst_1", "vs_1"),
        ("vs_1", "file-1"),
        ("thread_1", "file-1"),
        ("thread_1", "asst_1"),
    }
    assert estate_diagram(whole, max_nodes=0).nodes == ()
    assert {node.kind for node in estate_diagram(whole).nodes} == set(DIAGRAM_KINDS)


def test_threads_are_no_orphans_of_what_was_not_read(archive: Archive) -> None:
    whole = estate(
        archive,
        threads=({"id": "thread_1"},),
        messages={"thread_1": [message("msg_1", "file-a")]},
        without=("file",),
    )
    assert [node.marks for node in estate_diagram(whole).nodes] == [()]


def test_ten_thousand_of_each_are_walked_once(archive: Archive) -> None:
    count = 10_000
    writer = SnapshotWriter.begin(archive, "azure-openai", "https://e.example.com", {}, None)
    for kind, bodies in {
        "file": [file(f"file-{n}", filename="same") for n in range(count)],
        "vector_store": [],
        "assistant": [{"id": f"asst_{n}", "name": f"{n}"} for n in range(count)],
        "thread": [],
    }.items():
        writer.add_page(kind, "", [BodyRow.from_json(kind, body) for body in bodies], "")
        writer.end_listing(kind)
    writer.finish("complete", "")
    marks = found(Estate(reader(archive)))
    assert {mark: len(ids) for mark, ids in marks.items()} == {
        "unused": 2 * count,
        "duplicate": 2 * (count - 1),
    }
