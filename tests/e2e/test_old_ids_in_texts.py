"""Ids and names of the old resource inside texts that are moved: reported, and replaced on request."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.model.estate_location import EstateLocation
from migrate.model.project_resources import LOCAL_NAME_PATHS
from tests.e2e.conftest import Launch
from tests.e2e.projects import add, agent, assistant, change, file, latest, project, say, store, thread
from tests.e2e.running import World

Json = dict[str, Any]


def function(*values: str) -> Json:
    properties = {"where": {"type": "string", "enum": list(values)}}
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": "look", "description": "d", "parameters": parameters}}


def furnish(world: World) -> dict[str, str]:
    """Ids in every text of a user, beside declared references to the same objects."""
    notes = file(world.source, 1, "notes.md", b"remember")
    papers = store(world.source, 1, "papers", [notes], metadata={"made_of": notes})
    desk, clerk = assistant(1, "")["id"], assistant(2, "")["id"]
    add(
        world.source,
        assistant(
            1,
            "desk",
            instructions=f"Look into {papers}. First read `{notes}`; {papers}x and old{papers} are no ids.",
            description=f"knows {papers}",
            tools=[{"type": "file_search"}, function(papers, "elsewhere")],
            tool_resources={"file_search": {"vector_store_ids": [papers]}},
            metadata={"vector_store_id": papers, "colleague": clerk},
        ),
        assistant(2, "clerk"),
    )
    talk = thread(world.source, 1, ["hello", f"see {papers}"], metadata={"assistant_id": desk})
    return {"file": notes, "store": papers, "desk": desk, "clerk": clerk, "thread": talk}


@pytest.fixture
def world(launch: Launch) -> World:
    return launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry"))


def reported_mentions(plan: Json, kind: str, id_: str, word: str = "refers to the") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in plan["losses"]:
        if (row["kind"], row["id"]) == (kind, id_) and word in row["reason"]:
            assert row["grade"] == "adapted", row
            found.setdefault(row["field"], []).append(row["reason"])
    return found


def test_old_ids_in_texts_are_reported_and_left(world: World) -> None:
    ids = furnish(world)
    world.snapshot()
    plan = world.planned()
    found = reported_mentions(plan, "assistant", ids["desk"])
    assert set(found) == {"instructions", "description", "tools", "metadata"}
    assert len(found["instructions"]) == 2
    assert len(found["metadata"]) == 2
    assert set(reported_mentions(plan, "vector_store", ids["store"])) == {"metadata"}
    assert set(reported_mentions(plan, "thread", ids["thread"])) == {"metadata"}
    assert reported_mentions(plan, "assistant", ids["clerk"]) == {}
    (row,) = [row for row in plan["losses"] if row["kind"] == "message" and row["field"] == "content"]
    assert row["id"] == "*"
    assert row["reason"].startswith("1 name ids of the source")
    world.apply().ok()
    instructions = latest(world.target, "desk")["definition"]["instructions"]
    assert ids["store"] in instructions
    assert world("verify", world.plan).ok()["findings"] == []
    again = world.planned()
    assert again["actions"]["update"] == 0
    (new,) = world.target.estate.vector_stores
    assert any(
        f"it is {new} on the target" in text
        for text in reported_mentions(again, "assistant", ids["desk"])["tools"]
    )


@pytest.mark.parametrize("target", ["foundry", "foundry-classic"])
def test_with_rewrite_ids_the_new_ids_are_written_and_stay(launch: Launch, target: str) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", target))
    ids = furnish(world)
    world.snapshot()
    plan = world.planned("--rewrite-ids")
    assert any(
        "the new id is written" in text for text in reported_mentions(plan, "assistant", ids["desk"])["tools"]
    )
    world.apply().ok()
    (papers,) = world.target.estate.vector_stores
    (notes,) = world.target.estate.files
    if target == "foundry":
        made = latest(world.target, "desk")["definition"]
        metadata = latest(world.target, "desk")["metadata"]
        schema = made["tools"][1]["parameters"]
        description = latest(world.target, "desk")["description"]
        desk = "desk"
        (talk,) = world.target.estate.conversations.values()
    else:
        made = next(row for row in world.target.estate.assistants.values() if row["name"] == "desk")
        metadata, description = made["metadata"], made["description"]
        schema = made["tools"][1]["function"]["parameters"]
        desk = made["id"]
        (talk,) = world.target.estate.threads.values()
    old = ids["store"]
    assert made["instructions"] == (
        f"Look into {papers}. First read `{notes}`; {old}x and old{old} are no ids."
    )
    assert description == f"knows {papers}"
    assert schema["properties"]["where"]["enum"] == [papers, "elsewhere"]
    assert metadata["vector_store_id"] == papers
    assert metadata["migrated_from"] == f"foundry-classic:{ids['desk']}"
    assert (
        metadata["colleague"] == ids["clerk"]
    )  # created later than the one that refers to it: reported, not written
    assert talk["metadata"]["assistant_id"] == desk
    assert world.target.estate.vector_stores[papers]["metadata"]["made_of"] == notes
    assert world("verify", world.plan).ok()["findings"] == []
    again = world.planned("--rewrite-ids")["actions"]
    assert (again["create"], again["update"]) == (0, 0)
    assert world.apply().ok()["updated"] == 0
    assert world.planned()["actions"]["update"] > 0  # without the option the old ids are expected
    change(world.source, ids["desk"], instructions=f"Only {old}.")
    world.snapshot()
    assert world.planned("--rewrite-ids")["actions"]["update"] == 1
    world.apply().ok()
    assert world("verify", world.plan).ok()["findings"] == []
    assert world.planned("--rewrite-ids")["actions"]["update"] == 0


def test_sync_writes_new_ids_as_well(world: World) -> None:
    ids = furnish(world)
    arguments = ("sync", "source", "target", "-o", world.db, "--accept-loss", "all", "--rewrite-ids")
    assert world(*arguments).ok()
    (papers,) = world.target.estate.vector_stores
    assert latest(world.target, "desk")["metadata"]["vector_store_id"] == papers
    before = len(world.target.requests)
    assert world(*arguments).ok()
    assert world.writes(before) == []
    assert ids["store"] not in latest(world.target, "desk")["metadata"].values()


def test_within_one_project_files_and_stores_keep_their_ids(launch: Launch) -> None:
    one = project("SOURCE_KEY")
    world = launch(one, one, types=("foundry-classic", "foundry"))
    ids = furnish(world)
    world.snapshot()
    plan = world.planned()
    assert set(reported_mentions(plan, "assistant", ids["desk"])) == {
        "metadata"
    }  # the other assistant is an agent then
    assert reported_mentions(plan, "assistant", ids["desk"], "address of the source") == {}
    assert not [row for row in plan["losses"] if row["kind"] == "message" and row["field"] == "content"]


def test_an_id_that_does_not_arrive_is_reported_as_missing(world: World) -> None:
    lost = file(world.source, 3, "lost.md")
    world.source.estate.content.pop(lost).close()
    add(world.source, assistant(3, "poor", instructions=f"Read {lost}."))
    world("snapshot", "source", "-o", world.db).ok(3)
    (reason,) = reported_mentions(world.planned(), "assistant", assistant(3, "")["id"])["instructions"]
    assert reason.endswith("it will not be on the target")


# ---------------------------------------------------------------------------- names of the old resource


LOCAL: dict[str, Json] = {
    "memory store": {"tools": [{"type": "memory_search_preview", "memory_store_name": "mem", "scope": "u"}]},
    "index of the project": {
        "tools": [
            {
                "type": "azure_ai_search",
                "azure_ai_search": {
                    "indexes": [{"project_connection_id": "web-search", "index_asset_id": "i/1"}]
                },
            }
        ]
    },
    "skill": {"skills": [{"name": "packing", "version": "1"}]},
    "storage queue": {
        "tools": [
            {
                "type": "azure_function",
                "azure_function": {
                    "function": {"name": "f", "description": "d", "parameters": {}},
                    "input_binding": {
                        "type": "storage_queue",
                        "storage_queue": {"queue_service_endpoint": "https://q", "queue_name": "in"},
                    },
                    "output_binding": {
                        "type": "storage_queue",
                        "storage_queue": {"queue_service_endpoint": "https://q", "queue_name": "out"},
                    },
                },
            }
        ]
    },
    "deployment": {"tools": [{"type": "image_generation", "model": "gpt-image-1"}]},
}


@pytest.mark.parametrize("what", LOCAL)
def test_a_name_of_only_the_old_project_is_reported(launch: Launch, what: str) -> None:
    lenient = {"strict_definitions": False}
    world = launch(
        project("SOURCE_KEY", **lenient), project("TARGET_KEY", **lenient), types=("foundry", "foundry")
    )
    agent(world.source, "desk", **LOCAL[what])
    world.snapshot()
    plan = world.planned()
    rows = [row for row in plan["losses"] if f"refers to the {what} " in row["reason"]]
    assert rows, plan["losses"]
    assert {row["grade"] for row in rows} == {"adapted"}
    assert all(row["way_out"] for row in rows)


@pytest.mark.parametrize("what", LOCAL)
def test_back_in_its_own_project_no_name_is_reported(launch: Launch, what: str) -> None:
    one = project("SOURCE_KEY", strict_definitions=False)
    world = launch(one, one, types=("foundry", "foundry"))
    agent(world.source, "desk", **LOCAL[what])
    world.snapshot()
    plan = world("plan", f"{world.db}@1", "target", "-o", world.plan, "--accept-loss", "all")
    assert plan.code in (0, 4)
    assert "refers to the" not in plan.out


def test_every_declared_name_has_a_description() -> None:
    assert len({path for path, _ in LOCAL_NAME_PATHS}) == len(LOCAL_NAME_PATHS)
    assert all(what.startswith("the ") for _, what in LOCAL_NAME_PATHS)


@pytest.mark.parametrize("path", ["/toolboxes/box/mcp", "/toolboxes/box/versions/2/mcp?api-version=v1"])
def test_a_toolbox_of_any_project_is_reported(launch: Launch, path: str) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry", "foundry"))
    url = f"https://acme.services.ai.azure.com/api/projects/p{path}"
    agent(world.source, "desk", tools=[{"type": "mcp", "server_label": "box", "server_url": url}])
    agent(
        world.source, "free", tools=[{"type": "mcp", "server_label": "b", "server_url": "https://e.com/mcp"}]
    )
    world.snapshot()
    plan = world.planned()
    assert set(reported_mentions(plan, "assistant", "desk", "refers to the toolbox box")) == {"tools"}
    assert reported_mentions(plan, "assistant", "free", "toolbox") == {}


def test_an_address_of_the_old_project_is_reported_in_any_place(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry"))
    old = world.source.url.removeprefix("http://")
    server = {"type": "mcp", "server_label": "box", "server_url": f"http://{old}/toolboxes/box/mcp"}
    spec = {
        "openapi": "3.0.0",
        "info": {"title": "t", "version": "1"},
        "paths": {},
        "servers": [{"url": f"http://{old}"}],
    }
    api = {
        "type": "openapi",
        "openapi": {"name": "api", "description": "d", "spec": spec, "auth": {"type": "anonymous"}},
    }
    add(
        world.source,
        assistant(
            1, "desk", tools=[server, api], instructions=f"Ask http://{old}/x.", metadata={"home": old}
        ),
        assistant(2, "clean", instructions="Ask http://127.0.0.1:1/x and example.com."),
    )
    talk = thread(world.source, 1, ["hello"], metadata={"home": f"http://{old}"})
    say(world.source, talk, f"see http://{old}")
    world.snapshot()
    plan = world.planned()
    word = "contains the address of the source"
    assert set(reported_mentions(plan, "assistant", assistant(1, "")["id"], word)) == {
        "tools",
        "instructions",
        "metadata",
    }
    assert set(reported_mentions(plan, "thread", talk, word)) == {"metadata"}
    assert reported_mentions(plan, "assistant", assistant(2, "")["id"], word) == {}


HOME = "https://contoso.services.ai.azure.com/api/projects/garden"
ARM = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/contoso/projects/garden"
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (HOME, "contoso.services.ai.azure.com"),
        ("https://CONTOSO.services.ai.azure.com/mcp", "CONTOSO.services.ai.azure.com"),
        ("https://contoso.openai.azure.com/openai", "contoso.openai.azure.com"),
        ("see contoso.cognitiveservices.azure.us.", "contoso.cognitiveservices.azure.us"),
        (f"{ARM}/connections/x", "/accounts/contoso/projects/garden"),
        ("/accounts/contoso", "/accounts/contoso"),
        ("contoso is our customer", ""),
        ("https://contoso2.openai.azure.com", ""),
        ("https://my-contoso.openai.azure.com", ""),
        ("https://contoso.example.com", ""),
        ("https://contoso.openai.azure.community", ""),
        ("/accounts/contoso-two/projects/garden", ""),
    ],
)
def test_which_texts_name_a_place(text: str, found: str) -> None:
    place = EstateLocation.from_url(HOME)
    assert place is not None
    assert place.name_in(text) == found


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "./agents", "", "http://[::1"])
def test_an_address_that_everybody_shares_is_no_place(url: str) -> None:
    assert EstateLocation.from_url(url) is None
