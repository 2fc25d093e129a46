"""How the emulated services differ, one row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import uuid4

from migrate.emulator import errors
from migrate.emulator.errors import ApiError, Header, UnknownKey

DAY = 86_400
BEARER = (b"authorization", b"Bearer ")

# The parts of an upload. The SDK writes expiry with brackets, Azure's own description with a dot.
EXPIRY_PARTS = frozenset(f"expires_after{form}" for form in ("[anchor]", "[seconds]", ".anchor", ".seconds"))
UPLOAD_PARTS = frozenset({"purpose", "file"}) | EXPIRY_PARTS

# What file search can read, by extension (recorded 2025-12).
SEARCHABLE = tuple(
    f".{name}"
    for name in "c cpp cs css doc docx go html java js json md pdf php pptx py rb sh tex ts txt".split()
)


@dataclass(frozen=True)
class Service:
    """The limits and habits of one service."""

    name: str
    purposes: tuple[str, ...]
    file_prefixes: dict[str, str]  # by purpose; any other gets `file-`
    not_downloadable: frozenset[str]
    file_expiry: tuple[int, int]  # seconds
    files_always_say_expiry: bool
    instructions_on_update: int
    batch_limit: int
    batch_of_objects: bool  # the per-file `files` form
    reasoning_effort: bool
    message_update_answers_file_ids: bool
    key_headers: tuple[tuple[bytes, bytes], ...]  # header, and what stands before the key
    unauthorised: Callable[[bool], ApiError]
    not_a_route: Callable[[str, str], ApiError]
    unknown_key: Callable[[UnknownKey], ApiError]
    no_thread_list: Callable[[], ApiError]
    request_id_headers: tuple[bytes, ...] = (b"x-request-id",)
    fixed_headers: tuple[Header, ...] = ()
    searchable: tuple[str, ...] = field(default=SEARCHABLE, repr=False)
    unsearchable_refused_at_once: bool = False  # or taken in, and failed a moment later
    endings_as_written: bool = False  # whether `.PDF` is another ending than `.pdf`
    stores_say_description: bool = False  # null included (recorded 2025-09 to 2026-03)
    upload_parts: frozenset[str] = field(default=UPLOAD_PARTS, repr=False)
    message_text: int = 256_000
    refusal: Callable[[ApiError], ApiError] = lambda error: error  # into the service's own family of bodies

    def headers(self) -> list[Header]:
        """What every answer carries."""
        return [*((name, uuid4().hex.encode()) for name in self.request_id_headers), *self.fixed_headers]


AZURE = Service(
    name="azure-openai",
    purposes=("assistants", "batch", "fine-tune", "evals"),  # no vision, no user_data
    file_prefixes={"assistants": "assistant-"},
    not_downloadable=frozenset(),  # nobody has reported either way, so it is a switch
    file_expiry=(14 * DAY, 30 * DAY),
    files_always_say_expiry=False,  # (recorded 2025-03)
    instructions_on_update=32_768,  # though 256,000 are accepted at creation
    batch_limit=500,
    batch_of_objects=False,
    reasoning_effort=False,
    message_update_answers_file_ids=True,  # (recorded 2025-03)
    key_headers=((b"api-key", b""), BEARER),
    unauthorised=errors.access_denied,
    not_a_route=errors.resource_not_found,
    unknown_key=errors.unexpected_property,
    no_thread_list=lambda: errors.resource_not_found("GET", "/threads"),
    request_id_headers=(b"x-request-id", b"apim-request-id"),
)

# Files carry `expires_at` there, null included (recorded 2026-02 on the v1 route of a project).
AZURE_V1 = replace(AZURE, name="azure-openai v1", files_always_say_expiry=True)

OPENAI = Service(
    name="openai",
    purposes=("assistants", "batch", "fine-tune", "vision", "user_data", "evals"),
    file_prefixes={},
    not_downloadable=frozenset({"assistants", "user_data", "evals", "fine-tune"}),
    file_expiry=(3_600, 30 * DAY),
    files_always_say_expiry=False,
    instructions_on_update=256_000,
    batch_limit=2_000,
    batch_of_objects=True,
    reasoning_effort=True,  # (recorded 2026-03: null in every answer)
    message_update_answers_file_ids=False,
    key_headers=(BEARER,),
    unauthorised=errors.incorrect_key,
    not_a_route=errors.unknown_url,
    unknown_key=errors.unknown_parameter,
    no_thread_list=errors.needs_session_key,
    stores_say_description=True,
)
