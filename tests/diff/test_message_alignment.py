"""Alignment of the messages of two threads: each message once, in bounded work, near the optimum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.model import Entity
from migrate.model.message import ITEM_ROLE
from migrate.model.normalize import json_digest
from migrate.stages.diff import member_comparison
from migrate.stages.diff.member_comparison import PositionPair, align_by_content

WORDS = st.lists(st.sampled_from(["yes", "no", "item", "why?"]), max_size=12)


def thread(words: list[str]) -> list[Entity]:
    """A message for each word; `item` is an item that is no message."""
    return [
        Entity(
            "message", f"m{n}", "t", {"role": ITEM_ROLE if word == "item" else "user", "content": _said(word)}
        )
        for n, word in enumerate(words)
    ]


def _said(word: str) -> list[object]:
    return [{"type": "text", "text": {"value": word}}]


def paired(left: list[str], right: list[str]) -> list[PositionPair]:
    return list(align_by_content(thread(left), thread(right)))


@given(WORDS, WORDS)
def test_every_message_is_in_one_pair_and_pairs_do_not_cross(left: list[str], right: list[str]) -> None:
    pairs = paired(left, right)
    assert sorted(one for one, _ in pairs if one is not None) == list(range(len(left)))
    assert sorted(other for _, other in pairs if other is not None) == list(range(len(right)))
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    assert [other for _, other in sorted(both)] == sorted(other for _, other in both)
    assert all((left[one] == "item") == (right[other] == "item") for one, other in both)


@given(WORDS, st.data())
def test_one_message_that_is_missing_is_one_difference(words: list[str], data: st.DataObject) -> None:
    words = ["begin", *words]
    gone = data.draw(st.integers(0, len(words) - 1))
    pairs = paired(words, words[:gone] + words[gone + 1 :])
    assert [other for _, other in pairs].count(None) == 1
    rest = words[:gone] + words[gone + 1 :]
    assert all(words[one] == rest[other] for one, other in pairs if one is not None and other is not None)


class _Counted(str):
    """A fingerprint that counts how often it is compared with another."""

    times = 0

    def __eq__(self, other: object) -> bool:
        _Counted.times += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_a_few_repeated_texts_are_bounded_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_comparison, "json_digest", lambda value: _Counted(json_digest(value)))
    monkeypatch.setattr(_Counted, "times", 0)
    number = 1_000
    pairs = paired(["yes", "no"] * number, ["yes", "why?"] * number)
    assert len(pairs) >= 2 * number
    assert _Counted.times < 200 * number
