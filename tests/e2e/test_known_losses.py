"""A loss that an earlier move reported is counted. It decides nothing while its object stays the same."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.faults import RefusedText, is_create
from tests.e2e.projects import add, assistant, file, say, thread
from tests.e2e.rounds import furnish, service
from tests.e2e.running import World

Json = dict[str, Any]
CITATIONS = "content.text.annotations"


def cited(world: World, id_: str, number: int) -> None:
    """An answer with one or two citations."""
    note = {
        "type": "file_citation",
        "text": "[1]",
        "start_index": 0,
        "end_index": 3,
        "file_citation": {"file_id": "f"},
    }
    text = {"value": f"[1] Answer number {number}", "annotations": [note] * (1 + number % 2)}
    say(world.source, id_, "", role="assistant", content=[{"type": "text", "text": text}])


def conversation(launch: Launch, answers: int = 5, **others: Any) -> tuple[World, str]:
    """A thread with citations, which no target accepts."""
    world = launch(
        service("SOURCE_KEY", "azure-openai"),
        service("TARGET_KEY", "openai"),
        types=("azure-openai", "openai"),
        **others,
    )
    id_ = thread(world.source, 1, ["How often?"])
    for number in range(answers):
        cited(world, id_, number)
    return world, id_


def plan(world: World, code: int, *options: str) -> Json:
    world.snapshot()
    planned: Json = world("plan", world.db, "target", "-o", world.plan, *options).ok(code)
    return planned


def lost(planned: Json) -> list[tuple[str, bool]]:
    """Names of messages that lose citations, and whether the loss is known."""
    return [(row["name"], row["known"]) for row in planned["losses"] if row["field"] == CITATIONS]


def test_a_known_loss_is_counted_and_does_not_decide(launch: Launch) -> None:
    world, _ = conversation(launch)
    assert [known for _, known in lost(plan(world, 1))] == [False] * 5
    world.apply().ok()
    again = plan(world, 0)
    assert [known for _, known in lost(again)] == [True] * 5
    assert all(row["known"] for row in again["losses"])
    text = world.plain("plan", world.db, "target", "-o", world.plan).out
    assert CITATIONS not in text
    assert f"{len(again['losses'])} known losses of earlier moves" in text.splitlines()[-1]
    every = world.plain("plan", world.db, "target", "-o", world.plan, "--all").out
    assert every.count(CITATIONS) == 5
    assert "(known)" in every


def test_messages_are_named_by_time_role_and_first_words(launch: Launch) -> None:
    world, _ = conversation(launch)
    first, *_ = lost(plan(world, 1))
    assert first[0][:2] == "20"
    assert first[0].endswith("assistant: [1] Answer number 0")


def test_many_messages_are_one_line_of_the_plan(launch: Launch) -> None:
    world, _ = conversation(launch, answers=150)
    world.snapshot()
    for format_ in ("text", "markdown"):
        said = world.plain("plan", world.db, "target", "-o", world.plan, "--format", format_)
        (line,) = [line for line in said.out.splitlines() if "citation(s)" in line]
        assert "… citation(s) cannot be written" in line
        assert "150 objects, such as" in line


def test_a_new_message_in_a_moved_thread_is_a_new_loss(launch: Launch) -> None:
    world, id_ = conversation(launch)
    plan(world, 1)
    world.apply().ok()
    cited(world, id_, 7)
    again = plan(world, 1)
    assert [known for _, known in lost(again)] == [True] * 5 + [False]
    world.apply().ok()
    assert [known for _, known in lost(plan(world, 0))] == [True] * 6


def test_a_message_that_did_not_arrive_is_not_known(launch: Launch) -> None:
    refused = RefusedText(is_create("/messages"), last=10**6, word=b"number 7")
    world, id_ = conversation(launch, wrap_target=refused)
    plan(world, 1)
    world.apply().ok()
    cited(world, id_, 7)
    plan(world, 1)
    assert world.apply().code == 3
    assert refused.spoiled
    assert [known for _, known in lost(plan(world, 1))] == [True] * 5 + [False]


def test_an_object_that_changed_reports_its_losses_again(launch: Launch) -> None:
    world, _ = conversation(launch)
    world.source.estate.assistants["asst_1"] = assistant = {
        "id": "asst_1", "object": "assistant", "created_at": 1, "name": "desk", "description": None,
        "model": "gpt-4o", "instructions": "Help.", "metadata": {}, "tools": [{"type": "teleport"}],
    }  # fmt: skip

    def tools(planned: Json) -> list[bool]:
        return [
            row["known"]
            for row in planned["losses"]
            if row["kind"] == "assistant" and row["field"] == "tools"
        ]

    assert tools(plan(world, 1)) == [False]
    world.apply()
    assert tools(plan(world, 0)) == [True]
    assistant["instructions"] = "Help more."
    assert tools(plan(world, 1)) == [False]


def test_a_new_loss_of_a_moved_object_is_not_known(launch: Launch) -> None:
    """Only fields that cannot be written changed."""
    world, _ = conversation(launch)
    world.source.estate.assistants["asst_1"] = assistant = {
        "id": "asst_1", "object": "assistant", "created_at": 1, "name": "desk", "description": None,
        "model": "gpt-4o", "instructions": "Help.", "metadata": {}, "tools": [],
    }  # fmt: skip
    plan(world, 1)
    world.apply()
    assistant["tools"] = [{"type": "teleport"}]
    again = plan(world, 1)
    assert again["actions"]["update"] == 0
    assert [row["known"] for row in again["losses"] if row["field"] == "tools"] == [False]


def test_blocked_objects_always_count(launch: Launch) -> None:
    world, _ = conversation(launch)
    file(world.source, 1, "gone.md", b"text")
    found = plan_with_blocked(world)
    world("apply", world.plan, "--yes").ok(3)
    assert plan_with_blocked(world) == found


def plan_with_blocked(world: World) -> int:
    """Number of blocked losses; none is known."""
    world("snapshot", "source", "-o", world.db, "--no-bytes").ok()
    rows = world("plan", world.db, "target", "-o", world.plan).ok(1)["losses"]
    blocked = [row for row in rows if row["grade"] == "blocked"]
    assert blocked
    assert not any(row["known"] for row in blocked)
    return len(blocked)


def test_after_a_rollback_nothing_is_known(launch: Launch) -> None:
    world, _ = conversation(launch)
    plan(world, 1)
    world.apply().ok()
    world("rollback", world.plan, "--yes").ok()
    assert [known for _, known in lost(plan(world, 1))] == [False] * 5


def test_a_plan_that_was_not_applied_makes_nothing_known(launch: Launch) -> None:
    world, _ = conversation(launch)
    plan(world, 1)
    assert [known for _, known in lost(plan(world, 1))] == [False] * 5


def test_a_partial_plan_leaves_known_what_earlier_plans_reported(launch: Launch) -> None:
    world, _ = conversation(launch)
    other = thread(world.source, 2, ["And at night?"])
    cited(world, other, 9)
    plan(world, 1)
    world.apply().ok()
    plan(world, 0, "--id", other)
    world.apply().ok()
    assert [known for _, known in lost(plan(world, 0))] == [True] * 6


def test_another_target_knows_nothing(launch: Launch, tmp_path: Path) -> None:
    world, _ = conversation(launch)
    plan(world, 1)
    world.apply().ok()
    assert [known for _, known in lost(world("assess", world.db, "--to", "openai").ok(1))] == [False] * 5


def test_assess_of_the_target_and_sync_know_them_too(launch: Launch) -> None:
    world, _ = conversation(launch)
    command = ("sync", "source", "target", "-o", world.db)
    world(*command).ok(1)
    again = world(*command).ok()
    assert [known for _, known in lost(again["plan"])] == [True] * 5
    assert all(known for _, known in lost(world("assess", world.db, "--to", "target").ok()))


@pytest.mark.parametrize("key", ["losses", "selection"])
def test_names_that_look_like_keys_of_a_plan_do_no_harm(launch: Launch, key: str) -> None:
    world, id_ = conversation(launch)
    world.source.estate.threads[id_]["metadata"] = {f'"{key}": [': f'"{key}": {{', key: "x"}
    plan(world, 1)
    world.apply().ok()
    world.source.estate.threads[id_]["metadata"] = copy.deepcopy({key: '"losses": ["'})
    plan(world, 0, "--accept-loss", "all")
    world.apply().ok()
    assert [known for _, known in lost(plan(world, 0))] == [True] * 5


def test_known_is_sealed_and_an_edit_is_noticed(launch: Launch) -> None:
    world, _ = conversation(launch)
    plan(world, 1)
    document = json.loads(Path(world.plan).read_text(encoding="utf-8"))
    document["losses"][0]["known"] = True
    Path(world.plan).write_text(json.dumps(document), encoding="utf-8")
    world.apply().error(4, "fingerprint")


def test_a_change_that_the_target_cannot_take_is_a_new_loss(launch: Launch) -> None:
    """The loss has the same text and the target does not change, but the lost content is different."""
    ends = service("SOURCE_KEY", "azure-openai"), service("TARGET_KEY", "foundry")
    world = launch(*ends, types=("azure-openai", "foundry"))
    row = assistant(1, "clerk", tools=[{"type": "weather_machine", "city": "Rome"}])
    add(world.source, row)

    def known_tools(planned: Json) -> list[bool]:
        return [loss["known"] for loss in planned["losses"] if loss["field"] == "tools"]

    assert known_tools(plan(world, 1)) == [False]
    world.apply()
    assert known_tools(plan(world, 0)) == [True]
    row["tools"] = [{"type": "weather_machine", "city": "Oslo"}]
    assert known_tools(plan(world, 1)) == [False]


def test_an_id_in_a_text_is_told_once_although_its_new_id_is_known_later(launch: Launch) -> None:
    ends = service("SOURCE_KEY", "azure-openai"), service("TARGET_KEY", "openai")
    world = launch(*ends, types=("azure-openai", "openai"))
    notes = file(world.source, 1, "notes.md", b"text")
    row = assistant(1, "clerk", instructions=f"Always look into {notes} first.")
    add(world.source, row)

    def mentions(planned: Json) -> list[tuple[bool, bool]]:
        rows = [loss for loss in planned["losses"] if loss["field"] == "instructions"]
        return [(loss["known"], "gets another id" in loss["reason"]) for loss in rows]

    assert mentions(plan(world, 0)) == [(False, True)]
    world.apply().ok()
    assert mentions(plan(world, 0)) == [(True, False)]
    world.apply().ok()
    assert mentions(plan(world, 0)) == [(True, False)]
    (new,) = world("ids", world.db, notes).ok()
    body = world.target.estate.files.pop(new["target_id"])
    assert mentions(plan(world, 0)) == [(False, True)], "it gets another new id, which is news"
    world.target.estate.files[new["target_id"]] = body


def test_a_number_of_objects_is_no_new_loss(launch: Launch) -> None:
    """In one project, where the target shows the files of the source."""
    one = service("SOURCE_KEY", "foundry-classic")
    world = launch(one, one, types=("foundry-classic", "foundry"))
    furnish(world.source, "foundry-classic")

    def shared(planned: Json) -> list[tuple[str, bool]]:
        rows = [row for row in planned["losses"] if "are shared with the source" in row["reason"]]
        return [(row["reason"].split()[0], row["known"]) for row in rows]

    first = shared(plan(world, 0, "--accept-loss", "all"))
    world.apply().ok()
    second = shared(plan(world, 0))
    assert first[0][0] != second[0][0], "the numbers are equal: nothing is tested"
    assert [known for _, known in (*first, *second)] == [False, True]


def test_messages_are_named_in_failures_findings_and_rollbacks_too(launch: Launch) -> None:
    refused = RefusedText(is_create("/messages"), last=10**6, word=b"number 6")
    world, id_ = conversation(launch, wrap_target=refused)
    plan(world, 1)
    world.apply().ok()
    cited(world, id_, 6)
    plan(world, 1)
    failed = {row["kind"]: row["name"] for row in world.apply().ok(3)["failed"]}
    assert failed["message"].endswith("assistant: [1] Answer number 6")
    (finding,) = world("verify", world.plan).ok(1)["findings"]
    assert finding["name"] == failed["message"]
    refused.last = 0
    world.apply().ok()
    steps = world("rollback", world.plan, "--dry-run").ok()["steps"]
    assert [step["name"].endswith("assistant: [1] Answer number 6") for step in steps] == [True]
