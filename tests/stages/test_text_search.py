"""Each word of each text is found, every hit has the words, and filters leave out the rest."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.errors import BadUsage
from migrate.model.folded_words import fold_text, iter_folded_words
from migrate.model.results import text_search as results
from migrate.model.search_query import SearchQuery, SearchTerm, parse_search_query
from migrate.stages.index.run import build_index
from migrate.stages.query import text_search
from migrate.stages.query.text_search import search_index
from tests.archive.filling import write
from tests.model.test_folded_words import LANGUAGES, texts
from tests.stages.searching import estate, found, hits, marked, message, page, snapshot
from tests.strategies import few

SECRET = "sk-" + "a1" * 20
PLANT = {"id": "asst_1", "name": "Plant Desk", "instructions": "Answer about kettles.", "created_at": 5}
THREADS = {
    "thread_1": [
        message("msg_1", "Where is the spare kettle?", at=1_000),
        message("msg_2", "The spare\nkettle: below.", "assistant", 2_000, assistant_id="asst_1"),
        message("msg_3", f"my key {SECRET} fits", at=3_000, metadata={"ticket": "K-9"}),
    ],
    "thread_2": [
        message("msg_4", "No kettle, a spare lid", at=9_000),
        message("msg_5", "Lids", "assistant", 9_500, attachments=[{"file_id": "file-a", "tools": []}]),
    ],
}
FILES = [
    {"id": "file-a", "filename": "manual.txt", "created_at": 7},
    {"id": "file-b", "filename": "photo.png"},
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.open(tmp_path_factory.mktemp("s") / "estate.db", write=True, create=True) as opened:
        listings = estate(THREADS, assistant=[PLANT], file=FILES)
        listings[2][2][1]["metadata"] = {"customer": "17", "place": "Łódź"}
        endpoint = write(opened, listings).endpoint
        text = "Fill the kettle with water.\n" * 2 + "Do not open it."
        link_file_to_blob(opened, endpoint, "file-a", store_blob(opened, [text.encode()]), "download")
        link_file_to_blob(opened, endpoint, "file-b", store_blob(opened, [b"\x89PNG kettle"]), "download")
        build_index(opened)
        yield opened


QUERIES = {
    "kettle": ["file-a", "msg_1", "msg_2", "msg_4"],
    "KETTLE spare": ["msg_1", "msg_2", "msg_4"],
    '"spare kettle"': ["msg_1", "msg_2"],
    '"kettle spare"': [],
    "kettl*": ["asst_1", "file-a", "msg_1", "msg_2", "msg_4"],
    '"spare ke"*': ["msg_1", "msg_2"],
    "spare -lid": ["msg_1", "msg_2"],
    'spare -"spare kettle"': ["msg_4"],
    "kettle role:assistant": ["msg_2"],
    "kettle role:user": ["msg_1", "msg_4"],
    "kettle* kind:assistant": ["asst_1"],
    "kettle kind:file": ["file-a"],
    "kettle kind:message kind:file": ["file-a", "msg_1", "msg_2", "msg_4"],
    "manual": ["file-a"],
    "photo": ["file-b"],
    "kettle thread:thread_2": ["msg_4"],
    "thread:thread_2": ["msg_4", "msg_5", "thread_2"],
    "kettle thread:nowhere": [],
    "spare assistant:asst_1": ["msg_1", "msg_2"],
    'spare assistant:"Plant Desk"': ["msg_1", "msg_2"],
    "kettles assistant:asst_1": ["asst_1"],
    "lids file:file-a": ["msg_5"],
    "file:manual.txt": ["file-a", "file-a", "msg_5"],
    "open file:manual.txt": ["file-a"],
    "kettle after:1970-01-01T01:00:00Z": ["msg_4"],
    "kettle before:1970-01-01T00:30:00Z kind:message": ["msg_1"],
    "spare after:1970-01-01T00:20:00Z before:1970-01-01T00:50:00Z": ["msg_2"],
    "water after:1970-01-01T00:00:07Z": ["file-a"],
    "water after:1970-01-01T00:00:08Z": [],
    "lodz": ["thread_2"],
    "spare meta.customer:17": ["msg_4"],
    "spare meta.customer:1[!0-6]": ["msg_4"],
    "spare meta.customer:2*": [],
    "meta.ticket:K-9": ["msg_3"],
    "k 9": ["msg_3"],
    SECRET: [],
    "kind:assistant": ["asst_1"],
    "nobody": [],
}


@pytest.mark.parametrize(("query", "ids"), QUERIES.items())
def test_a_query_finds_what_it_says(archive: Archive, query: str, ids: list[str]) -> None:
    assert found(archive, query) == ids


def test_a_hit_says_where_it_is(archive: Archive) -> None:
    (hit,) = hits(archive, "spare kettle role:assistant")
    assert hit == results.TextHit(
        "message", "msg_2", "thread_1", "Plant Desk", "content", 2_000, "assistant", 2,
        (("The ", False), ("spare", True), (" ", False), ("kettle", True), (": below.", False)),
        "Where is the spare kettle?",
    )  # fmt: skip
    (thread,) = hits(archive, "lodz")
    assert (thread.id, thread.first_words) == ("thread_2", "No kettle, a spare lid")
    (content,) = hits(archive, "water")
    assert (content.kind, content.id, content.name, content.field) == (
        "file",
        "file-a",
        "manual.txt",
        "content",
    )
    (masked,) = hits(archive, "fits")
    assert SECRET not in "".join(text for text, _ in masked.excerpt)


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("kettle role:usr", "no message of the archive has the role 'usr'"),
        ("kettle thread:nowhere", "snapshot 1 has no thread 'nowhere'"),
        ("autor:me", "autor: is no filter"),
        ("nobody role:User thread:thread_2 https://a", ""),
    ],
)
def test_without_hits_a_mistyped_filter_is_named(archive: Archive, query: str, note: str) -> None:
    empty = page(archive, query)
    assert (empty.count, len(empty.notes)) == (0, int(bool(note)))
    assert all(one.startswith(note) for one in empty.notes)


def test_a_word_in_a_name_counts_more(archive: Archive) -> None:
    assert hits(archive, "desk")[0].id == "asst_1"


def test_pages_go_on_where_the_last_one_ended(archive: Archive) -> None:
    everything = page(archive, "kind:message")
    assert everything.count_text == "5"
    parts = [page(archive, "kind:message", limit=2, offset=n).hits for n in (0, 2, 4, 6)]
    assert sum(parts, ()) == everything.hits
    assert [len(part) for part in parts] == [2, 2, 1, 0]


def test_of_a_word_that_stands_everywhere_the_newest_are_ranked(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_search, "MAX_RANKED_HITS", 2)
    bounded = page(archive, "kind:message")
    assert (bounded.count, bounded.is_bounded, bounded.count_text) == (2, True, "2+")
    assert [hit.id for hit in bounded.hits] == ["msg_5", "msg_4"]
    assert not page(archive, "role:assistant").is_bounded


@pytest.mark.parametrize(("text", "words"), LANGUAGES.values(), ids=LANGUAGES.keys())
def test_words_of_a_language_are_found_and_marked(
    language_archive: Archive, text: str, words: list[str]
) -> None:
    number = list(LANGUAGES.values()).index((text, words))
    for word in words:
        of_it = [hit for hit in hits(language_archive, f'"{word}"') if hit.id == f"msg_{number}"]
        assert of_it, word
        for shown in marked(of_it)[0]:
            assert fold_text(shown) == fold_text(word)


@pytest.fixture(scope="module")
def language_archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    bodies = [message(f"msg_{n}", text) for n, (text, _) in enumerate(LANGUAGES.values())]
    with Archive.open(tmp_path_factory.mktemp("s") / "estate.db", write=True, create=True) as opened:
        write(opened, estate({"thread_1": bodies}))
        build_index(opened)
        yield opened


numbers = count()


@given(st.lists(texts | st.text(max_size=60), min_size=1, max_size=4))
@few(2)
def test_each_word_of_each_text_is_found_and_every_hit_has_it(
    tmp_path_factory: pytest.TempPathFactory, said: list[str]
) -> None:
    path = tmp_path_factory.mktemp("p") / f"{next(numbers)}.db"
    with Archive.open(path, write=True, create=True) as archive:
        write(archive, estate({"thread_1": [message(f"msg_{n}", text) for n, text in enumerate(said)]}))
        build_index(archive)
        folded = {f"msg_{n}": f" {fold_text(text)} " for n, text in enumerate(said)}
        for number, text in enumerate(said):
            words = [folded.word for folded in iter_folded_words(text)]
            for asked in [*zip(words, strict=True), *zip(words, words[1:], words[2:], strict=False)]:
                phrase = " ".join(asked)
                of_it = search_index(snapshot(archive), SearchQuery((SearchTerm(asked),)), 100).hits
                assert f"msg_{number}" in {hit.id for hit in of_it}, asked
                for hit in of_it:
                    assert f" {phrase} " in folded[hit.id]
                    assert phrase in fold_text(marked([hit])[0][0])


def test_without_an_index_one_sentence_says_what_to_do(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("s") / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        write(archive, estate(THREADS))
        with pytest.raises(BadUsage, match="no full-text index") as refused:
            hits(archive, "kettle")
        assert "index ARCHIVE" in refused.value.todo
        build_index(archive)
        write(archive, estate(THREADS))
        with pytest.raises(BadUsage, match="snapshot 2 is not in the full-text index"):
            hits(archive, "kettle")
        assert found(archive, "lids", 1) == ["msg_5"]


def test_an_sqlite_without_full_text_search_is_reported(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    from migrate.archive.text_index import schema

    monkeypatch.setattr(schema, "FTS5_SQL", "SELECT 1 WHERE 0")
    for use in (lambda: hits(archive, "kettle"), lambda: build_index(archive)):
        with pytest.raises(BadUsage, match="full-text index is not possible with this Python") as refused:
            use()
        assert "built without FTS5" in refused.value.why


@pytest.mark.parametrize(
    "query", ['"', "a" * 500, "a " * 60 + "b", "NEAR(a b)", "col:x", "a AND", "*", "'", "a\x00b", "x\ud800"]
)
def test_nothing_that_is_typed_breaks_the_query(archive: Archive, query: str) -> None:
    try:
        parsed = parse_search_query(query)
    except BadUsage:
        return
    assert search_index(snapshot(archive), parsed, 5).count == 0


def test_hostile_bodies_are_searched(tmp_path_factory: pytest.TempPathFactory) -> None:
    deep: object = "needle"
    for _ in range(150):
        deep = [deep]
    odd = [
        {"id": "odd_1", "role": ["user"], "content": {"text": "needle"}, "created_at": 10**30},
        {"id": "odd_2", "role": "user", "content": deep, "created_at": "yesterday", "metadata": ["needle"]},
        {"id": 3, "content": "half \ud800 needle", "metadata": {"\ud800": "needle"}, "created_at": -5},
        {
            "id": "odd_4",
            "content": [{"type": {"a": 1}, "text": {"value": {"x": "needle"}}}, None, 7, "needle"],
        },
        {"id": "odd_5", "content": "needle " + "x" * 200_000, "status": {}},
        {"id": "odd_6", "content": [{"type": "text", "text": "a" * 100_000 + "." + " needle" * 20_000}]},
    ]
    with Archive.open(tmp_path_factory.mktemp("s") / "estate.db", write=True, create=True) as archive:
        write(archive, estate({"thread_1": odd}))  # type: ignore[arg-type]
        build_index(archive)
        of_it = hits(archive, "needle")
        assert sorted(hit.id for hit in of_it) == ["3", "odd_1", "odd_2", "odd_4", "odd_5", "odd_6"]
        assert all(shown[:1] == ["needle"] for shown in marked(of_it))
        assert all(len("".join(text for text, _ in hit.excerpt)) < 300 for hit in of_it)
        assert [hit.id for hit in hits(archive, "x" * 1_999)] == []
        assert found(archive, "xxxx*") == ["odd_5"]
        assert found(archive, "needle after:1971-01-01") == []
