"""A text taken as it is gives the same hits in the same order, whether the index helps or not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.model.results.query import SearchHit
from migrate.stages.index.run import build_index
from migrate.stages.query import literal_candidates, search
from tests.archive.filling import write
from tests.stages.searching import estate, message, snapshot
from tests.strategies import steady

SECRET = "sk-" + "a1" * 20
SAID = [
    "The spare kettle",
    "Spare-kettles; TEAKETTLE",
    "spare\nkettle",
    "Straße, straße: ﬁle ŉot Kelvin",
    "caf\u0301e\u0301 and İstanbul",
    f"key {SECRET} end",
    "kettle東京 1½x ™tm a\u00adb",
    "x" * 3_000 + "needle" + "y" * 40_000 + "hay" + "z" * 3,
    'quoted "kettle" \\ back',
    "half \ud800 kettle",
]
CITATION = {"type": "file_citation", "file_citation": {"file_id": "file-k"}}
CITED = {
    "id": "msg_cited",
    "role": "assistant",
    "content": [
        {"type": "text", "text": {"value": "see it", "annotations": [CITATION]}},
        {"type": "strange", "kettle": "inside"},
    ],
}
ODD = [
    {"id": "asst_1", "name": "Kettle Desk", "instructions": "About kettles."},
    {"id": "asst_2", "name": {"kettle": 1}},
    {"id": "asst_3", "instructions": ["kettle"], "description": "spare"},
]
NEEDLES = [
    "kettle",
    "KETTLES",
    "spare kettle",
    "spare ke",
    "re ket",
    " kettle",
    "kettle ",
    "-kettle",
    "e k",
    "ss",
    "file",
    "not",
    "kelvin",
    "istanbul",
    "end",
    SECRET,
    SECRET[10:20],
    "a1a1",
    "x",
    "½x",
    "tm",
    "ab",
    "needle",
    "hay",
    "yhayz",
    "back",
    '"kettle"',
    "\\",
    ";",
    "strange",
    "inside",
    '{"kettle"',
    "file-k",
    "msg_",
    "xyzzy",
    "xyzzy kettle",
    "1",
]


def filled(archive: Archive) -> None:
    bodies = [message(f"msg_{n}", text) for n, text in enumerate(SAID)]
    listings = estate(
        {
            "thread_b": bodies,
            "thread_a": [*bodies[::-1], CITED],
            "thread_c": [bodies[0], bodies[0], bodies[1]],
        },
        assistant=ODD,
        file=[{"id": "file-k", "filename": "KETTLE.pdf"}],
        vector_store=[{"id": "vs_1", "name": "spare kettles", "description": 7}],
    )
    write(archive, listings)
    write(archive, estate({"thread_a": [message("msg_later", "kettle later")]}))


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, Archive]]:
    folder = tmp_path_factory.mktemp("s")
    with (
        Archive.open(folder / "plain.db", write=True, create=True) as plain,
        Archive.open(folder / "indexed.db", write=True, create=True) as indexed,
    ):
        filled(plain)
        filled(indexed)
        build_index(indexed)
        yield plain, indexed


def both(archives: tuple[Archive, Archive], text: str, *kinds: str) -> list[list[SearchHit]]:
    return [list(search.search(snapshot(archive, 1), text, kinds)) for archive in archives]


@pytest.mark.parametrize("scanned", [1, 2, 7, 10**9])
@pytest.mark.parametrize("text", NEEDLES)
def test_hits_and_their_order_are_the_same(
    archives: tuple[Archive, Archive], monkeypatch: pytest.MonkeyPatch, text: str, scanned: int
) -> None:
    monkeypatch.setattr(search, "SCANNED_FIRST", scanned)
    plain, indexed = both(archives, text)
    assert indexed == plain
    assert both(archives, text, "message", "file")[0] == both(archives, text, "message", "file")[1]


pieces = st.sampled_from(["kettle", "spare", " ", "-", "e", "ss", "1", "Key", '"', "sk", "file", "t", "x"])


@given(text=st.lists(pieces, min_size=1, max_size=4).map("".join))
@steady
def test_any_text_gives_the_same_hits(archives: tuple[Archive, Archive], text: str) -> None:
    before, search.SCANNED_FIRST = search.SCANNED_FIRST, 1
    try:
        plain, indexed = both(archives, text)
    finally:
        search.SCANNED_FIRST = before
    assert indexed == plain


def test_the_index_is_asked_late_and_names_few(
    archives: tuple[Archive, Archive], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    find = literal_candidates.find_candidates
    monkeypatch.setattr(search, "find_candidates", lambda *given: asked.append(find(*given)) or asked[-1])
    reading = snapshot(archives[1], 1)
    list(search.search(reading, "teakettle", ()))
    assert asked == []
    monkeypatch.setattr(search, "SCANNED_FIRST", 3)
    assert [hit.id for hit in search.search(reading, "teakettle", ())] == ["msg_1", "msg_1", "msg_1"]
    assert asked[0] is not None
    assert len(asked[0]) < len(list(reading.bodies("message", None)))
    asked.clear()
    assert next(islice(search.search(reading, "kettle", ()), 1)).id == "asst_1"
    assert asked == []


@pytest.mark.parametrize(("limit", "value"), [("MAX_CANDIDATES", 1), ("MAX_WORDS", 0)])
def test_where_too_much_comes_into_question_everything_is_looked_at(
    archives: tuple[Archive, Archive], monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(literal_candidates, limit, value)
    monkeypatch.setattr(search, "SCANNED_FIRST", 1)
    if limit == "MAX_CANDIDATES":
        assert literal_candidates.find_candidates(snapshot(archives[1], 1), "kettle", ["message"]) is None
    plain, indexed = both(archives, "kettle")
    assert indexed == plain
