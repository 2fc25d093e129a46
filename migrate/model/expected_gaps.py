"""Gaps that a service makes by its own declared rule: nobody can close them, so they make no reading partial.

Only what is certain has a row. What Azure OpenAI and the new generation of a Foundry project answer to the
download of an upload was recorded nowhere, so a refusal there stays a gap like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from migrate.errors import NotDownloadable, RequestFailed
from migrate.model.entity import JSON

# Type of a part -> keys of which one must have a value, and what is not shown where none has.
PART_CONTENT_KEYS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "input_image": (("image_url", "file_id"), "the address or file id of an image"),
    "computer_screenshot": (("image_url", "file_id"), "the address or file id of a screenshot"),
    "input_file": (("file_id", "file_data", "file_url"), "the id, data or address of a file"),
}

# Value of `include[]` -> type of an item and its key: recorded as null where nobody asks, as a list where
# somebody does.
INCLUDE_FIELDS: Mapping[str, tuple[str, str]] = {
    "code_interpreter_call.outputs": ("code_interpreter_call", "outputs"),
    "file_search_call.results": ("file_search_call", "results"),
}


def withheld_includes(body: Mapping[str, JSON], asked: Iterable[str]) -> list[str]:
    """Which of the values `asked` for an item does not show. One that is not completed may have nothing to
    show."""
    if body.get("status") != "completed":
        return []
    rows = ((value, *INCLUDE_FIELDS[value]) for value in asked if value in INCLUDE_FIELDS)
    return [value for value, type_, key in rows if body.get("type") == type_ and body.get(key) is None]


def hidden_parts(body: Mapping[str, JSON]) -> list[str]:
    """What a message or an item holds without showing it, in words."""
    found = []
    for part in _parts(body):
        keys, words = PART_CONTENT_KEYS.get(str(part.get("type")), ((), ""))
        if keys and not any(part.get(key) for key in keys):
            name = part.get("filename")
            found.append(f"{words} ({name})" if isinstance(name, str) and name else words)
    return found


def _parts(body: Mapping[str, JSON]) -> Iterator[Mapping[str, JSON]]:
    for value in (body.get("content"), body.get("output")):
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Mapping):
                yield part


def _declared(error: RequestFailed) -> bool:
    """The service says in its own words that it does not give files of this purpose back."""
    return isinstance(error, NotDownloadable)


def _declared_or_refused(error: RequestFailed) -> bool:
    """The same, or a 400, whose words were recorded nowhere. No 403: that may be a missing role."""
    return _declared(error) or error.status == 400


@dataclass(frozen=True)
class ExpectedGapRule:
    """`service` never gives back the bytes of files of these `purposes`, and answers with such an error."""

    service: str
    purposes: frozenset[str]
    error: Callable[[RequestFailed], bool]
    source: str


EXPECTED_GAP_RULES = (
    ExpectedGapRule(
        "openai",
        frozenset({"assistants", "user_data", "evals"}),
        _declared,
        "the answer itself: 400 'Not allowed to download files of purpose', as users report it",
    ),
    ExpectedGapRule(
        "foundry-classic",
        frozenset({"assistants"}),
        _declared_or_refused,
        "the description of azure-ai-agents 1.1.0: files uploaded by agents cannot be retrieved back",
    ),
)


def is_expected(service: str, purpose: str, error: RequestFailed) -> bool:
    """Whether the bytes of a file stay away because its service never gives such bytes back."""
    return any(
        rule.service == service and purpose in rule.purposes and rule.error(error)
        for rule in EXPECTED_GAP_RULES
    )
