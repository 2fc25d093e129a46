"""A Foundry project, `/api/projects/demo`: classic agents and new ones, over the same files and stores."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from migrate.emulator import errors
from migrate.emulator import errors as emulator_errors
from migrate.emulator.apis import Api, Dialect, Head
from migrate.emulator.errors import gateway, version_unsupported
from migrate.emulator.options import Options
from migrate.emulator.router import Route, Router
from migrate.emulator.routes import (
    AGENT_ROUTES,
    ASSISTANTS,
    ATTRIBUTES,
    CONVERSATION_ROUTES,
    INVENTORY,
    PARSED_CONTENT,
    RESPONSES,
    STORES,
    THREADS,
    UNPAGED_FILES,
)
from migrate.emulator.routes import FILES as FILE_ROUTES
from migrate.emulator.schemas import agents, assistants, conversations
from migrate.emulator.services import AZURE, AZURE_V1, BEARER
from migrate.emulator.state import Json

# Uploads of agents do not come back (described for classic agents; nobody saw it tried in a project).
CLOSED = frozenset({"assistants"})

CLASSIC = replace(
    AZURE,
    name="foundry classic",
    purposes=("assistants", "vision", "fine-tune", "batch", "evals"),
    not_downloadable=CLOSED,
    upload_parts=frozenset({"purpose", "file", "filename"}),
    instructions_on_update=256_000,  # no other limit is described
    message_update_answers_file_ids=False,
    message_text=1_500_000,
    key_headers=(BEARER,),
    unauthorised=errors.token_needed,
    unknown_key=errors.unknown_parameter,
)

FILES = replace(
    AZURE_V1,
    name="foundry v1",
    purposes=("assistants", "batch", "fine-tune", "vision", "user_data", "evals"),
    not_downloadable=CLOSED,
    key_headers=(BEARER,),
    unauthorised=errors.token_needed,
    unknown_key=errors.unknown_parameter,
    unsearchable_refused_at_once=True,
    endings_as_written=True,  # the refusal names endings in small letters (recorded 2025-12)
)

CONVERSATIONS = replace(
    FILES,
    name="foundry conversations",
    fixed_headers=(emulator_errors.VERSIONS,),
    request_id_headers=(b"x-request-id",),
    refusal=emulator_errors.as_payload,
)

# A key opens these too (recorded 2026-03).
AGENTS = replace(
    CONVERSATIONS,
    name="foundry agents",
    key_headers=(BEARER, (b"api-key", b"")),
    refusal=emulator_errors.as_agent_payload,
)


PROJECT = "/api/projects/demo"
V1 = f"{PROJECT}/openai/v1"
CLASSIC_VERSIONS = frozenset({"v1", "2025-05-01", "2025-05-15-preview"})
AGENT_VERSIONS = frozenset({"v1"})


def _described(route: Route) -> bool:
    """Messages of classic agents cannot be deleted: their description has no such call."""
    return route.method != "DELETE" or not route.path.endswith("{message}")


CLASSIC_ROUTES = (*ASSISTANTS, *filter(_described, THREADS), *UNPAGED_FILES, *STORES)
CLASSIC_BODIES = assistants.bodies(
    CLASSIC,
    has_attributes=False,
    has_store_helper=False,  # there it takes assets of a workspace, which the emulator has not
    tools=assistants.CLASSIC_TOOLS,
    resources=assistants.CLASSIC_RESOURCES,
)


def _bare(answer: Json) -> Json:
    """The description of lists requires no more than this."""
    if "has_more" not in answer:
        return answer
    return {key: value for key, value in answer.items() if key not in ("object", "first_id")}


@cache
def _classic(retired: bool, bare_lists: bool) -> Dialect:
    router = Router(() if retired else CLASSIC_ROUTES)
    return Dialect(router, CLASSIC_BODIES, outgoing=_bare) if bare_lists else Dialect(router, CLASSIC_BODIES)


@cache
def _agents(strict: bool) -> Dialect:
    definition = agents.strict if strict else agents.lenient
    return Dialect(Router((*AGENT_ROUTES, *INVENTORY)), agents.bodies(definition))


_conversations = Dialect(Router(CONVERSATION_ROUTES), conversations.BODIES)
_files = Dialect(
    Router((*FILE_ROUTES, *STORES, *ATTRIBUTES, *PARSED_CONTENT, *RESPONSES)), assistants.bodies(FILES)
)


def choose_classic(head: Head, options: Options) -> Dialect:
    if head.query.get("api-version") not in CLASSIC_VERSIONS:
        raise version_unsupported()
    return _classic(options.retired, options.bare_lists)


def choose_agents(head: Head, options: Options) -> Dialect:
    if head.query.get("api-version") not in AGENT_VERSIONS:
        raise version_unsupported()
    return _agents(options.strict_definitions)


def _without_version(head: Head, dialect: Dialect) -> Dialect:
    """Projects take no version on this path (reported 2026-05)."""
    if "api-version" in head.query:
        raise gateway(400, "A version is not accepted in the query of a v1 path.")
    return dialect


def choose_conversations(head: Head, _options: Options) -> Dialect:
    return _without_version(head, _conversations)


def choose_files(head: Head, _options: Options) -> Dialect:
    return _without_version(head, _files)


APIS = (
    Api(PROJECT, CLASSIC, choose_classic),
    Api(PROJECT, AGENTS, choose_agents, frozenset({"agents", "deployments", "connections"})),
    Api(V1, CONVERSATIONS, choose_conversations, frozenset({"conversations"})),
    Api(V1, FILES, choose_files),
)
