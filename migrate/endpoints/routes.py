"""The path of each kind, one table for each generation of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from migrate.endpoints.addresses import path_segment


@dataclass(frozen=True)
class Route:
    """The route of one kind. `beta`: needs the header of Assistants v2. `limit`: rows per page."""

    path: str
    beta: bool = True
    limit: int = 100
    # Still answers after the Assistants routes are retired.
    outlives_assistants: bool = False
    # Part of the project's own API, not of the one that follows OpenAI's.
    project_api: bool = False
    # Some services do not document paging for this kind, and may reject its parameters.
    may_be_unpaged: bool = False
    # Values of `include[]`: fields that the service sends only on request.
    include: tuple[str, ...] = ()
    # The order has a meaning (messages, runs), so a listing in an unknown order is an error.
    order_is_content: bool = False


Routes = Mapping[str, Route]

# The text that file search found. Azure API versions before 2025-03 do not know this value.
RUN_STEP_INCLUDES = ("step_details.tool_calls[*].file_search.results[*].content",)
# Every value in OpenAI's API description that adds content to items. Recordings of 2026 show the effect of
# all of them except the last one.
ITEM_INCLUDES = tuple(
    "message.input_image.image_url code_interpreter_call.outputs file_search_call.results"
    " web_search_call.action.sources reasoning.encrypted_content"
    " computer_call_output.output.image_url".split()
)

ASSISTANTS_ROUTES: Routes = {
    "assistant": Route("/assistants"),
    "thread": Route("/threads"),
    "message": Route("/threads/{parent}/messages", order_is_content=True),
    "run": Route("/threads/{parent}/runs", order_is_content=True),
    "run_step": Route("/threads/{parent}/runs/{run}/steps", order_is_content=True, include=RUN_STEP_INCLUDES),
    "file": Route("/files", beta=False, limit=1000, outlives_assistants=True, may_be_unpaged=True),
    "vector_store": Route("/vector_stores", outlives_assistants=True),
    "vector_store_file": Route("/vector_stores/{parent}/files", outlives_assistants=True),
}

# The new generation in a Foundry project. It has no listing of runs.
FOUNDRY_ROUTES: Routes = {
    "assistant": Route("/agents", beta=False, project_api=True),
    "thread": Route("/conversations", beta=False),
    "message": Route(
        "/conversations/{parent}/items", beta=False, order_is_content=True, include=ITEM_INCLUDES
    ),
    "file": replace(ASSISTANTS_ROUTES["file"], limit=100),
    "vector_store": ASSISTANTS_ROUTES["vector_store"],
    "vector_store_file": ASSISTANTS_ROUTES["vector_store_file"],
}

BETA_HEADERS = {"OpenAI-Beta": "assistants=v2"}


def route_path(kind: str, id_: str | None, parent: str, run: str, routes: Routes) -> str:
    """The path of a kind's listing, or with an id the path of one object. Raises `RequestFailed` for an id
    that cannot be written into a path."""
    path = routes[kind].path
    for name, value in (("{parent}", parent), ("{run}", run)):
        if name in path:
            path = path.replace(name, path_segment(value))
    return path if id_ is None else f"{path}/{path_segment(id_)}"
