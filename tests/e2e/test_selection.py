"""A plan with a selection moves exactly what was selected and what that needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Emulator
from tests.e2e.rounds import furnish, service
from tests.e2e.running import World, world
from tests.e2e.small_estate import restore_state, saved_state, state_changes

Json = dict[str, Any]
ROUTES = (("azure-openai", "openai"), ("openai", "foundry-classic"), ("foundry-classic", "foundry"),
          ("foundry", "foundry"))  # fmt: skip
KINDS = ("file", "vector_store", "assistant", "thread")


@pytest.fixture(scope="module", params=ROUTES, ids=" to ".join)
def moved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A complete snapshot of an estate with all kinds, and an empty target."""
    source, target = request.param
    folder = tmp_path_factory.mktemp("selection")
    ends = service("SOURCE_KEY", source), service("TARGET_KEY", target)
    with world(folder, *ends, types=request.param) as made:
        furnish(made.source, source)
        made.snapshot()
        yield made, saved_state(made.target.estate)


def restarted(moved: Any) -> World:
    made, empty = moved
    restore_state(made.target.estate, empty)
    Path(made.plan).unlink(missing_ok=True)
    return made


def planned(made: World, *options: str) -> Json:
    """The document of a plan whose losses are all accepted."""
    said = made("plan", made.db, "target", "-o", made.plan, "--accept-loss", "all", *options)
    assert said.code == 0, said.err
    return dict(said.json)


def selected(path: str) -> set[str]:
    rows = json.loads(Path(path).read_text(encoding="utf-8"))["actions"]
    return {row["id"] for row in rows if row["kind"] in KINDS}


def needs(cloud: Emulator) -> dict[str, set[str]]:
    """Id -> ids that occur in its body or in its members, found by a search for every id in the text."""
    estate = cloud.estate
    own = {**estate.files, **estate.vector_stores, **estate.assistants, **estate.threads,
           **estate.agents, **estate.conversations}  # fmt: skip
    texts = {id_: json.dumps(row) for id_, row in own.items()}
    for name, rows in estate.agent_versions.items():
        texts[name] += json.dumps(rows)
    for below in (estate.vector_store_files, estate.messages, estate.items):
        for id_, rows in below.items():
            texts[id_] += json.dumps(rows)
    smaller = [id_ for id_ in own if id_ not in estate.threads and id_ not in estate.conversations]
    return {
        id_: {other for other in smaller if other != id_ and f'"{other}"' in text}
        for id_, text in texts.items()
    }


def test_without_dependencies_the_losses_list_what_is_missing(moved: Any) -> None:
    world_ = restarted(moved)
    stores = world_.source.estate.vector_stores
    reader = next(id_ for id_, named in needs(world_.source).items() if named and id_ not in stores)
    plan = planned(world_, "--id", reader, "--no-dependencies")
    assert selected(world_.plan) == {reader}
    assert [row for row in plan["losses"] if row["id"] == reader and row["grade"] in ("lost", "blocked")]
    world_("apply", world_.plan, "--yes")
    assert world_("verify", world_.plan).json["findings"] == []


def test_a_second_plan_for_the_rest_refers_to_what_arrived(moved: Any) -> None:
    world_ = restarted(moved)
    planned(world_, "--include", "vector_store:*", "--include", "file:*")
    world_("apply", world_.plan, "--yes").ok()
    Path(world_.plan).unlink()
    plan = planned(world_, "--include", "assistant:*", "--no-dependencies")
    assert not [row for row in plan["losses"] if row["grade"] == "lost" and "vector_store" in row["reason"]]
    world_("apply", world_.plan, "--yes")
    assert world_("verify", world_.plan).json["findings"] == []


def test_bad_selections_write_nothing(moved: Any) -> None:
    world_ = restarted(moved)
    before, asked = saved_state(world_.target.estate), len(world_.target.requests)
    plan = ("plan", world_.db, "target", "-o", world_.plan)
    world_(*plan, "--id", "nobody").error(1, "nothing in snapshot 1 matches --id nobody")
    world_(*plan, "--include", "assistant:nobody*").error(1, "matches --include assistant:nobody*")
    world_(*plan, "--ids", "-", stdin="\n# none\n").error(1, "there is no id in it")
    world_(*plan, "--meta", "user").error(2, "a key and a pattern are needed")
    world_(*plan, "--after", "soon").error(2, "this is not a date")
    world_(*plan, "--prune", "--include", "file:*").error(4, "--prune cannot be combined with a selection")
    assert not Path(world_.plan).exists()
    assert world_.writes(asked) == []
    assert state_changes(before, saved_state(world_.target.estate)) == []


def test_ids_from_a_list_with_a_byte_order_mark(moved: Any) -> None:
    world_ = restarted(moved)
    file = next(iter(world_.source.estate.files))
    listed = world_.folder / "ids.txt"
    listed.write_bytes(b"\xef\xbb\xbf" + f"\r\n{file}  # the first\r\n\r\n{file}\r\n".encode())
    planned(world_, "--ids", str(listed))
    assert selected(world_.plan) == {file}


def test_an_unknown_id_among_others_is_named_and_ends_with_3(moved: Any) -> None:
    world_ = restarted(moved)
    file = next(iter(world_.source.estate.files))
    plan = world_("plan", world_.db, "target", "-o", world_.plan, "--id", file, "--id", "nobody").ok(3)
    assert plan["unknown_ids"] == ["nobody"]
    assert selected(world_.plan) == {file}


def test_a_rule_that_matches_nothing_is_reported_beside_one_that_does(moved: Any) -> None:
    world_ = restarted(moved)
    rules = ("--include", "file:notes*", "--include", "file:nothing*")
    plan = world_.plain("plan", world_.db, "target", "-o", world_.plan, "--accept-loss", "all", *rules)
    assert plan.code == 0, plan.err
    assert "no object matches file:nothing*" in plan.out


def test_conversations_are_selected_by_their_own_time_which_is_reported(moved: Any) -> None:
    world_ = restarted(moved)
    dated = ("--after", "2000-01-01", "--accept-loss", "all")
    plan = world_.plain("plan", world_.db, "target", "-o", world_.plan, *dated)
    assert ("carry no time" in plan.out) == (world_.types[0] == "foundry"), plan.out
