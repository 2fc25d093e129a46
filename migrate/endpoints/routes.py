"""Where each kind lives on the Assistants wire, as a table shared by every service that speaks it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Route:
    """A kind's address. `beta`: needs the header that turns Assistants v2 on. `limit`: rows a page."""

    path: str
    beta: bool = True
    limit: int = 100
    lives_on: bool = False
    """Still there where the Assistants routes have been retired."""
    may_be_unpaged: bool = False
    """Some services document no paging of it and may refuse to be asked for some."""


ROUTES: dict[str, Route] = {
    "assistant": Route("/assistants"),
    "thread": Route("/threads"),
    "message": Route("/threads/{parent}/messages"),
    "run": Route("/threads/{parent}/runs"),
    "run_step": Route("/threads/{parent}/runs/{run}/steps"),
    "file": Route("/files", beta=False, limit=1000, lives_on=True, may_be_unpaged=True),
    "vector_store": Route("/vector_stores", lives_on=True),
    "vector_store_file": Route("/vector_stores/{parent}/files", lives_on=True),
}

BETA = {"OpenAI-Beta": "assistants=v2"}

STEP_INCLUDE = "step_details.tool_calls[*].file_search.results[*].content"
"""Asks for the text that file search found; unknown to dated Azure versions before 2025-03."""


def address(kind: str, id_: str = "", parent: str = "", run: str = "") -> str:
    """The path of a kind's listing, or of one object. Ids are quoted: they are data."""
    path = ROUTES[kind].path.format(parent=quote(parent, safe=""), run=quote(run, safe=""))
    return f"{path}/{quote(id_, safe='')}" if id_ else path
