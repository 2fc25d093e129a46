"""Connections of a project: an assistant names one by its short name or by its full resource id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from migrate.model.assistant import CONNECTION_PATHS
from migrate.model.entity import JSON
from migrate.model.json_paths import path_tree, replace_strings_at, strings_at

CONNECTION_PATH_TREE = path_tree((path, "connection") for path in CONNECTION_PATHS)


def short_connection_name(connection: str) -> str:
    """The short name: services take both spellings for the same thing (recorded)."""
    return connection.rstrip("/").rpartition("/connections/")[2] or connection


def connections_in(fields: Mapping[str, JSON]) -> Iterator[str]:
    """Every connection that an assistant's fields name."""
    for path in CONNECTION_PATHS:
        yield from strings_at(fields, path)


def connections_in_other_project(
    wanted: Mapping[str, JSON], found: Mapping[str, JSON]
) -> list[tuple[str, str]]:
    """Connections that are spelled in full on both sides and lie in different projects: (wanted, found)."""
    full = {
        short_connection_name(id_): id_ for id_ in connections_in(wanted) if id_ != short_connection_name(id_)
    }
    there = {
        short_connection_name(id_): id_ for id_ in connections_in(found) if id_ != short_connection_name(id_)
    }
    return [(full[n], there[n]) for n in sorted(full.keys() & there.keys()) if full[n] != there[n]]


def replace_connections(fields: Mapping[str, JSON], swap: Callable[[str], str]) -> Mapping[str, JSON]:
    """The same fields with every connection replaced."""
    return replace_strings_at(fields, CONNECTION_PATH_TREE, lambda _, old: swap(old))


# Told only where the target does not list one of that name.
DEPLOYMENT_LABEL = "the deployment"

_QUEUE = "azure_function.{}_binding.storage_queue.{}"

# Path -> what stands there.
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


# The address of a toolbox, which a project serves as a server of tools (the service's SDK).
TOOLBOX_ADDRESS = re.compile(r"/toolboxes/([^/?#]+)")


def toolbox_addresses(fields: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    """Every address in an assistant's tools that is one of a toolbox: the address, and the toolbox's name."""
    for url in strings_at(fields, "tools[].server_url"):
        if found := TOOLBOX_ADDRESS.search(url):
            yield url, found[1]


def iter_local_names(fields: Mapping[str, JSON]) -> Iterator[tuple[str, str, str]]:
    """Every such name in an assistant's fields: path, what it names, the name."""
    for path, what in LOCAL_NAME_PATHS:
        for name in strings_at(fields, path):
            if name and not name.startswith("{{"):
                yield path, what, name
