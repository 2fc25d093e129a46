"""The comparison of both generations finds every type of damage; otherwise the flow tests prove nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from migrate.emulator import Estate
from tests.e2e.foundry_comparison import differences
from tests.e2e.projects import add, agent, assistant, file, latest, moved, project, say, store, thread
from tests.e2e.running import World, copied, world

Json = dict[str, Any]
PAGES = [{"connection_id": "web-search", "count": 3}, {"connection_id": "seed-search", "market": "de-DE"}]


@dataclass
class Moved:
    world: World
    ids: list[Json]
    losses: list[Json]

    @property
    def seen(self) -> list[str]:
        return list(differences(self.world, self.ids, self.losses))


@pytest.fixture(scope="module")
def arrived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """An estate with one object of every kind, after a move."""
    source, target = project("SOURCE_KEY"), project("TARGET_KEY")
    folder = tmp_path_factory.mktemp("seen")
    with world(folder, source, target, types=("foundry-classic", "foundry")) as made:
        cloud = made.source
        notes = file(cloud, 1, "notes.md")
        papers, own = store(cloud, 1, "papers", [notes]), store(cloud, 2, "own", [notes])
        tools = [
            {"type": "file_search"},
            {"type": "function", "function": {"name": "f", "parameters": {}}},
            {"type": "bing_grounding", "bing_grounding": {"search_configurations": PAGES}},
        ]
        search = {"file_search": {"vector_store_ids": [papers]}}
        row = assistant(
            1,
            "Front Desk",
            tools=tools,
            tool_resources=search,
            metadata={"a": "b"},
            temperature=0.5,
            description="at the door",
        )
        add(cloud, row)
        id_ = thread(
            cloud, 1, ["one", "two", "one"], tool_resources={"file_search": {"vector_store_ids": [own]}}
        )
        picture = [{"type": "image_file", "image_file": {"file_id": notes}}]
        say(cloud, id_, "", content=picture, role="user")
        paper = [{"file_id": notes, "tools": [{"type": "code_interpreter"}]}]
        say(cloud, id_, "read this", attachments=paper, role="user")
        losses = moved(made) and made.planned()["losses"]
        yield Moved(made, made("ids", made.db).ok(), losses)


NAME = "Front-Desk"


def version(estate: Estate) -> Json:
    found: Json = estate.agents[NAME]["versions"]["latest"]
    return found


def rows(estate: Estate) -> list[Json]:
    found: list[Json] = version(estate)["definition"]["tools"][2]["bing_grounding"]["search_configurations"]
    return found


def items(estate: Estate) -> list[Json]:
    return list(next(iter(estate.items.values())).values())


def conversation(estate: Estate) -> Json:
    return next(iter(estate.conversations.values()))


def swapped(estate: Estate) -> None:
    one, other, *_ = items(estate)
    one["content"], other["content"] = other["content"], one["content"]


def lacking(estate: Estate) -> None:
    table = next(iter(estate.items.values()))
    del table[list(table)[2]]


def emptied(estate: Estate) -> None:
    table = next(iter(estate.vector_store_files.values()))
    del table[next(iter(table))]


def double(estate: Estate) -> None:
    estate.agents["nobody"] = {**deepcopy(estate.agents[NAME]), "id": "nobody", "name": "nobody"}
    version = estate.agents["nobody"]["versions"]["latest"]
    version |= {"id": "nobody:1", "name": "nobody", "metadata": {}}


class Weed:
    """File content that the program did not send."""

    def read(self) -> bytes:
        return b"weed"


def overwritten(estate: Estate) -> None:
    estate.content[next(iter(estate.content))] = Weed()  # type: ignore[assignment]


DAMAGE: dict[str, Callable[[Estate], Any]] = {
    "another model": lambda e: version(e)["definition"].update(model="gpt-4.1"),
    "other instructions": lambda e: version(e)["definition"].update(instructions="x"),
    "another temperature": lambda e: version(e)["definition"].update(temperature=0.6),
    "a key more": lambda e: version(e)["definition"].update(tool_choice="required"),
    "another description": lambda e: version(e).update(description=""),
    "a tool less": lambda e: version(e)["definition"]["tools"].pop(),
    "a tool more": lambda e: version(e)["definition"]["tools"].append({"type": "code_interpreter"}),
    "a store of the source": lambda e: version(e)["definition"]["tools"][0].update(vector_store_ids=["vs_1"]),
    "a stricter function": lambda e: version(e)["definition"]["tools"][1].update(strict=True),
    "a connection less": lambda e: rows(e).pop(),
    "another connection": lambda e: rows(e)[0].update(project_connection_id="seed-search"),
    "another stamp": lambda e: version(e)["metadata"].update(migrated_from="openai:asst_1"),
    "no name of its own": lambda e: version(e)["metadata"].pop("migrated_name"),
    "metadata of strangers": lambda e: version(e)["metadata"].update(c="d"),
    "two messages swapped": swapped,
    "a message less": lacking,
    "a word less": lambda e: items(e)[1]["content"][0].update(text="tw"),
    "another speaker": lambda e: items(e)[1].update(role="user"),
    "another picture": lambda e: items(e)[3]["content"][0].update(file_id="assistant-x"),
    "no stores named": lambda e: conversation(e)["metadata"].pop("migrated_vector_stores"),
    "no stamp on the conversation": lambda e: conversation(e)["metadata"].pop("migrated_from"),
    "other bytes": overwritten,
    "an empty store": emptied,
    "a store with another name": lambda e: next(iter(e.vector_stores.values())).update(name="x"),
    "an agent of nobody": double,
}


def test_what_arrived_is_the_same(arrived: Moved) -> None:
    assert arrived.seen == []
    assert latest(arrived.world.target, NAME)["metadata"]["migrated_name"] == "Front Desk"


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_seen(arrived: Moved, damage: str) -> None:
    cloud = arrived.world.target
    kept = copied(cloud.estate)
    try:
        DAMAGE[damage](cloud.estate)
        assert arrived.seen != []
    finally:
        vars(cloud.estate).update(kept)


def test_an_agent_of_others_is_found(arrived: Moved) -> None:
    cloud = arrived.world.target
    agent(cloud, "stranger")
    try:
        assert [line for line in arrived.seen if "stranger" in line]
    finally:
        del cloud.estate.agents["stranger"]
