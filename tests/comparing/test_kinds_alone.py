"""`--kind` of what lies in something else: what is not compared with it must not make it look equal."""

from __future__ import annotations

import pytest

from migrate.archive import Archive
from migrate.archive.reading import SnapshotReader, snapshots
from migrate.archive.snapshots import Row, SnapshotWriter
from migrate.stages.comparing.diff import diff
from migrate.stages.comparing.focus import Focus
from migrate.stages.estate import Estate
from tests.comparing.by_hand import compared, holding, message, thread, told
from tests.comparing.generated import ELSEWHERE, HERE, archived

ALONE = Focus(kinds=frozenset({"message"}))
TALK = holding(
    thread=[thread("thread_1"), thread("thread_2")],
    message_of_thread_1=[message("msg_1", "Hello"), message("msg_2", "Bye")],
    message_of_thread_2=[message("msg_3", "Good morning")],
)
LESS = holding(
    thread=[thread("thread_1")], message_of_thread_1=[message("msg_1", "Hello"), message("msg_2", "Bye")]
)


@pytest.mark.parametrize("places", [(HERE, HERE), (HERE, ELSEWHERE)])
def test_messages_of_a_thread_that_one_side_lacks_differ(places: tuple[str, str]) -> None:
    removed = compared(TALK, LESS, places, ALONE)
    assert told(removed) == [("message", "removed", "msg_3", "")]
    assert removed.compared == {"message": 3}
    assert told(compared(LESS, TALK, places, ALONE)) == [("message", "added", "", "msg_3")]
    assert told(compared(TALK, TALK, places, ALONE)) == []


def test_the_thread_stands_for_its_messages_where_it_is_compared() -> None:
    assert told(compared(TALK, LESS)) == [("thread", "removed", "thread_2", "")]


def test_threads_that_were_not_listed_are_a_gap_of_their_messages() -> None:
    """Without the list, nobody knows whose messages are missing."""
    with Archive.temporary() as one, Archive.temporary() as other:
        writer = SnapshotWriter.begin(other, "azure-openai", HERE, {}, None)
        writer.page("thread", "", [Row.of("thread", thread("thread_1"))], "")
        writer.end("thread", "", "failed", "the service is down")
        writer.finish("partial", "")
        right = Estate(SnapshotReader(other.conn, snapshots(other.conn)[-1]))
        found = diff(archived(one, TALK), right, {}, ALONE)
    assert found.exit_code == 3
    assert "thread * on the right: the service is down" in found.unread
