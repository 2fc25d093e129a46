"""A Foundry project, `/api/projects/demo`: classic and new agents, which share files and vector stores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from migrate.emulator import errors
from migrate.emulator.apis import Api, ApiVersion, RequestHead
from migrate.emulator.options import Options
from migrate.emulator.router import Router
from migrate.emulator.routes import (
    AGENTS,
    ASSISTANTS,
    ATTRIBUTES,
    CONVERSATIONS,
    FILES,
    INVENTORY,
    PARSED_CONTENT,
    RESPONSES,
    STORES,
    THREADS,
    UNPAGED_FILES,
)
from migrate.emulator.schemas import agents, assistants, conversations
from migrate.emulator.services import AZURE, BEARER
from migrate.emulator.state import Json

PROJECT = "/api/projects/demo"
V1 = f"{PROJECT}/openai/v1"
CLASSIC_VERSIONS = frozenset({"v1", "2025-05-01", "2025-05-15-preview"})
AGENT_VERSIONS = frozenset({"v1"})

# Uploads of agents cannot be downloaded: described for classic agents, never tried in a project.
NOT_DOWNLOADABLE = frozenset({"assistants"})

_PROJECT_SERVICE = replace(
    AZURE,
    not_downloadable=NOT_DOWNLOADABLE,
    key_headers=(BEARER,),
    unauthorized=errors.token_required,
    unknown_key=errors.unknown_parameter,
)
CLASSIC_SERVICE = replace(
    _PROJECT_SERVICE,
    purposes=("assistants", "vision", "fine-tune", "batch", "evals"),
    upload_parts=frozenset({"purpose", "file", "filename"}),
    max_instructions_on_update=256_000,  # no other limit is described
    message_update_shows_file_ids=False,
    max_message_characters=1_500_000,
)
FILES_SERVICE = replace(
    _PROJECT_SERVICE,
    purposes=("assistants", "batch", "fine-tune", "vision", "user_data", "evals"),
    always_shows_file_expiry=True,  # (recorded 2026-02)
    refuses_unsearchable_files=True,
    case_sensitive_extensions=True,  # the error shows extensions in lower case (recorded 2025-12)
)
CONVERSATIONS_SERVICE = replace(
    FILES_SERVICE,
    fixed_headers=(errors.SUPPORTED_VERSIONS,),
    request_id_headers=(b"x-request-id",),
    convert_error=errors.as_invalid_payload,
)
AGENTS_SERVICE = replace(
    CONVERSATIONS_SERVICE,
    key_headers=(BEARER, (b"api-key", b"")),  # a key is accepted here too (recorded 2026-03)
    convert_error=errors.as_invalid_definition,
)

# Messages of classic agents cannot be deleted: their description has no such operation.
CLASSIC_ROUTES = (
    *ASSISTANTS,
    *(route for route in THREADS if route.method != "DELETE" or not route.path.endswith("{message}")),
    *UNPAGED_FILES,
    *STORES,
)
CLASSIC_SCHEMAS = assistants.schemas(
    CLASSIC_SERVICE,
    has_attributes=False,
    has_store_helper=False,  # it takes assets of a workspace, which the emulator does not have
    tools=assistants.CLASSIC_TOOLS,
    resources=assistants.CLASSIC_RESOURCES,
)


def _minimal_list(answer: Json) -> Json:
    """The description of lists requires no more than this."""
    if "has_more" not in answer:
        return answer
    return {key: value for key, value in answer.items() if key not in ("object", "first_id")}


@cache
def _classic(retired: bool, minimal_lists: bool) -> ApiVersion:
    version = ApiVersion(Router(() if retired else CLASSIC_ROUTES), CLASSIC_SCHEMAS)
    return replace(version, encode_answer=_minimal_list) if minimal_lists else version


@cache
def _agents(strict: bool) -> ApiVersion:
    definition = agents.strict_definition if strict else agents.lenient_definition
    return ApiVersion(Router((*AGENTS, *INVENTORY)), agents.schemas(definition))


def _select_classic(head: RequestHead, options: Options) -> ApiVersion:
    if head.query.get("api-version") not in CLASSIC_VERSIONS:
        raise errors.version_unsupported()
    return _classic(options.retired, options.minimal_lists)


def _select_agents(head: RequestHead, options: Options) -> ApiVersion:
    if head.query.get("api-version") not in AGENT_VERSIONS:
        raise errors.version_unsupported()
    return _agents(options.strict_definitions)


def _unversioned(version: ApiVersion) -> Callable[[RequestHead, Options], ApiVersion]:
    """Projects refuse a version in the query of these paths (reported 2026-05)."""

    def select(head: RequestHead, _options: Options) -> ApiVersion:
        if "api-version" in head.query:
            raise errors.gateway(400, "A version is not accepted in the query of a v1 path.")
        return version

    return select


_conversations = ApiVersion(Router(CONVERSATIONS), conversations.SCHEMAS)
_files = ApiVersion(
    Router((*FILES, *STORES, *ATTRIBUTES, *PARSED_CONTENT, *RESPONSES)), assistants.schemas(FILES_SERVICE)
)

APIS = (
    Api(PROJECT, CLASSIC_SERVICE, _select_classic),
    Api(PROJECT, AGENTS_SERVICE, _select_agents, frozenset({"agents", "deployments", "connections"})),
    Api(V1, CONVERSATIONS_SERVICE, _unversioned(_conversations), frozenset({"conversations"})),
    Api(V1, FILES_SERVICE, _unversioned(_files)),
)
