"""Small hand-written estates, and worlds in which they are moved to a project of the newer generation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from migrate.emulator import Emulator, Options
from migrate.emulator.uploads import Upload
from tests.e2e.conftest import Launch
from tests.e2e.running import World, options

Json = dict[str, Any]
EPOCH = 1_750_000_000
DEPLOYMENTS = ("gpt-4o", "gpt-4.1", "o4-mini")
CONNECTIONS = ("web-search", "seed-search")


def project(key: str, **others: Any) -> Options:
    """An empty project. A version that is posted twice is created twice, so that repeated requests are
    visible."""
    given = {"deployments": DEPLOYMENTS, "connections": CONNECTIONS, "identical_is_noop": False}
    return options(key, service="foundry", **{**given, "downloads": True, **others})


def to_agents(launch: Launch, *assistants: Json, **others: Any) -> World:
    """Assistants of the older generation of a project, to be moved to the newer generation of another
    project."""
    given = {"types": ("foundry-classic", "foundry"), **others}
    world = launch(project("SOURCE_KEY"), given.pop("target", None) or project("TARGET_KEY"), **given)
    add(world.source, *assistants)
    return world


def assistant(number: int, name: str | None, **fields: Any) -> Json:
    """An assistant as its service shows it."""
    return {
        "id": f"asst_{number:024}",
        "object": "assistant",
        "created_at": EPOCH + number,
        "name": name,
        "description": None,
        "model": "gpt-4o",
        "instructions": f"You are number {number}.",
        "tools": [],
        "tool_resources": {},
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "response_format": "auto",
        **fields,
    }


def add(cloud: Emulator, *assistants: Json) -> None:
    for row in assistants:
        cloud.estate.assistants[row["id"]] = row


def change(cloud: Emulator, id_: str, **fields: Any) -> None:
    """Change fields of an assistant."""
    cloud.estate.assistants[id_] = {**cloud.estate.assistants[id_], **fields}


def thread(cloud: Emulator, number: int, texts: Iterable[str], **fields: Any) -> str:
    """A thread in which user and assistant take turns."""
    id_ = f"thread_{number:024}"
    row = {"id": id_, "object": "thread", "created_at": EPOCH + number, "metadata": {}, "tool_resources": {}}
    cloud.estate.threads[id_] = {**row, **fields}
    for text in texts:
        say(cloud, id_, text)
    return id_


def say(cloud: Emulator, thread_id: str, text: str, **fields: Any) -> str:
    """One more message; several fall into one second."""
    place = len(cloud.estate.messages[thread_id])
    id_ = f"msg_{thread_id[-12:]}{place:012}"
    cloud.estate.messages[thread_id][id_] = {
        "id": id_,
        "object": "thread.message",
        "created_at": EPOCH + 1000 + place // 3,
        "thread_id": thread_id,
        "role": "user" if place % 2 == 0 else "assistant",
        "content": [{"type": "text", "text": {"value": text, "annotations": []}}],
        "attachments": [],
        "metadata": {},
        **fields,
    }
    return id_


def file(cloud: Emulator, number: int, name: str, data: bytes = b"leaf") -> str:
    """A file of a classic project, with its bytes."""
    id_ = f"assistant-{number:022}"
    blob = Upload()
    blob.write(data)
    cloud.estate.content[id_] = blob
    cloud.estate.files[id_] = {
        "id": id_,
        "object": "file",
        "created_at": EPOCH + number,
        "filename": name,
        "purpose": "assistants",
        "bytes": len(data),
        "status": "processed",
        "status_details": None,
    }
    return id_


def store(cloud: Emulator, number: int, name: str | None, files: Iterable[str], **fields: Any) -> str:
    """A vector store whose files are ingested."""
    id_, held = f"vs_{number:024}", list(files)
    for file_id in held:
        cloud.estate.vector_store_files[id_][file_id] = {
            "id": file_id,
            "object": "vector_store.file",
            "created_at": EPOCH + number,
            "vector_store_id": id_,
            "status": "completed",
            "last_error": None,
            "usage_bytes": 0,
        }
    counts = {"in_progress": 0, "completed": len(held), "failed": 0, "cancelled": 0, "total": len(held)}
    cloud.estate.vector_stores[id_] = {
        "id": id_,
        "object": "vector_store",
        "created_at": EPOCH + number,
        "name": name,
        "status": "completed",
        "usage_bytes": 0,
        "file_counts": counts,
        "metadata": {},
        "expires_after": None,
        "expires_at": None,
        "last_active_at": EPOCH + number,
        **fields,
    }
    return id_


def agent(cloud: Emulator, name: str, **definition: Any) -> Json:
    """An agent of another user on the target."""
    version = {
        "metadata": {"owner": "somebody else"},
        "object": "agent.version",
        "id": f"{name}:1",
        "name": name,
        "version": "1",
        "description": "not ours",
        "created_at": EPOCH,
        "definition": {"kind": "prompt", "model": "gpt-4.1", "instructions": "Mine.", **definition},
    }
    row = {"object": "agent", "id": name, "name": name, "versions": {"latest": version}}
    cloud.estate.agents[name] = row
    cloud.estate.agent_versions[name][version["id"]] = version
    return row


def latest(cloud: Emulator, name: str) -> Json:
    version: Json = cloud.estate.agents[name]["versions"]["latest"]
    return version


def versions(cloud: Emulator, name: str) -> int:
    return len(cloud.estate.agent_versions[name])


def posted(world: World, ending: str, before: int = 0) -> list[str]:
    """Paths of the creating requests to a listing, answered or not."""
    asked = world.target.requests[before:]
    return [r.path for r in asked if r.method == "POST" and r.path.endswith(ending)]


def moved(world: World, code: int = 0) -> Json:
    """Snapshot, plan, apply; what apply answered."""
    world.snapshot()
    world.planned()
    answer: Json = world.apply().ok(code)
    return answer
