"""The history of an object by snapshots; what no snapshot read is never reported as deleted."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.archive import Archive
from migrate.archive.bodies import BodyRow
from migrate.archive.snapshots.history import first_seen_unchanged
from migrate.archive.snapshots.reader import list_snapshots
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.model.results.query import HistoryEvent, ObjectHistory
from migrate.reports.commands.history import history_document, history_text
from migrate.reports.commands.history import value_change_text as words_told
from migrate.stages.query import history as stage
from migrate.stages.query.history import object_histories
from tests.archive.filling import TYPE, Listing, write

OTHER = "https://west.example.com"
WITHOUT_CLERK = {"exclude": [["assistant", "clerk"]], "include": []}


def assistant(**fields: Any) -> Listing:
    return "assistant", "", [{"id": "asst_1", "name": "A", "model": "m", **fields}, {"id": "asst_2"}]


def failed(archive: Archive, kind: str, parent: str = "", bodies: Any = (), url: str = "") -> None:
    """A snapshot in which one listing broke off."""
    writer = SnapshotWriter.begin(archive, TYPE, url or "https://east.example.com", {}, None)
    for body in bodies:
        writer.add_page(kind, parent, [BodyRow.from_json(kind, body)], "next")
    writer.end_listing(kind, parent, "failed", "it answered 500")
    writer.finish("partial", "")


def reported_changes(one: ObjectHistory) -> list[tuple[int, str]]:
    return [(event.snapshot.id, event.what) for event in one.events]


def only(archive: Archive, id_: str, kind: str = "") -> ObjectHistory:
    found = [one for one in object_histories(archive.conn, id_) if kind in ("", one.kind)]
    assert len(found) == 1
    return found[0]


def paths(event: HistoryEvent) -> list[tuple[str, Any, Any]]:
    return [(path.path, path.left, path.right) for path in event.paths]


def test_each_change_is_reported_with_its_paths_and_the_snapshot(archive: Archive) -> None:
    write(archive, [assistant(temperature=1)])
    write(archive, [assistant(temperature=1)])
    write(archive, [assistant(temperature=0.5, tools=[{"type": "code_interpreter"}])], tag="later")
    found = only(archive, "asst_1")
    assert reported_changes(found) == [(1, "first seen"), (3, "changed")]
    assert paths(found.events[1]) == [
        ("temperature", None, 0.5),
        ("tools[code_interpreter]", None, {"type": "code_interpreter"}),
    ]
    assert (found.since.id, found.since.tag, found.times, found.snapshots) == (3, "later", 3, 3)


def test_gone_and_back(archive: Archive) -> None:
    write(archive, [assistant()])
    write(archive, [("assistant", "", [{"id": "asst_2"}])])
    write(archive, [("assistant", "", [])])
    write(archive, [assistant()])
    write(archive, [assistant(model="n")])
    found = only(archive, "asst_1")
    assert reported_changes(found) == [(1, "first seen"), (2, "gone"), (4, "back"), (5, "changed")]


def test_an_object_that_came_back_changed_is_reported_with_the_difference(archive: Archive) -> None:
    write(archive, [assistant()])
    write(archive, [("assistant", "", [])])
    write(archive, [assistant(model="n")])
    assert paths(only(archive, "asst_1").events[2]) == [("model", "m", "n")]


@pytest.mark.parametrize("how", ["failed", "filtered", "not asked", "interrupted", "remark"])
def test_what_was_not_read_is_never_gone(archive: Archive, how: str) -> None:
    write(archive, [assistant()])
    for _ in range(2):
        if how == "failed":
            failed(archive, "assistant", bodies=[{"id": "asst_2"}])
        elif how == "filtered":
            write(archive, [("assistant", "", [{"id": "asst_2"}])], options=WITHOUT_CLERK)
        elif how == "not asked":
            write(archive, [("file", "", [])])
        elif how == "interrupted":
            SnapshotWriter.begin(archive, TYPE, "https://east.example.com", {"n": _}, None)
        else:
            writer = SnapshotWriter.begin(archive, TYPE, "https://east.example.com", {}, None)
            writer.end_listing("assistant", "", "complete", "only those that were given")
            writer.finish("complete", "")
    write(archive, [assistant()])
    found = only(archive, "asst_1")
    assert reported_changes(found) == [(1, "first seen"), (2, "not read")]
    assert found.events[1].until == 3
    assert found.events[1].reason
    assert found.since.id == 1


def test_gaps_are_one_only_where_they_follow_for_one_reason(archive: Archive) -> None:
    write(archive, [assistant()])
    write(archive, [("file", "", [])])
    write(archive, [assistant()])
    write(archive, [("file", "", [])])
    write(archive, [("file", "", [])])
    failed(archive, "assistant")
    events = only(archive, "asst_1").events[1:]
    assert [(e.snapshot.id, e.until, e.reason) for e in events] == [
        (2, 2, "not asked for"),
        (4, 5, "not asked for"),
        (6, 6, "it answered 500"),
    ]


def test_a_thread_that_was_deleted_meanwhile_took_its_messages_with_it(archive: Archive) -> None:
    thread: Listing = ("thread", "", [{"id": "thread_1"}])
    write(archive, [thread, ("message", "thread_1", [{"id": "msg_1"}])])
    writer = SnapshotWriter.begin(archive, TYPE, "https://east.example.com", {}, None)
    writer.end_listing("message", "thread_1", "gone", "404")
    writer.finish("partial", "")
    assert reported_changes(only(archive, "msg_1")) == [(1, "first seen"), (2, "gone")]


def test_an_object_in_a_listing_that_broke_off_later_is_seen(archive: Archive) -> None:
    write(archive, [assistant()])
    failed(archive, "assistant", bodies=[{"id": "asst_1", "name": "A", "model": "n"}])
    assert reported_changes(only(archive, "asst_1")) == [(1, "first seen"), (2, "changed")]


def test_what_the_service_set_is_listed_separately(archive: Archive) -> None:
    store = {"id": "vs_1", "name": "S", "status": "in_progress"}
    write(archive, [("vector_store", "", [store])])
    write(archive, [("vector_store", "", [{**store, "status": "completed"}])])
    event = only(archive, "vs_1").events[1]
    assert not event.paths
    assert [(path.path, path.left, path.right) for path in event.facts] == [
        ("status", "in_progress", "completed")
    ]


def test_another_spelling_is_a_change_of_nothing(archive: Archive) -> None:
    write(archive, [assistant(tools=[])])
    write(archive, [assistant()])
    found = only(archive, "asst_1")
    assert reported_changes(found) == [(1, "first seen"), (2, "changed")]
    assert "nothing that is compared" in history_text([found])


def stored(store: str, *files: str) -> Listing:
    return "vector_store_file", store, [{"id": id_, "status": "completed"} for id_ in files]


def test_a_file_has_history_in_every_store_and_a_store_with_its_files(archive: Archive) -> None:
    file: Listing = ("file", "", [{"id": "file-a", "filename": "a.txt"}])
    both: Listing = ("vector_store", "", [{"id": "vs_1"}, {"id": "vs_2"}])
    write(archive, [file, both, stored("vs_1", "file-a"), stored("vs_2", "file-b")])
    write(archive, [file, both, stored("vs_1"), stored("vs_2", "file-a", "file-b")])
    write(archive, [file, ("vector_store", "", [{"id": "vs_1"}]), stored("vs_1")])
    found = {
        (one.kind, one.parent): reported_changes(one) for one in object_histories(archive.conn, "file-a")
    }
    assert found == {
        ("file", ""): [(1, "first seen")],
        ("vector_store_file", "vs_1"): [(1, "first seen"), (2, "gone")],
        ("vector_store_file", "vs_2"): [(2, "first seen"), (3, "gone")],
    }
    events = only(archive, "vs_2").events
    assert [(e.what, e.added, e.removed) for e in events] == [
        ("first seen", ("file-b",), ()),
        ("changed", ("file-a",), ()),
        ("gone", (), ()),
    ]


def test_a_store_that_could_not_be_seen_takes_no_file_with_it(archive: Archive) -> None:
    write(archive, [("vector_store", "", [{"id": "vs_1"}]), stored("vs_1", "file-a")])
    failed(archive, "vector_store")
    found = only(archive, "file-a")
    assert reported_changes(found) == [(1, "first seen"), (2, "not read")]


def test_a_thread_is_reported_with_the_number_of_its_messages(archive: Archive) -> None:
    thread: Listing = ("thread", "", [{"id": "thread_1", "metadata": {}}])
    for number in (1, 1, 3, 2):
        write(archive, [thread, ("message", "thread_1", [{"id": f"msg_{n}"} for n in range(number)])])
    failed(archive, "message", "thread_1")
    found = only(archive, "thread_1")
    assert [(e.snapshot.id, e.messages) for e in found.events if e.messages] == [
        (1, (1, 0)),
        (3, (3, 1)),
        (4, (2, 3)),
    ]
    assert "messages: 1 -> 3" in history_text([found])


def test_endpoints_are_distinguished(archive: Archive) -> None:
    write(archive, [assistant()])
    write(archive, [assistant()], url=OTHER)
    write(archive, [("assistant", "", [])])
    found = {one.url: reported_changes(one) for one in object_histories(archive.conn, "asst_1")}
    assert found == {
        "https://east.example.com": [(1, "first seen"), (3, "gone")],
        OTHER: [(2, "first seen")],
    }


def test_an_unknown_id_is_nowhere(archive: Archive) -> None:
    write(archive, [assistant()])
    assert object_histories(archive.conn, "asst_3") == []
    assert object_histories(archive.conn, "asst_%") == []


def test_secrets_are_masked_in_every_form(archive: Archive) -> None:
    def tool(key: str) -> dict[str, Any]:
        return {"type": "mcp", "server_label": "s", "server_url": "u", "headers": {"Authorization": key}}

    nested = {"type": "other", "inner": {"api_key": "hidden-1"}}
    write(archive, [assistant(tools=[tool("secret-one")], instructions="same")])
    write(archive, [assistant(tools=[tool("secret-two"), nested])])
    write(archive, [assistant(tools=[tool("secret-two"), {**nested, "inner": {"api_key": "hidden-2"}}])])
    found = [only(archive, "asst_1")]
    assert len(found[0].events) == 3
    shown = f"{history_document(found)}{history_text(found)}"
    assert not [word for word in ("secret-one", "secret-two", "hidden-1", "hidden-2") if word in shown]
    assert "(masked)" in shown


def test_what_the_parameters_of_a_function_are_called_is_no_secret(archive: Archive) -> None:
    def function(about: str) -> dict[str, Any]:
        inside = {"type": "object", "properties": {"token": {"description": about}}}
        return {"type": "function", "function": {"name": "f", "parameters": inside}}

    write(archive, [assistant(tools=[function("old words")])])
    write(archive, [assistant(tools=[function("new words")])])
    assert "new words" in history_text([only(archive, "asst_1")])


def test_hostile_names_are_data(archive: Archive) -> None:
    name = "\x1b]0;x\x07\ud800<script>" + "n" * 300
    id_ = "x'; DROP TABLE bodies; --\ud800"
    for model in ("a", "b"):
        writer = SnapshotWriter.begin(archive, TYPE, OTHER, {}, None)
        writer.add_page(
            "assistant", "", [BodyRow.from_json("assistant", {"id": id_, "name": name, "model": model})], ""
        )
        writer.end_listing("assistant")
        writer.finish("complete", "")
    assert first_seen_unchanged(archive.conn, 2, [("assistant", "", id_)])["assistant", "", id_][0] == 2
    found = object_histories(archive.conn, id_)
    assert reported_changes(found[0]) == [(1, "first seen"), (2, "changed")]
    assert found[0].name == name
    assert all(len(line) < 300 for line in history_text(found).splitlines())


def test_long_texts_are_shown_word_by_word_where_they_differ() -> None:
    left = "word " * 40_000 + "a small red house" + " tail" * 40_000
    shown = words_told("instructions", left, left.replace("small red", "large"))
    assert "word a [-small red-]{+large+} house tail" in shown
    assert shown.startswith("[… 199,")
    assert len(shown) < 300
    assert words_told("name", "aaa", "aaaa") == '"aaa" -> "aaaa"'


def test_unchanged_bodies_are_not_read_again(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1000):
        held: Listing = ("vector_store", "", [{"id": "vs_1"}])
        write(archive, [assistant(temperature=number // 500), held, stored("vs_1", "file-a")])
    looked: list[int] = []
    inside = stage.listing_ids
    monkeypatch.setattr(
        stage, "listing_ids", lambda conn, number: looked.append(number) or inside(conn, number)
    )
    assert len(only(archive, "vs_1").events) == 1
    assert len(looked) == 1
    read: list[int] = []
    once = stage.read_body
    monkeypatch.setattr(stage, "read_body", lambda conn, number: read.append(number) or once(conn, number))
    found = only(archive, "asst_1")
    assert reported_changes(found) == [(1, "first seen"), (501, "changed")]
    assert (found.times, found.snapshots) == (1000, 1000)
    assert len(read) == 2
    since = first_seen_unchanged(
        archive.conn, 1000, [("assistant", "", "asst_1"), ("assistant", "", "asst_2")]
    )
    assert {key[2]: number for key, (number, _) in since.items()} == {"asst_1": 501, "asst_2": 1}


KEY = ("assistant", "", "asst_1")


def since(archive: Archive, number: int) -> int | None:
    found = first_seen_unchanged(archive.conn, number, [KEY]).get(KEY)
    if found:
        assert found[1] == list_snapshots(archive.conn)[found[0] - 1].started_at
    return found[0] if found else None


def test_since_when_something_is_as_it_is(archive: Archive) -> None:
    write(archive, [assistant()])
    write(archive, [assistant(model="n")])
    write(archive, [assistant()])
    write(archive, [assistant()], url=OTHER)
    write(archive, [assistant()])
    assert [since(archive, number) for number in range(1, 6)] == [1, 2, 3, 4, 3]
    assert first_seen_unchanged(archive.conn, 1, [("assistant", "", "none"), ("file", "", "x")]) == {}
    assert first_seen_unchanged(archive.conn, 9, [KEY]) == {}


def test_a_gap_neither_breaks_nor_begins_a_run(archive: Archive) -> None:
    write(archive, [assistant()])
    failed(archive, "assistant", bodies=[{"id": "asst_2"}])
    write(archive, [("assistant", "", [{"id": "asst_2"}])], options=WITHOUT_CLERK)
    write(archive, [assistant()])
    write(archive, [("assistant", "", [{"id": "asst_2"}])])
    write(archive, [assistant()])
    assert [since(archive, number) for number in (1, 2, 3, 4, 5, 6)] == [1, None, None, 1, None, 6]


def test_who_was_missing_in_a_gap_is_not_there_in_a_like_listing(archive: Archive) -> None:
    write(archive, [assistant()])
    write(archive, [("assistant", "", [{"id": "asst_2"}])])
    failed(archive, "assistant", bodies=[{"id": "asst_2"}])
    write(archive, [assistant()])
    assert since(archive, 4) == 4


def test_another_body_in_a_gap_breaks_a_run(archive: Archive) -> None:
    write(archive, [assistant()])
    failed(archive, "assistant", bodies=[{"id": "asst_1", "name": "B"}])
    write(archive, [assistant()])
    assert since(archive, 3) == 3
