"""What each service accepts: limits and abilities as one frozen row per service and API generation.

Numbers come from the services' own descriptions and recordings; where two documents disagree the
smaller is used. docs/support-matrix.md lists them with their sources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from migrate.model import JSON, Entity

# On every service.
MAX_METADATA_PAIRS = 16

AttributeSupport = Literal["create", "update", "none"]


@dataclass(frozen=True)
class Capabilities:
    """What a target can hold.

    Lengths are in characters, counts in objects. `attributes`: whether attributes of a store's file are
    accepted when it is attached, only by a later update, or not at all.
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
    # Files and stores per owner are limited in documents only: what one such project held, another does.
    limits_not_enforced: bool = False
    store_files_max: int = 10_000
    text_max: int = 256_000
    metadata_pairs: int = MAX_METADATA_PAIRS
    metadata_key_max: int = 64
    metadata_value_max: int = 512
    attributes: AttributeSupport = "create"
    chunking: bool = True
    json_schema: bool = True
    # What of a function must be said: every description of Azure requires description and parameters.
    required_function_fields: tuple[str, ...] = ()
    # Branches of `tool_resources` beside those for code and search that are taken as they are.
    resources: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ("user", "assistant")
    store_description: bool = False
    reasoning_effort: bool = False
    # A model may be `CONNECTION/MODEL`: one that a connection of the project reaches.
    connected_models: bool = False
    # What only agents of the newer generation say of themselves has a place.
    definition: bool = False
    # Messages accepted inside the request that creates a thread (enforced, though in no description).
    messages_per_create_max: int = 32
    messages_per_append_max: int = 1
    batch_max: int = 500
    # File batches accept per-file `files[]` rows, not only `file_ids`.
    batch_rows: bool = False
    # Messages in a thread; 0 where no limit is documented.
    messages_max: int = 0
    file_max: int = 512 * 1024**2
    # Bytes of all files together; 0 where no limit is documented for one estate.
    files_total: int = 0
    # Purpose on the source -> purpose accepted here; anything else becomes `assistants`.
    purposes: Mapping[str, str] = field(default_factory=dict)
    # What an image becomes that a tool made and that cannot be uploaded under its own purpose.
    image_purpose: str = "assistants"
    # Endings of files that a vector store takes; any other is refused when it is attached (recorded). Empty
    # where no such refusal was seen.
    searchable_extensions: frozenset[str] = frozenset()
    # Documented, or seen: a listing that does not answer is a failure, not the service's way.
    lists_threads: bool = False
    # `{{name}}` is replaced at run time, in instructions and in ids (recorded).
    templates: bool = False
    # Every new assistant also makes an Entra identity (recorded since 2026-06).
    creates_identities: bool = False
    # Types of source whose files and stores may lie in this very place, under the same ids.
    shared_with: frozenset[str] = frozenset()


_AZURE = Capabilities(
    service="azure-openai",
    instructions_modify_max=32_768,
    attributes="update",
    files_total=200 * 1024**3,
    required_function_fields=("description", "parameters"),
    purposes={"assistants": "assistants", "fine-tune": "fine-tune", "batch": "batch", "evals": "evals"},
)

_OPENAI = Capabilities(
    service="openai",
    store_description=True,
    reasoning_effort=True,
    files_total=2_500 * 1000**3,
    batch_max=500,
    batch_rows=True,
    image_purpose="vision",
    purposes={
        "assistants": "assistants",
        "fine-tune": "fine-tune",
        "batch": "batch",
        "evals": "evals",
        "vision": "vision",
        "user_data": "user_data",
    },
)

# What a Foundry project says it can search (recorded 2025-12, in the refusal of a .csv).
SEARCHABLE_EXTENSIONS = frozenset(
    f".{ending}"
    for ending in "c cpp cs css doc docx go html java js json md pdf php pptx py rb sh tex ts txt".split()
)

CLASSIC_TOOL_TYPES = frozenset(
    {
        "code_interpreter",
        "file_search",
        "function",
        "bing_grounding",
        "bing_custom_search",
        "azure_ai_search",
        "openapi",
        "azure_function",
        "connected_agent",
        "mcp",
        "deep_research",
        "fabric_dataagent",
        "sharepoint_grounding",
        "browser_automation",
        "computer_use_preview",
    }
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
    purposes={name: name for name in ("assistants", "vision", "fine-tune", "batch", "evals")},
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
    lists_threads=True,
    templates=True,
    limits_not_enforced=True,
    purposes={name: name for name in ("assistants", "vision", "fine-tune", "batch", "evals")},
    searchable_extensions=SEARCHABLE_EXTENSIONS,
    shared_with=frozenset({"foundry-classic", "foundry", "azure-openai"}),
)

CAPABILITIES: Mapping[str, Capabilities] = {p.service: p for p in (_AZURE, _OPENAI, _CLASSIC, _FOUNDRY)}

# First dated Azure API version that has attributes on a store's files.
ATTRIBUTES_SINCE = "2025-03"

# First dated Azure API version that takes a chunking strategy (2024-05-01-preview refuses the key).
CHUNKING_SINCE = "2024-07"


# First dated Azure API version with json_schema; the description of 2024-05 knows text and json_object.
JSON_SCHEMA_SINCE = "2024-08"


def capabilities_for(service: str, api_version: str = "") -> Capabilities:
    """The row for a service, narrowed to what its API version can do."""
    row = CAPABILITIES[service]
    if service == "azure-openai" and api_version[:2] == "20":
        row = row if api_version >= ATTRIBUTES_SINCE else replace(row, attributes="none")
        row = replace(
            row, chunking=api_version >= CHUNKING_SINCE, json_schema=api_version >= JSON_SCHEMA_SINCE
        )
    return row


# Whether a service has no place for a field; the value is the source's.
UnsupportedTest = Callable[[Capabilities, JSON], bool]


def _is_json_schema(value: JSON) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "json_schema"


# Kind and field -> when a service has no place for it.
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
    """The fields of a source's object that the target has no place for."""
    return frozenset(
        name
        for (kind, name), absent in UNSUPPORTED_FIELDS.items()
        if kind == entity.kind and absent(capabilities, entity.fields.get(name))
    )
