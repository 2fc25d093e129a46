"""What is lost in a thread that lives: the end comes back, the rest is named, and what is there is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrate.archive.database import Archive
from migrate.emulator import Emulator
from tests.e2e.faults import FixedAnswer
from tests.e2e.projects import EPOCH
from tests.e2e.rounds import TYPES, furnish, service
from tests.e2e.running import World, world
from tests.e2e.test_items_of_runs import bare, call, message, output, thought
from tests.e2e.test_restore import held
from tests.e2e.test_restore_command import PREVIOUS_TYPES, archived, restored

Json = dict[str, Any]
TALK = f"conv_{'0' * 16}00{'x' * 32}"
# A conversation with what runs leave in it. Thoughts are never written.
ROWS = (
    message("Why?"),
    thought("hm"),
    call("c1"),
    output("c1"),
    message("Because.", "assistant"),
    message("And then?"),
    thought("well"),
    message("Done.", "assistant"),
)


def put(cloud: Emulator, *rows: Json) -> list[str]:
    """Put items at the end of the conversation; their ids."""
    table = cloud.estate.items[TALK]
    ids = [f"item_{len(table) + place:04}" for place in range(len(rows))]
    for id_, row in zip(ids, rows, strict=True):
        table[id_] = {"id": id_, **row}
    return ids


def talking(made: World) -> list[str]:
    """The conversation, and a second snapshot with it; ids of its items."""
    row = {"id": TALK, "object": "conversation", "created_at": EPOCH, "metadata": {"a": "b"}}
    made.source.estate.conversations[TALK] = row
    ids = put(made.source, *ROWS)
    made.snapshot()
    return ids


def there(made: World) -> list[Json]:
    """The items of the conversation, without what the server gives them."""
    return bare(
        *({k: v for k, v in row.items() if k != "id"} for row in made.target.estate.items[TALK].values())
    )


def lost_of(result: Json, words: str) -> list[str]:
    return [row["id"] for row in result["losses"] if row["kind"] == "message" and words in row["reason"]]


def assert_second_run_writes_nothing(made: World) -> Json:
    asked = len(made.target.requests)
    again = restored(made)
    assert made.writes(asked) == []
    assert (again["actions"]["create"], again["actions"]["update"]) == (0, 0)
    return again


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("kept", range(1, len(ROWS)))
def test_the_end_of_a_conversation_comes_back_behind_items_of_runs(kept: int, tmp_path: Path) -> None:
    with archived(tmp_path, "foundry") as made:
        ids = talking(made)
        items = made.target.estate.items[TALK]
        for id_ in ids[kept:]:
            del items[id_]
        before = held(made)
        result = restored(made)
        assert (result["findings"], result["failed"]) == ([], [])
        expected = [*ROWS[:kept], *(row for row in ROWS[kept:] if row["type"] != "reasoning")]
        assert there(made) == bare(*expected)
        after = held(made)
        assert {key: after[key] for key in before} == before
        thoughts = [id_ for id_, row in zip(ids, ROWS, strict=True) if row["type"] == "reasoning"]
        # A thought that is still there is no loss.
        assert lost_of(result, "reasoning") == [id_ for id_ in thoughts if id_ in ids[kept:]]
        assert lost_of(result, "gone from within") == []
        again = assert_second_run_writes_nothing(made)
        assert lost_of(again, "gone from within") == []
        result = made("rollback", made.db, "--apply", "1", "--yes")
        assert {key: body for key, body in held(made).items() if key in before} == before


def test_a_conversation_that_lost_something_within_is_left_and_reported(tmp_path: Path) -> None:
    with archived(tmp_path, "foundry") as made:
        ids = talking(made)
        items = made.target.estate.items[TALK]
        for place in (1, 4, 7):  # a thought, an answer, and the end
            del items[ids[place]]
        asked = len(made.target.requests)
        result = restored(made)
        assert made.writes(asked) == []
        assert lost_of(result, "gone from within") == [ids[4], ids[7]]
        assert lost_of(result, "reasoning") == [ids[1]]


@pytest.mark.parametrize("type_", TYPES)
def test_the_end_is_not_put_behind_what_came_since(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        estate = made.target.estate
        table = estate.items if type_ == "foundry" else estate.messages
        thread = next(iter(table))
        gone, row = list(table[thread].items())[-1]
        del table[thread][gone]
        table[thread]["msg_later"] = {**row, "id": "msg_later"}
        asked = len(made.target.requests)
        result = restored(made)
        assert made.writes(asked) == []
        assert lost_of(result, "gone from within") == [gone]


@pytest.mark.parametrize("type_", TYPES)
def test_the_end_comes_back_twice(type_: str, tmp_path: Path) -> None:
    """The second time also what the first restore appended is lost, and one message before it."""
    with archived(tmp_path, type_) as made:
        estate = made.target.estate
        table = estate.items if type_ == "foundry" else estate.messages
        thread = list(table)[1]
        texts = [row["content"] for row in table[thread].values()]
        for lost in (2, 3):
            for id_ in list(table[thread])[-lost:]:
                del table[thread][id_]
            result = restored(made)
            assert (result["findings"], result["failed"]) == ([], [])
            assert [row["content"] for row in table[thread].values()] == texts
            assert lost_of(assert_second_run_writes_nothing(made), "gone from within") == []
        del table[thread][list(table[thread])[-1]]
        result = restored(made)
        assert [row["content"] for row in table[thread].values()] == texts


@pytest.mark.parametrize("type_", TYPES)
def test_the_end_of_a_thread_that_came_back_comes_back(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        estate = made.target.estate
        tables = (
            (estate.conversations, estate.items) if type_ == "foundry" else (estate.threads, estate.messages)
        )
        old = list(tables[0])[1]
        texts = [row["content"] for row in tables[1][old].values()]
        del tables[0][old], tables[1][old]
        (new,) = (row["target_id"] for row in restored(made)["ids"])
        del tables[1][new][list(tables[1][new])[-1]]
        result = restored(made)
        assert (result["findings"], result["failed"]) == ([], [])
        assert [row["content"] for row in tables[1][new].values()] == texts
        assert_second_run_writes_nothing(made)


@pytest.mark.parametrize("type_", PREVIOUS_TYPES)
def test_what_others_wrote_into_a_message_stays_unless_it_is_asked_back(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        estate = made.target.estate
        thread = next(iter(estate.threads))
        messages = estate.messages[thread]
        first, *_, last = list(messages)
        old = messages[first]["metadata"]
        messages[first]["metadata"] = {"feedback": "up"}
        del messages[last]
        result = restored(made)
        assert result["findings"] == []
        assert messages[first]["metadata"] == {"feedback": "up"}
        assert lost_of(result, "it changed since the snapshot; it stays") == [first]
        result = restored(made, "--changed")
        assert result["findings"] == []
        assert result["updated"] == 1
        assert messages[first]["metadata"] == old
        number = str(len(made("applies", made.db).ok()))
        made("rollback", made.db, "--apply", number, "--yes").ok()
        assert messages[first]["metadata"] == {"feedback": "up"}


@pytest.mark.parametrize("type_", TYPES)
def test_an_older_state_has_the_stamp_that_it_had(type_: str, tmp_path: Path) -> None:
    """An object that an earlier move created keeps its origin; one that nobody moved gets none."""
    with archived(tmp_path, type_) as made:
        estate = made.target.estate
        if type_ == "foundry":
            rows = [row["versions"]["latest"] for row in estate.agents.values()][:2]
        else:
            rows = list(estate.assistants.values())[:2]
        rows[0]["metadata"] = {"team": "a"}
        rows[1]["metadata"] = {"team": "b", "migrated_from": "openai:asst_of_elsewhere"}
        was = [dict(row["metadata"]) for row in rows]
        made.snapshot()
        for row in rows:
            row["metadata"] = {**row["metadata"], "team": "newer"}
        assert restored(made, "--changed")["updated"] == 2
        if type_ == "foundry":
            rows = [row["versions"]["latest"] for row in estate.agents.values()][:2]
        else:
            rows = list(estate.assistants.values())[:2]
        assert sorted(map(str, (row["metadata"] for row in rows))) == sorted(map(str, was))


def test_older_states_come_back_around_what_is_lost_and_what_came_since(tmp_path: Path) -> None:
    with archived(tmp_path, "openai") as made:
        messages = made.target.estate.messages[next(iter(made.target.estate.threads))]
        first, within, third, *_, last = list(messages)
        old = [dict(messages[id_]["metadata"]) for id_ in (first, third)]
        for id_ in (first, third):
            messages[id_]["metadata"] = {"feedback": "up"}
        del messages[within]
        messages["msg_later"] = {**messages[last], "id": "msg_later", "metadata": {"feedback": "down"}}
        result = restored(made, "--changed")
        assert (result["findings"], result["failed"], result["updated"]) == ([], [], 2)
        assert [messages[id_]["metadata"] for id_ in (first, third)] == old
        assert lost_of(result, "gone from within") == [within]
        assert messages["msg_later"]["metadata"] == {"feedback": "down"}


def test_older_states_come_back_where_the_service_lists_messages_in_another_order(tmp_path: Path) -> None:
    """Messages of one second may be listed in any order: none is passed over."""
    with archived(tmp_path, "openai") as made:
        thread = next(iter(made.target.estate.threads))
        messages = made.target.estate.messages[thread]
        first, second, third, *rest = list(messages)
        old = {id_: dict(messages[id_]["metadata"]) for id_ in messages}
        for id_ in (first, second, rest[-1]):
            messages[id_]["metadata"] = {"feedback": "up"}
        rows = dict(messages)
        times = sorted(row["created_at"] for row in rows.values())
        messages.clear()
        for time, id_ in zip(times, (third, second, first, *rest), strict=True):
            messages[id_] = {**rows[id_], "created_at": time}
        result = restored(made, "--changed")
        assert (result["findings"], result["failed"], result["updated"]) == ([], [], 3)
        assert {id_: messages[id_]["metadata"] for id_ in old} == old


def test_a_snapshot_without_all_messages_of_a_thread_says_so(tmp_path: Path) -> None:
    """What the snapshot did not read cannot come back, and a restore must not look complete."""
    with archived(tmp_path, "openai") as made:
        thread = next(iter(made.target.estate.threads))
        messages = made.target.estate.messages[thread]
        with Archive.open(made.db, write=True) as archive, archive.transaction() as conn:
            conn.execute(
                "UPDATE listed SET state = 'failed', reason = 'answered 500' WHERE parent_id = "
                "(SELECT id FROM parents WHERE object_id = ?) "
                "AND kind_id = (SELECT id FROM kinds WHERE name = 'message')",
                (thread,),
            )
        del messages[list(messages)[-1]]
        reasons = [row["reason"] for row in restored(made)["losses"] if row["id"] == thread]
        assert [reason for reason in reasons if "not read to the end" in reason]


def test_a_message_that_did_not_change_although_it_was_answered_is_found(tmp_path: Path) -> None:
    deaf = FixedAnswer(
        lambda method, path, _: method == "POST" and "/messages/" in path, status=200, body={"id": "m"}
    )
    one = service("SOURCE_KEY", "openai")
    with world(tmp_path, one, one, types=("openai", "openai"), wrap_target=deaf) as made:
        furnish(made.source, "openai")
        made.snapshot()
        messages = made.target.estate.messages[next(iter(made.target.estate.threads))]
        first = next(iter(messages))
        messages[first]["metadata"] = {"feedback": "up"}
        result = restored(made, "--changed", code=1)
        assert deaf.spoiled
        assert [(row["target_id"], row["path"]) for row in result["findings"]] == [
            (first, "metadata.feedback")
        ]
