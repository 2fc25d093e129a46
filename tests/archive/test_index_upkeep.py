"""Whatever is removed from an archive, or comes into it, its full-text index says the truth."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.check.integrity import check_archive
from migrate.archive.forget import forget_snapshots, vacuum_archive
from migrate.archive.merge.files import MergeInputs, open_merge_output
from migrate.archive.merge.run import merge_archives
from migrate.archive.text_index import removal
from migrate.archive.text_index.schema import has_text_index
from migrate.errors import BadUsage
from migrate.model.results.text_search import ThreadFilters
from migrate.stages.index.run import build_index
from migrate.stages.query.thread_list import list_threads
from tests.archive.filling import Body, Listing, write
from tests.stages.searching import estate, found, message, snapshot
from tests.stages.test_index import content

OTHER = "https://west.example.com"


def said(*words: str) -> list[Listing]:
    """A thread that says these words, and one that is always the same; an assistant has the last word."""
    bodies: dict[str, list[Body]] = {
        "thread_1": [message(f"msg_{word}", f"the word {word}", metadata={"tag": word}) for word in words],
        "thread_2": [message("msg_same", "always the same", at=50)],
    }
    rows = estate(
        bodies, assistant=[{"id": "asst_1", "name": f"Desk {words[-1]}"}], file=[{"id": f"file-{words[0]}"}]
    )
    rows[2][2][0]["metadata"] = {"about": words[-1]}
    return rows


def fill(archive: Archive) -> None:
    """Four snapshots of two estates. Each has words that no other has, and words that others have too."""
    for words, url in (
        (("alpha", "beta"), ""),
        (("alpha", "beta", "gamma"), ""),
        (("alpha", "delta"), ""),
        (("alpha", "epsilon"), OTHER),
    ):
        writer = write(archive, said(*words), **({"url": url} if url else {}))
        data = f"bytes of {len(words)} {url}".encode()
        link_file_to_blob(archive, writer.endpoint, "file-alpha", store_blob(archive, [data]), "download")


WORDS = {
    "alpha": {1, 2, 3, 4},
    "beta": {1, 2},
    "gamma": {2},
    "delta": {3},
    "epsilon": {4},
    "same": {1, 2, 3, 4},
}


@pytest.mark.parametrize("share", [0.0, 2.0], ids=["emptied", "one by one"])
@pytest.mark.parametrize("going", [c for n in range(1, 5) for c in combinations(range(1, 5), n)], ids=str)
def test_what_stays_is_found_and_nothing_else(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, going: tuple[int, ...], share: float
) -> None:
    monkeypatch.setattr(removal, "MAX_REMOVED_SHARE", share)
    fill(archive)
    build_index(archive)
    done = forget_snapshots(archive, going)
    if done.is_emptied:
        assert share == 0
        build_index(archive)
    staying = [number for number in range(1, 5) if number not in going]
    for number in staying:
        for word, holders in WORDS.items():
            ids = found(archive, f"{word} kind:message", number)
            assert bool(ids) == (number in holders), (number, word)
        page = list_threads(snapshot(archive, number), ThreadFilters())
        assert (page.is_indexed, len(page.rows)) == (True, 2)
    words = {word for (word,) in archive.conn.execute("SELECT term FROM text_vocabulary")}
    assert {word for word, holders in WORDS.items() if holders & set(staying)} == words & WORDS.keys()
    assert check_archive(archive.conn).damage == ()
    before = content(archive)
    assert build_index(archive).documents == 0
    assert content(archive) == before


@pytest.mark.parametrize("share", [0.0, 2.0], ids=["emptied", "one by one"])
def test_no_erased_word_is_left_in_the_file(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(removal, "MAX_REMOVED_SHARE", share)
    fill(archive)
    build_index(archive)
    archive.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for word in (b"gamma", b"epsilon"):
        assert word in archive.path.read_bytes()
    if forget_snapshots(archive, [2, 4]).is_emptied:
        build_index(archive)
    assert vacuum_archive(archive).why == ""
    for path in archive.path.parent.iterdir():
        for word in (b"gamma", b"epsilon", b"amma", b"psilon"):
            assert word not in path.read_bytes(), path
    assert found(archive, "beta", 1) == ["asst_1", "msg_beta", "thread_1"]


def test_numbers_that_are_given_again_confuse_nothing(archive: Archive) -> None:
    """Numbers of packs, listings and parents of what was forgotten are used again."""
    write(archive, said("alpha"))
    for round_ in range(4):
        number = write(archive, said("beta", f"word{round_}"), url=f"https://{round_}.example.com").id
        build_index(archive)
        assert found(archive, f"word{round_} kind:message", number) == [f"msg_word{round_}"]
        forget_snapshots(archive, [number])
        assert check_archive(archive.conn).damage == ()
    assert found(archive, "word1 OR word2"[:5], 1) == []
    assert found(archive, "alpha kind:message", 1) == ["msg_alpha"]


def test_a_thread_that_was_never_read_stays_in_the_list(archive: Archive) -> None:
    """Its parent has no number of its own when the only listing below it is gone."""
    write(archive, said("alpha"))
    first = [row for row in said("alpha") if row[0] not in ("message",)]
    write(archive, first)
    build_index(archive)
    forget_snapshots(archive, [1])
    write(archive, estate({"thread_9": [message("msg_9", "nine")]}), url=OTHER)
    build_index(archive)
    rows = list_threads(snapshot(archive, 2), ThreadFilters()).rows
    assert {row.id: row.gap for row in rows} == dict.fromkeys(
        ("thread_1", "thread_2"), "its messages were not read"
    )
    assert check_archive(archive.conn).damage == ()


def test_an_index_in_another_form_is_emptied(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(archive)
    build_index(archive)
    archive.conn.execute("UPDATE text_index_state SET value = 'another'")
    assert forget_snapshots(archive, [2]).is_emptied
    assert build_index(archive).snapshots == (1, 3, 4)
    assert found(archive, "delta kind:message", 3) == ["msg_delta"]


@pytest.mark.parametrize("table", ["text_words_data", "packs"])
def test_what_cannot_be_read_does_not_prevent_forgetting(archive: Archive, table: str) -> None:
    write(archive, said("alpha", "delta", "beta", "gamma"))
    archive.packer.close_packs()
    write(archive, said("epsilon"), url=OTHER)
    build_index(archive)
    if table == "packs":  # those of the second snapshot
        archive.conn.execute("UPDATE packs SET data = x'00' WHERE id > (SELECT max(id) FROM packs) / 2")
    else:
        archive.conn.execute("UPDATE text_words_data SET block = randomblob(length(block)) WHERE id > 100")
    assert forget_snapshots(archive, [2]).is_emptied
    assert build_index(archive).snapshots == (1,)
    assert found(archive, "delta kind:message", 1) == ["msg_delta"]
    assert check_archive(archive.conn).damage == ()


def test_without_full_text_search_nothing_is_forgotten_in_part(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    from migrate.archive.text_index import schema

    fill(archive)
    build_index(archive)
    before = content(archive)
    monkeypatch.setattr(schema, "FTS5_SQL", "SELECT 1 WHERE 0")
    with pytest.raises(BadUsage, match="full-text index is not possible"):
        forget_snapshots(archive, [2])
    assert content(archive) == before
    assert archive.conn.execute("SELECT count(*) FROM snapshots").fetchone() == (4,)


def merged(output: Path, *paths: Path) -> None:
    """Merge as the command does."""
    inputs = MergeInputs.check(paths, output)
    with open_merge_output(output) as archive:
        merge_archives(archive, inputs)
        if has_text_index(archive.conn):
            build_index(archive)


def test_a_merge_adds_to_the_index_that_its_output_has(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.db" for name in ("one", "two", "three")]
    for path, words in zip(paths, (("alpha", "beta"), ("alpha", "gamma"), ("delta",)), strict=True):
        with Archive.open(path, write=True, create=True) as archive:
            writer = write(archive, said(*words), url=OTHER if "delta" in words else "https://x.example.com")
            archive.conn.execute(
                "UPDATE snapshots SET started_at = ?", (f"2026-01-0{5 - paths.index(path)}T00:00:00",)
            )
            if words[-1] != "delta":
                link_file_to_blob(
                    archive,
                    writer.endpoint,
                    "file-alpha",
                    store_blob(archive, [words[-1].encode()]),
                    "download",
                )
    with Archive.open(paths[0], write=True) as archive:
        build_index(archive)
    merged(paths[0], *paths[1:])
    with Archive.open(paths[0], write=True) as archive:
        numbers = {
            word: [
                n
                for (n,) in archive.conn.execute("SELECT id FROM snapshots")
                if found(archive, f"{word} kind:message", n)
            ]
            for word in ("alpha", "beta", "gamma", "delta")
        }
        assert [len(numbers[word]) for word in ("alpha", "beta", "gamma", "delta")] == [2, 1, 1, 1]
        assert check_archive(archive.conn).damage == ()
    merged(tmp_path / "new.db", *paths)
    with Archive.open(tmp_path / "new.db") as archive:
        assert not has_text_index(archive.conn)


def test_bytes_alone_that_a_merge_brings_are_indexed(tmp_path: Path) -> None:
    """The same snapshot in two archives, of which only one has the bytes of its file."""
    paths = [tmp_path / "with.db", tmp_path / "without.db"]
    with Archive.open(paths[0], write=True, create=True) as archive:
        writer = write(archive, said("alpha"))
    paths[1].write_bytes(paths[0].read_bytes())
    with Archive.open(paths[0], write=True) as archive:
        link_file_to_blob(archive, writer.endpoint, "file-alpha", store_blob(archive, [b"zeta"]), "download")
    with Archive.open(paths[1], write=True) as archive:
        build_index(archive)
        assert found(archive, "zeta") == []
    merged(paths[1], paths[0])
    with Archive.open(paths[1]) as archive:
        assert found(archive, "zeta") == ["file-alpha"]
        assert check_archive(archive.conn).damage == ()
