"""Resources of a project that an assistant refers to: connections, deployments, skills and other local names.

A connection is referred to by its short name or its full resource id, and a move can replace it. Of the other
resources only the name is moved: files and stores are not among them, because a move replaces their ids. A
path that no recording shows was taken from the models of the service's SDK.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from migrate.model.assistant import CONNECTION_PATHS
from migrate.model.entity import JSON
from migrate.model.json_paths import path_tree, replace_strings_at, strings_at

CONNECTION_PATH_TREE = path_tree((path, "connection") for path in CONNECTION_PATHS)


def short_connection_name(connection: str) -> str:
    """The short name. Services accept both spellings for the same connection (recorded)."""
    return connection.rstrip("/").rpartition("/connections/")[2] or connection


def connections_in(fields: Mapping[str, JSON]) -> Iterator[str]:
    """Every connection that the fields of an assistant refer to."""
    for path in CONNECTION_PATHS:
        yield from strings_at(fields, path)


def connections_in_other_project(
    left: Mapping[str, JSON], right: Mapping[str, JSON]
) -> list[tuple[str, str]]:
    """Connections with a full id on both sides that are in different projects: (left id, right id)."""
    left_ids, right_ids = _full_connection_ids(left), _full_connection_ids(right)
    names = sorted(left_ids.keys() & right_ids.keys())
    return [(left_ids[name], right_ids[name]) for name in names if left_ids[name] != right_ids[name]]


def _full_connection_ids(fields: Mapping[str, JSON]) -> dict[str, str]:
    """Short name -> full id, of the connections that are spelled in full."""
    names = ((short_connection_name(id_), id_) for id_ in connections_in(fields))
    return {name: id_ for name, id_ in names if name != id_}


def replace_connections(fields: Mapping[str, JSON], replace: Callable[[str], str]) -> Mapping[str, JSON]:
    """The same fields with every connection replaced."""
    return replace_strings_at(fields, CONNECTION_PATH_TREE, lambda _, old: replace(old))


# Reported only where the target does not list a deployment of that name.
DEPLOYMENT_LABEL = "the deployment"

_QUEUE = "azure_function.{}_binding.storage_queue.{}"

# Path, and what its value names.
LOCAL_NAME_PATHS: tuple[tuple[str, str], ...] = (
    ("tools[].memory_store_name", "the memory store"),
    ("tools[].memory_search.memory_store_name", "the memory store"),
    ("tool_resources.azure_ai_search.indexes[].index_asset_id", "the index of the project"),
    ("tools[].azure_ai_search.indexes[].index_asset_id", "the index of the project"),
    ("tools[].toolbox_name", "the toolbox"),
    ("tools[].toolbox.name", "the toolbox"),
    ("tools[].knowledge_base_name", "the knowledge base"),
    ("tools[].container", "the container"),
    ("tools[].container.skills[].skill_id", "the skill"),
    ("tools[].environment.skills[].skill_id", "the skill"),
    ("tools[].environment.container_id", "the container"),
    ("definition.skills[]", "the skill"),
    ("definition.skills[].name", "the skill"),
    ("definition.skills[].skill_id", "the skill"),
    ("definition.toolboxes[]", "the toolbox"),
    ("definition.toolboxes[].name", "the toolbox"),
    ("definition.prompt.id", "the stored prompt"),
    ("tools[].agent_name", "the agent"),
    ("tools[].agent.name", "the agent"),
    ("tools[].workflow_name", "the workflow"),
    ("tools[].model", DEPLOYMENT_LABEL),
    ("tools[].deep_research.deep_research_model", DEPLOYMENT_LABEL),
    *(
        (f"tools[].{_QUEUE.format(side, key)}", "the storage queue")
        for side in ("input", "output")
        for key in ("queue_service_endpoint", "queue_name")
    ),
    ("tool_resources.code_interpreter.data_sources[].uri", "the data source"),
    ("tool_resources.file_search.vector_stores[].configuration.data_sources[].uri", "the data source"),
)


# The address of a toolbox, which a project serves as an MCP server (the service's SDK).
TOOLBOX_ADDRESS = re.compile(r"/toolboxes/([^/?#]+)")


def toolbox_addresses(fields: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    """Every address of a toolbox in the tools of an assistant: the address, and the name of the toolbox."""
    for url in strings_at(fields, "tools[].server_url"):
        if match := TOOLBOX_ADDRESS.search(url):
            yield url, match[1]


def iter_local_names(fields: Mapping[str, JSON]) -> Iterator[tuple[str, str, str]]:
    """Every local name in the fields of an assistant: its path, what it refers to, the name."""
    for path, label in LOCAL_NAME_PATHS:
        for name in strings_at(fields, path):
            if name and not name.startswith("{{"):
                yield path, label, name
