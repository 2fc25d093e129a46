"""The request bodies that a service accepts, one schema per operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.emulator.errors import refuse
from migrate.emulator.schemas.rules import (
    Rule,
    anything,
    array,
    attributes,
    boolean,
    by_type,
    choice,
    free_object,
    metadata,
    nullable,
    number,
    record,
    string,
    tagged,
)
from migrate.emulator.services import Service

NAME, DESCRIPTION, INSTRUCTIONS = 256, 512, 256_000
FUNCTION_NAME, FUNCTION_DESCRIPTION = r"[a-zA-Z0-9_-]{1,64}", 1_024
MAX_TOOLS, INTERPRETER_FILES, STORES, STORE_FILES, FIRST_FILES = 128, 20, 1, 10_000, 500
FIRST_MESSAGES = 32  # (reported 2024, in no document)
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")

Bodies = Mapping[str, Rule]
NO_RULES: Mapping[str, Rule] = {}

file_id = string(minimum=1)

# ------------------------------------------------------------------------------------------------ tools

function = record(
    "name",
    name=string(pattern=FUNCTION_NAME),
    description=nullable(string(FUNCTION_DESCRIPTION)),
    parameters=nullable(free_object),
    strict=nullable(boolean),
)
search_options = record(max_num_results=number(1, 50, whole=True), ranking_options=nullable(free_object))
TOOL = {
    "code_interpreter": record(),
    "function": record("function", function=function),
    "file_search": record(file_search=nullable(search_options)),
}
OLD_TOOL = {"code_interpreter": record(), "function": TOOL["function"], "retrieval": record()}

response_format = nullable(
    by_type(
        text=choice("auto"),
        object=tagged(
            text=record(),
            json_object=record(),
            json_schema=record(
                "json_schema",
                json_schema=record(
                    "name",
                    name=string(64, 1),
                    description=anything,
                    schema=free_object,
                    strict=nullable(boolean),
                ),
            ),
        ),
    )
)

# ---------------------------------------------------------------------------------------- vector stores


def _half_overlap(value: Any, at: str) -> None:
    record(
        "max_chunk_size_tokens chunk_overlap_tokens",
        max_chunk_size_tokens=number(100, 4096, whole=True),
        chunk_overlap_tokens=number(0, 4096, whole=True),
    )(value, at)
    if value["chunk_overlap_tokens"] * 2 > value["max_chunk_size_tokens"]:
        raise refuse(
            "Invalid 'chunk_overlap_tokens': it must not exceed half of 'max_chunk_size_tokens'.", param=at
        )


# `other` is an answer only: a store may say it, nobody may ask for it.
chunking = nullable(tagged(auto=record(), static=record("static", static=_half_overlap)))
expiry = nullable(record("anchor days", anchor=choice("last_active_at"), days=number(1, 365, whole=True)))


def _resources(store_files: Rule | None, more: Mapping[str, Rule]) -> Rule:
    """`tool_resources`; the helper that makes a store exists at creation only."""
    search: dict[str, Rule] = {"vector_store_ids": array(string(minimum=1), STORES)}
    if store_files:
        search["vector_stores"] = array(store_files, STORES)
    return nullable(
        record(
            code_interpreter=nullable(record(file_ids=array(file_id, INTERPRETER_FILES))),
            file_search=nullable(record(**search)),
            **more,
        )
    )


# -------------------------------------------------------------------------------------------- messages

detail = choice("auto", "low", "high")
PICTURES = {
    "image_file": record("image_file", image_file=record("file_id", file_id=file_id, detail=detail)),
    "image_url": record("image_url", image_url=record("url", url=string(minimum=1), detail=detail)),
}
attachment = record(
    "file_id tools",
    file_id=file_id,
    tools=array(tagged(code_interpreter=record(), file_search=record())),
)


def _message(text_limit: int, **files: Rule) -> Rule:
    text = string(text_limit, 1)
    part = tagged(text=record("text", text=text), **PICTURES)
    content = by_type(text=text, array=array(part, minimum=1))
    role = choice("user", "assistant")
    return record("role content", role=role, content=content, metadata=metadata, **files)


# ---------------------------------------------------------------------------------- one set per dialect


def _assistant(service: Service, tools: Mapping[str, Rule], instructions: int) -> dict[str, Rule]:
    fields: dict[str, Rule] = {
        "model": string(minimum=1),
        "name": nullable(string(NAME)),
        "description": nullable(string(DESCRIPTION)),
        "instructions": nullable(string(instructions)),
        "tools": array(tagged(**tools), MAX_TOOLS),
        "metadata": metadata,
    }
    if service.reasoning_effort:
        fields["reasoning_effort"] = nullable(choice(*EFFORTS))
    return fields


def _sampling() -> dict[str, Rule]:
    return {
        "temperature": nullable(number(0, 2)),
        "top_p": nullable(number(0, 1)),
        "response_format": response_format,
    }


def bodies(
    service: Service,
    *,
    has_chunking: bool = True,
    has_attributes: bool = True,
    has_store_helper: bool = True,
    tools: Mapping[str, Rule] = TOOL,
    resources: Mapping[str, Rule] = NO_RULES,
) -> Bodies:
    """Every body of the current API, keyed by operation."""
    indexing: dict[str, Rule] = {"chunking_strategy": chunking} if has_chunking else {}
    entry = {**indexing, "attributes": attributes} if has_attributes else indexing
    store_helper = record(file_ids=array(file_id, STORE_FILES), metadata=metadata, **indexing)
    batch_ids = array(file_id, service.batch_limit, 1)
    batch: dict[str, Rule] = {"file_ids": batch_ids}
    if service.batch_of_objects:
        batch["files"] = array(record("file_id", file_id=file_id, **entry), service.batch_limit, 1)
    store: dict[str, Rule] = {"name": nullable(string()), "expires_after": expiry, "metadata": metadata}
    first = {"description": nullable(string())} if service.batch_of_objects else {}
    made, found = (
        _resources(store_helper if has_store_helper else None, resources),
        _resources(None, resources),
    )
    message = _message(service.message_text, attachments=nullable(array(attachment)))
    return {
        "assistant.create": record(
            "model", tool_resources=made, **_assistant(service, tools, INSTRUCTIONS), **_sampling()
        ),
        "assistant.update": record(
            tool_resources=found, **_assistant(service, tools, service.instructions_on_update), **_sampling()
        ),
        "thread.create": record(
            messages=array(message, FIRST_MESSAGES), tool_resources=made, metadata=metadata
        ),
        "thread.update": record(tool_resources=found, metadata=metadata),
        "message.create": message,
        "message.update": record(metadata=metadata),
        "store.create": record(file_ids=array(file_id, FIRST_FILES), **store, **indexing, **first),
        "store.update": record(**store),
        "store_file.create": record("file_id", file_id=file_id, **entry),
        "store_file.update": record("attributes", attributes=attributes),
        "batch.create": record("" if service.batch_of_objects else "file_ids", **batch, **entry),
    }


def old_bodies(service: Service) -> Bodies:
    """The API before tool_resources, attachments and vector stores (2024-02-15-preview)."""
    assistant = _assistant(service, OLD_TOOL, INSTRUCTIONS) | {"file_ids": array(file_id, INTERPRETER_FILES)}
    old_message = _message(service.message_text, file_ids=array(file_id, 10))
    return {
        "assistant.create": record("model", **assistant),
        "assistant.update": record(**assistant),
        "thread.create": record(messages=array(old_message, FIRST_MESSAGES), metadata=metadata),
        "thread.update": record(metadata=metadata),
        "message.create": old_message,
        "message.update": record(metadata=metadata),
    }


# Settings under the tool's own name; no document says more that could be checked.
NESTED = (
    "bing_grounding",
    "bing_custom_search",
    "azure_ai_search",
    "openapi",
    "azure_function",
    "connected_agent",
    "deep_research",
    "fabric_dataagent",
    "sharepoint_grounding",
    "browser_automation",
)

CLASSIC_TOOLS: dict[str, Rule] = {
    **TOOL,
    **{name: record(name, **{name: free_object}) for name in NESTED},
    # Its settings lie in the resources (recorded 2025-05), so nothing is nested here.
    "azure_ai_search": record(azure_ai_search=free_object),
    "mcp": record(
        "server_label server_url",
        server_label=string(minimum=1),
        server_url=string(minimum=1),
        allowed_tools=nullable(array(string())),
    ),
    "computer_use_preview": free_object,  # whether its settings are nested is not known
}

CLASSIC_RESOURCES: dict[str, Rule] = {
    "azure_ai_search": nullable(record(indexes=array(free_object))),
    "mcp": nullable(
        array(
            record(
                "server_label", server_label=string(minimum=1), headers=free_object, require_approval=anything
            )
        )
    ),
}
