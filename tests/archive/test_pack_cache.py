"""Unpacked packs that readers share: each is unpacked once, and none of them outlives its content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrate.archive import Archive
from migrate.archive import packs as packs_module
from migrate.archive.forget import forget_snapshots
from migrate.archive.pack_cache import MAX_KEPT_PACK_BYTES, PackCache, count_chars, memory_bytes
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from tests.archive.filling import write


def bodies(archive: Archive, number: int, cache: PackCache) -> list[Any]:
    """The assistants of a snapshot, by a reader of its own."""
    return list(SnapshotReader(archive.conn, list_snapshots(archive.conn)[number], cache).bodies("assistant"))


def test_readers_unpack_a_pack_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    unpack = packs_module.split_bodies

    def split(plain: bytes) -> list[str]:
        seen.append(len(plain))
        return unpack(plain)

    with Archive.open(tmp_path / "a.db", write=True, create=True) as archive:
        write(archive)
        monkeypatch.setattr(packs_module, "split_bodies", split)
        cache = PackCache(10_000)
        assert bodies(archive, 0, cache) == bodies(archive, 0, cache)
        assert len(seen) == 1
        bodies(archive, 0, PackCache(10_000))
        assert len(seen) == 2


def test_a_pack_that_lost_bodies_is_another_one(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "a.db", write=True, create=True) as archive:
        for name in ("first", "second"):
            write(archive, [("assistant", "", [{"id": "asst_1", "name": name}])])
        cache = PackCache(10_000)
        first, second = (SnapshotReader(archive.conn, info, cache) for info in list_snapshots(archive.conn))
        assert [body["name"] for reader in (first, second) for _, body in reader.bodies("assistant")] == [
            "first",
            "second",
        ]
        forget_snapshots(archive, [1])
        kept = SnapshotReader(archive.conn, list_snapshots(archive.conn)[0], cache)
        assert [name for _, name, _ in kept._bodies.find_by_id("asst_1")] == ["assistant"]
        assert (
            kept._bodies.read(next(kept._bodies.find_by_id("asst_1"))[0])[1]
            == '{"id":"asst_1","name":"second"}'
        )
        texts = kept._bodies.pack(1, 1)[1]
        assert "first" not in "".join(texts)


def test_the_oldest_packs_make_room() -> None:
    packs = {bytes([n]): ("message", ["x" * 4]) for n in range(3)}
    cache = PackCache(5 * memory_bytes(packs[b"\x00"]) // 2)
    for sha, unpacked in packs.items():
        cache.add(sha, unpacked)
        assert cache.get(b"\x00") is (packs[b"\x00"])
    assert cache.get(b"\x01") is None
    assert cache.get(b"\x02") == packs[b"\x02"]
    cache.add(b"larger than all", ("message", ["x" * 400]))
    assert cache.get(b"larger than all") is None
    assert count_chars(packs[b"\x00"]) == 4


def test_a_giant_pack_takes_no_room() -> None:
    cache = PackCache(1 << 30)
    for sha, body in ((b"small", "x"), (b"giant", "x" * MAX_KEPT_PACK_BYTES)):
        cache.add(sha, ("message", [body]))
    assert cache.get(b"small")
    assert cache.get(b"giant") is None


def test_a_character_outside_of_latin_takes_more_room() -> None:
    texts = ("x" * 1000, "\u0411" * 1000, "\U0001f600" * 1000)
    sizes = [memory_bytes(("message", [text])) for text in texts]
    assert [round((size - sizes[0]) / 1000) for size in sizes] == [0, 1, 3]
