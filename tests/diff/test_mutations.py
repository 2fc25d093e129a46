"""Every single change to a generated estate is reported at its path; neutral changes are not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.model.results.diff import DiffResult
from migrate.stages.diff.run import diff
from tests.diff.generated_estates import (
    ELSEWHERE,
    HERE,
    Generated,
    archive_estate,
    estates,
    journal,
    journal_pairs_of,
    other_resource,
)
from tests.diff.mutations import (
    EDITS,
    IDLE,
    Edit,
    ExpectedDifference,
    add,
    apply_edit,
    make_neutral_changes,
    remove,
)
from tests.strategies import few

KINDS = ("file", "vector_store", "vector_store_file", "assistant", "thread", "message")
steady = few(6)
chances = st.integers(0, 999).map(random.Random)


@pytest.fixture(scope="module")
def archive() -> Iterator[Archive]:
    with Archive.temporary() as opened:
        yield opened


def compared(archive: Archive, before: Generated, after: Generated, moved: bool) -> DiffResult:
    """Both estates as snapshots. With `moved` the second one is of another resource and has other ids."""
    left = archive_estate(archive, before, HERE)
    if not moved:
        return diff(left, archive_estate(archive, after, HERE))
    return diff(
        left, archive_estate(archive, other_resource(after), ELSEWHERE), journal_pairs_of(journal(before))
    )


def reported_changes(found: DiffResult, moved: bool) -> set[ExpectedDifference]:
    """The reported differences, with left ids."""
    assert not found.unread
    rows = set()
    for change in found.changes:
        id_ = change.left_id or change.right_id
        for path in change.paths:
            rows.add((change.kind, id_, change.action, path.path))
        if not change.paths:
            rows.add((change.kind, id_.removeprefix("new-") if moved else id_, change.action, ""))
    return rows


@pytest.mark.exhaustive(12)
@pytest.mark.parametrize("moved", [False, True], ids=["in place", "elsewhere"])
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
@steady
@given(made=estates(), chance=chances)
def test_a_changed_field_is_reported_at_its_path(
    archive: Archive, edit: Edit, moved: bool, made: Generated, chance: random.Random
) -> None:
    after = made.copy()
    expected = apply_edit(edit, after, chance)
    assert reported_changes(compared(archive, made, after, moved), moved) == expected


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("moved", [False, True], ids=["in place", "elsewhere"])
@pytest.mark.parametrize("how", [remove, add])
@pytest.mark.parametrize("kind", KINDS)
@steady
@given(made=estates(), chance=chances)
def test_an_added_or_removed_object_is_reported(
    archive: Archive,
    kind: str,
    how: Callable[[str, Generated, random.Random], set[ExpectedDifference]],
    moved: bool,
    made: Generated,
    chance: random.Random,
) -> None:
    after = made.copy()
    expected = how(kind, after, chance)
    assert reported_changes(compared(archive, made, after, moved), moved) == expected


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("moved", [False, True], ids=["in place", "elsewhere"])
@pytest.mark.parametrize("how", IDLE, ids=lambda how: how.__name__)
@steady
@given(made=estates(), chance=chances)
def test_a_neutral_change_is_not_reported(
    archive: Archive, how: Callable[..., None], moved: bool, made: Generated, chance: random.Random
) -> None:
    after = made.copy()
    make_neutral_changes(after, chance, how)
    found = compared(archive, made, after, moved)
    assert not reported_changes(found, moved)
    assert sum(found.compared.values()) == sum(len(list(made.of(kind))) for kind in KINDS)
