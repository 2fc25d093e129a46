"""Where each kind lives, as one table per generation of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from migrate.endpoints.addresses import path_segment


@dataclass(frozen=True)
class Route:
    """A kind's address. `beta`: needs the header that turns Assistants v2 on. `limit`: rows a page."""

    path: str
    beta: bool = True
    limit: int = 100
    # Still there where the Assistants routes have been retired.
    outlives_assistants: bool = False
    # Reached through the project's own API, not through the one shaped like OpenAI's.
    project_api: bool = False
    # Some services document no paging of it and may refuse to be asked for some.
    may_be_unpaged: bool = False
    # What is shown only to who asks for it with `include[]`.
    include: tuple[str, ...] = ()
    # Who spoke first, what ran first: a listing in an unknown order is not read.
    order_is_content: bool = False


Routes = Mapping[str, Route]

# Asks for the text that file search found; unknown to dated Azure versions before 2025-03.
RUN_STEP_INCLUDES = ("step_details.tool_calls[*].file_search.results[*].content",)
# Every value that OpenAI's description knows for items and that brings content; seen to hide and to show what
# they name (recordings of 2026), the last one only described.
ITEM_INCLUDES = (
    "message.input_image.image_url",
    "code_interpreter_call.outputs",
    "file_search_call.results",
    "web_search_call.action.sources",
    "reasoning.encrypted_content",
    "computer_call_output.output.image_url",
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

# The new generation in a Foundry project: it has no runs that could be listed.
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


def route_path(
    kind: str, id_: str | None = None, parent: str = "", run: str = "", routes: Routes = ASSISTANTS_ROUTES
) -> str:
    """The path of a kind's listing, or (with an id) of one object. Raises `RequestFailed` for an id that has
    no form in a path."""
    path = routes[kind].path
    for name, value in (("{parent}", parent), ("{run}", run)):
        if name in path:
            path = path.replace(name, path_segment(value))
    return path if id_ is None else f"{path}/{path_segment(id_)}"
