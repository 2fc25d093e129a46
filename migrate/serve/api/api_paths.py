"""The paths of each API, and the operation behind each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from migrate.serve.api.agent_versions import list_agent_versions, read_agent_version
from migrate.serve.api.answers import ApiAnswer
from migrate.serve.api.file_contents import read_file_content, read_parsed_text
from migrate.serve.api.lookups import ApiCall, Ids
from migrate.serve.api.operations import list_objects, read_object
from migrate.serve.api.refusals import not_in_archive
from migrate.serve.api.resources import (
    AGENT_RESOURCE,
    ASSISTANT_RESOURCE,
    CONVERSATION_RESOURCE,
    FILE_RESOURCE,
    ITEM_RESOURCE,
    MESSAGE_RESOURCE,
    RUN_RESOURCE,
    RUN_STEP_RESOURCE,
    STORE_FILE_RESOURCE,
    THREAD_RESOURCE,
    UNPAGED_FILE_RESOURCE,
    VECTOR_STORE_RESOURCE,
    Resource,
)

# Answers a request; the second argument has the ids in its path.
ApiOperation = Callable[[ApiCall, Ids], ApiAnswer]
# A placeholder for an id in a path.
ID_PART = "{}"

ApiPath = tuple[str, ApiOperation]


def _list_and_object(path: str, resource: Resource) -> tuple[ApiPath, ApiPath]:
    """A list, and an object of it below."""
    return (
        (path, lambda call, ids: list_objects(call, resource, ids)),
        (f"{path}/{ID_PART}", lambda call, ids: read_object(call, resource, ids)),
    )


def _refuse_unkept(words: str, _call: ApiCall, _ids: Ids) -> ApiAnswer:
    raise not_in_archive(f"A snapshot does not read {words}.")


def _unkept(words: str, *paths: str) -> tuple[ApiPath, ...]:
    """Paths of a service of which an archive has nothing."""
    return tuple((path, partial(_refuse_unkept, words)) for path in paths)


ASSISTANT_PATHS = _list_and_object("assistants", ASSISTANT_RESOURCE)
THREAD_PATHS = (
    *_list_and_object("threads", THREAD_RESOURCE),
    *_list_and_object("threads/{}/messages", MESSAGE_RESOURCE),
    *_list_and_object("threads/{}/runs", RUN_RESOURCE),
    *_list_and_object("threads/{}/runs/{}/steps", RUN_STEP_RESOURCE),
)
_CONTENT_PATH: ApiPath = ("files/{}/content", read_file_content)
FILE_PATHS = (*_list_and_object("files", FILE_RESOURCE), _CONTENT_PATH)
UNPAGED_FILE_PATHS = (*_list_and_object("files", UNPAGED_FILE_RESOURCE), _CONTENT_PATH)
STORE_PATHS = (
    *_list_and_object("vector_stores", VECTOR_STORE_RESOURCE),
    *_list_and_object("vector_stores/{}/files", STORE_FILE_RESOURCE),
    *_unkept(
        "batches of files",
        "vector_stores/{}/file_batches/{}",
        "vector_stores/{}/file_batches/{}/files",
    ),
)
PARSED_TEXT_PATHS: tuple[ApiPath, ...] = (("vector_stores/{}/files/{}/content", read_parsed_text),)
MODEL_PATHS = _unkept("the models of a service", "models", "models/{}")
RESPONSE_PATHS = _unkept("responses", "responses/{}", "responses/{}/input_items")
# The OpenAI platform has conversations too. They cannot be listed there, and are not read.
UNREAD_CONVERSATION_PATHS = _unkept(
    "the conversations of the OpenAI platform",
    "conversations/{}",
    "conversations/{}/items",
    "conversations/{}/items/{}",
)
AGENT_PATHS: tuple[ApiPath, ...] = (
    *_list_and_object("agents", AGENT_RESOURCE),
    ("agents/{}/versions", list_agent_versions),
    ("agents/{}/versions/{}", read_agent_version),
)
INVENTORY_PATHS = (
    *_unkept("the deployments of a project", "deployments", "deployments/{}"),
    *_unkept("the connections of a project", "connections", "connections/{}"),
)
CONVERSATION_PATHS = (
    *_list_and_object("conversations", CONVERSATION_RESOURCE),
    *_list_and_object("conversations/{}/items", ITEM_RESOURCE),
)


class ApiPaths:
    """Finds the operation of a path."""

    def __init__(self, paths: Iterable[ApiPath]) -> None:
        self._by_length: dict[int, list[tuple[list[str], ApiOperation]]] = {}
        for path, operation in paths:
            parts = path.split("/")
            self._by_length.setdefault(len(parts), []).append((parts, operation))

    def find(self, segments: Ids) -> tuple[ApiOperation, Ids] | None:
        """The operation and the ids in the path, or None. `segments`: the parts of the path, decoded."""
        for parts, operation in self._by_length.get(len(segments), ()):
            pairs = list(zip(parts, segments, strict=True))
            if all(part == segment or (part == ID_PART and segment) for part, segment in pairs):
                return operation, tuple(segment for part, segment in pairs if part == ID_PART)
        return None
