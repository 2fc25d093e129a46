"""A Foundry project as four services over one estate: classic agents, agents, conversations, and files."""

from __future__ import annotations

from dataclasses import replace

from migrate.emulator import errors, project_errors
from migrate.emulator.services import AZURE, AZURE_V1, BEARER

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
    fixed_headers=(project_errors.VERSIONS,),
    request_id_headers=(b"x-request-id",),
    refusal=project_errors.as_payload,
)

# A key opens these too (recorded 2026-03).
AGENTS = replace(
    CONVERSATIONS,
    name="foundry agents",
    key_headers=(BEARER, (b"api-key", b"")),
    refusal=project_errors.as_agent_payload,
)
