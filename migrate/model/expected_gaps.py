"""Gaps that follow from a documented rule of a service: they cannot be closed, so a snapshot stays complete.

Only certain rules have a row. There is no recording of a download of an uploaded file from Azure OpenAI or
the new generation of a Foundry project, so a refusal there is an ordinary gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

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


def _is_documented_refusal(error: RequestFailed) -> bool:
    """The answer says that files of this purpose cannot be downloaded."""
    return isinstance(error, NotDownloadable)


def _is_any_refusal(error: RequestFailed) -> bool:
    """The same, or a 400 with any text (there is no recording). Not a 403: that may be a missing role."""
    return _is_documented_refusal(error) or error.status == 400


@dataclass(frozen=True)
class ExpectedGapRule:
    """`service` never returns the bytes of files of these `purposes`, and answers with an error for which
    `matches_error` is true. `source`: how this is known."""

    service: str
    purposes: frozenset[str]
    matches_error: Callable[[RequestFailed], bool]
    source: str


EXPECTED_GAP_RULES = (
    ExpectedGapRule(
        "openai",
        frozenset({"assistants", "user_data", "evals"}),
        _is_documented_refusal,
        "the answer itself: 400 'Not allowed to download files of purpose', as users report it",
    ),
    ExpectedGapRule(
        "foundry-classic",
        frozenset({"assistants"}),
        _is_any_refusal,
        "the description of azure-ai-agents 1.1.0: files uploaded by agents cannot be retrieved back",
    ),
)


def is_expected(service: str, purpose: str, error: RequestFailed) -> bool:
    """Whether the bytes of a file are missing because its service never returns such bytes."""
    return any(
        rule.service == service and purpose in rule.purposes and rule.matches_error(error)
        for rule in EXPECTED_GAP_RULES
    )
