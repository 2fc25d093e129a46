"""Snapshots in one file: unchanged objects need no space, an interrupted one continues, none are mixed."""

from __future__ import annotations

import pytest

from migrate.archive import Archive
from migrate.archive.bodies import BodyRow
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.archive.snapshots.writer import SnapshotWriter
from tests.archive.filling import ESTATE, TYPE, URL, Body, reader, rows, write

TABLES = ("bodies", "known", "packs", "manifests", "spans")
WEST = "https://west.example.com"


def begin(archive: Archive, url: str = URL, tag: str | None = None, **options: object) -> SnapshotWriter:
    return SnapshotWriter.begin(archive, TYPE, url, options, tag)


def assistant(n: int, **more: object) -> Body:
    return {"id": f"asst_{n}", "name": f"A{n}", **more}


def page(writer: SnapshotWriter, *bodies: Body, cursor: str = "", parent: str = "") -> None:
    writer.add_page("assistant", parent, [BodyRow.from_json("assistant", body) for body in bodies], cursor)


def test_a_second_identical_snapshot_adds_no_rows(archive: Archive) -> None:
    write(archive)
    before = {table: rows(archive, table) for table in TABLES}
    write(archive)
    assert {table: rows(archive, table) for table in TABLES} == before
    first, second = list_snapshots(archive.conn)
    assert (first.digest, first.bodies_added) == (second.digest, 9)
    assert second.bodies_added == 0
    assert reader(archive, 0).counts() == reader(archive, 1).counts()


def test_one_changed_object_adds_one_body_and_one_listing(archive: Archive) -> None:
    write(archive)
    before = {table: rows(archive, table) for table in TABLES}
    changed = [
        (k, p, [{**b, "name": "B"} for b in bodies] if k == "assistant" else bodies)
        for k, p, bodies in ESTATE
    ]
    write(archive, changed)
    after = {table: rows(archive, table) for table in TABLES}
    assert {table: after[table] - before[table] for table in TABLES} == {
        **dict.fromkeys(TABLES, 1),
        "packs": 0,  # the pack in progress contains it
    }
    assert [body["name"] for _, body in reader(archive, 0).bodies("assistant")] == ["A"]
    assert [body["name"] for _, body in reader(archive, 1).bodies("assistant")] == ["B"]
    assert list_snapshots(archive.conn)[0].digest != list_snapshots(archive.conn)[1].digest


def test_the_order_of_a_listing_is_kept_and_is_part_of_it(archive: Archive) -> None:
    write(archive, [("assistant", "", [assistant(2), assistant(1), assistant(3)])])
    write(archive, [("assistant", "", [assistant(1), assistant(2), assistant(3)])])
    found = [[body["id"] for _, body in reader(archive, n).bodies("assistant")] for n in (0, 1)]
    assert found == [["asst_2", "asst_1", "asst_3"], ["asst_1", "asst_2", "asst_3"]]
    assert rows(archive, "manifests") == 2
    assert rows(archive, "bodies") == 3


def test_one_id_in_two_kinds_or_parents_is_two_objects(archive: Archive) -> None:
    same = {"id": "x"}
    write(
        archive,
        [("file", "", [same]), ("thread", "", [same]), ("message", "t1", [same]), ("message", "t2", [same])],
    )
    snapshot = reader(archive)
    assert snapshot.counts() == {"file": 1, "message": 2, "thread": 1}
    assert [parent for parent, _ in snapshot.bodies("message", None)] == ["t1", "t2"]
    assert [(kind, parent) for kind, parent, _ in snapshot.find("x")] == [
        ("file", ""),
        ("message", "t1"),
        ("message", "t2"),
        ("thread", ""),
    ]


def test_a_large_page_is_kept_whole(archive: Archive) -> None:
    many = [assistant(n) for n in range(1200)]
    writer = begin(archive)
    page(writer, *many)
    writer.end_listing("assistant")
    writer.finish("complete", "")
    assert [body for _, body in reader(archive).bodies("assistant")] == many


def test_the_same_object_twice_in_a_listing_is_kept_twice(archive: Archive) -> None:
    write(archive, [("assistant", "", [assistant(1), assistant(1)])])
    assert reader(archive).count("assistant", "") == 2


def test_an_interrupted_snapshot_goes_on_behind_its_last_page(archive: Archive) -> None:
    first = begin(archive, threads="auto")
    page(first, assistant(1), cursor="asst_1")
    first.end_listing("file")
    again = begin(archive, threads="auto")
    assert (again.id, again.resumed) == (first.id, True)
    assert again.listing_state("assistant") == ("reading", "asst_1")
    assert again.listing_state("file") == ("complete", "")
    assert again.listing_state("thread") == (None, "")
    page(again, assistant(2), cursor="asst_2")
    again.end_listing("assistant")
    again.finish("complete", "v")
    assert [body["id"] for _, body in reader(archive).bodies("assistant")] == ["asst_1", "asst_2"]
    assert len(list_snapshots(archive.conn)) == 1


def test_an_interrupted_snapshot_reads_as_partial(archive: Archive) -> None:
    page(begin(archive), assistant(1), cursor="asst_1")
    (info,) = list_snapshots(archive.conn)
    assert (info.state, info.interrupted) == ("partial", True)
    assert reader(archive).incomplete() == [("assistant", "", "reading")]


@pytest.mark.parametrize("how", ["finished", "other options", "other endpoint"])
def test_a_snapshot_is_not_continued_by_another_one(archive: Archive, how: str) -> None:
    first = begin(archive, threads="auto")
    if how == "finished":
        first.finish("partial", "")
    options = {"threads": "none" if how == "other options" else "auto"}
    again = begin(archive, WEST if how == "other endpoint" else URL, **options)
    assert again.id != first.id
    assert not again.resumed


def test_what_was_missing_is_asked_again_when_continued(archive: Archive) -> None:
    begin(archive).add_missing("file", "f", "broken")
    begin(archive)
    assert reader(archive).missing() == []


def test_a_listing_that_cannot_be_continued_starts_again(archive: Archive) -> None:
    write(archive, [("assistant", "", [assistant(1)])])
    writer = begin(archive)
    page(writer, assistant(1), assistant(2))
    writer.restart_listing("assistant", "")
    assert writer.listing_state("assistant") == (None, "")
    page(writer, assistant(3))
    writer.end_listing("assistant")
    assert [body["id"] for body in writer.bodies("assistant")] == ["asst_3"]
    assert [body["id"] for _, body in reader(archive, 0).bodies("assistant")] == ["asst_1"]


def test_restarting_a_finished_listing_leaves_the_other_snapshots_alone(archive: Archive) -> None:
    write(archive, [("assistant", "", [assistant(1)])])
    writer = begin(archive)
    page(writer, assistant(1))
    writer.end_listing("assistant")
    writer.restart_listing("assistant", "")
    page(writer, assistant(2))
    writer.end_listing("assistant")
    assert [body["id"] for _, body in reader(archive, 0).bodies("assistant")] == ["asst_1"]


def test_ending_a_listing_twice_changes_nothing(archive: Archive) -> None:
    writer = begin(archive)
    page(writer, assistant(1))
    writer.end_listing("assistant")
    writer.end_listing("assistant", state="failed", reason="later")
    assert writer.ids("assistant") == ["asst_1"]
    assert reader(archive).listing_state("assistant") == ("failed", "later")


def test_two_endpoints_live_in_one_file(archive: Archive) -> None:
    write(archive, [("assistant", "", [assistant(1)])])
    write(archive, [("assistant", "", [assistant(1, name="other")])], url=WEST)
    east, west = list_snapshots(archive.conn)
    assert (east.url, west.url) == (URL, WEST)
    assert [body["name"] for _, body in SnapshotReader(archive.conn, east).bodies("assistant")] == ["A1"]
    assert [body["name"] for _, body in SnapshotReader(archive.conn, west).bodies("assistant")] == ["other"]


def test_an_interruption_of_one_endpoint_survives_a_snapshot_of_another(archive: Archive) -> None:
    first = begin(archive)
    write(archive, url=WEST)
    assert begin(archive).id == first.id


def test_a_failed_listing_and_a_missing_object_are_reported(archive: Archive) -> None:
    writer = begin(archive, tag="nightly")
    writer.end_listing("assistant", state="failed", reason="500")
    writer.add_missing("file", "file-a", "the service keeps its bytes", name="a.txt")
    writer.finish("partial", "v")
    snapshot = reader(archive)
    assert snapshot.incomplete() == [("assistant", "", "500")]
    assert [(m.kind, m.id, m.name) for m in snapshot.missing()] == [("file", "file-a", "a.txt")]
    assert (snapshot.info.state, snapshot.info.tag, snapshot.info.api_version) == ("partial", "nightly", "v")


def test_a_listing_read_in_vain_is_not_the_same_as_an_empty_one(archive: Archive) -> None:
    for state in ("complete", "failed"):
        writer = begin(archive)
        writer.end_listing("assistant", state=state)  # type: ignore[arg-type]
        writer.finish("complete", "")
    first, second = list_snapshots(archive.conn)
    assert first.digest != second.digest
