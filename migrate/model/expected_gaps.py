"""Gaps that follow from a documented rule of a service: they cannot be closed, so a snapshot stays complete.

Only certain rules have a row. There is no recording of a download of an uploaded file from Azure OpenAI or
the new generation of a Foundry project, so a refusal there is an ordinary gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from migrate.errors import NotDownloadable, RequestFailed
from migrate.model.entity import JSON

# Type of a part -> keys of which one must have a value, and the words for what is hidden where none has.
PART_CONTENT_KEYS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "input_image": (("image_url", "file_id"), "the address or file id of an image"),
    "computer_screenshot": (("image_url", "file_id"), "the address or file id of a screenshot"),
    "input_file": (("file_id", "file_data", "file_url"), "the id, data or address of a file"),
}

# Value of `include[]` -> type of an item, and its key: null where it is not requested, else a list
# (recorded).
INCLUDE_FIELDS: Mapping[str, tuple[str, str]] = {
    "code_interpreter_call.outputs": ("code_interpreter_call", "outputs"),
    "file_search_call.results": ("file_search_call", "results"),
}


def withheld_includes(body: Mapping[str, JSON], requested: Iterable[str]) -> list[str]:
    """The requested values of `include[]` that an item does not show. An item that is not completed may have
    nothing to show."""
    if body.get("status") != "completed":
        return []
    rows = ((value, *INCLUDE_FIELDS[value]) for value in requested if value in INCLUDE_FIELDS)
    return [value for value, type_, key in rows if body.get("type") == type_ and body.get(key) is None]


def hidden_parts(body: Mapping[str, JSON]) -> list[str]:
    """The parts of a message or an item that the service does not show, in words."""
    hidden = []
    for part in _parts(body):
        keys, words = PART_CONTENT_KEYS.get(str(part.get("type")), ((), ""))
        if keys and not any(part.get(key) for key in keys):
            name = part.get("filename")
            hidden.append(f"{words} ({name})" if isinstance(name, str) and name else words)
    return hidden


def _parts(body: Mapping[str, JSON]) -> Iterator[Mapping[str, JSON]]:
    for value in (body.get("content"), body.get("output")):
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Mapping):
                yield part


# Type of service -> purposes of files whose bytes it never returns, and whether any answer 400 says so, or
# only one with the documented text. Not a 403: that may be a missing role. Sources:
# - openai: the answer itself, 400 'Not allowed to download files of purpose', as users report it.
# - foundry-classic: the description of azure-ai-agents 1.1.0, files uploaded by agents cannot be retrieved
#   back. There is no recording, so the text of the answer is unknown.
PURPOSES_NEVER_RETURNED: Mapping[str, tuple[frozenset[str], bool]] = {
    "openai": (frozenset({"assistants", "user_data", "evals"}), False),
    "foundry-classic": (frozenset({"assistants"}), True),
}


def is_expected(service: str, purpose: str, error: RequestFailed) -> bool:
    """Whether the bytes of a file are missing because its service never returns such bytes."""
    purposes, any_text = PURPOSES_NEVER_RETURNED.get(service, (frozenset(), False))
    refused = isinstance(error, NotDownloadable) or (any_text and error.status == 400)
    return purpose in purposes and refused
