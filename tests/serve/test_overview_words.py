"""Changes of members in words, for every count."""

from __future__ import annotations

import pytest

from migrate.model.results.overview import KindChange, MemberChange
from migrate.serve.pages.overview import members_text


@pytest.mark.parametrize(
    ("parents", "added", "removed", "changed", "words"),
    [
        (0, 0, 0, 0, ""),
        (1, 1, 0, 0, "1 new message in 1 thread"),
        (2, 1, 0, 0, "1 new message in 2 threads"),
        (1, 2_000, 0, 0, "2,000 new messages in 1 thread"),
        (1, 0, 1, 0, "1 removed message in 1 thread"),
        (3, 0, 2, 0, "2 removed messages in 3 threads"),
        (1, 0, 0, 1, "1 changed message in 1 thread"),
        (2, 3, 1, 0, "3 new messages, 1 removed, in 2 threads"),
        (2, 3, 1, 2, "3 new messages, 1 removed, 2 changed, in 2 threads"),
        (2, 0, 1, 2, "1 removed message, 2 changed, in 2 threads"),
        (1, 0, 0, 0, "the messages are in another order in 1 thread"),
    ],
)
def test_counted_members(parents: int, added: int, removed: int, changed: int, words: str) -> None:
    members = MemberChange("message", parents, added - removed, added, removed, changed)
    assert members_text(KindChange("thread", members=members)) == words


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (1, "at least 1 new file in 5,000 vector stores"),
        (7, "at least 7 new files in 5,000 vector stores"),
        (-1, "at least 1 removed file in 5,000 vector stores"),
        (0, "other files in 5,000 vector stores"),
    ],
)
def test_more_than_was_counted(more: int, words: str) -> None:
    members = MemberChange("vector_store_file", 5_000, more, None, None, None)
    assert members_text(KindChange("vector_store", members=members)) == words
