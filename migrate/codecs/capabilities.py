"""What each service accepts: limits and abilities, one frozen row for each service.

The numbers come from API descriptions and recordings; where two documents disagree, the smaller one is used.
docs/support-matrix.md lists them with their sources.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from migrate.model import JSON, Entity

# The same on every service.
MAX_METADATA_PAIRS = 16

AttributeSupport = Literal["create", "update", "none"]
_RowT = TypeVar("_RowT")


@dataclass(frozen=True)
class Capabilities:
    """What a service can store.

    Lengths are in characters, counts in objects, sizes in bytes. `attributes`: whether the attributes of a
    file in a vector store are accepted when it is attached, only in a later update, or not at all.
    """

    service: str
    name_max: int = 256
    description_max: int = 512
    instructions_max: int = 256_000
    instructions_modify_max: int = 256_000
    tools_max: int = 128
    tool_types: frozenset[str] = frozenset({"code_interpreter", "file_search", "function"})
    code_files_max: int = 20
    stores_per_owner_max: int = 1
    # The limits of files and vector stores per owner are documented but not enforced, so what one project of
    # this type stores can be written to another one.
    limits_not_enforced: bool = False
    store_files_max: int = 10_000
    text_max: int = 256_000
    metadata_pairs: int = MAX_METADATA_PAIRS
    metadata_key_max: int = 64
    metadata_value_max: int = 512
    attributes: AttributeSupport = "create"
    chunking: bool = True
    json_schema: bool = True
    # Fields of a function that must be given: every API description of Azure requires description and
    # parameters.
    required_function_fields: tuple[str, ...] = ()
    # Branches of `tool_resources`, besides `code_interpreter` and `file_search`, that are accepted unchanged.
    resources: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ("user", "assistant")
    store_description: bool = False
    reasoning_effort: bool = False
    # A model may be `CONNECTION/MODEL`, a model behind a connection of the project.
    connected_models: bool = False
    # Agents can store the field `definition`, which only new Foundry agents have.
    definition: bool = False
    # Messages accepted in the request that creates a thread (enforced, although no API description says so).
    messages_per_create_max: int = 32
    messages_per_append_max: int = 1
    batch_max: int = 500
    # File batches accept `files[]` with settings for each file, not only `file_ids`.
    batch_rows: bool = False
    # Messages in a thread; 0 where no limit is documented.
    messages_max: int = 0
    file_max: int = 512 * 1024**2
    # Bytes of all files together; 0 where no limit is documented for one estate.
    files_total: int = 0
    # Purpose on the source -> purpose accepted here; any other becomes `assistants`.
    purposes: Mapping[str, str] = field(default_factory=dict)
    # The purpose of an image that a tool created and that cannot be uploaded under its own purpose.
    image_purpose: str = "assistants"
    # File name extensions that a vector store accepts; any other is refused when the file is attached
    # (recorded). Empty where no such refusal was seen.
    searchable_extensions: frozenset[str] = frozenset()
    # Threads can be listed (documented or seen), so a listing without an answer counts as a failure.
    lists_threads: bool = False
    # The items of a thread stay when it is deleted, so they are deleted one by one before it.
    keeps_deleted_items: bool = False
    # `{{name}}` is replaced at run time, in instructions and in ids (recorded).
    templates: bool = False
    # Every new assistant also creates an Entra identity (recorded since 2026-06).
    creates_identities: bool = False
    # Types of source that may share their files and vector stores with this service, under the same ids.
    shared_with: frozenset[str] = frozenset()


def _same_purposes(names: str) -> dict[str, str]:
    return {name: name for name in names.split()}


_AZURE = Capabilities(
    service="azure-openai",
    instructions_modify_max=32_768,
    attributes="update",
    files_total=200 * 1024**3,
    required_function_fields=("description", "parameters"),
    purposes=_same_purposes("assistants fine-tune batch evals"),
)

_OPENAI = Capabilities(
    service="openai",
    store_description=True,
    reasoning_effort=True,
    files_total=2_500 * 1000**3,
    batch_rows=True,
    image_purpose="vision",
    purposes=_same_purposes("assistants fine-tune batch evals vision user_data"),
)

# The extensions that a Foundry project lists when it refuses a .csv file (recorded 2025-12).
SEARCHABLE_EXTENSIONS = frozenset(
    f".{ending}"
    for ending in "c cpp cs css doc docx go html java js json md pdf php pptx py rb sh tex ts txt".split()
)

CLASSIC_TOOL_TYPES = frozenset(
    "code_interpreter file_search function bing_grounding bing_custom_search azure_ai_search openapi "
    "azure_function connected_agent mcp deep_research fabric_dataagent sharepoint_grounding "
    "browser_automation computer_use_preview".split()
)

_CLASSIC = Capabilities(
    service="foundry-classic",
    tool_types=CLASSIC_TOOL_TYPES,
    resources=frozenset({"azure_ai_search", "mcp"}),
    connected_models=True,
    text_max=1_500_000,
    messages_max=100_000,
    lists_threads=True,
    files_total=300 * 1024**3,
    attributes="none",
    required_function_fields=("parameters",),
    image_purpose="vision",
    purposes=_same_purposes("assistants vision fine-tune batch evals"),
    searchable_extensions=SEARCHABLE_EXTENSIONS,
    shared_with=frozenset({"foundry-classic", "foundry", "azure-openai"}),
)

_FOUNDRY = Capabilities(
    service="foundry",
    tool_types=CLASSIC_TOOL_TYPES,
    resources=frozenset({"azure_ai_search", "mcp"}),
    connected_models=True,
    roles=("user", "assistant", "system", "developer"),
    text_max=1_500_000,
    required_function_fields=("parameters", "strict"),
    reasoning_effort=True,
    definition=True,
    messages_per_create_max=20,
    messages_per_append_max=20,
    files_total=300 * 1024**3,
    creates_identities=True,
    keeps_deleted_items=True,
    lists_threads=True,
    templates=True,
    limits_not_enforced=True,
    purposes=_same_purposes("assistants vision fine-tune batch evals"),
    searchable_extensions=SEARCHABLE_EXTENSIONS,
    shared_with=frozenset({"foundry-classic", "foundry", "azure-openai"}),
)

CAPABILITIES: Mapping[str, Capabilities] = {p.service: p for p in (_AZURE, _OPENAI, _CLASSIC, _FOUNDRY)}

# First dated Azure API version with attributes on files of vector stores.
ATTRIBUTES_SINCE = "2025-03"

# First dated Azure API version with a chunking strategy (2024-05-01-preview refuses the key).
CHUNKING_SINCE = "2024-07"


# First dated Azure API version with json_schema (the description of 2024-05 has text and json_object only).
JSON_SCHEMA_SINCE = "2024-08"


def batches_of_store_files(
    rows: Iterable[tuple[_RowT, Mapping[str, JSON]]], capabilities: Capabilities
) -> Iterator[list[_RowT]]:
    """Files of one vector store that can share a request: those of one chunking, unless the service takes it
    for each file. `rows`: each with the body that attaches the file."""
    groups: dict[str, list[_RowT]] = {}
    for row, body in rows:
        key = "" if capabilities.batch_rows else json.dumps(body.get("chunking_strategy"), sort_keys=True)
        groups.setdefault(key, []).append(row)
    for group in groups.values():
        for start in range(0, len(group), capabilities.batch_max):
            yield group[start : start + capabilities.batch_max]


def capabilities_for(service: str, api_version: str = "") -> Capabilities:
    """What a service accepts in the given API version."""
    row = CAPABILITIES[service]
    if service != "azure-openai" or not api_version.startswith("20"):
        return row
    return replace(
        row,
        attributes=row.attributes if api_version >= ATTRIBUTES_SINCE else "none",
        chunking=api_version >= CHUNKING_SINCE,
        json_schema=api_version >= JSON_SCHEMA_SINCE,
    )


# Whether a service cannot store a field; the second argument is the value on the source.
UnsupportedTest = Callable[[Capabilities, JSON], bool]


def _is_json_schema(value: JSON) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "json_schema"


# Kind and field -> the services that cannot store it. `adapt` reports the loss. Such a field is neither
# compared nor changed on the target: a value there was written through another API version or agent
# generation.
UNSUPPORTED_FIELDS: Mapping[tuple[str, str], UnsupportedTest] = {
    ("vector_store", "description"): lambda capabilities, _: not capabilities.store_description,
    ("vector_store_file", "attributes"): lambda capabilities, _: capabilities.attributes == "none",
    ("vector_store_file", "chunking_strategy"): lambda capabilities, _: not capabilities.chunking,
    ("assistant", "reasoning_effort"): lambda capabilities, _: not capabilities.reasoning_effort,
    ("assistant", "definition"): lambda capabilities, _: not capabilities.definition,
    ("assistant", "response_format"): lambda capabilities, value: (
        not capabilities.json_schema and _is_json_schema(value)
    ),
}


def unsupported_fields_of(entity: Entity, capabilities: Capabilities) -> frozenset[str]:
    """The fields of a source object that the target cannot store."""
    return frozenset(
        name
        for (kind, name), absent in UNSUPPORTED_FIELDS.items()
        if kind == entity.kind and absent(capabilities, entity.fields.get(name))
    )
