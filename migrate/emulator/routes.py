"""Every operation of the emulated services, one row each; the faces choose among these groups."""

from __future__ import annotations

from .kinds import assistants, batches, files, messages, runs, store_files, stores, threads
from .routing import Route

ASSISTANTS = (
    Route("GET", "/assistants", assistants.page),
    Route("POST", "/assistants", assistants.create, "assistant.create"),
    Route("GET", "/assistants/{assistant}", assistants.read),
    Route("POST", "/assistants/{assistant}", assistants.update, "assistant.update"),
    Route("DELETE", "/assistants/{assistant}", assistants.delete),
)

THREADS = (
    Route("GET", "/threads", threads.page),
    Route("POST", "/threads", threads.create, "thread.create"),
    Route("GET", "/threads/{thread}", threads.read),
    Route("POST", "/threads/{thread}", threads.update, "thread.update"),
    Route("DELETE", "/threads/{thread}", threads.delete),
    Route("GET", "/threads/{thread}/messages", messages.page),
    Route("POST", "/threads/{thread}/messages", messages.create, "message.create"),
    Route("GET", "/threads/{thread}/messages/{message}", messages.read),
    Route("POST", "/threads/{thread}/messages/{message}", messages.update, "message.update"),
    Route("DELETE", "/threads/{thread}/messages/{message}", messages.delete),
    Route("POST", "/threads/runs", runs.forbid),
    Route("GET", "/threads/{thread}/runs", runs.page),
    Route("POST", "/threads/{thread}/runs", runs.forbid),
    Route("GET", "/threads/{thread}/runs/{run}", runs.read),
    Route("POST", "/threads/{thread}/runs/{run}", runs.forbid),
    Route("POST", "/threads/{thread}/runs/{run}/cancel", runs.forbid),
    Route("POST", "/threads/{thread}/runs/{run}/submit_tool_outputs", runs.forbid),
    Route("GET", "/threads/{thread}/runs/{run}/steps", runs.steps),
    Route("GET", "/threads/{thread}/runs/{run}/steps/{step}", runs.step),
)

FILES = (
    Route("GET", "/files", files.page),
    Route("POST", "/files", files.create),
    Route("GET", "/files/{file}", files.read),
    Route("DELETE", "/files/{file}", files.delete),
    Route("GET", "/files/{file}/content", files.content),
)

STORES = (
    Route("GET", "/vector_stores", stores.page),
    Route("POST", "/vector_stores", stores.create, "store.create"),
    Route("GET", "/vector_stores/{store}", stores.read),
    Route("POST", "/vector_stores/{store}", stores.update, "store.update"),
    Route("DELETE", "/vector_stores/{store}", stores.delete),
    Route("GET", "/vector_stores/{store}/files", store_files.page),
    Route("POST", "/vector_stores/{store}/files", store_files.create, "store_file.create"),
    Route("GET", "/vector_stores/{store}/files/{file}", store_files.read),
    Route("DELETE", "/vector_stores/{store}/files/{file}", store_files.delete),
    Route("POST", "/vector_stores/{store}/file_batches", batches.create, "batch.create"),
    Route("GET", "/vector_stores/{store}/file_batches/{batch}", batches.read),
    Route("POST", "/vector_stores/{store}/file_batches/{batch}/cancel", batches.cancel),
    Route("GET", "/vector_stores/{store}/file_batches/{batch}/files", batches.files),
)

ATTRIBUTES = (Route("POST", "/vector_stores/{store}/files/{file}", store_files.update, "store_file.update"),)

# In Azure's 2025-03 description, yet answered with 404 there (reported 2026-06).
PARSED_CONTENT = (Route("GET", "/vector_stores/{store}/files/{file}/content", store_files.parsed),)
