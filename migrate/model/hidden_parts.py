"""A body of a message or item in, what it names and does not show out: content that no archive can hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from migrate.model.entity import JSON

SHOWN_BY: Mapping[str, tuple[tuple[str, ...], str]] = {
    "input_image": (("image_url", "file_id"), "the address or file id of an image"),
    "computer_screenshot": (("image_url", "file_id"), "the address or file id of a screenshot"),
    "input_file": (("file_id", "file_data", "file_url"), "the id, data or address of a file"),
}
"""Type of a part -> keys of which one must have a value, and what is not shown where none has."""

BROUGHT_BY: Mapping[str, tuple[str, str]] = {
    "code_interpreter_call.outputs": ("code_interpreter_call", "outputs"),
    "file_search_call.results": ("file_search_call", "results"),
}
"""Value of `include[]` -> type of an item and its key: recorded as null where nobody asks, as a list where
somebody does."""


def kept_back(body: Mapping[str, JSON], asked: Iterable[str]) -> list[str]:
    """Which of the values `asked` for an item does not show. One that is not completed may have nothing to
    show."""
    if body.get("status") != "completed":
        return []
    rows = ((value, *BROUGHT_BY[value]) for value in asked if value in BROUGHT_BY)
    return [value for value, type_, key in rows if body.get("type") == type_ and body.get(key) is None]


def hidden_parts(body: Mapping[str, JSON]) -> list[str]:
    """What a message or an item holds without showing it, in words."""
    found = []
    for part in _parts(body):
        keys, words = SHOWN_BY.get(str(part.get("type")), ((), ""))
        if keys and not any(part.get(key) for key in keys):
            name = part.get("filename")
            found.append(f"{words} ({name})" if isinstance(name, str) and name else words)
    return found


def _parts(body: Mapping[str, JSON]) -> Iterator[Mapping[str, JSON]]:
    for value in (body.get("content"), body.get("output")):
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Mapping):
                yield part
