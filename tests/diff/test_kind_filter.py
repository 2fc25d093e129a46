"""`--kind` for a kind with a parent: a parent that is not compared must not hide differences."""

from __future__ import annotations

import pytest

from migrate.archive import Archive
from migrate.archive.bodies import BodyRow
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.errors import BadUsage
from migrate.stages.diff.run import diff
from migrate.stages.diff.scope import DiffScope
from migrate.stages.estate import Estate
from migrate.stages.filters import ObjectFilter
from tests.diff.generated_estates import ELSEWHERE, HERE, archive_estate
from tests.diff.small_estates import archive_of, changes_of, compared, message, thread

ALONE = DiffScope(kinds=frozenset({"message"}))
TALK = archive_of(
    thread=[thread("thread_1"), thread("thread_2")],
    message_of_thread_1=[message("msg_1", "Hello"), message("msg_2", "Bye")],
    message_of_thread_2=[message("msg_3", "Good morning")],
)
LESS = archive_of(
    thread=[thread("thread_1")], message_of_thread_1=[message("msg_1", "Hello"), message("msg_2", "Bye")]
)


@pytest.mark.parametrize("places", [(HERE, HERE), (HERE, ELSEWHERE)])
def test_messages_of_a_thread_that_one_side_lacks_differ(places: tuple[str, str]) -> None:
    removed = compared(TALK, LESS, places, ALONE)
    assert changes_of(removed) == [("message", "removed", "msg_3", "")]
    assert removed.compared == {"message": 3}
    assert changes_of(compared(LESS, TALK, places, ALONE)) == [("message", "added", "", "msg_3")]
    assert changes_of(compared(TALK, TALK, places, ALONE)) == []


def test_messages_are_compared_with_their_thread() -> None:
    assert changes_of(compared(TALK, LESS)) == [("thread", "removed", "thread_2", "")]


def test_threads_that_were_not_listed_are_a_gap_of_their_messages() -> None:
    """Without the list it is unknown which messages are missing."""
    with Archive.temporary() as one, Archive.temporary() as other:
        writer = SnapshotWriter.begin(other, "azure-openai", HERE, {}, None)
        writer.add_page("thread", "", [BodyRow.from_json("thread", thread("thread_1"))], "")
        writer.end_listing("thread", "", "failed", "the service is down")
        writer.finish("partial", "")
        right = Estate(SnapshotReader(other.conn, list_snapshots(other.conn)[-1]))
        found = diff(archive_estate(one, TALK), right, scope=ALONE)
    assert found.exit_code == 3
    assert "thread * on the right: the service is down" in found.unread


@pytest.mark.parametrize("kind", ["run", "run_step"])
def test_runs_of_two_places_are_not_a_comparison_of_nothing(kind: str) -> None:
    with pytest.raises(BadUsage, match=f"--kind {kind}"):
        compared(TALK, TALK, scope=DiffScope(kinds=frozenset({kind})))
    assert compared(TALK, TALK, (HERE, HERE), DiffScope(kinds=frozenset({kind}))).exit_code == 0


@pytest.mark.parametrize("places", [(HERE, HERE), (HERE, ELSEWHERE)])
@pytest.mark.parametrize("kinds", [frozenset[str](), frozenset({"message"})])
def test_messages_are_chosen_by_their_ids(places: tuple[str, str], kinds: frozenset[str]) -> None:
    """Also messages of a thread that the other side does not have."""
    rest = archive_of(thread=[thread("thread_1")], message_of_thread_1=[message("msg_1", "Hello")])
    other = DiffScope(
        kinds=kinds,
        object_filter=ObjectFilter.parse(exclude=["message:msg_2", "message:msg_3", "thread:thread_2"]),
    )
    moved = {("thread", "thread_1"): "thread_1"}
    found = compared(TALK, rest, places, other, moved)
    assert (changes_of(found), found.compared["message"]) == ([], 1)
    only = DiffScope(
        kinds=kinds, object_filter=ObjectFilter.parse(include=["message:msg_2"], exclude=["thread:thread_2"])
    )
    found = compared(TALK, rest, places, only, moved)
    assert (changes_of(found), found.compared["message"]) == ([("message", "removed", "msg_2", "")], 1)
    same = compared(TALK, TALK, places, only, moved)
    assert (changes_of(same), same.compared["message"]) == ([], 1)
