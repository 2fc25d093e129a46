"""One flipped bit anywhere in the stored bodies and bytes is found, every time, in the file itself."""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from migrate.archive import Archive, packs
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.check.integrity import check_archive
from migrate.archive.packs import register_sql_functions
from migrate.errors import MigrateError
from migrate.model.results.archive import CheckResult
from migrate.model.sample import Sample
from tests.archive.filling import Listing, tamper, write

FLIPS = 220
# A stored blob is located in the file by this many of its bytes.
WINDOW = 16
CHANCE = random.Random(20260417)


def text(words: int) -> str:
    return " ".join(hashlib.sha256(bytes([n % 256, words % 256])).hexdigest()[:9] for n in range(words))


MESSAGES = [
    {"id": f"msg_{n:03}", "role": "user", "content": [{"type": "text", "text": {"value": text(n * 7 % 90)}}]}
    for n in range(60)
]
LISTINGS: list[Listing] = [
    ("file", "", [{"id": "file-a", "filename": "a.bin"}, {"id": "file-b", "filename": "b.bin"}]),
    ("assistant", "", [{"id": "asst_1", "name": "Überblick", "instructions": text(2000)}]),
    ("thread", "", [{"id": "thread_1"}]),
    ("message", "thread_1", MESSAGES),
]
CONTENT = {
    "file-a": [CHANCE.randbytes(3000), CHANCE.randbytes(12000)],
    "file-b": [CHANCE.randbytes(700)],
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flips") / "estate.db"
    with Archive.open(path, write=True, create=True) as archive, pytest.MonkeyPatch.context() as patch:
        patch.setattr(packs, "FULL_PACK_BYTES", 1500)
        writer = write(archive, LISTINGS)
        write(archive, LISTINGS[:2])
        for id_, pieces in CONTENT.items():
            link_file_to_blob(archive, writer.endpoint, id_, store_blob(archive, pieces), "download")
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("VACUUM")  # no old copies in unused pages
    return path


@pytest.fixture
def places(whole: Path) -> list[int]:
    """Offsets in the file of bytes that belong to a body or to a piece of a file."""
    with Archive.open(whole) as archive:
        stored = [
            data
            for (data,) in archive.conn.execute("SELECT data FROM packs UNION ALL SELECT data FROM chunks")
        ]
    windows = {one[n : n + WINDOW] for one in stored for n in range(len(one) - WINDOW + 1)}
    raw = whole.read_bytes()
    starts = (n for n in range(len(raw) - WINDOW + 1) if raw[n : n + WINDOW] in windows)
    found = sorted({n + step for n in starts for step in range(WINDOW)})
    assert len(found) > 0.95 * sum(map(len, stored)), "the test looks at nearly everything"
    return found


def checked(path: Path, sample: Sample | None = None) -> CheckResult | MigrateError:
    try:
        with Archive.open(path) as archive:
            return check_archive(archive.conn, sample)
    except MigrateError as error:
        return error


def flips(raw: bytes, places: list[int], copy: Path, count: int = FLIPS) -> Iterator[int]:
    """Flip one bit of the copy at a time; yields the offset."""
    copy.write_bytes(raw)
    chance = random.Random(7)
    with copy.open("r+b", buffering=0) as file:
        for place in chance.sample(places, count):
            file.seek(place)
            file.write(bytes([raw[place] ^ (1 << chance.randrange(8))]))
            yield place
            file.seek(place)
            file.write(raw[place : place + 1])


def test_every_flipped_bit_is_found(whole: Path, places: list[int], tmp_path: Path) -> None:
    unseen = []
    for place in flips(whole.read_bytes(), places, tmp_path / "copy.db"):
        said = checked(tmp_path / "copy.db")
        if isinstance(said, CheckResult) and not said.damage:
            unseen.append(place)
    assert not unseen
    said = checked(tmp_path / "copy.db")
    assert isinstance(said, CheckResult)
    assert said.damage == (), "the last flip was taken back"


def test_what_is_found_is_reported_with_its_snapshots(whole: Path, places: list[int], tmp_path: Path) -> None:
    """A flip in the text of a body or in the bytes of a file, not in SQLite's own data around them."""
    named = 0
    for _ in flips(whole.read_bytes(), places, tmp_path / "copy.db"):
        said = checked(tmp_path / "copy.db")
        assert isinstance(said, CheckResult)
        rows = [damage for damage in said.damage if damage.what in ("bodies", "bytes")]
        named += bool(rows)
        for damage in rows:
            kind = damage.which.split()[0]
            assert damage.snapshots == ((1, 2) if kind in ("file", "assistant", "of") else (1,)), damage
    assert named > 0.98 * FLIPS


def test_no_flip_anywhere_in_the_file_ends_in_a_traceback(whole: Path, tmp_path: Path) -> None:
    raw = whole.read_bytes()
    chance = random.Random(11)
    head = [n for n in range(16, 100) if n not in range(24, 28)]
    for places in (head, range(100, len(raw))):
        for _ in flips(raw, list(places), tmp_path / "copy.db", min(FLIPS, len(places))):
            checked(tmp_path / "copy.db", Sample(50, chance.randrange(9)))


def damaged(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        register_sql_functions(conn)
        tamper(conn, "asst_1", lambda text: text.replace("Überblick", "Überblock"))
        conn.commit()


def test_a_sample_is_as_large_as_was_asked_and_the_same_for_the_same_seed(
    whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "estate.db"
    path.write_bytes(whole.read_bytes())
    damaged(path)
    with Archive.open(path) as archive:
        (most,) = archive.conn.execute("SELECT max(held) FROM packs").fetchone()
    seen = []
    for seed in range(30):
        first, again = checked(path, Sample(10, seed)), checked(path, Sample(10, seed))
        assert first == again
        assert isinstance(first, CheckResult)
        assert 7 <= first.bodies < 7 + most, "a pack is looked at whole"
        assert (first.all_bodies, first.blobs, first.all_blobs) == (64, 1, 2)
        assert (first.manifests, first.all_manifests) == (1, 4)
        seen.append(bool(first.damage))
    assert any(seen), "some sample has the damaged body in it"
    assert not all(seen), "and most have not"
    all_of_it = checked(path, Sample(100, 1))
    assert isinstance(all_of_it, CheckResult)
    assert all_of_it.damage
    assert all_of_it.bodies == 64


def test_a_sample_leaves_no_span_and_no_reference_out(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    for change, what in (
        ("UPDATE manifests SET sha = zeroblob(32) WHERE id = 4", "snapshot"),
        ("UPDATE spans SET ordinal = ordinal + 1 WHERE manifest_id = 4 AND ordinal > 20", "listing"),
        ("DELETE FROM listed WHERE snapshot_id = 2", "snapshot"),
        ("DELETE FROM blobs WHERE id = 2", "reference"),
    ):
        path.write_bytes(whole.read_bytes())
        with closing(sqlite3.connect(path)) as conn:
            conn.execute(change)
            conn.commit()
        said = checked(path, Sample(1, 3))
        assert isinstance(said, CheckResult)
        assert what in [damage.what for damage in said.damage]


def test_the_document_names_the_sample(whole: Path) -> None:
    from migrate.reports.commands.archive import check_document, check_text

    said = checked(whole, Sample(5, 12))
    document = json.loads(json.dumps(check_document(said)))
    assert document["sample"] == {"percent": 5, "seed": 12}
    assert "--seed 12" in check_text(said)
    assert isinstance(said, CheckResult)
    assert f"{said.bodies} of 64 bodies" in check_text(said)
    assert 4 <= said.bodies < 64
