"""Which rows of a listing were there before: exact for few, by hashes for many."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import pytest

from migrate.endpoints.http import pagination
from migrate.endpoints.http.pagination import FEW, Seen


@pytest.mark.parametrize("count", [FEW - 1, FEW, FEW + 1, 3 * FEW])
def test_an_id_is_new_once(count: int) -> None:
    ids, known = [f"msg_{n:05}" for n in range(count)], Seen()
    assert all(known.new(id_) for id_ in ids)
    assert not any(known.new(id_) for id_ in ids)
    assert known.new("another")


def test_half_of_a_character_pair_is_an_id_like_others() -> None:
    known = Seen()
    ids = [f"\ud800{n}" for n in range(FEW + 1)]
    assert all(known.new(id_) for id_ in ids)
    assert not known.new(ids[0])


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
    monkeypatch.setattr(pagination, "BUCKETS", 1)
    monkeypatch.setattr(pagination, "FEW", 0)
    known = Seen()
    assert [known.new(id_) for id_ in given] == [True, True, True]
    assert [known.new(id_) for id_ in given] == [False, False, False]
