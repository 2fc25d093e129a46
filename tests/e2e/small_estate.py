"""A small estate with an object of every kind, and functions that save and restore a service's state."""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import fields
from typing import Any

from migrate.emulator import Emulator, Estate
from migrate.emulator.uploads import Upload
from tests.e2e.projects import EPOCH, add, agent, assistant, file, say, store, thread

Json = dict[str, Any]
# Metadata with the maximum number of pairs: there is no room for a stamp.
FULL = {f"key{number:02}": "taken" for number in range(16)}
# Attributes of the emulator's state that are copied in another way, or are no content of the estate.
SERVICE = ("content", "ingestion_fault", "pending", "expiring_stores", "forbidden_calls")


def furnish(cloud: Emulator, long: int = 35) -> None:
    """Two files, a store with both, two assistants, two threads with attachments and pictures, a run."""
    notes, table = file(cloud, 1, "notes.md", b"remember"), file(cloud, 2, "sales.txt", b"a,b\n1,2\n")
    papers = store(cloud, 1, "papers", [notes, table])
    search = {"file_search": {"vector_store_ids": [papers]}}
    code = {"code_interpreter": {"file_ids": [table]}}
    add(
        cloud,
        assistant(1, "reader", tools=[{"type": "file_search"}], tool_resources=search),
        assistant(2, "clerk", tools=[{"type": "code_interpreter"}], tool_resources=code, metadata=FULL),
    )
    short = thread(cloud, 1, ["hello"], metadata={"who": "Ada"}, tool_resources=code)
    attached = [{"file_id": table, "tools": [{"type": "code_interpreter"}]}]
    last = say(cloud, short, "good morning")
    say(cloud, short, "look at this", attachments=attached)
    other = thread(cloud, 2, (f"number {n // 3}" for n in range(long - 1)), metadata=FULL)
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/p.png", "detail": "auto"}}
    text = {"type": "text", "text": {"value": "what is this?", "annotations": []}}
    say(cloud, other, "", content=[text, picture], role="user")
    _run(cloud, short, last)


def furnish_full(cloud: Emulator) -> None:
    """Add objects of every kind with metadata, without room for a stamp: two equal stores, assistants and
    threads, and names that are not valid in a project."""
    notes = file(cloud, 1, "notes.md", b"remember")
    papers = store(cloud, 1, "papers & more", [notes], metadata=FULL)
    for number in (2, 3):
        store(cloud, number, "shelf", [], metadata=FULL)
    search = {"file_search": {"vector_store_ids": [papers]}}
    tools = [{"type": "file_search"}]
    add(
        cloud,
        assistant(1, "Reader of papers!", tools=tools, tool_resources=search, metadata=FULL),
        assistant(2, None, metadata=FULL),
        assistant(3, "twin", instructions="Alike.", metadata=FULL),
        assistant(4, "twin", instructions="Alike.", metadata=FULL),
    )
    for number in (1, 2):
        talk = thread(cloud, number, [], metadata=FULL)
        for text in ("hello", "hello"):
            say(cloud, talk, text, metadata=FULL)
    thread(cloud, 3, [], metadata=FULL)


def furnish_new(cloud: Emulator, number: int = 11) -> None:
    """Add agents, conversations and their items. Files and a store belong to both generations."""
    notes = file(cloud, 1, "notes.md", b"remember")
    papers = store(cloud, 1, "papers", [notes])
    for n in range(number):
        tools = [{"type": "file_search", "vector_store_ids": [papers]}] if n == 0 else []
        agent(cloud, f"agent-{n}", tools=tools)
        converse(cloud, n, ["hello"] * (2 * number + 1 if n == 0 else n % 2))


def converse(cloud: Emulator, number: int, texts: list[str]) -> str:
    """A conversation in which only the user speaks."""
    id_ = f"conv_{number:050}"
    row = {"id": id_, "object": "conversation", "created_at": EPOCH + number, "metadata": {}}
    cloud.estate.conversations[id_] = row
    for place, text in enumerate(texts):
        item = f"msg_{number:025}{place:025}"
        cloud.estate.items[id_][item] = {
            "type": "message",
            "id": item,
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_text", "text": text}],
        }
    return id_


def _run(cloud: Emulator, thread_id: str, message: str) -> None:
    run = {
        "id": "run_000000000000000000000001",
        "object": "thread.run",
        "created_at": EPOCH + 1,
        "thread_id": thread_id,
        "assistant_id": next(iter(cloud.estate.assistants)),
        "status": "completed",
        "model": "gpt-4o",
        "instructions": "",
        "tools": [],
        "metadata": {},
    }
    cloud.estate.runs[thread_id][run["id"]] = run
    step = {
        "id": "step_00000000000000000000001",
        "object": "thread.run.step",
        "created_at": EPOCH + 1,
        "run_id": run["id"],
        "thread_id": thread_id,
        "type": "message_creation",
        "status": "completed",
        "step_details": {"type": "message_creation", "message_creation": {"message_id": message}},
    }
    cloud.estate.run_steps[run["id"]][step["id"]] = step


def saved_state(estate: Estate) -> Json:
    """Copy the state of a service."""
    whole = {f.name: deepcopy(getattr(estate, f.name)) for f in fields(estate) if f.name not in SERVICE}
    return {**whole, "content": {id_: blob.read() for id_, blob in estate.content.items()}}


def restore_state(estate: Estate, was: Json) -> None:
    """Restore a state of a service."""
    for name, value in was.items():
        if name != "content":
            setattr(estate, name, deepcopy(value))
    estate.pending.clear()
    for id_ in set(estate.content) - set(was["content"]):
        estate.content.pop(id_).close()
    for id_, data in was["content"].items():
        if id_ not in estate.content:
            blob = Upload()
            blob.write(data)
            estate.content[id_] = blob


def state_changes(was: Json, now: Json) -> list[str]:
    """Changes since a saved state, table by table."""
    lines = []
    for name in was.keys() - {"last_versions"}:  # a version number is not used again, even after a rollback
        one, other = (_plain(name, side[name]) for side in (was, now))
        for key in sorted({*one, *other}):
            if key not in one or key not in other:
                lines.append(f"{name} {key} {'appeared' if key in other else 'vanished'}")
            elif one[key] != other[key]:
                lines.append(f"{name} {key}: {one[key]} became {other[key]}"[:600])
    return lines


# Fields that a service updates by itself.
MOVES = ("last_active_at", "expires_at", "usage_bytes", "agent_guid")


def _plain(name: str, value: Any) -> Json:
    if not isinstance(value, dict):
        return {"": value}
    flat: Json = {}
    for key, row in value.items():
        if isinstance(row, dict) and all(isinstance(inner, dict) for inner in row.values()) and row:
            flat |= {f"{key}/{inner}": _still(each) for inner, each in row.items()}
        elif row != {}:
            flat[key] = _still(row)
    return flat


def _still(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    still = copy(row)
    for key in MOVES:
        still.pop(key, None)
    return still
