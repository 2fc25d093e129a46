"""A selection is exactly the requested objects and what they need."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.archive import Archive
from migrate.errors import BadUsage, NothingSelected
from migrate.model.selection import Selection, parse_selection
from migrate.stages.estate import Estate
from migrate.stages.selection import UNDATED_NOTE, SelectedObjects, select_objects
from tests.stages.test_cleanup import estate, file, message, searching

DAY_S = 86_400


@pytest.fixture
def whole(archive: Archive) -> Estate:
    """Two assistants with a store each, which share a file; three threads of different ages."""
    return estate(
        archive,
        (file("file-a"), file("file-b"), file("file-c"), file("file-d")),
        ({"id": "vs_1", "name": "Manuals", "metadata": {"team": "red"}}, {"id": "vs_2", "name": "Prices"}),
        {"vs_1": [{"id": "file-a"}, {"id": "file-b"}], "vs_2": [{"id": "file-b"}]},
        (
            searching("asst_1", "vs_1", metadata={"user": "4711"}),
            searching("asst_2", "vs_2", metadata={"user": "0815"}),
        ),
        (
            {"id": "thread_1", "created_at": DAY_S, "metadata": {"user": "4711"}},
            {"id": "thread_2", "created_at": 2 * DAY_S, "metadata": {"user": "0815"}},
            {"id": "thread_3", "created_at": 3 * DAY_S, "metadata": {}},
        ),
        {
            "thread_1": [
                message("msg_1", "file-c", created_at=DAY_S),
                message("msg_2", created_at=5 * DAY_S),
            ],
            "thread_2": [message("msg_3", created_at=2 * DAY_S)],
        },
    )


def select(of: Estate, *, other_kinds_whole: bool = False, **given_: Any) -> SelectedObjects:
    found = select_objects(of, parse_selection(other_kinds_whole=other_kinds_whole, **given_))
    assert found is not None
    return found


def chosen(found: SelectedObjects) -> list[str]:
    return [id_ for _, id_ in found.chosen]


def needed(found: SelectedObjects) -> dict[str, str]:
    return {id_: owner for (_, id_), (_, owner) in found.needed_by.items()}


def test_nothing_asked_for_is_the_whole_estate(whole: Estate) -> None:
    assert select_objects(whole, Selection()) is None
    assert select_objects(whole, Selection(dependencies=False)) is None


def test_an_assistant_brings_its_store_and_the_files_in_it(whole: Estate) -> None:
    found = select(whole, include=["assistant:asst_1"])
    assert chosen(found) == ["asst_1"]
    assert needed(found) == {"vs_1": "asst_1", "file-a": "vs_1", "file-b": "vs_1"}


def test_a_thread_brings_the_files_of_its_messages(whole: Estate) -> None:
    found = select(whole, ids=["thread_1"])
    assert chosen(found) == ["thread_1"]
    assert needed(found) == {"file-c": "thread_1"}


def test_without_dependencies_nothing_comes_along(whole: Estate) -> None:
    found = select(whole, ids=["asst_1", "thread_1"], dependencies=False)
    assert chosen(found) == ["asst_1", "thread_1"]
    assert not found.needed_by


def test_rules_and_ids_are_united_and_exclusions_taken_away(whole: Estate) -> None:
    found = select(whole, include=["assistant:*"], ids=["thread_2"], exclude=["assistant:asst_2"])
    assert chosen(found) == ["asst_1", "thread_2"]


def test_what_is_excluded_does_not_come_along_either(whole: Estate) -> None:
    assert needed(select(whole, ids=["asst_1"], exclude=["file:*b*"])) == {"vs_1": "asst_1", "file-a": "vs_1"}
    assert not select(whole, ids=["asst_1"], exclude=["vector_store:*"]).needed_by


def test_an_exclusion_alone_leaves_everything_else(whole: Estate) -> None:
    found = select(whole, exclude=["thread:*", "file:*"])
    assert chosen(found) == ["vs_1", "vs_2", "asst_1", "asst_2"]
    assert not found.needed_by


@pytest.mark.parametrize(
    ("given_", "threads"),
    [
        ({"after": "1970-01-06"}, ["thread_1"]),
        ({"after": "1970-01-04"}, ["thread_1", "thread_3"]),
        ({"before": "1970-01-04"}, ["thread_2"]),
        ({"after": "1970-01-03", "before": "1970-01-05"}, ["thread_2", "thread_3"]),
        ({"after": "1970-01-04T00:00:01Z"}, ["thread_1"]),
        ({"after": "1970-01-04T02:00:00+02:00"}, ["thread_1", "thread_3"]),
    ],
)
def test_dates_mean_threads_by_their_newest_message(
    whole: Estate, given_: dict[str, str], threads: list[str]
) -> None:
    found = select(whole, **given_)
    assert chosen(found) == threads
    assert not found.notes


def test_a_conversation_counts_by_its_own_time_which_is_reported(archive: Archive) -> None:
    talks = estate(
        archive,
        threads=({"id": "conv_1", "created_at": DAY_S}, {"id": "conv_2", "created_at": 3 * DAY_S}),
        messages={"conv_1": [message("msg_1")], "conv_2": [message("msg_2")]},
    )
    found = select(talks, after="1970-01-03")
    assert chosen(found) == ["conv_2"]
    assert found.notes == (UNDATED_NOTE,)


def test_metadata_mean_the_kinds_that_have_them(whole: Estate) -> None:
    assert chosen(select(whole, meta=["user=4711"])) == ["asst_1", "thread_1"]
    assert chosen(select(whole, meta=["user=*"], exclude=["assistant:*"])) == ["thread_1", "thread_2"]
    assert chosen(select(whole, meta=["team=r*"])) == ["vs_1"]
    assert chosen(select(whole, meta=["user=4711"], after="1970-01-02")) == ["thread_1"]


def test_metadata_narrow_what_a_rule_includes(whole: Estate) -> None:
    assert chosen(select(whole, include=["thread:*"], meta=["user=0815"])) == ["thread_2"]


def test_an_id_may_be_a_name_or_a_beginning_that_only_one_has(whole: Estate) -> None:
    assert chosen(select(whole, ids=["Prices"])) == ["vs_2"]
    assert chosen(select(whole, ids=["thread_3"])) == ["thread_3"]
    assert chosen(select(whole, ids=["file-d"])) == ["file-d"]
    with pytest.raises(BadUsage, match="'asst_' matches 2 objects"):
        select(whole, ids=["asst_"])


def test_a_message_is_not_selected_by_itself(whole: Estate) -> None:
    with pytest.raises(BadUsage, match="msg_1 is a message") as raised:
        select(whole, ids=["msg_1"])
    assert raised.value.todo == "--id thread_1 selects the whole thread"


def test_unknown_ids_and_rules_are_reported_and_the_rest_is_selected(whole: Estate) -> None:
    found = select(whole, include=["assistant:nobody*"], ids=["thread_1", "thread_9"])
    assert found.unknown_ids == ("thread_9",)
    assert found.unmatched_rules == ("assistant:nobody*",)
    assert chosen(found) == ["thread_1"]


@pytest.mark.parametrize(
    "given_",
    [{"ids": ["thread_9"]}, {"include": ["file:*.pdf"]}, {"meta": ["user=1"]}, {"after": "2026-01-01"}],
)
def test_a_selection_that_fits_nothing_is_an_error(whole: Estate, given_: dict[str, Any]) -> None:
    with pytest.raises(NothingSelected) as raised:
        select(whole, **given_)
    assert raised.value.exit_code == 1


def test_snapshot_and_export_leave_kinds_without_a_rule_whole(whole: Estate) -> None:
    found = select(whole, other_kinds_whole=True, include=["thread:thread_1"])
    assert chosen(found) == [
        *("file-a", "file-b", "file-c", "file-d", "vs_1", "vs_2", "asst_1", "asst_2", "thread_1")
    ]


@pytest.mark.parametrize(
    ("given_", "message_"),
    [
        ({"meta": ["user"]}, "--meta user: a key and a pattern are needed"),
        ({"meta": ["=1"]}, "--meta =1: a key and a pattern are needed"),
        ({"after": "yesterday"}, "--after yesterday: this is not a date"),
        ({"after": "0001-01-01T00:00:00+23:00"}, "--after 0001-01-01T00:00:00\\+23:00: this is not a date"),
        ({"before": "9999-12-31T23:59:59-23:00"}, "--before 9999-12-31T23:59:59-23:00: this is not a date"),
        ({"before": "2026-13-01"}, "--before 2026-13-01: this is not a date"),
        ({"after": "2026-02-01", "before": "2026-01-01"}, "--after 2026-02-01 is not earlier than"),
        ({"include": ["cat:*"]}, "--include cat:\\*: there is no kind 'cat'"),
        ({"exclude": ["message:*"]}, "--exclude message:\\*: objects of kind message are not selected by"),
    ],
)
def test_bad_input_is_reported(given_: dict[str, Any], message_: str) -> None:
    with pytest.raises(BadUsage, match=message_):
        parse_selection(**given_)


def test_an_id_of_another_snapshot_is_unknown_and_its_number_is_known(archive: Archive) -> None:
    """Beginnings of ids are not used then: if the agent `desk` was deleted, `desk-2` was not meant."""
    estate(archive, assistants=({"id": "desk", "name": "desk"}, {"id": "desk-2", "name": "desk-2"}))
    later = estate(archive, assistants=({"id": "desk-2", "name": "desk-2"}, {"id": "lab", "name": "lab"}))
    found = select(later, ids=["lab", "desk", "nobody"])
    assert chosen(found) == ["lab"]
    assert found.unknown_ids == ("desk", "nobody")
    assert found.other_snapshots == (("desk", 1),)
    assert chosen(select(later, ids=["desk-"])) == ["desk-2"]
    with pytest.raises(NothingSelected) as raised:
        select(later, ids=["desk"])
    assert "it has no object desk; snapshot 1 has desk" in raised.value.why
