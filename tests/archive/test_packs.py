"""Bodies in packs: each is stored once and read back exactly, in whatever order they were written."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive import Archive, packs
from migrate.archive import bodies as archive_bodies
from migrate.archive.bodies import BodyRow
from migrate.archive.check.integrity import check_archive
from migrate.archive.packs import BodyReader, Pack, PackDamaged, compress, decompress, split_bodies
from migrate.archive.snapshots.writer import SnapshotWriter
from tests.archive import filling
from tests.archive.filling import TYPE, URL, reader, tamper, write
from tests.strategies import steady

SEVERAL = 300
texts = st.text(st.characters(exclude_categories=()), max_size=30)
bodies = st.fixed_dictionaries(
    {"id": st.sampled_from("abc"), "text": texts | st.sampled_from(["x", ",\n", "],\n["])}
)
pages = st.lists(
    st.tuples(st.sampled_from(["t1", "t2"]), st.lists(bodies, max_size=6), st.booleans()), max_size=12
)


@steady
@given(given_pages=pages, large=st.sampled_from([1, 100, 1 << 15]), waiting=st.sampled_from([1, 3, 20_000]))
def test_whatever_comes_is_read_back_in_order_and_kept_once(
    given_pages: list[tuple[str, list[Any], bool]], large: int, waiting: int
) -> None:
    """For any size of packs, any number of waiting keys, and with or without a common commit of pages."""
    with pytest.MonkeyPatch.context() as patch, Archive.temporary() as archive:
        patch.setattr(packs, "FULL_PACK_BYTES", large)
        patch.setattr(packs, "MAX_PENDING_KEYS", waiting)
        writer = SnapshotWriter.begin(archive, TYPE, URL, {}, None)
        expected: dict[str, list[Any]] = {"t1": [], "t2": []}
        for parent, page, together in given_pages:
            half = len(page) // 2 if together else 0
            with archive.single_transaction():
                for part in (page[:half], page[half:]):
                    writer.add_page(
                        "message", parent, [BodyRow.from_json("message", body) for body in part], ""
                    )
            expected[parent] += page
        for parent, whole in expected.items():
            assert writer.bodies("message", parent) == whole
        distinct = {json.dumps(body) for whole in expected.values() for body in whole}
        (known,) = archive.conn.execute("SELECT count(*) FROM known").fetchone()
        assert known == len(distinct) == archive.packer.added


def test_keys_do_not_wait_for_the_end_of_a_long_transaction(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "MAX_PENDING_KEYS", 10)
    seen = []
    with archive.transaction() as conn:
        for n in range(25):
            archive.packer.store("message", [BodyRow.from_json("message", {"id": f"m{n}"})])
            seen.append(conn.execute("SELECT count(*) FROM known").fetchone()[0])
    assert seen == [n // 10 * 10 for n in range(1, 26)]


def fill(archive: Archive, count: int = SEVERAL, each: int = 2) -> None:
    """Many listings of few messages, one commit each."""
    writer = SnapshotWriter.begin(archive, TYPE, URL, {}, None)
    for n in range(count):
        page = [{"id": f"msg_{n}_{place}", "role": "user", "content": f"number {n}"} for place in range(each)]
        writer.add_page("message", f"thread_{n}", [BodyRow.from_json("message", body) for body in page], "")
        writer.end_listing("message", f"thread_{n}")
    writer.finish("complete", "")


def test_small_listings_share_packs(archive: Archive) -> None:
    fill(archive)
    plain, packed = archive.conn.execute("SELECT sum(size), sum(length(data)) FROM packs").fetchone()
    assert filling.rows(archive, "packs") <= -(-plain // packs.FULL_PACK_BYTES)
    assert packed < plain / 5
    assert check_archive(archive.conn).damage == ()


def test_a_pack_that_grows_is_whole_after_every_commit(archive: Archive) -> None:
    """Another connection, which caches unpacked bodies, reads each page after its commit."""
    writer = SnapshotWriter.begin(archive, TYPE, URL, {}, None)
    other = archive.open_read_connection()
    seen = BodyReader(other)
    for n in range(20):
        writer.add_page("assistant", "", [BodyRow.from_json("assistant", {"id": f"asst_{n}"})], "")
        (manifest,) = other.execute("SELECT manifest_id FROM scopes").fetchone()
        assert [json.loads(text)["id"] for _, text in seen.listing(manifest)] == [
            f"asst_{k}" for k in range(n + 1)
        ]
    assert filling.rows(archive, "packs") == 1
    other.close()


def test_bodies_whose_keys_are_equal_by_chance_are_two(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_bodies, "body_key", lambda object_id, sha: 7)
    monkeypatch.setattr(packs, "body_key_range", lambda object_id: (7, 7))
    page = [{"id": f"asst_{n % 3}", "version": n} for n in range(9)]
    listings = [("assistant", "", page), ("run", "t", page)]
    write(archive, listings)
    write(archive, listings, options={"again": 1})
    for number in (0, 1):
        assert [body for _, body in reader(archive, number).bodies("assistant")] == page
        assert [body["version"] for _, _, body in reader(archive, number).find("asst_1")] == [1, 4, 7] * 2
    assert filling.rows(archive, "known") == 18
    assert check_archive(archive.conn).damage == ()


def test_what_was_rolled_back_is_stored_again(archive: Archive) -> None:
    writer = SnapshotWriter.begin(archive, TYPE, URL, {}, None)
    writer.add_page("assistant", "", [BodyRow.from_json("assistant", {"id": "asst_1"})], "1")

    def fail() -> None:
        with archive.single_transaction():
            writer.add_page(
                "assistant", "", [BodyRow.from_json("assistant", {"id": f"asst_{n}"}) for n in range(9)], "2"
            )
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    writer.add_page("assistant", "", [BodyRow.from_json("assistant", {"id": "asst_2"})], "3")
    writer.end_listing("assistant")
    writer.finish("complete", "")
    assert [body["id"] for _, body in reader(archive).bodies("assistant")] == ["asst_1", "asst_2"]
    assert check_archive(archive.conn).damage == ()


def test_a_pack_has_so_many_places(archive: Archive) -> None:
    page = [{"id": f"{n:04}"} for n in range(packs.BODIES_PER_PACK + 5)]
    write(archive, [])
    writer = SnapshotWriter.begin(archive, TYPE, URL, {}, None)
    writer.add_page("run", "t", [BodyRow.from_json("run", body) for body in page], "")
    assert writer.bodies("run", "t") == page
    assert [count for (count,) in archive.conn.execute("SELECT count FROM packs")] == [
        packs.BODIES_PER_PACK,
        5,
    ]
    assert writer.parents_of("run", f"{packs.BODIES_PER_PACK + 1:04}") == ["t"]


def test_memory_of_what_was_unpacked_is_bounded(archive: Archive) -> None:
    fill(archive, 40, 50)
    bodies = BodyReader(archive.conn)
    for (manifest,) in archive.conn.execute("SELECT manifest_id FROM scopes").fetchall() * 3:
        assert len(list(bodies.listing(manifest))) == 50
        assert bodies._cached_chars <= packs.MAX_CACHED_CHARS
        assert bodies._cached_chars == sum(len(text) for _, texts in bodies._cache.values() for text in texts)


@given(st.binary(max_size=3000))
def test_what_is_squeezed_comes_back(plain: bytes) -> None:
    data = compress(plain)
    assert len(data) <= len(plain)
    assert decompress(data, len(plain)) == plain
    assert len(compress(plain * 50 + b"\0" * 200)) < len(plain * 50) + 200


def test_a_pack_is_a_json_array() -> None:
    texts = ['{"id":"a"}', '{"id":"b","text":"],\\n["}']
    pack = Pack.from_bodies("run", [text.encode() for text in texts])
    plain = decompress(pack.data, pack.size)
    assert json.loads(plain) == [json.loads(text) for text in texts]
    assert split_bodies(plain) == texts


@pytest.mark.parametrize(
    ("data", "size"), [(b"x\x9c", 9), (b"", 3), (compress(b"a" * 99), 98), (b"\xff", 400)]
)
def test_what_cannot_be_unpacked_is_damage(data: bytes, size: int) -> None:
    with pytest.raises(PackDamaged):
        decompress(data, size)


def test_a_body_that_is_not_there_is_damage(archive: Archive) -> None:
    write(archive)
    for number in (99 << 10, 1 << 10 | 5):
        with pytest.raises(PackDamaged):
            BodyReader(archive.conn).read(number)


SQL = "SELECT id, role, text, json_extract(body, '$.role') AS said FROM messages ORDER BY ordinal"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    filling.filled(tmp_path / "estate.db")
    return tmp_path / "estate.db"


def test_sqlite_utils_reads_the_views_by_itself(path: Path) -> None:
    call = [str(Path(sys.executable).with_name("sqlite-utils")), "query", str(path), SQL]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert [row["text"] for row in json.loads(done.stdout)] == ["Hello\n[image_file]", "No."]


def test_a_plain_connection_needs_the_function(path: Path) -> None:
    conn = sqlite3.connect(path)
    with pytest.raises(sqlite3.OperationalError, match="sqlar_uncompress"):
        conn.execute(SQL)
    conn.close()


def test_the_shell_of_sqlite_reads_the_views(path: Path) -> None:
    """With the sqlite3 shell if it has this function; otherwise only the function is checked."""
    shell = shutil.which("sqlite3")
    built_in = shell and subprocess.run(
        [shell, ":memory:", "SELECT sqlar_uncompress(x'00', 1)"], capture_output=True
    )
    if built_in and built_in.returncode == 0:
        done = subprocess.run(
            [shell or "", "-readonly", str(path), SQL], capture_output=True, text=True, check=True
        )
        said = done.stdout
    else:
        with Archive.open(path) as archive:
            said = "\n".join("|".join(row) for row in archive.conn.execute(SQL)) + "\n"
    assert said == "msg_1|user|Hello\n[image_file]|user\nmsg_2|assistant|No.|assistant\n"


def test_a_tampered_text_is_not_what_it_was(path: Path) -> None:
    """Checks the helper `tamper` of these tests."""
    with Archive.open(path, write=True) as archive:
        tamper(archive.conn, "msg_1", lambda text: text.replace("Hello", "Hallo"))
        assert "Hallo" in str(reader(archive).find("msg_1"))


def test_bodies_with_a_word_are_found_in_the_listings_of_their_snapshot(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "FULL_PACK_BYTES", 200)
    words = ("file-a", "file-ü")
    messages = [{"id": f"msg_{n}", "text": (*words, "file-b", "")[n // 5 % 4] * (n % 3)} for n in range(40)]
    first = [("message", "t1", messages[:20]), ("message", "t2", [messages[0], *messages[20:30]])]
    write(archive, [*first, ("run", "t1", [{"id": "run_1", "text": "file-a"}])])
    write(archive, [("message", "t1", messages[10:20]), ("message", "t3", messages[30:])])
    for number in range(2):
        snapshot = reader(archive, number)
        for asked in (words, words[:1], words[1:], ("nothing",), ()):
            expected = [row for row in snapshot.texts("message", None) if any(w in row[1] for w in asked)]
            assert sorted(snapshot.texts_with("message", asked)) == sorted(expected)
        assert expected == []
    assert list(reader(archive, 0).texts_with("run", words)) == [("t1", '{"id":"run_1","text":"file-a"}')]


def test_one_object_that_is_listed_thousands_of_times(archive: Archive) -> None:
    same = {"id": "a", "text": "same"}
    write(archive, [("file", "", [same] * 3_000)])
    assert [body for _, body in reader(archive).bodies("file", "")] == [same] * 3_000
    assert archive.conn.execute("SELECT sum(count) FROM packs").fetchone()[0] == 1
