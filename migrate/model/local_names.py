"""Where an agent names something that only its own project has, by a name that may mean nothing elsewhere.

Connections, files and stores are not here: they have ids that a move replaces. Of these only the name moves.
A path that no recording shows is taken over from the models of the service's SDK.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from migrate.model.entity import JSON
from migrate.model.json_paths import strings_at

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
