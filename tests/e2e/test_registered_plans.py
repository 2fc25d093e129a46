"""A plan is applied, verified and rolled back only if its archive has a record of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from migrate.archive.hashes import hash_all_rows
from migrate.archive.packs import register_sql_functions
from migrate.emulator import Emulator
from migrate.model.results.plan import Plan
from tests.e2e.conftest import Launch
from tests.e2e.directories import write
from tests.e2e.running import KEYS, World, options
from tests.unprivileged import enforce_file_modes

COMMANDS = ("apply", "verify", "rollback")
YES = {"apply": ["--yes"], "rollback": ["--yes"], "verify": []}
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def planned(small: World) -> World:
    small.snapshot()
    small.planned()
    return small


def resealed(world: World, change: Change) -> None:
    """The plan as changed by somebody who can write its file and compute its digest."""
    document = json.loads(Path(world.plan).read_text())
    change(document)
    plan = Plan.model_validate({**document, "digest": ""}).sealed()
    Path(world.plan).write_text(json.dumps(plan.model_dump()))


def delete_of_others(document: dict[str, Any]) -> None:
    id_ = document["target"]["objects"][0][2] if document["target"]["objects"] else "asst_of_others"
    document["actions"].append({"action": "delete", "kind": "assistant", "id": "asst_x", "target_id": id_})


def another_action(document: dict[str, Any]) -> None:
    document["actions"][0]["action"] = "skip"


CHANGES: dict[str, Change] = {
    "the target's address": lambda d: d["target"].update(
        url="http://127.0.0.1:9/v1", estate="openai+http://127.0.0.1:9/v1"
    ),
    "the name of the target": lambda d: d["target"].update(estate="source"),
    "a deletion of what others made": delete_of_others,
    "one action less": lambda d: d["actions"].pop(),
    "another action": another_action,
    "a loss that nobody planned": lambda d: d["losses"].append(
        {
            "kind": "assistant",
            "id": "asst_x",
            "field": "name",
            "grade": "lost",
            "reason": "",
            "accepted": True,
        }
    ),
    "another model": lambda d: d["settled"]["models"].update({"gpt-4o": "cheaper"}),
    "another snapshot": lambda d: d["source"].update(snapshot=2),
    "what lay on the target": lambda d: d["target"]["objects"].append(["assistant", "", "asst_x", "0"]),
    "only the nonce": lambda d: d.update(nonce="0" * 16),
    "only the time": lambda d: d.update(created_at="2026-01-01T00:00:00+00:00"),
}


@pytest.mark.exhaustive(8)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("command", COMMANDS)
def test_a_plan_that_was_resealed_is_refused_and_nothing_is_sent(
    planned: World, command: str, change: Change
) -> None:
    resealed(planned, change)
    asked = len(planned.target.requests), len(planned.source.requests)
    planned(command, planned.plan, *YES[command]).error(4, "does not know this plan", "run plan again")
    assert (len(planned.target.requests), len(planned.source.requests)) == asked


def test_a_plan_that_names_a_copy_of_its_archive_is_refused(planned: World) -> None:
    copy = str(planned.folder / "copy.db")
    shutil.copy(planned.db, copy)
    resealed(planned, lambda document: document["source"].update(archive=copy))
    for command in COMMANDS:
        planned(command, planned.plan, *YES[command]).error(4, "copy.db does not know this plan")


def test_no_key_reaches_an_address_that_was_put_into_a_plan(planned: World) -> None:
    with Emulator(options("TARGET_KEY", service="openai")) as forged:
        resealed(
            planned,
            lambda d: d["target"].update(url=f"{forged.url}", estate=f"openai+{forged.url}"),
        )
        planned.env["OPENAI_API_KEY"] = KEYS["TARGET_KEY"]
        for command in COMMANDS:
            planned(command, planned.plan, *YES[command]).error(4)
        assert not forged.requests


@pytest.mark.parametrize("command", COMMANDS)
def test_a_plan_of_an_archive_that_was_put_back_to_an_older_copy(small: World, command: str) -> None:
    small.snapshot()
    shutil.copy(small.db, f"{small.db}.old")
    small.planned()
    shutil.move(f"{small.db}.old", small.db)
    small(command, small.plan, *YES[command]).error(4, "does not know this plan")


def test_an_applied_plan_stays_known_for_verify_and_rollback(planned: World) -> None:
    before = planned.target.estate.counts()
    assert planned.apply().code == 0
    planned("verify", planned.plan).ok()
    planned("rollback", planned.plan, "--yes").ok()
    assert planned.target.estate.counts() == before


def test_every_plan_of_an_archive_is_known_and_not_only_the_last(planned: World) -> None:
    first = str(planned.folder / "first.json")
    shutil.copy(planned.plan, first)
    planned.planned()
    planned("apply", first, "--yes").ok()
    planned("verify", first).ok()


def test_a_plan_from_a_config_directory_is_known_to_the_archive_beside_it(small: World) -> None:
    directory = write(
        small.folder / "agents", {"assistants/Helper.md": "---\nname: Helper\nmodel: gpt-4o\n---\nHelp.\n"}
    )
    small("plan", directory, "target", "-o", small.plan, "--accept-loss", "all").ok()
    resealed(small, lambda document: document.update(nonce="0" * 16))
    small("apply", small.plan, "--yes").error(4, "plan.db does not know this plan")
    small("plan", directory, "target", "-o", small.plan, "--accept-loss", "all").ok()
    small("apply", small.plan, "--yes").ok()


def test_merged_archives_know_the_plans_of_all_of_them(planned: World) -> None:
    assert planned.apply().code == 0
    whole = str(planned.folder / "all.db")
    planned("merge", planned.db, "-o", whole).ok()
    shutil.move(whole, planned.db)
    planned("verify", planned.plan).ok()
    planned("rollback", planned.plan, "--yes").ok()


def test_forgetting_snapshots_forgets_no_plan(planned: World) -> None:
    assert planned.apply().code == 0
    planned.snapshot()
    planned("forget", planned.db, "--keep-last", "2", "--yes").ok()
    planned("verify", planned.plan).ok()


def test_a_deletion_is_looked_up_in_the_journal_again_when_it_is_applied(launch: Launch) -> None:
    world = launch()
    world.snapshot()
    world.planned()
    assert world.apply().code == 0
    gone = next(iter(world.source.estate.assistants))
    del world.source.estate.assistants[gone]
    world.snapshot()
    world.planned("--prune", "--max-delete", "100%")
    with closing(sqlite3.connect(world.db)) as conn, conn:
        register_sql_functions(conn)
        conn.execute("UPDATE journal SET action = 'adopt' WHERE source_id = ?", (gone,))
        hash_all_rows(conn)
    before = world.target.estate.counts()
    world.apply().error(4, "that were not created from this archive", "assistant")
    assert world.target.estate.counts() == before


@pytest.mark.parametrize("command", ["apply", "rollback"])
def test_the_question_shows_the_address_that_is_written_to(planned: World, command: str) -> None:
    said = planned.plain(command, planned.plan, stdin="n\n")
    assert said.code == 3
    assert planned.target.url in said.err


def test_a_plan_of_an_archive_that_cannot_be_written_is_not_made(small: World) -> None:
    small.snapshot()
    Path(small.db).chmod(0o400)
    asked = len(small.target.requests)
    with enforce_file_modes():
        said = small("plan", small.db, "target", "-o", small.plan)
    said.error(2, "cannot write", "estate.db", "copy the archive")
    assert len(small.target.requests) == asked, "the target was read for nothing"
    assert not Path(small.plan).exists()
