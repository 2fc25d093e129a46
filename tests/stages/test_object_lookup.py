"""An object is found by its id, its name, or the beginning of an id that no other object has."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.archive import Archive
from migrate.errors import BadUsage
from migrate.stages.object_lookup import MAX_FITS_SHOWN, FoundObject, ObjectLookup
from tests.archive.filling import reader, write

LISTINGS: list[Any] = [
    ("file", "", [{"id": "file-a", "filename": "notes.md"}, {"id": "file-b", "filename": "asst_1"}]),
    ("vector_store", "", [{"id": "vs_1", "name": "desk"}, {"id": "vs_2", "name": None}]),
    ("vector_store_file", "vs_1", [{"id": "file-a"}]),
    (
        "assistant",
        "",
        [
            {"id": "asst_1", "name": "desk", "model": "m"},
            {"id": "asst_12", "name": "Straße 注文", "model": "m"},
            {"id": "asst_2", "name": "thread_1", "model": "m"},
        ],
    ),
    ("thread", "", [{"id": "thread_1"}, {"id": "thread_22"}, {"id": "thread_23"}]),
    ("message", "thread_1", [{"id": "msg_1", "role": "user", "content": []}]),
]


def ids(found: list[FoundObject]) -> list[str]:
    return [row.id for row in found]


@pytest.fixture
def lookup(archive: Archive) -> ObjectLookup:
    write(archive, LISTINGS)
    return ObjectLookup(archive.conn, reader(archive))


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("asst_1", ["asst_1"]),  # also the beginning of another, and the name of a file
        ("asst_12", ["asst_12"]),
        ("thread_1", ["thread_1"]),  # also the name of an assistant
        ("notes.md", ["file-a"]),
        ("Straße 注文", ["asst_12"]),
        ("desk", ["asst_1", "vs_1"]),
        ("file-", ["file-a", "file-b"]),
        ("thread_2", ["thread_22", "thread_23"]),
        ("thread_23", ["thread_23"]),
        ("vs_", ["vs_1", "vs_2"]),
        ("notes", []),  # the beginning of a name does not count
        ("Desk", []),
        ("msg_1", []),
        ("msg_", []),
        ("", []),
        ("None", []),
        ("\ud800", []),
    ],
)
def test_what_a_text_means(lookup: ObjectLookup, text: str, fits: list[str]) -> None:
    assert ids(lookup.find(text)) == fits


@pytest.mark.parametrize(
    ("text", "kind", "fits"),
    [
        ("desk", "assistant", ["asst_1"]),
        ("desk", "file", []),
        ("asst_1", "file", ["file-b"]),
        ("asst_1", "thread", []),
        ("asst_", "file", []),
        ("thread_22", "thread", ["thread_22"]),
        ("thread_2", "assistant", []),
    ],
)
def test_only_objects_of_a_kind_are_found_where_it_is_given(
    lookup: ObjectLookup, text: str, kind: str, fits: list[str]
) -> None:
    assert ids(lookup.find(text, (kind,))) == fits


def test_several_fits_are_listed_and_no_fit_leaves_the_text(lookup: ObjectLookup) -> None:
    assert lookup.resolve("nobody") == "nobody"
    assert lookup.resolve("notes.md") == "file-a"
    with pytest.raises(BadUsage, match="'desk' matches 2 objects") as raised:
        lookup.resolve("desk")
    assert "assistant asst_1 (desk), vector_store vs_1 (desk)" in raised.value.why


def test_of_many_fits_some_are_listed(archive: Archive) -> None:
    write(archive, [("thread", "", [{"id": f"thread_{number:03}"} for number in range(20)])])
    with pytest.raises(BadUsage, match="matches 20 objects") as raised:
        ObjectLookup(archive.conn, reader(archive)).find_one("thread_")
    said = raised.value.why
    assert said.count("thread thread_") == MAX_FITS_SHOWN
    assert "and 12 more" in said


def test_a_snapshot_hides_what_only_another_one_has(archive: Archive) -> None:
    write(archive, [("assistant", "", [{"id": "desk", "name": "Plant Desk"}, {"id": "desk-2"}])])
    write(archive, [("assistant", "", [{"id": "desk-2", "name": "Lab"}])])
    newest, every = ObjectLookup(archive.conn, reader(archive)), ObjectLookup(archive.conn)
    assert (ids(newest.find("desk")), ids(newest.find("des"))) == ([], ["desk-2"])
    assert (ids(newest.find("Plant Desk")), ids(every.find("Plant Desk"))) == ([], ["desk"])
    assert (ids(every.find("desk")), ids(every.find("des"))) == (["desk"], ["desk", "desk-2"])


def test_in_all_snapshots_an_object_is_found_under_each_name_that_it_had(archive: Archive) -> None:
    for name, other in (("old", "new"), ("new", "newest")):
        rows = [{"id": "asst_1", "name": name}, {"id": "asst_2", "name": other}]
        write(archive, [("assistant", "", rows)])
    every = ObjectLookup(archive.conn)
    assert ids(every.find("old")) == ["asst_1"]
    assert sorted(ids(every.find("new"))) == ["asst_1", "asst_2"]
    assert [str(found) for found in every.find("asst_")] == [
        "assistant asst_1 (new)",
        "assistant asst_2 (newest)",
    ]


def test_a_name_is_decoded_as_its_service_writes_it(archive: Archive) -> None:
    from migrate.archive.bodies import BodyRow
    from migrate.archive.snapshots.writer import SnapshotWriter

    metadata = {"migrated_from": "openai:asst_9", "migrated_name": "Plant Desk"}
    version = {"version": "1", "definition": {"kind": "prompt", "model": "m"}, "metadata": metadata}
    body = {"object": "agent", "id": "plants", "name": "plants", "versions": {"latest": version}}
    writer = SnapshotWriter.begin(archive, "foundry", "https://acme.example.com/api/projects/p", {}, None)
    writer.add_page("assistant", "", [BodyRow.from_json("assistant", body)], "plants")
    writer.end_listing("assistant", "")
    writer.finish("complete", "v1")
    for lookup in (ObjectLookup(archive.conn), ObjectLookup(archive.conn, reader(archive))):
        assert ids(lookup.find("Plant Desk")) == ids(lookup.find("plants")) == ["plants"]
