"""The table of assistants, and one assistant: what it says and may use, its versions, where it ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from starlette.responses import Response

from migrate.model import JSON, Entity
from migrate.model.references import is_template, references_of
from migrate.model.results.text_search import ThreadFilters, ThreadPage
from migrate.model.served_version import served_version_remarks
from migrate.serve.page_request import PageRequest
from migrate.serve.pages.object_page import object_page
from migrate.serve.pages.object_rows import ShownObject, find_shown_object, read_rows
from migrate.stages.query.text_search import is_indexed
from migrate.stages.query.thread_list import list_threads

# Fields of an assistant that the page shows by themselves; every other one is a setting.
SHOWN_APART = ("name", "description", "model", "instructions", "tools", "tool_resources", "metadata")

# Threads of an assistant that its page lists.
MAX_THREADS_OF_ASSISTANT = 6


@dataclass(frozen=True)
class AssistantResource:
    """An object that an assistant refers to. `is_there`: the snapshot has it."""

    kind: str
    id: str
    name: str
    is_there: bool


def assistants_page(request: PageRequest) -> Response:
    """The table of assistants."""
    return request.answer(
        "assistants.html.j2", "assistants", table=read_rows(request, "assistant"), tool_names=tool_names
    )


def assistant_page(request: PageRequest) -> Response:
    """One assistant."""
    shown = find_shown_object(request, "assistant")
    entity = shown.entity
    fields = {**entity.fields, **entity.extras}
    return object_page(
        request,
        "assistant.html.j2",
        "assistants",
        shown,
        settings={k: v for k, v in fields.items() if k not in SHOWN_APART and v not in (None, "", {}, [])},
        tools=[(tool_name(tool), tool) for tool in entity.fields.get("tools") or []],
        resources=list(_resources(request, shown)),
        threads=_threads(request, entity.id),
        remarks=served_version_remarks(shown.body),
    )


def tool_name(tool: JSON) -> str:
    """The type of a tool, and the name of a function or a server."""
    if not isinstance(tool, Mapping):
        return str(tool)
    type_ = str(tool.get("type") or "tool")
    inner = tool.get(type_)
    name = (inner.get("name") if isinstance(inner, Mapping) else None) or tool.get("server_label")
    return f"{type_} {name}" if isinstance(name, str) else type_


def tool_names(entity: Entity) -> list[str]:
    """The tools of an assistant in a table, each type once."""
    tools = entity.fields.get("tools")
    types = [str(tool.get("type") or "tool") for tool in tools or [] if isinstance(tool, Mapping)]
    return list(dict.fromkeys(types))


def _resources(request: PageRequest, shown: ShownObject) -> Iterator[AssistantResource]:
    """What an assistant refers to. Of a store that follows from an assistant of the oldest generation, its
    files."""
    derived = {(entity.kind, entity.id) for entity in shown.derived}
    keys: dict[tuple[str, str], None] = {}
    for entity in (shown.entity, *shown.derived):
        keys.update({(kind, id_): None for _, kind, id_ in references_of(entity)})
    for kind, id_ in keys:
        if (kind, id_) in derived or is_template(id_):
            continue
        bodies = [body for of, _, body in request.snapshot.find(id_) if of == kind]
        name = (bodies[0].get("name") or bodies[0].get("filename")) if bodies else ""
        yield AssistantResource(kind, id_, str(name or ""), bool(bodies))


def _threads(request: PageRequest, assistant: str) -> ThreadPage | None:
    """The newest threads in which an assistant ran; None where no index tells."""
    if not is_indexed(request.snapshot):
        return None
    return list_threads(request.snapshot, ThreadFilters(assistant=assistant), limit=MAX_THREADS_OF_ASSISTANT)
