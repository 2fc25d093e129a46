"""A text is found in any case, in every text that people wrote, and nowhere else."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.archive.bodies import BodyRow
from migrate.archive.snapshots.reader import scan_for_text
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.model.results.query import SearchHit
from migrate.stages.query.search import search
from tests.archive.filling import TYPE, Listing, reader, write
from tests.strategies import steady

SAID = [
    'He said "Straße"\nand left\\.',
    "Kettle on the hob",
    "half \ud800 a character",
    "tab\there, \x07 bell, é",
]


def message(n: int, text: Any) -> dict[str, Any]:
    part = {"type": "text", "text": {"value": text, "annotations": []}}
    return {"id": f"msg_{n}", "role": "user", "content": [part]}


LISTINGS: list[Listing] = [
    ("file", "", [{"id": "file-a", "filename": "KETTLE.pdf"}]),
    ("vector_store", "", [{"id": "vs_1", "name": "All kettles"}]),
    (
        "assistant",
        "",
        [
            {"id": "asst_1", "name": "Kettle", "instructions": "x" * 100 + "kettle" + "y" * 100},
            {"id": "asst_2", "name": {"kettle": 1}, "metadata": {"kettle": "kettle"}},
        ],
    ),
    ("thread", "", [{"id": "thread_1"}]),
    ("message", "thread_1", [message(n, text) for n, text in enumerate(SAID)]),
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.open(tmp_path_factory.mktemp("s") / "estate.db", write=True, create=True) as opened:
        write(opened, LISTINGS)
        yield opened


def found(archive: Archive, text: str, *kinds: str) -> list[SearchHit]:
    return list(search(reader(archive), text, kinds))


def test_every_place_is_reported_once(archive: Archive) -> None:
    rows = [(hit.kind, hit.id, hit.parent, hit.field) for hit in found(archive, "kettle")]
    assert rows == [
        ("assistant", "asst_1", "", "name"),
        ("assistant", "asst_1", "", "instructions"),
        ("assistant", "asst_2", "", "name"),
        ("file", "file-a", "", "filename"),
        ("vector_store", "vs_1", "", "name"),
        ("message", "msg_1", "thread_1", "content"),
    ]
    assert [hit.kind for hit in found(archive, "kettle", "file", "message")] == ["file", "message"]


def test_an_excerpt_is_short_and_has_the_text_in_it(archive: Archive) -> None:
    (hit,) = [hit for hit in found(archive, "KETTLE") if hit.field == "instructions"]
    assert hit.excerpt == f"…{'x' * 30}kettle{'y' * 60}…"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("STRASSE", [0]),
        ('"straße"\nAND', [0]),
        ("left\\.", [0]),
        ("\ud800", [2]),
        ("\there, \x07", [3]),
        ("É", [3]),
        ("value", []),
        ("\\n", []),
        ("%", []),
        ("u00e9", []),
    ],
)
def test_escapes_of_json_are_not_text(archive: Archive, text: str, numbers: list[int]) -> None:
    assert [hit.id for hit in found(archive, text)] == [f"msg_{n}" for n in numbers]


@steady
@given(text=st.text(max_size=40), start=st.integers(0, 20), size=st.integers(1, 10))
def test_any_text_is_found_by_any_part_of_it(
    tmp_path_factory: pytest.TempPathFactory, text: str, start: int, size: int
) -> None:
    piece = text[start : start + size]
    if not piece:
        return
    row = BodyRow.from_json("message", message(1, text))
    asked = OneRow(row.body.decode())
    for spelling in (piece, piece.swapcase().swapcase()):
        (scanned,) = scan_for_text(asked, "message", spelling)  # type: ignore[arg-type]
        assert scanned.body is not None


class OneRow:
    """A snapshot of one body."""

    def __init__(self, text: str) -> None:
        self.text = text

    def texts_from(self, *_: Any) -> list[tuple[tuple[str, int], str]]:
        return [(("thread_1", 0), self.text)]


def test_memory_stays_flat(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "estate.db", write=True, create=True) as archive:
        writer = SnapshotWriter.begin(archive, TYPE, "https://x", {}, None)
        text = "word " * 4000
        for n in range(300):
            writer.add_page(
                "message", "thread_1", [BodyRow.from_json("message", message(n, f"{text}{n}"))], str(n)
            )
        writer.end_listing("message", "thread_1")
        writer.finish("complete", "v")
        tracemalloc.start()
        count = sum(1 for _ in search(reader(archive), "WORD"))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == 300
    assert peak < 2_000_000, "six megabytes were searched"
