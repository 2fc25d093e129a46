"""The pieces of a word diff add up to both texts and show what changed, in bounded work."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.model.sequence_diff import MAX_SEARCH_STEPS, SearchBudget, diff_sequences
from migrate.reports.word_diff import (
    ADDED,
    HIDDEN,
    REMOVED,
    SAME,
    DiffPiece,
    fold_unchanged,
    hidden_label,
    word_diff,
)

few = st.text(st.sampled_from("ab ,.\n花水\t\ud800é"), max_size=60)
texts = few | st.text(max_size=200)


def joined(pieces: list[DiffPiece], *kinds: str) -> str:
    return "".join(text for kind, text in pieces if kind in kinds)


@given(texts, texts)
def test_the_pieces_are_both_texts(left: str, right: str) -> None:
    found = word_diff(left, right)
    assert joined(found, SAME, REMOVED) == left
    assert joined(found, SAME, ADDED) == right
    assert all(text for _, text in found)
    kinds = [kind for kind, _ in found]
    assert all(one != other for one, other in pairwise(kinds))
    assert (ADDED, REMOVED) not in set(pairwise(kinds))


@given(texts, texts, st.integers(0, 30))
def test_folding_hides_only_what_is_the_same(left: str, right: str, around: int) -> None:
    found = word_diff(left, right)
    shown = fold_unchanged(found, around)
    assert joined(shown, SAME, HIDDEN, REMOVED) == left
    assert joined(shown, SAME, HIDDEN, ADDED) == right
    assert [piece for piece in shown if piece[0] in (ADDED, REMOVED)] == [p for p in found if p[0] != SAME]


@given(texts)
def test_equal_texts_have_no_difference(text: str) -> None:
    assert word_diff(text, text) == ([(SAME, text)] if text else [])


def test_one_word_is_one_word() -> None:
    left = "Water the roses daily.\nNever guess.\n" * 3
    right = left.replace("daily", "weekly", 1)
    assert word_diff(left, right)[1:3] == [(REMOVED, "daily"), (ADDED, "weekly")]


def test_chinese_and_japanese_go_by_character() -> None:
    assert word_diff("毎日水をやる", "毎週水をやる") == [
        (SAME, "毎"),
        (REMOVED, "日"),
        (ADDED, "週"),
        (SAME, "水をやる"),
    ]


def test_a_blank_between_two_changes_goes_with_them() -> None:
    assert word_diff("say one sentence now", "say two words now") == [
        (SAME, "say "),
        (REMOVED, "one sentence"),
        (ADDED, "two words"),
        (SAME, " now"),
    ]


def test_a_fold_shows_how_much_it_hides() -> None:
    text = "word and word\n" * 300
    shown = fold_unchanged(word_diff(text + "a", text + "b"))
    assert shown[0][0] == HIDDEN
    assert hidden_label(shown[0][1]) == f"{len(shown[0][1]):,} characters, {shown[0][1].count(chr(10))} lines"
    assert 40 < len(shown[1][1]) < 200


def numbered(count: int, step: int = 1) -> str:
    return " ".join(str(n * step % 9973) for n in range(count))


HARD = {
    "nothing in common": (numbered(50_000), "x" + numbered(50_000, 7).replace(" ", "x x")),
    "one word again and again": ("a " * 128_000, "a " * 90_000 + "b " + "a " * 30_000),
    "two words in turn": ("a b " * 64_000, "b a c " * 42_000),
    "one word between others": (
        "c c " + "a " * 100_000 + "p q " * 400,
        "g g " + "a " * 100_000 + "r s " * 400,
    ),
    "backwards": (numbered(45_000), " ".join(reversed(numbered(45_000).split()))),
    "empty lines": ("\n" * 256_000, "\n \n" * 85_000),
    "one long word": ("a" * 256_000, "b" * 256_000),
    "every other line": (numbered(40_000).replace(" ", "\n"), numbered(40_000, 2).replace(" ", "\n")),
    "by character": ("花水" * 128_000, "水花土" * 85_000),
}


@pytest.mark.parametrize("name", HARD)
def test_the_longest_instructions_stay_within_the_budget(name: str) -> None:
    left, right = HARD[name]
    found = word_diff(left, right)
    assert joined(found, SAME, REMOVED) == left
    assert joined(found, SAME, ADDED) == right


class Counted(str):
    """A word that counts how often it is compared."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)


def counted(text: str) -> Iterator[Counted]:
    return map(Counted, text.split())


@pytest.mark.parametrize("name", list(HARD)[:5])
def test_the_work_grows_with_the_length_and_not_with_its_square(name: str) -> None:
    left, right = (list(counted(text)) for text in HARD[name])
    Counted.compared = 0
    effort = SearchBudget()
    list(diff_sequences(left, right, effort))
    assert Counted.compared < 2 * MAX_SEARCH_STEPS + 20 * (len(left) + len(right))
    assert effort.steps > -MAX_SEARCH_STEPS


def test_a_search_gives_up_long_before_the_budget_is_spent() -> None:
    effort = SearchBudget()
    list(diff_sequences(["a", "b"] * 2_000, ["c", "d"] * 2_000, effort))
    assert MAX_SEARCH_STEPS // 2 < effort.steps < MAX_SEARCH_STEPS


def test_nothing_is_searched_when_the_budget_is_spent() -> None:
    left, right = list("xababab"), list("yabbaba")
    assert len(list(diff_sequences(left, right))) > 1
    assert list(diff_sequences(left, right, SearchBudget(3))) == [(False, left, right)]


def test_everything_in_common_between_many_changes_is_found() -> None:
    left = [f"word{n}" for n in range(3_000)]
    right = [f"{word}!" if n % 3 == 0 else word for n, word in enumerate(left)]
    found = list(diff_sequences(left, right))
    assert sum(len(ours) for same, ours, _ in found if same) == 2_000


def test_what_costs_too_much_is_removed_and_added() -> None:
    left, right = [f"a{n}" for n in range(400)] * 2, [f"b{n}" for n in range(400)] * 2
    assert list(diff_sequences(left, right)) == [(False, left, right)]
