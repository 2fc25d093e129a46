"""`drill`: an archive is restored into an empty place, compared and removed again, without a trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import pytest

from migrate.archive.database import Archive
from migrate.archive.id_map import derivations
from migrate.emulator import Emulator
from tests.e2e.faults import Fault
from tests.e2e.fork_server import ForkServer, KillPoint
from tests.e2e.projects import add, assistant
from tests.e2e.rounds import TYPES, furnish, move, service
from tests.e2e.running import World, world
from tests.e2e.scenarios import write
from tests.e2e.small_estate import restore_state, saved_state, state_changes
from tests.sample import sample

Json = dict[str, Any]
STEPS = ["check", "plan", "restore", "verify", "remove", "list"]
TABLES = (
    "files", "vector_stores", "assistants", "threads", "messages", "agents", "agent_versions",
    "conversations", "items",
)  # fmt: skip
JOURNAL = "estate.db.drill"


def mark_scratch(made: World, name: str = "target") -> None:
    """Mark an estate of the config file as a place for drills."""
    text = made.config.read_text(encoding="utf-8")
    made.config.write_text(text.replace(f"[estates.{name}]\n", f"[estates.{name}]\nscratch = true\n"))


@contextmanager
def archived(folder: Path, type_: str, target: str = "", **others: Any) -> Iterator[World]:
    """An estate with all kinds of one service in an archive, and an empty scratch place of a type."""
    ends = service("SOURCE_KEY", type_), service("TARGET_KEY", target or type_)
    with world(folder, *ends, types=(type_, target or type_), **others) as made:
        furnish(made.source, type_)
        made.snapshot()
        mark_scratch(made)
        yield made


def drill(made: World, *options: str, code: int = 0) -> Json:
    found: Json = made("drill", made.db, "--to", "target", "--accept-loss", "all", *options).ok(code)
    return found


def content(cloud: Emulator) -> list[str]:
    """Everything that a service has, by table."""
    return [f"{name}: {key}" for name in TABLES for key, row in getattr(cloud.estate, name).items() if row]


def files_beside(made: World) -> list[str]:
    return sorted(path.name for path in made.folder.glob("estate.db*"))


@pytest.mark.parametrize("type_", TYPES)
def test_everything_is_restored_compared_and_taken_back(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        archive = Path(made.db).read_bytes()
        result = drill(made)
        assert result["ok"] is True
        assert result["findings"] == result["left_behind"] == result["not_removed"] == []
        assert [row for row in result["not_rebuilt"] if not row["accepted"]] == []
        assert result["created"] == result["objects"] == result["all_objects"] > 50
        assert result["checked"] >= result["created"]
        assert result["snapshot"] == 1
        assert [row["step"] for row in result["steps"]] == STEPS
        assert all(row["seconds"] == row["seconds_for_all"] > 0 for row in result["steps"])
        assert result["sample"] is None
        ages = {row["kind"]: row["age_s"] for row in result["readings"]}
        assert set(ages) >= {"file", "vector_store", "assistant", "thread", "message"}
        assert all(0 <= age < 120 for age in ages.values())
        assert content(made.target) == []
        assert len(made.writes()) > 40, "nothing was restored"
        assert files_beside(made) == ["estate.db"]
        assert Path(made.db).read_bytes() == archive
        assert made("applies", made.db).ok() == []
        assert made("ids", made.db).ok() == []


@pytest.mark.parametrize("type_", TYPES)
def test_an_emulator_needs_no_place(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        asked = len(made.target.requests)
        found = made("drill", made.db, "--to", "emulator", "--accept-loss", "all").ok()
        assert found["emulated"] is True
        assert found["created"] == found["all_objects"] > 50
        assert found["target"]["type"] == type_
        assert found["findings"] == found["left_behind"] == []
        assert len(made.target.requests) == asked
        assert files_beside(made) == ["estate.db"]
        assert made("applies", made.db).ok() == []


def test_an_emulator_of_another_service_is_a_drill_of_the_move(tmp_path: Path) -> None:
    with archived(tmp_path, "azure-openai") as made:
        found = made(
            "drill", made.db, "--to", "emulator", "--service", "foundry", "--accept-loss", "all"
        ).ok()
        assert found["target"]["type"] == "foundry"
        assert found["created"] > 50


def test_what_could_not_be_rebuilt_is_reported_with_its_reason(tmp_path: Path) -> None:
    source = replace(service("SOURCE_KEY", "azure-openai"), downloads=False)
    with world(tmp_path, source, service("TARGET_KEY", "azure-openai")) as made:
        furnish(made.source, "azure-openai")
        made.snapshot(code=3)
        mark_scratch(made)
        result = made("drill", made.db, "--to", "target").ok(3)
        rows = [row for row in result["not_rebuilt"] if row["kind"] == "file"]
        assert len(rows) > 3
        assert {row["id"] for row in rows} <= set(made.source.estate.files)
        assert {row["grade"] for row in rows} == {"blocked"}
        assert "no bytes" in rows[0]["reason"]
        assert result["findings"] == []
        readings = {row["kind"]: row["snapshot"] for row in result["readings"]}
        assert (readings["file"], readings["assistant"]) == (None, 1)
        assert content(made.target) == []
        assert drill(made)["ok"] is True, "an accepted loss is no failure"


def test_losses_that_are_not_accepted_end_with_1(tmp_path: Path) -> None:
    with archived(tmp_path, "azure-openai") as made:
        result = made("drill", made.db, "--to", "target").ok(1)
        assert {row["grade"] for row in result["not_rebuilt"]} == {"lost"}
        assert content(made.target) == []


def test_a_sample_takes_whole_threads_and_what_they_need(tmp_path: Path) -> None:
    with archived(tmp_path, "openai") as made:
        threads = len(made.source.estate.threads)
        for share, number in (("50%", threads // 2), ("1%", 1)):
            asked = len(made.target.requests)
            result = drill(made, "--sample", share, "--seed", "7")
            assert result["sample"] == {"percent": float(share[:-1]), "seed": 7}
            assert result["created"] == result["objects"] < result["all_objects"]
            assert made.writes(asked).count("POST /v1/threads") == number
            assert made.writes(asked).count("POST /v1/assistants") == number, "there are as many of both"
            restore = next(step for step in result["steps"] if step["step"] == "restore")
            factor = result["all_objects"] / result["objects"]
            assert restore["seconds_for_all"] == pytest.approx(restore["seconds"] * factor)
            check = next(step for step in result["steps"] if step["step"] == "check")
            assert check["seconds_for_all"] == check["seconds"]
            assert content(made.target) == []


def refused(made: World, *arguments: str, code: int, words: tuple[str, ...]) -> None:
    asked = len(made.target.requests)
    made("drill", made.db, *arguments).error(code, *words)
    assert [line for line in made.writes(asked) if not line.startswith("GET")] == []
    assert files_beside(made) == ["estate.db"]


def test_a_place_that_is_not_meant_for_it_is_refused(tmp_path: Path) -> None:
    with archived(tmp_path, "azure-openai") as made:
        add(made.target, assistant(9, "somebody's"))
        refused(made, "--to", "target", code=4, words=("is not empty", "somebody's", "--to emulator"))
        made.target.estate.assistants.clear()
        url = f"azure-openai+{made.target.url}"
        with patch.dict(made.env, {"AZURE_OPENAI_API_KEY": made.target.options.key}):
            refused(made, "--to", url, code=4, words=("not marked as a place for drills", "scratch = true"))
        refused(made, "--to", "source", code=4, words=("not marked", "[estates.source]"))
        mark_scratch(made, "source")
        refused(made, "--to", "source", code=4, words=("was read from", "another place"))
        made.configure()
        refused(made, "--to", "target", code=4, words=("target is not marked", "--to emulator"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--to", "nowhere"), ("is not an estate",)),
        (("--to", "target", "--seed", "3"), ("--sample",)),
        (("--to", "target", "--sample", "0%"), ("no share",)),
        (("--to", "target", "--sample", "many"), ("no share",)),
        (("--to", "target", "--service", "openai"), ("type of an emulator",)),
    ],
)
def test_bad_input_is_refused(arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path) -> None:
    with archived(tmp_path, "openai") as made:
        refused(made, *arguments, code=2, words=words)


def test_a_live_estate_is_no_archive(tmp_path: Path) -> None:
    with archived(tmp_path, "openai") as made:
        made("drill", "source", "--to", "target").error(2, "is not an archive")


class Undeletable(Fault):
    """Refuses to delete."""

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        body = json.dumps({"error": {"message": "locked by policy"}}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def test_what_is_left_behind_is_named_and_removed_by_the_next_drill(tmp_path: Path) -> None:
    fault = Undeletable(lambda method, path, _: method == "DELETE" and "/assistants/" in path, 1, 10**6)
    with archived(tmp_path, "azure-openai", wrap_target=fault) as made:
        result = drill(made, code=3)
        left = {row["id"] for row in result["left_behind"]}
        assert left == set(made.target.estate.assistants)
        assert len(left) == len(made.source.estate.assistants)
        assert {row["kind"] for row in result["left_behind"]} == {"assistant"}
        assert "locked by policy" in result["not_removed"][0]["reason"]
        assert JOURNAL in files_beside(made)
        made("drill", made.db, "--to", "target").error(3, "could not be removed", "locked by policy")
        fault.last = 0
        again = drill(made)
        assert again["removed_before"] >= len(left)
        assert content(made.target) == []
        assert files_beside(made) == ["estate.db"]


@pytest.mark.slow
@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("type_", ["azure-openai", "foundry"])
def test_a_drill_killed_at_any_write_is_removed_by_the_same_command(type_: str, tmp_path: Path) -> None:
    moment = KillPoint(write)
    with (
        archived(tmp_path, type_, wrap_target=moment) as made,
        ForkServer(made.env, made.folder / "killed.log") as spare,
    ):
        empty = saved_state(made.target.estate)
        command = ("drill", made.db, "--to", "target", "--accept-loss", "all")
        moment.set(0)
        made(*command, "--workers", "1").ok()
        writes = list(moment.asked)
        assert len(writes) > 40
        wrong: list[str] = []
        config = ("--config", str(made.config), "--quiet")
        for at, asked in sample(enumerate(writes, 1), 3):
            for done in (True, False):
                restore_state(made.target.estate, empty)
                moment.set(at, done)
                spare.killed(moment, *command, "--workers", "1", *config)
                moment.set(0)
                if JOURNAL not in files_beside(made):
                    wrong.append(f"{at} {asked} {done}: no journal")
                again = made(*command)
                if again.code or again.json["left_behind"]:
                    wrong.append(f"{at} {asked} {done}: exit {again.code}: {again.err}")
                wrong += [f"{at} {asked} {done}: {row}" for row in content(made.target)]
                if files_beside(made) != ["estate.db"]:
                    wrong.append(f"{at} {asked} {done}: {files_beside(made)}")
                if made("applies", made.db).ok() != []:
                    wrong.append(f"{at} {asked} {done}: it is in the journal of the archive")
        assert not wrong, "\n".join(wrong)


@contextmanager
def interrupted(folder: Path, type_: str = "azure-openai") -> Iterator[World]:
    """A drill that was killed late: the place has its objects, and its journal exists."""
    moment = KillPoint(lambda method, path, query: method == "DELETE")
    with (
        archived(folder, type_, wrap_target=moment) as made,
        ForkServer(made.env, made.folder / "killed.log") as spare,
    ):
        moment.set(1, done=False)
        config = ("--config", str(made.config), "--quiet")
        spare.killed(moment, "drill", made.db, "--to", "target", "--accept-loss", "all", *config)
        moment.set(0)
        assert len(content(made.target)) > 10
        assert JOURNAL in files_beside(made)
        yield made


def test_what_others_changed_in_the_place_goes_too(tmp_path: Path) -> None:
    with interrupted(tmp_path) as made:
        assistants = made.target.estate.assistants
        first = next(iter(assistants))
        assistants[first] = {**assistants[first], "instructions": "Changed by somebody."}
        result = drill(made)
        assert result["removed_before"] > 10
        assert content(made.target) == []


def test_an_object_of_somebody_else_stays_and_the_drill_does_not_begin(tmp_path: Path) -> None:
    with interrupted(tmp_path) as made:
        add(made.target, assistant(9, "somebody's"))
        made("drill", made.db, "--to", "target").error(4, "is not empty: it has 1 object", "somebody's")
        assert [row["name"] for row in made.target.estate.assistants.values()] == ["somebody's"]
        assert files_beside(made) == ["estate.db"]


def test_a_leftover_whose_snapshot_is_gone_is_reported(tmp_path: Path) -> None:
    with interrupted(tmp_path) as made:
        made.snapshot()
        made("forget", made.db, "1", "--yes").ok()
        asked = len(made.target.requests)
        made("drill", made.db, "--to", "target").error(3, "an interrupted drill left objects", JOURNAL)
        assert made.writes(asked) == []


def test_a_leftover_in_another_place_is_removed_from_there(tmp_path: Path) -> None:
    with interrupted(tmp_path) as made, Emulator(service("TARGET_KEY", "azure-openai")) as other:
        text = made.config.read_text(encoding="utf-8")
        table = text[text.index("[estates.target]") : text.index("[models]")]
        table = table.replace("estates.target", "estates.third").replace(made.target.url, other.url)
        made.config.write_text(f"{table}\n{text}", encoding="utf-8")
        result = made("drill", made.db, "--to", "third", "--accept-loss", "all").ok()
        assert result["removed_before"] > 10
        assert content(made.target) == content(other) == []


def test_a_drill_beside_another_one_is_refused(tmp_path: Path) -> None:
    with (
        archived(tmp_path, "openai") as made,
        Archive.open(made.folder / JOURNAL, write=True, create=True),
    ):
        asked = len(made.target.requests)
        made("drill", made.db, "--to", "target").error(4, "is being written by another program")
        assert made.writes(asked) == []


@pytest.mark.slow
@pytest.mark.parametrize("type_", ["azure-openai", "foundry"])
def test_no_command_takes_what_a_drill_made_for_a_moved_object(type_: str, tmp_path: Path) -> None:
    """Each command that reads the journal has the same output before a drill, while the objects of an
    interrupted one exist, and after their removal."""
    moment = KillPoint(lambda method, path, query: method == "DELETE")
    ends = service("SOURCE_KEY", type_), service("TARGET_KEY", type_)
    with (
        world(tmp_path, *ends, types=(type_, type_)) as made,
        Emulator(service("TARGET_KEY", type_), wrap=moment) as place,
        ForkServer(made.env, made.folder / "killed.log") as spare,
    ):
        furnish(made.source, type_)
        move(made, "source", "target")
        text = made.config.read_text(encoding="utf-8")
        table = text[text.index("[estates.target]") : text.index("[models]")]
        table = table.replace("estates.target", "estates.place").replace(made.target.url, place.url)
        made.config.write_text(f"{table}\n{text}", encoding="utf-8")
        mark_scratch(made, "place")
        before = answers(made, "before")
        config = ("--config", str(made.config), "--quiet")
        moment.set(1, done=False)
        spare.killed(moment, "drill", made.db, "--to", "place", "--accept-loss", "all", *config)
        moment.set(0)
        assert len(content(place)) > 10
        # A plan for the place itself recognizes the objects by their stamp, like those of another program.
        assert answers(made, "between") == {**before, "elsewhere": None}
        made("drill", made.db, "--to", "place", "--accept-loss", "all").ok()
        assert content(place) == []
        assert answers(made, "after") == before


def answers(made: World, name: str) -> Json:
    """The output of every command that reads the journal: ids, applies, plan (with and without --prune), diff
    --journal, sync, merge, and the lineage of objects."""
    plan = str(made.folder / f"{name}.json")
    joined = str(made.folder / f"{name}.db")
    planned = made("plan", f"{made.db}@1", "target", "-o", plan, "--accept-loss", "all").ok()
    pruned = made("plan", f"{made.db}@1", "target", "-o", plan, "--accept-loss", "all", "--prune").ok()
    elsewhere = None
    if name != "between":
        elsewhere = made("plan", f"{made.db}@1", "place", "-o", plan, "--accept-loss", "all").ok()["actions"]
    compared = made("diff", f"{made.db}@1", "target", "--journal", made.db)
    estate, requests = saved_state(made.target.estate), len(made.target.requests)
    made("sync", "source", "target", "-o", made.db, "--accept-loss", "all", "--prune").ok()
    assert made.writes(requests) == []
    assert state_changes(estate, saved_state(made.target.estate)) == []
    made("merge", made.db, "-o", joined).ok()
    with Archive.open(Path(made.db)) as archive:
        lineage = [str(row) for row in derivations(archive.conn)]
    return {
        "ids": made("ids", made.db).ok(),
        "applies": len(made("applies", made.db).ok()),
        "plan": planned["actions"],
        "prune": pruned["actions"],
        "elsewhere": elsewhere,
        "diff": [compared.code, compared.json["differences"]],
        "merged ids": made("ids", joined).ok(),
        "lineage": lineage,
    }


def test_the_report_has_ages_times_and_losses_in_every_format(tmp_path: Path) -> None:
    with archived(tmp_path, "azure-openai") as made:
        files = [made.folder / f"drill{ending}" for ending in (".txt", ".md", ".html", ".xml", ".json")]
        outputs = [word for file in files for word in ("-o", str(file))]
        made.plain("drill", made.db, "--to", "emulator", *outputs)
        for file in files[:4]:
            text = file.read_text(encoding="utf-8")
            assert "Newest complete reading" in text, file
            assert "read back and compare" in text, file
            assert "nothing left behind" in text, file
            assert "content.text.annotations" in text, file
        suite = ElementTree.fromstring(files[3].read_text(encoding="utf-8")).find("testsuite")
        assert suite is not None
        assert suite.get("failures") == "1"
        assert json.loads(files[4].read_text(encoding="utf-8"))["emulated"] is True


def test_an_earlier_move_to_the_same_place_is_neither_used_nor_changed(tmp_path: Path) -> None:
    """On a service that lists no threads: threads of an earlier move would be read by their ids."""
    place = replace(service("TARGET_KEY", "openai"), list_threads="missing")
    with world(tmp_path, service("SOURCE_KEY", "openai"), place) as made:
        empty = saved_state(made.target.estate)
        furnish(made.source, "openai")
        move(made, "source", "target")
        restore_state(made.target.estate, empty)
        mark_scratch(made)
        archive, ids = Path(made.db).read_bytes(), made("ids", made.db).ok()
        asked = len(made.target.requests)
        result = drill(made)
        assert result["created"] == result["all_objects"]
        assert not [row for row in result["losses"] if "earlier" in row["reason"]]
        old = {row["target_id"] for row in ids if row["kind"] in ("thread", "file", "vector_store")}
        paths = [request.path for request in made.target.requests[asked:]]
        assert not [path for path in paths if old & set(path.split("/"))], "it asks for objects of that move"
        assert (Path(made.db).read_bytes(), made("ids", made.db).ok()) == (archive, ids)
        assert content(made.target) == []
