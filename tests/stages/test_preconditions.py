"""What counts as a change by others since a plan was made."""

from __future__ import annotations

import pytest

from migrate.stages.apply.preconditions import changes_by_others

FILE, OTHER = ("file", "", "file-1"), ("file", "", "file-2")
STORE, MEMBER = ("vector_store", "", "vs-1"), ("vector_store_file", "vs-1", "file-1")


@pytest.mark.parametrize(
    ("planned", "present", "written", "created", "changes"),
    [
        ({FILE: "a"}, {FILE: "a"}, set(), set(), []),
        ({FILE: "a"}, {FILE: "b"}, set(), set(), [(FILE, "was changed")]),
        ({FILE: "a"}, {}, set(), set(), [(FILE, "was deleted")]),
        ({}, {OTHER: "a"}, set(), set(), [(OTHER, "was added")]),
        ({FILE: "a"}, {FILE: "b"}, {FILE}, {FILE}, []),
        ({}, {OTHER: "a"}, set(), {OTHER}, []),
        ({}, {STORE: "a", MEMBER: "b"}, set(), {STORE}, []),
        ({STORE: "a"}, {STORE: "a", MEMBER: "b"}, set(), set(), [(MEMBER, "was added")]),
        ({FILE: "a"}, {OTHER: "b"}, set(), set(), [(FILE, "was deleted"), (OTHER, "was added")]),
    ],
)
def test_changes_by_others(
    planned: dict[tuple[str, str, str], str],
    present: dict[tuple[str, str, str], str],
    written: set[tuple[str, str, str]],
    created: set[tuple[str, str, str]],
    changes: list[tuple[tuple[str, str, str], str]],
) -> None:
    assert list(changes_by_others(planned, present, written, created)) == changes
