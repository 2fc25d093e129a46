"""The request bodies of assistants, threads, messages and vector stores, one schema for each operation.

`codecs/write_forms` checks bodies of the same operations when a plan is made. The tables are separate on
purpose: these are written from recordings and descriptions, so that a mistake in the codecs is found here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.emulator.errors import refuse
from migrate.emulator.schemas.rules import (
    Rule,
    any_object,
    anything,
    array,
    attributes,
    boolean,
    by_type,
    choice,
    complete,
    each,
    metadata,
    nullable,
    number,
    record,
    string,
    tagged,
)
from migrate.emulator.services import Service

# In characters.
MAX_NAME, MAX_DESCRIPTION, MAX_INSTRUCTIONS, MAX_FUNCTION_DESCRIPTION = 256, 512, 256_000, 1_024
FUNCTION_NAME_PATTERN = r"[a-zA-Z0-9_-]{1,64}"
# In elements.
MAX_TOOLS, MAX_INTERPRETER_FILES, MAX_STORES, MAX_STORE_FILES = 128, 20, 1, 10_000
MAX_FILES_AT_CREATION = 500
MAX_OLD_MESSAGE_FILES = 10
MAX_MESSAGES_AT_CREATION = 32  # (reported 2024, in no document)
REASONING_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")

Schemas = Mapping[str, Rule]  # by operation

non_empty = string(minimum=1)

# ------------------------------------------------------------------------------------------------ tools

function = record(
    "name",
    name=string(pattern=FUNCTION_NAME_PATTERN),
    description=nullable(string(MAX_FUNCTION_DESCRIPTION)),
    parameters=nullable(any_object),
    strict=nullable(boolean),
)
search_options = record(max_num_results=number(1, 50, whole=True), ranking_options=nullable(any_object))
TOOLS: Mapping[str, Rule] = {
    "code_interpreter": record(),
    "function": complete(function=function),
    "file_search": record(file_search=nullable(search_options)),
}
V1_TOOLS: Mapping[str, Rule] = {
    "code_interpreter": record(),
    "function": TOOLS["function"],
    "retrieval": record(),
}

# Tools of classic agents with settings below the name of the tool. Nothing more of them is documented.
NESTED_TOOLS = (
    "bing_grounding bing_custom_search azure_ai_search openapi azure_function connected_agent deep_research"
    " fabric_dataagent sharepoint_grounding browser_automation".split()
)
CLASSIC_TOOLS: Mapping[str, Rule] = {
    **TOOLS,
    **{name: complete(**{name: any_object}) for name in NESTED_TOOLS},
    # Its settings are in `tool_resources` (recorded 2025-05), so none are required here.
    "azure_ai_search": record(azure_ai_search=any_object),
    "mcp": record(
        "server_label server_url",
        **each("server_label server_url", non_empty),
        allowed_tools=nullable(array(string())),
    ),
    "computer_use_preview": any_object,  # it is not known whether its settings are nested
}
CLASSIC_RESOURCES: Mapping[str, Rule] = {
    "azure_ai_search": nullable(record(indexes=array(any_object))),
    "mcp": nullable(
        array(record("server_label", server_label=non_empty, headers=any_object, require_approval=anything))
    ),
}

json_schema = record(
    "name", name=string(64, 1), description=anything, schema=any_object, strict=nullable(boolean)
)
response_format = nullable(
    by_type(
        text=choice("auto"),
        object=tagged(
            **each("text json_object", record()),
            json_schema=complete(json_schema=json_schema),
        ),
    )
)

# ---------------------------------------------------------------------------------------- vector stores


def _static_chunking(value: Any, at: str) -> None:
    complete(
        max_chunk_size_tokens=number(100, 4096, whole=True),
        chunk_overlap_tokens=number(0, 4096, whole=True),
    )(value, at)
    if value["chunk_overlap_tokens"] * 2 > value["max_chunk_size_tokens"]:
        raise refuse(
            "Invalid 'chunk_overlap_tokens': it must not exceed half of 'max_chunk_size_tokens'.", param=at
        )


# `other` occurs in answers only: a service may show it, but no request may contain it.
chunking = nullable(tagged(auto=record(), static=complete(static=_static_chunking)))
expires_after = nullable(complete(anchor=choice("last_active_at"), days=number(1, 365, whole=True)))


def _tool_resources(new_store: Rule | None, extra: Mapping[str, Rule]) -> Rule:
    """`new_store`: the schema of a store that is created together with an object, or None."""
    search: dict[str, Rule] = {"vector_store_ids": array(non_empty, MAX_STORES)}
    if new_store:
        search["vector_stores"] = array(new_store, MAX_STORES)
    return nullable(
        record(
            code_interpreter=nullable(record(file_ids=array(non_empty, MAX_INTERPRETER_FILES))),
            file_search=nullable(record(**search)),
            **extra,
        )
    )


# -------------------------------------------------------------------------------------------- messages

detail = choice("auto", "low", "high")
IMAGE_PARTS = {
    "image_file": complete(image_file=record("file_id", file_id=non_empty, detail=detail)),
    "image_url": complete(image_url=record("url", url=non_empty, detail=detail)),
}
attachment = complete(
    file_id=non_empty,
    tools=array(tagged(**each("code_interpreter file_search", record()))),
)


def _message(service: Service, **files: Rule) -> Rule:
    text = string(service.max_message_characters, 1)
    part = tagged(text=complete(text=text), **IMAGE_PARTS)
    content = by_type(text=text, array=array(part, minimum=1))
    role = choice("user", "assistant")
    return record("role content", role=role, content=content, metadata=metadata, **files)


# ------------------------------------------------------------------------------ one set for each API version


def _assistant(
    service: Service, tools: Mapping[str, Rule], max_instructions: int = MAX_INSTRUCTIONS
) -> dict[str, Rule]:
    fields: dict[str, Rule] = {
        "model": non_empty,
        "name": nullable(string(MAX_NAME)),
        "description": nullable(string(MAX_DESCRIPTION)),
        "instructions": nullable(string(max_instructions)),
        "tools": array(tagged(**tools), MAX_TOOLS),
        "metadata": metadata,
    }
    if service.has_reasoning_effort:
        fields["reasoning_effort"] = nullable(choice(*REASONING_EFFORTS))
    return fields


def schemas(
    service: Service,
    *,
    has_chunking: bool = True,
    has_attributes: bool = True,
    has_store_helper: bool = True,
    tools: Mapping[str, Rule] = TOOLS,
    resources: Mapping[str, Rule] | None = None,
) -> Schemas:
    """The schemas of the current API.

    `has_store_helper`: `tool_resources` may contain a vector store to create. `resources`: schemas of further
    keys of `tool_resources`.
    """
    indexing: dict[str, Rule] = {"chunking_strategy": chunking} if has_chunking else {}
    entry = {**indexing, "attributes": attributes} if has_attributes else indexing
    batch: dict[str, Rule] = {"file_ids": array(non_empty, service.max_batch_files, 1), **entry}
    store: dict[str, Rule] = {
        "name": nullable(string()),
        "expires_after": expires_after,
        "metadata": metadata,
    }
    new_store = {**store, **indexing, "file_ids": array(non_empty, MAX_FILES_AT_CREATION)}
    if service.batch_takes_objects:
        batch["files"] = array(record("file_id", file_id=non_empty, **entry), service.max_batch_files, 1)
        new_store["description"] = nullable(string())
    store_helper = record(file_ids=array(non_empty, MAX_STORE_FILES), metadata=metadata, **indexing)
    resources_at_creation = _tool_resources(store_helper if has_store_helper else None, resources or {})
    resources_on_update = _tool_resources(None, resources or {})
    sampling = {
        "temperature": nullable(number(0, 2)),
        "top_p": nullable(number(0, 1)),
        "response_format": response_format,
    }
    new_assistant = _assistant(service, tools) | sampling
    updated_assistant = _assistant(service, tools, service.max_instructions_on_update) | sampling
    message = _message(service, attachments=nullable(array(attachment)))
    return {
        "assistant.create": record("model", tool_resources=resources_at_creation, **new_assistant),
        "assistant.update": record(tool_resources=resources_on_update, **updated_assistant),
        "thread.create": record(
            messages=array(message, MAX_MESSAGES_AT_CREATION),
            tool_resources=resources_at_creation,
            metadata=metadata,
        ),
        "thread.update": record(tool_resources=resources_on_update, metadata=metadata),
        "message.create": message,
        "message.update": record(metadata=metadata),
        "store.create": record(**new_store),
        "store.update": record(**store),
        "store_file.create": record("file_id", file_id=non_empty, **entry),
        "store_file.update": complete(attributes=attributes),
        "batch.create": record("" if service.batch_takes_objects else "file_ids", **batch),
    }


def v1_schemas(service: Service) -> Schemas:
    """The schemas before tool_resources, attachments and vector stores (2024-02-15-preview)."""
    assistant = _assistant(service, V1_TOOLS) | {"file_ids": array(non_empty, MAX_INTERPRETER_FILES)}
    message = _message(service, file_ids=array(non_empty, MAX_OLD_MESSAGE_FILES))
    return {
        "assistant.create": record("model", **assistant),
        "assistant.update": record(**assistant),
        "thread.create": record(messages=array(message, MAX_MESSAGES_AT_CREATION), metadata=metadata),
        "thread.update": record(metadata=metadata),
        "message.create": message,
        "message.update": record(metadata=metadata),
    }
