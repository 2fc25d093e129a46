"""How the emulated services differ: one declared row for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import uuid4

from migrate.emulator import errors
from migrate.emulator.errors import ApiError, Header, UnknownKey
from migrate.emulator.state import DAY_S

BEARER = (b"authorization", b"Bearer ")

# The parts of an upload. The SDK writes expiry with brackets, Azure's own description with a dot.
EXPIRY_PARTS = frozenset(f"expires_after{form}" for form in ("[anchor]", "[seconds]", ".anchor", ".seconds"))
UPLOAD_PARTS = frozenset({"purpose", "file"}) | EXPIRY_PARTS

# File name extensions that file search can read (recorded 2025-12).
SEARCHABLE_EXTENSIONS = tuple(
    f".{name}"
    for name in "c cpp cs css doc docx go html java js json md pdf php pptx py rb sh tex ts txt".split()
)


@dataclass(frozen=True)
class Service:
    """The limits and the behaviour of one service."""

    purposes: tuple[str, ...]
    file_expiry_s: tuple[int, int]  # shortest and longest
    max_batch_files: int
    unauthorized: Callable[[bool], ApiError]  # called with whether a key was sent
    unknown_route: Callable[[str, str], ApiError]  # called with method and path
    unknown_key: Callable[[UnknownKey], ApiError]
    no_thread_list: Callable[[], ApiError]
    file_prefixes: dict[str, str] = field(default_factory=dict)  # purpose -> prefix of ids, if not `file-`
    # Purposes. No user of Azure reported either behaviour; Options.downloads changes it.
    not_downloadable: frozenset[str] = frozenset()
    always_shows_file_expiry: bool = False  # (recorded 2025-03 for Azure)
    max_instructions_on_update: int = 256_000  # characters
    batch_takes_objects: bool = False  # `files`: settings for each file of a batch
    has_reasoning_effort: bool = False
    message_update_shows_file_ids: bool = False
    key_headers: tuple[tuple[bytes, bytes], ...] = (BEARER,)  # a header, and the prefix of the key in it
    request_id_headers: tuple[bytes, ...] = (b"x-request-id",)
    fixed_headers: tuple[Header, ...] = ()
    searchable_extensions: tuple[str, ...] = field(default=SEARCHABLE_EXTENSIONS, repr=False)
    refuses_unsearchable_files: bool = False  # otherwise they are accepted and fail a moment later
    case_sensitive_extensions: bool = False  # whether `.PDF` differs from `.pdf`
    shows_store_description: bool = False  # also when it is null (recorded 2025-09 to 2026-03)
    upload_parts: frozenset[str] = field(default=UPLOAD_PARTS, repr=False)
    max_message_characters: int = 256_000
    convert_error: Callable[[ApiError], ApiError] = lambda error: error  # to the error format of the service

    def headers(self) -> list[Header]:
        """The headers of every answer."""
        return [*((name, uuid4().hex.encode()) for name in self.request_id_headers), *self.fixed_headers]


AZURE = Service(
    purposes=("assistants", "batch", "fine-tune", "evals"),  # no vision, no user_data
    file_prefixes={"assistants": "assistant-"},
    file_expiry_s=(14 * DAY_S, 30 * DAY_S),
    max_instructions_on_update=32_768,  # although 256,000 are accepted at creation
    max_batch_files=500,
    message_update_shows_file_ids=True,  # (recorded 2025-03)
    key_headers=((b"api-key", b""), BEARER),
    unauthorized=errors.access_denied,
    unknown_route=errors.resource_not_found,
    unknown_key=errors.unexpected_property,
    no_thread_list=lambda: errors.resource_not_found("GET", "/threads"),
    request_id_headers=(b"x-request-id", b"apim-request-id"),
)

# Files show `expires_at`, also when it is null (recorded 2026-02 on the v1 path of a project).
AZURE_V1 = replace(AZURE, always_shows_file_expiry=True)

OPENAI = Service(
    purposes=("assistants", "batch", "fine-tune", "vision", "user_data", "evals"),
    not_downloadable=frozenset({"assistants", "user_data", "evals", "fine-tune"}),
    file_expiry_s=(3_600, 30 * DAY_S),
    max_batch_files=2_000,
    batch_takes_objects=True,
    has_reasoning_effort=True,  # (recorded 2026-03: null in every answer)
    unauthorized=errors.incorrect_key,
    unknown_route=errors.unknown_url,
    unknown_key=errors.unknown_parameter,
    no_thread_list=errors.session_key_required,
    shows_store_description=True,
)
