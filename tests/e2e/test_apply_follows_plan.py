"""Apply writes exactly what the plan lists: random edits on both sides, and every request is checked."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, file, say, thread
from tests.e2e.running import World
from tests.e2e.test_sync_again import estate, plan_file

Json = dict[str, Any]
LISTINGS = {
    "files": "file", "vector_stores": "vector_store", "assistants": "assistant", "threads": "thread",
    "conversations": "thread",
}  # fmt: skip
ROUNDS = 4


def edit_source(world: World, dice: random.Random, number: int) -> None:
    """One edit on the source."""
    here = world.source.estate
    talk = dice.choice(list(here.threads))
    what = dice.randrange(7)
    if what == 0:
        say(world.source, talk, f"further {number}")
    elif what == 1:
        here.threads[talk] = {**here.threads[talk], "metadata": {"who": f"Bob {number}"}}
    elif what == 2:
        id_ = dice.choice(list(here.assistants))
        here.assistants[id_] = {**here.assistants[id_], "instructions": f"Read {number}."}
    elif what == 3:
        id_ = dice.choice(list(here.vector_stores))
        here.vector_stores[id_] = {**here.vector_stores[id_], "name": f"papers {number}"}
    elif what == 4:
        add(world.source, assistant(100 + number, f"new {number}"))
    elif what == 5:
        thread(world.source, 100 + number, ["hello", "there"])
    else:
        file(world.source, 100 + number, f"more-{number}.md", b"more")


def edit_target(world: World, dice: random.Random, number: int) -> None:
    """One edit on the target, by somebody else."""
    there = world.target.estate
    new = world.types[1] == "foundry"
    table = dice.choice([there.conversations if new else there.threads, there.vector_stores])
    id_ = dice.choice(list(table))
    table[id_] = {**table[id_], "metadata": {**table[id_]["metadata"], "by": f"Eve {number}"}}


def unplanned_requests(world: World, plan: Json, before: int) -> Iterator[str]:
    """Requests that the plan does not announce."""
    actions = plan["actions"]
    creates = Counter(a["kind"] for a in actions if a["action"] == "create")
    updates = {(a["kind"], a["target_id"]): a["fields"] for a in actions if a["action"] == "update"}
    named = {a["target_name"] for a in actions if a["action"] == "create"}
    appended = {a["target_id"]: a["messages"] for a in actions if a["kind"] == "thread" and a["target_id"]}
    for request in world.target.requests[before:]:
        if request.method == "GET":
            continue
        line = f"{request.method} {request.path}"
        parts = request.path.strip("/").split("/")
        body = json.loads(request.body) if request.body[:1] == b"{" else {}
        if request.method == "DELETE":
            yield line
        elif parts[-1] == "versions":
            yield from [] if parts[-2] in named or ("assistant", parts[-2]) in updates else [line]
        elif parts[-1] in LISTINGS and parts[-2] not in ("vector_stores",) and "vector_stores/" not in line:
            creates[LISTINGS[parts[-1]]] -= 1
        elif parts[-1] in ("messages", "items"):
            if parts[-2] in appended:
                appended[parts[-2]] -= len(body.get("items", [0]))
        elif parts[-2] in LISTINGS:
            fields = updates.get((LISTINGS[parts[-2]], parts[-1]), [])
            yield from [f"{line}: {key}" for key in body.keys() - set(fields)]
    yield from (f"{-number} {kind} too many" for kind, number in creates.items() if number < 0)
    yield from (f"{-number} messages too many in {id_}" for id_, number in appended.items() if number < 0)


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("type_", ["azure-openai", "foundry"])
def test_apply_writes_nothing_that_the_plan_does_not_name(launch: Launch, type_: str, seed: int) -> None:
    world = estate(launch, type_)
    dice, numbers = random.Random(seed), count()
    command = ("sync", "source", "target", "-o", world.db, "--accept-loss", "all", "--on-conflict")
    world(*command, "keep").ok()
    for number in range(ROUNDS):
        for _ in range(dice.randrange(1, 4)):
            edit_source(world, dice, next(numbers))
        if dice.random() < 0.7:
            edit_target(world, dice, number)
        how = dice.choice(["keep", "keep", "fail", "overwrite"])
        before = len(world.target.requests)
        said = world(*command, how)
        if said.code == 4:
            assert world.writes(before) == []
            continue
        assert said.code == 0, said.err
        if world.writes(before):
            assert list(unplanned_requests(world, json.loads(plan_file(world).read_text()), before)) == []
