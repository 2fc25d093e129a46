"""What a service refused during apply is a loss: listed, exit code 1 unless accepted, and known later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrate.archive.journal import CITATIONS_DROPPED, CITATIONS_REFUSED
from migrate.stages.apply import run as apply_run
from tests.e2e.conftest import Launch
from tests.e2e.projects import project, say, thread
from tests.e2e.running import World
from tests.e2e.test_citations import FAULTS, citing, faults_file, furnish, to_project
from tests.e2e.test_drill import mark_scratch
from tests.e2e.test_items_of_runs import CONVERSATION, message, write

Json = dict[str, Any]
FIELD = "content.text.annotations"
NOT_TAKEN = (CITATIONS_REFUSED, CITATIONS_DROPPED)
THREADS = 2


def plan(world: World, code: int, *options: str) -> Json:
    world.snapshot()
    planned: Json = world("plan", world.db, "target", "-o", world.plan, *options).ok(code)
    return planned


def rows_of(result: Json, field: str = FIELD) -> list[tuple[str, bool, bool]]:
    """Grade of each loss of a field, whether it is accepted, and whether it is known."""
    return [
        (row["grade"], row["accepted"], row["known"]) for row in result["losses"] if row["field"] == field
    ]


@pytest.mark.parametrize("answer", NOT_TAKEN)
def test_a_loss_that_was_not_accepted_ends_apply_and_verify_with_1(
    launch: Launch, tmp_path: Path, answer: str
) -> None:
    world = to_project(launch, tmp_path, FAULTS[answer])
    furnish(world, THREADS)
    assert rows_of(plan(world, 0)) == [("adapted", True, False)] * 2 * THREADS
    applied = world.apply().ok(1)
    assert (applied["failed"], applied["lost_citations"]) == ([], 4 * THREADS)
    assert rows_of(applied) == [("lost", False, False)] * 2 * THREADS
    assert {row["id"] for row in applied["losses"]} == {
        id_ for table in world.source.estate.messages.values() for id_ in list(table)[1::2]
    }
    assert "arrived without this: 2 citation(s)" in applied["losses"][0]["reason"]
    assert world.apply().ok(1)["losses"] == applied["losses"], "the same apply says the same again"
    verified = world("verify", world.plan).ok(1)
    assert (verified["ok"], verified["findings"]) == (False, [])
    assert verified["losses"] == applied["losses"]


def test_a_plan_that_accepts_the_field_covers_what_apply_finds_out(launch: Launch, tmp_path: Path) -> None:
    world = to_project(launch, tmp_path, FAULTS[CITATIONS_REFUSED])
    furnish(world, THREADS)
    plan(world, 0, "--accept-loss", FIELD)
    assert rows_of(world.apply().ok()) == [("lost", True, False)] * 2 * THREADS
    verified = world("verify", world.plan).ok()
    assert (verified["ok"], rows_of(verified)) == (True, [("lost", True, False)] * 2 * THREADS)


def test_another_accepted_field_does_not_cover_it(launch: Launch, tmp_path: Path) -> None:
    world = to_project(launch, tmp_path, FAULTS[CITATIONS_REFUSED])
    furnish(world, 1)
    plan(world, 0, "--accept-loss", "metadata")
    assert rows_of(world.apply().ok(1)) == [("lost", False, False)] * 2


@pytest.mark.parametrize("answer", NOT_TAKEN)
def test_later_rounds_know_it_and_write_nothing(launch: Launch, tmp_path: Path, answer: str) -> None:
    world = to_project(launch, tmp_path, FAULTS[answer])
    furnish(world, THREADS)
    command = ("sync", "source", "target", "-o", world.db)
    first = world(*command).ok(1)
    assert rows_of(first["apply"]) == rows_of(first["verify"]) == [("lost", False, False)] * 2 * THREADS
    before = len(world.target.requests)
    for _ in range(3):
        again = world(*command).ok()
        assert rows_of(again["plan"]) == [("lost", False, True)] * 2 * THREADS
        assert again["apply"]["losses"] == again["verify"]["losses"] == []
        assert again["verify"]["ok"]
    assert world.writes(before) == []
    text = world.plain(*command).out
    assert f"{len(again['plan']['losses'])} known losses of earlier moves" in text
    assert "citation" not in text


def test_a_new_message_is_a_new_loss(launch: Launch, tmp_path: Path) -> None:
    world = to_project(launch, tmp_path, FAULTS[CITATIONS_REFUSED])
    notes = furnish(world, 1)
    plan(world, 0)
    world.apply().ok(1)
    talk = next(iter(world.source.estate.threads))
    say(world.source, talk, "", content=citing(notes), role="assistant")
    assert rows_of(plan(world, 0)) == [("lost", False, True)] * 2 + [("adapted", True, False)]
    assert rows_of(world.apply().ok(1)) == [("lost", False, False)]
    assert rows_of(world("verify", world.plan).ok(1)) == [("lost", False, False)]
    assert rows_of(plan(world, 0)) == [("lost", False, True)] * 3


def test_what_others_removed_later_is_not_known(launch: Launch, tmp_path: Path) -> None:
    world = to_project(launch, tmp_path)
    furnish(world, THREADS)
    plan(world, 0)
    assert world.apply().ok()["losses"] == []
    assert rows_of(plan(world, 0)) == [("adapted", True, True)] * 2 * THREADS
    world.apply().ok()
    (talk, *_) = world.target.estate.items.values()
    next(row for row in talk.values() if row["role"] == "assistant")["content"][0]["annotations"].clear()
    assert sorted(rows_of(plan(world, 1)))[-1] == ("lost", False, False)


def test_a_reported_loss_does_not_hide_what_others_removed_later(launch: Launch, tmp_path: Path) -> None:
    """One message was refused with its citations, which was reported; the other one lost them afterwards."""
    fault = '[[fault]]\nwhat = "error"\nstatus = 422\nmethod = "POST"\npath = "*/items"\nnth = 1\n'
    world = to_project(launch, tmp_path, fault)
    furnish(world, 1)
    plan(world, 0)
    assert rows_of(world("apply", world.plan, "--yes", "--workers", "1").ok(1)) == [("lost", False, False)]
    (talk,) = world.target.estate.items.values()
    answers = [row["content"][0]["annotations"] for row in talk.values() if row["role"] == "assistant"]
    assert [bool(row) for row in answers] == [False, True]
    assert rows_of(plan(world, 0)) == [("lost", False, True), ("adapted", True, True)]
    answers[1].clear()
    assert rows_of(plan(world, 1)) == [("lost", False, True), ("lost", False, False)]


def test_a_loss_that_no_apply_reported_is_not_known(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program was killed before its result was complete."""
    world = to_project(launch, tmp_path, FAULTS[CITATIONS_REFUSED])
    furnish(world, 1)
    plan(world, 0)

    def end(*_: object) -> None:
        raise SystemExit(9)

    with monkeypatch.context() as patched:
        patched.setattr(apply_run, "_report_losses", end)
        assert world.apply().code == 9
    assert rows_of(plan(world, 1)) == [("lost", False, False)] * 2
    assert world.apply().ok()["losses"] == [], "this plan reports them itself"
    assert world("verify", world.plan).ok()["losses"] == []
    assert rows_of(plan(world, 0)) == [("lost", False, True)] * 2


def test_other_forms_that_are_tried_are_the_same_kind(launch: Launch, tmp_path: Path) -> None:
    """A phase, an output in parts and an image inside its address, in a project that refuses them."""
    faults = faults_file(tmp_path, '[[fault]]\nwhat = "refuse-unseen-forms"\n')
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY", faults=faults), types=("foundry", "foundry"))
    row = {"id": CONVERSATION, "object": "conversation", "created_at": 1, "metadata": {}}
    world.source.estate.conversations[CONVERSATION] = row
    answer = {**message("Done.", "assistant"), "phase": "final_answer"}
    picture = message("Look.")
    picture["content"].append(
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
    )
    write(world, message("Where?"), answer, picture, answer)
    plan(world, 0)
    applied = world.apply().ok(1)
    assert applied["failed"] == []
    assert [row["field"] for row in applied["losses"]] == ["phase", "content.image_url", "phase"]
    assert {row["grade"] for row in applied["losses"]} == {"lost"}
    assert len(applied["notes"]) == 1, "the first refusal, in the service's words"
    assert world("verify", world.plan).ok(1)["losses"] == applied["losses"]
    again = plan(world, 0)
    assert rows_of(again, "phase") == [("lost", False, True)] * 2
    assert world.apply().ok()["losses"] == []
    assert world("verify", world.plan).ok()["losses"] == []
    plan(world, 0, "--accept-loss", "phase")


def test_restore_and_drill_end_with_1_as_well(launch: Launch, tmp_path: Path) -> None:
    world = to_project(launch, tmp_path, FAULTS[CITATIONS_DROPPED])
    furnish(world, THREADS)
    world.snapshot()
    mark_scratch(world)
    lost = [("lost", False, False)] * 2 * THREADS
    drilled = world("drill", world.db, "--to", "target").ok(1)
    assert drilled["ok"] is False
    assert [row for row in rows_of(drilled) if row[0] == "lost"] == lost
    assert [row["grade"] for row in drilled["not_rebuilt"]] == ["lost"] * 2 * THREADS
    assert world("drill", world.db, "--to", "target", "--accept-loss", FIELD).ok()["ok"] is True
    world("restore", world.db, "--to", "target", "--dry-run").ok()
    restored = world("restore", world.db, "--to", "target", "--yes").ok(1)
    assert [row for row in rows_of(restored) if row[0] == "lost"] == lost
    for _ in range(2):  # nothing is missing; what the first one reported is known
        again = world("restore", world.db, "--to", "target", "--yes").ok()
        assert rows_of(again) == [("lost", False, True)] * 2 * THREADS
        assert (again["created"], again["actions"]["skip"]) == (0, 3)


def test_ten_messages_or_ten_thousand_are_one_line(launch: Launch, tmp_path: Path) -> None:
    world = to_project(launch, tmp_path, FAULTS[CITATIONS_REFUSED])
    notes = furnish(world, 0)
    for number in range(5):
        talk = thread(world.source, number, ["where?"])
        say(world.source, talk, "", content=citing(notes))
    plan(world, 0)
    lines = world.plain("apply", world.plan, "--yes").out.splitlines()
    head = lines.index("not taken by the service: 5 losses, 5 not accepted:")
    assert "content.text.annotations" in lines[head + 1]
    assert "5 objects, such as" in lines[head + 1]
    for format_ in ("text", "markdown", "junit", "html"):
        said = world.plain("verify", world.plan, "--format", format_)
        assert said.code == 1
        assert "5 losses not accepted" in said.out
        assert "arrived without this" in said.out
