"""The resources of the services: their kind, their parent, how they are listed, and the error where there is
none.

The texts of errors are those that were recorded. No client should depend on them, and some do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from migrate.model.entity import JSON
from migrate.serve.api.list_pages import (
    COMMON_ENVELOPE,
    FILES_LIMIT,
    PROJECT_ENVELOPE,
    ROWS_LIMIT,
    UNPAGED_ENVELOPE,
    ListEnvelope,
    PageLimit,
)
from migrate.serve.api.refusals import ApiRefusal
from migrate.serve.api.row_filters import KeyPath

# Makes the error for an object that does not exist, from the ids of its owners and its own.
AbsentError = Callable[..., ApiRefusal]


@dataclass(frozen=True)
class RowFilter:
    """A parameter of a list that selects rows by a value. `values`: the only ones that it may have; empty
    where any is allowed."""

    path: KeyPath
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resource:
    """One resource. `owner`: the resource that the address names before it; `owner_key`: the key of a body
    with the id of its owner. `shown`: how the stored body differs from the one that the service shows."""

    kind: str
    absent: AbsentError
    owner: Resource | None = None
    owner_key: str = ""
    filters: Mapping[str, RowFilter] = field(default_factory=dict)
    # None: the list has no pages.
    limit: PageLimit | None = ROWS_LIMIT
    envelope: ListEnvelope = COMMON_ENVELOPE
    # Query parameters that may be sent; None: any, those without a meaning are ignored.
    parameters: frozenset[str] | None = None
    shown: Callable[[dict[str, JSON]], dict[str, JSON]] | None = None


def _no_object(noun: str) -> AbsentError:
    """(recorded 2024-08 for assistants, threads and vector stores, 2024-04 for run steps)"""

    def absent(*ids: str) -> ApiRefusal:
        return ApiRefusal(404, f"No {noun} found with id '{ids[-1]}'.")

    return absent


def _no_file(file_id: str) -> ApiRefusal:
    """(recorded 2025-05)"""
    return ApiRefusal(404, f"No such File object: {file_id}", "id")


def _no_agent(name: str) -> ApiRefusal:
    """(recorded 2026-04)"""
    return ApiRefusal(404, f"Agent {name} doesn't exist")


def no_agent_version(name: str, number: str) -> ApiRefusal:
    """The error for a version that an agent does not have (recorded 2026-04)."""
    return ApiRefusal(404, f"Agent {name} with version {number} not found")


def _no_conversation(id_: str) -> ApiRefusal:
    """(recorded 2026-02)"""
    return ApiRefusal(404, f"Conversation '{id_}' not found")


def _no_item(conversation: str, id_: str) -> ApiRefusal:
    return ApiRefusal(404, f"Item '{id_}' not found in conversation '{conversation}'")


def _agent_as_shown(body: dict[str, JSON]) -> dict[str, JSON]:
    """An agent without the older versions that a snapshot reads in addition: the service shows the latest
    one alone."""
    versions = body.get("versions")
    if not isinstance(versions, dict) or set(versions) <= {"latest"}:
        return body
    return {**body, "versions": {key: value for key, value in versions.items() if key == "latest"}}


ASSISTANT_RESOURCE = Resource("assistant", _no_object("assistant"))
THREAD_RESOURCE = Resource("thread", _no_object("thread"))
MESSAGE_RESOURCE = Resource(
    "message", _no_object("message"), THREAD_RESOURCE, "thread_id", {"run_id": RowFilter(("run_id",))}
)
RUN_RESOURCE = Resource("run", _no_object("run"), THREAD_RESOURCE, "thread_id")
# Their listing is that of their thread: an archive has the steps of all runs of a thread in one.
RUN_STEP_RESOURCE = Resource("run_step", _no_object("run step"), RUN_RESOURCE, "run_id")
FILE_RESOURCE = Resource("file", _no_file, filters={"purpose": RowFilter(("purpose",))}, limit=FILES_LIMIT)
UNPAGED_FILE_RESOURCE = Resource(
    "file",
    _no_file,
    filters={"purpose": RowFilter(("purpose",))},
    limit=None,
    envelope=UNPAGED_ENVELOPE,
    parameters=frozenset({"api-version", "purpose"}),
)
VECTOR_STORE_RESOURCE = Resource("vector_store", _no_object("vector store"))
FILE_STATUSES = ("in_progress", "completed", "failed", "cancelled")
STORE_FILE_RESOURCE = Resource(
    "vector_store_file",
    _no_object("file"),
    VECTOR_STORE_RESOURCE,
    "vector_store_id",
    {"filter": RowFilter(("status",), FILE_STATUSES)},
)
AGENT_RESOURCE = Resource(
    "assistant",
    _no_agent,
    filters={"kind": RowFilter(("versions", "latest", "definition", "kind"))},
    envelope=PROJECT_ENVELOPE,
    shown=_agent_as_shown,
)
CONVERSATION_RESOURCE = Resource("thread", _no_conversation, envelope=PROJECT_ENVELOPE)
ITEM_RESOURCE = Resource(
    "message",
    _no_item,
    CONVERSATION_RESOURCE,
    filters={"item_type": RowFilter(("type",))},
    envelope=PROJECT_ENVELOPE,
)
