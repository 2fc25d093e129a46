"""Which rows of a listing were seen before: exact for few, by hashes for many."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import pytest

from migrate.endpoints.http import pagination
from migrate.endpoints.http.pagination import MAX_PLAIN_IDS, SeenIds


@pytest.mark.parametrize("count", [MAX_PLAIN_IDS - 1, MAX_PLAIN_IDS, MAX_PLAIN_IDS + 1, 3 * MAX_PLAIN_IDS])
def test_an_id_is_new_once(count: int) -> None:
    ids, known = [f"msg_{n:05}" for n in range(count)], SeenIds()
    assert all(known.add(id_) for id_ in ids)
    assert not any(known.add(id_) for id_ in ids)
    assert known.add("another")


def test_half_of_a_character_pair_is_an_id_like_others() -> None:
    known = SeenIds()
    ids = [f"\ud800{n}" for n in range(MAX_PLAIN_IDS + 1)]
    assert all(known.add(id_) for id_ in ids)
    assert not known.add(ids[0])


def test_bytes_across_two_hashes_are_no_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of one and the beginning of the next look like a third."""
    given = {"one": b"a" * 6 + b"b" * 6, "two": b"c" * 6 + b"d" * 6, "across": b"b" * 6 + b"c" * 6}

    class Chosen:
        def __init__(self, data: bytes, digest_size: int) -> None:
            self._mark = given.get(data.decode()) or blake2b(data, digest_size=digest_size).digest()

        def digest(self) -> bytes:
            return self._mark

    chosen: Any = Chosen
    monkeypatch.setattr(pagination, "blake2b", chosen)
    monkeypatch.setattr(pagination, "ID_HASH_BUCKETS", 1)
    monkeypatch.setattr(pagination, "MAX_PLAIN_IDS", 0)
    known = SeenIds()
    assert [known.add(id_) for id_ in given] == [True, True, True]
    assert [known.add(id_) for id_ in given] == [False, False, False]
