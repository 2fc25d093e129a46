"""Every operation of the emulated services, one row each. Each API selects some of these groups."""

from __future__ import annotations

from types import ModuleType

from migrate.emulator.resources import (
    agents,
    assistants,
    conversations,
    files,
    inventory,
    messages,
    threads,
    vector_stores,
)
from migrate.emulator.router import Route


def _standard_routes(path: str, resource: ModuleType, name: str) -> tuple[Route, ...]:
    """The five operations that most resources have; `name` is used in the names of their schemas."""
    return (
        Route("GET", path, resource.page),
        Route("POST", path, resource.create, f"{name}.create"),
        Route("GET", f"{path}/{{{name}}}", resource.read),
        Route("POST", f"{path}/{{{name}}}", resource.update, f"{name}.update"),
        Route("DELETE", f"{path}/{{{name}}}", resource.delete),
    )


ASSISTANTS = _standard_routes("/assistants", assistants, "assistant")

THREADS = (
    *_standard_routes("/threads", threads, "thread"),
    *_standard_routes("/threads/{thread}/messages", messages, "message"),
    Route("POST", "/threads/runs", threads.forbid_run),
    Route("GET", "/threads/{thread}/runs", threads.list_runs),
    Route("POST", "/threads/{thread}/runs", threads.forbid_run),
    Route("GET", "/threads/{thread}/runs/{run}", threads.read_run),
    Route("POST", "/threads/{thread}/runs/{run}", threads.forbid_run),
    Route("POST", "/threads/{thread}/runs/{run}/cancel", threads.forbid_run),
    Route("POST", "/threads/{thread}/runs/{run}/submit_tool_outputs", threads.forbid_run),
    Route("GET", "/threads/{thread}/runs/{run}/steps", threads.list_run_steps),
    Route("GET", "/threads/{thread}/runs/{run}/steps/{step}", threads.read_run_step),
)

_ONE_FILE = (
    Route("POST", "/files", files.create),
    Route("GET", "/files/{file}", files.read),
    Route("DELETE", "/files/{file}", files.delete),
    Route("GET", "/files/{file}/content", files.content),
)
FILES = (Route("GET", "/files", files.page), *_ONE_FILE)
UNPAGED_FILES = (Route("GET", "/files", files.list_unpaged), *_ONE_FILE)

STORES = (
    *_standard_routes("/vector_stores", vector_stores, "store"),
    Route("GET", "/vector_stores/{store}/files", vector_stores.list_files),
    Route("POST", "/vector_stores/{store}/files", vector_stores.add_file, "store_file.create"),
    Route("GET", "/vector_stores/{store}/files/{file}", vector_stores.read_file),
    Route("DELETE", "/vector_stores/{store}/files/{file}", vector_stores.remove_file),
    Route("POST", "/vector_stores/{store}/file_batches", vector_stores.create_batch, "batch.create"),
    Route("GET", "/vector_stores/{store}/file_batches/{batch}", vector_stores.read_batch),
    Route("POST", "/vector_stores/{store}/file_batches/{batch}/cancel", vector_stores.cancel_batch),
    Route("GET", "/vector_stores/{store}/file_batches/{batch}/files", vector_stores.list_batch_files),
)

ATTRIBUTES = (
    Route("POST", "/vector_stores/{store}/files/{file}", vector_stores.update_file, "store_file.update"),
)

# Azure's 2025-03 description has it, but it was answered with 404 there (reported 2026-06).
PARSED_CONTENT = (
    Route("GET", "/vector_stores/{store}/files/{file}/content", vector_stores.read_parsed_content),
)

AGENTS = (
    Route("GET", "/agents", agents.page),
    Route("GET", "/agents/{agent}", agents.read),
    Route("DELETE", "/agents/{agent}", agents.delete),
    Route("GET", "/agents/{agent}/versions", agents.list_versions),
    Route("POST", "/agents/{agent}/versions", agents.create_version, "agent_version.create"),
    Route("GET", "/agents/{agent}/versions/{version}", agents.read_version),
    Route("DELETE", "/agents/{agent}/versions/{version}", agents.delete_version),
)

INVENTORY = (
    Route("GET", "/deployments", inventory.list_deployments),
    Route("GET", "/deployments/{deployment}", inventory.read_deployment),
    Route("GET", "/connections", inventory.list_connections),
    Route("GET", "/connections/{connection}", inventory.read_connection),
)

MODELS = (Route("GET", "/models", inventory.list_models),)

CONVERSATIONS = (
    *_standard_routes("/conversations", conversations, "conversation"),
    Route("GET", "/conversations/{conversation}/items", conversations.list_items),
    Route("POST", "/conversations/{conversation}/items", conversations.create_items, "items.create"),
    Route("GET", "/conversations/{conversation}/items/{item}", conversations.read_item),
    Route("DELETE", "/conversations/{conversation}/items/{item}", conversations.delete_item),
)

# Creating a response runs a model, like creating a run.
RESPONSES = (Route("POST", "/responses", threads.forbid_run),)
