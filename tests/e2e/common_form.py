"""Converts assistants and agents, threads and conversations of emulators to one form for comparing.

Shares no code with the program: both generations are decoded here a second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from migrate.emulator import Estate
from tests.e2e import expected_agents

Json = dict[str, Any]
Part = tuple[str, Any]
STAMP, NAME, FILES, STORES = "migrated_from", "migrated_name", "migrated_files", "migrated_vector_stores"
PORTAL = ("logo", "description", "modified_at", "voiceLiveConfig")
# The only type of service of the newer generation.
NEWER_TYPE = "foundry"


@dataclass(frozen=True)
class Agent:
    """An assistant or agent, in terms of the newer generation."""

    id: str
    name: str | None
    description: str
    metadata: Json
    ours: Json
    said: Json
    tools: list[Json]


@dataclass(frozen=True)
class Message:
    """A message with its parts. `item`: an item of a conversation that is no message."""

    id: str
    role: str
    parts: list[Part]
    metadata: Json = field(default_factory=dict)
    attached: list[str] = field(default_factory=list)
    item: Json | None = None


@dataclass(frozen=True)
class Conversation:
    """A thread or a conversation, with the files and stores that belong to it."""

    id: str
    metadata: Json
    ours: Json
    files: list[str]
    stores: list[str]
    messages: list[Message]


def count_objects(estate: Estate, type_: str) -> dict[str, int]:
    """Number of objects of each kind, with the names of the older generation."""
    counts = dict(estate.counts())
    new = {kind: counts.pop(kind) for kind in ("agent", "conversation", "item", "agent_version")}
    if type_ == NEWER_TYPE:
        counts |= {"assistant": new["agent"], "thread": new["conversation"], "message": new["item"]}
        counts |= {"run": 0, "run_step": 0}
    return {kind: number for kind, number in counts.items() if number}


def agents_of(estate: Estate, type_: str) -> dict[str, Agent]:
    """All assistants or agents by id."""
    if type_ == NEWER_TYPE:
        return {name: _agent(name, row["versions"]["latest"]) for name, row in estate.agents.items()}
    return {id_: _assistant(row) for id_, row in estate.assistants.items()}


def conversations_of(estate: Estate, type_: str) -> dict[str, Conversation]:
    """All threads or conversations by id."""
    if type_ == NEWER_TYPE:
        return {id_: _conversation(row, estate) for id_, row in estate.conversations.items()}
    return {id_: _thread(row, estate) for id_, row in estate.threads.items()}


# ---------------------------------------------------------------------------------------------- agents


def _assistant(row: Json) -> Agent:
    owners, ours = _apart(row.get("metadata"))
    return Agent(
        row["id"],
        row.get("name") or None,
        row.get("description") or "",
        owners,
        ours,
        plain(expected_agents.definition(row)),
        [plain(tool) for tool in expected_agents.tools(row)],
    )


def _agent(name: str, version: Json) -> Agent:
    owners, ours = _apart(version.get("metadata"))
    said = dict(version["definition"])
    tools = said.pop("tools", [])
    said.pop("kind")
    return Agent(
        name,
        ours.get(NAME, name),
        version.get("description") or "",
        {k: v for k, v in owners.items() if k not in PORTAL},
        ours,
        plain({"instructions": "", **said}),
        [plain(tool) for tool in tools],
    )


def plain(value: Any) -> Any:
    """Remove values that mean nothing: nulls, an empty list of files, default sampling. Connections get their
    short name. The content of a schema belongs to the user and stays as it is."""
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, str) and "/connections/" in value:
        return value.rpartition("/")[2]
    if not isinstance(value, dict):
        return value
    kept = {k: v if k in ("schema", "parameters", "spec") else plain(v) for k, v in value.items()}
    silent = [k for k, v in kept.items() if v is None or (k == "file_ids" and v == []) or _default(k, v)]
    return {k: v for k, v in kept.items() if k not in silent}


def _default(key: str, value: Any) -> bool:
    return key in ("temperature", "top_p") and value == 1


def _apart(metadata: Json | None) -> tuple[Json, Json]:
    """Split metadata into the pairs of the user and those of the program."""
    given = metadata or {}
    ours = {k: v for k, v in given.items() if k.startswith("migrated_")}
    return {k: v for k, v in given.items() if k not in ours}, ours


# ---------------------------------------------------------------------------------------- conversations


def _thread(row: Json, estate: Estate) -> Conversation:
    owners, ours = _apart(row.get("metadata"))
    resources = row.get("tool_resources") or {}
    return Conversation(
        row["id"],
        owners,
        ours,
        (resources.get("code_interpreter") or {}).get("file_ids") or [],
        (resources.get("file_search") or {}).get("vector_store_ids") or [],
        [_message(message) for message in estate.messages[row["id"]].values()],
    )


def _conversation(row: Json, estate: Estate) -> Conversation:
    owners, ours = _apart(row.get("metadata"))
    files = [value for key, value in ours.items() if key.startswith(FILES)]
    stores = [value for key, value in ours.items() if key.startswith(STORES)]
    return Conversation(
        row["id"],
        owners,
        ours,
        [id_ for value in files for id_ in value.split(",")],
        [id_ for value in stores for id_ in value.split(",")],
        [_item(item) for item in estate.items[row["id"]].values()],
    )


def _message(row: Json) -> Message:
    owners, _ = _apart(row.get("metadata"))
    content = row["content"]
    parts = [("text", content)] if isinstance(content, str) else [_old_part(part) for part in content]
    attached = [str(a["file_id"]) for a in row.get("attachments") or []] + list(row.get("file_ids") or [])
    return Message(row["id"], row["role"], parts, owners, attached)


def _old_part(part: Json) -> Part:
    type_ = part["type"]
    value = part[type_]
    if type_ == "text":
        return type_, value["value"] if isinstance(value, dict) else value
    if type_ == "image_file":
        return "picture", value["file_id"]
    return ("address", value["url"]) if type_ == "image_url" else (type_, value)


def _item(row: Json) -> Message:
    if row.get("type", "message") != "message":
        kept = {k: v for k, v in row.items() if k not in ("id", "status", "created_by", "partition_key")}
        return Message(row["id"], "", [], item=kept)
    return Message(row["id"], row["role"], list(_new_parts(row["content"])))


def _new_parts(content: list[Json]) -> Iterator[Part]:
    for part in content:
        if part["type"] == "input_image":
            yield ("picture", part["file_id"]) if part.get("file_id") else ("address", part["image_url"])
        elif part["type"] == "input_file":
            yield "paper", part.get("file_id") or part["file_url"]
        else:
            yield (
                ("refusal" if part["type"] == "refusal" else "text"),
                part.get("text") or part.get("refusal"),
            )
