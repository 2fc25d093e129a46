"""Which texts of an object are searched.

It reads bodies as they are stored, of every service. Values that a service chose (ids, types, states), values
of keys that hold secrets, and the bytes of images are left out; credentials inside texts are masked as they
are everywhere else. A run repeats the instructions and the tools of its assistant: they are searched there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from migrate.model.entity import JSON
from migrate.model.message import ITEM_ROLE
from migrate.model.secrets import is_secret_key, mask_text
from migrate.model.served_version import newest_form

# Characters of one text that are searched: more than any service takes in a message (1,500,000). And a
# credential has at most so many (`KEY_OR_TOKEN`).
MAX_TEXT_CHARS, MAX_CREDENTIAL_CHARS = 1 << 21, 10_000
# FTS5 has the first 32,768 bytes of a word. No character becomes more than four, of four bytes each.
MAX_WORD_CHARS = 32_768 // 16


class TextField(NamedTuple):
    """A text of an object, masked, and the name of the field that has it."""

    name: str
    text: str


@dataclass
class TextDocument:
    """The texts of an object in order, its role, and the ids of files that it refers to. `is_whole`: its
    searched fields have no other text, and nothing of them was masked."""

    fields: list[TextField] = field(default_factory=list)
    role: str = ""
    files: list[str] = field(default_factory=list)
    is_whole: bool = True

    def add(self, name: str, value: JSON) -> None:
        """Add a text, unless it is empty or an image in the place of an address."""
        if isinstance(value, str):
            if value and not _is_inline_data(value):
                text = cut_text(value) if len(value) > MAX_TEXT_CHARS else value
                masked = mask_text(text)
                self.is_whole &= masked is value and not _has_huge_word(text)
                self.fields.append(TextField(name, masked))
        elif value is not None:
            self.is_whole = False

    def add_values(self, name: str, values: JSON) -> None:
        """Add every value of metadata or of attributes, also numbers."""
        for value in values.values() if values and isinstance(values, Mapping) else ():
            if not isinstance(value, (Mapping, list, bool)):
                self.add(name, value if value is None or isinstance(value, str) else str(value))

    def add_files(self, value: JSON) -> None:
        """Add an id of a file, or a list of such."""
        for id_ in value if isinstance(value, list) else [value]:
            if isinstance(id_, str) and id_ and id_ not in self.files:
                self.files.append(id_)


def read_document(kind: str, body: Mapping[str, JSON]) -> TextDocument:
    """The texts of an object of this kind."""
    document = TextDocument()
    DOCUMENT_READERS[kind](document, body)
    return document


def cut_text(text: str) -> str:
    """The beginning of a long text. It ends at a blank, so that no half of a credential is left, which
    nothing would recognize."""
    text = text[:MAX_TEXT_CHARS]
    blank = max(text.rfind(" "), text.rfind("\n"))
    return text[: max(blank, MAX_TEXT_CHARS - MAX_CREDENTIAL_CHARS)]


def _has_huge_word(text: str) -> bool:
    """Whether a word may be longer than the index has words; it has their beginnings."""
    return len(text) > MAX_WORD_CHARS and max(map(len, text.split())) > MAX_WORD_CHARS


def _is_inline_data(text: str) -> bool:
    return text.startswith("data:") and ";base64," in text[:200]


# Keys whose values a service chose, or that name other objects.
KEYS_WITHOUT_TEXT = frozenset(
    "id object type status role call_id created_by partition_key logprobs detail encrypted_content"
    " ranking_options expires_after model response_format truncation_strategy tool_choice".split()
)
# Keys of files.
FILE_KEYS = frozenset({"file_id", "file_ids"})
# Key -> the field that its texts belong to, and those below it.
FIELDS_BY_KEY = {
    "annotations": "citation",
    "code": "code",
    "code_interpreter": "code",
    "output": "output",
    "outputs": "output",
    "results": "output",
    "last_error": "error",
    "error": "error",
    "refusal": "content",
    "summary": "content",
    "content": "content",
}
# Keys of an annotation that say what is cited. Its `text` is the marker, which is in the text as well.
CITATION_KEYS = frozenset({"title", "quote", "filename", "file_name", "url"})
# Keys of a tool, of its schema and of a definition that hold text for people or for a model.
TOOL_TEXT_KEYS = frozenset(
    "name description title summary server_label server_description workflow default_value".split()
)


def _walk(document: TextDocument, name: str, value: JSON) -> None:
    """Add the texts in a value; they belong to the field `name` where no key says otherwise."""
    pending: list[tuple[str, JSON]] = [(name, value)]
    while pending:
        name, value = pending.pop()
        if isinstance(value, Mapping):
            pending += [
                (FIELDS_BY_KEY.get(key, name), child)
                for key, child in reversed(list(value.items()))
                if _has_text(document, name, key, child)
            ]
        elif isinstance(value, list):
            pending += [(name, child) for child in reversed(value)]
        elif isinstance(value, str):
            document.add(name, value)


def _has_text(document: TextDocument, name: str, key: str, value: JSON) -> bool:
    """Whether the values below a key are searched. Files and tools are added here, by their own rules."""
    if key in FILE_KEYS:
        document.add_files(value)
    elif key == "tools":
        _add_tools(document, value)
    elif name == "citation" and isinstance(value, str):
        return key in CITATION_KEYS
    else:
        return not (key in KEYS_WITHOUT_TEXT or key.endswith(("_id", "_ids")) or is_secret_key(key))
    return False


def _add_tools(document: TextDocument, tools: JSON) -> None:
    """Names and descriptions of tools, and of what their schemas have."""
    pending: list[JSON] = [tools]
    if isinstance(tools, Mapping):  # a step lists the tools of a server by their names
        for name in tools:
            document.add("tools", name)
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            for key, child in value.items():
                if isinstance(child, str):
                    if key in TOOL_TEXT_KEYS:
                        document.add("tools", child)
                elif key in FILE_KEYS:
                    document.add_files(child)
                elif not is_secret_key(key):
                    pending.append(child)
        elif isinstance(value, list):
            pending += value


# ------------------------------------------------------------------------------------------ each kind

# Keys of a message that are no text. Attachments name files and tools.
MESSAGE_FACTS = KEYS_WITHOUT_TEXT | frozenset(
    "created_at completed_at incomplete_at thread_id assistant_id run_id attachments metadata phase"
    " incomplete_details file_ids response_id".split()
)
PLAIN_MESSAGE_KEYS = MESSAGE_FACTS | {"content"}
# Keys and types of a part that is only text.
PLAIN_PART_KEYS = frozenset({"type", "text", "annotations", "logprobs"})
PLAIN_PART_TYPES = frozenset({"text"})
PLAIN_ITEM_PART_TYPES = frozenset({"text", "input_text", "output_text"})


def _read_message(document: TextDocument, body: Mapping[str, JSON]) -> None:
    """A message, or an item of a conversation."""
    role = body.get("role")
    document.role = mask_text(role) if isinstance(role, str) else ""
    content = body.get("content")
    types = PLAIN_ITEM_PART_TYPES if "type" in body else PLAIN_PART_TYPES
    texts = [_plain_text(part, types) for part in content] if isinstance(content, list) else [None]
    if None in texts or body.get("attachments") or body.get("file_ids") or role == ITEM_ROLE:
        document.is_whole = False
        _add_attached_files(document, body)
        for key, value in body.items():
            if key not in MESSAGE_FACTS:
                is_message = body.get("type", "message") == "message"
                _walk_key(document, key, value, "content" if is_message else "call")
    else:
        for text in texts:
            document.add("content", text)
        if not body.keys() <= PLAIN_MESSAGE_KEYS:
            document.is_whole = False
            for key, value in body.items():
                if key not in PLAIN_MESSAGE_KEYS:
                    _walk_key(document, key, value, "content")
    document.add_values("metadata", body.get("metadata"))


def _walk_key(document: TextDocument, key: str, value: JSON, name: str) -> None:
    if _has_text(document, name, key, value):
        _walk(document, FIELDS_BY_KEY.get(key, name), value)


def _plain_text(part: JSON, types: frozenset[str]) -> str | None:
    """The text of a part that is only text, of one of these types; else None."""
    if not isinstance(part, dict) or str(part.get("type")) not in types or part.get("annotations"):
        return None
    text = part.get("text")
    if isinstance(text, str):
        return text if part.keys() <= PLAIN_PART_KEYS else None
    if isinstance(text, dict) and part.keys() == {"type", "text"}:
        value = text.get("value")
        if isinstance(value, str) and not text.get("annotations") and text.keys() <= {"value", "annotations"}:
            return value
    return None


def _add_attached_files(document: TextDocument, body: Mapping[str, JSON]) -> None:
    document.add_files(body.get("file_ids"))
    attachments = body.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else ():
        if isinstance(attachment, Mapping):
            document.add_files(attachment.get("file_id"))


def _read_run(document: TextDocument, body: Mapping[str, JSON]) -> None:
    for key, name in (("last_error", "error"), ("required_action", "call")):
        _walk_key(document, key, body.get(key), name)
    document.add_values("metadata", body.get("metadata"))


def _read_run_step(document: TextDocument, body: Mapping[str, JSON]) -> None:
    for key, name in (("step_details", "call"), ("last_error", "error")):
        _walk_key(document, key, body.get(key), name)
    document.add_values("metadata", body.get("metadata"))


def _read_assistant(document: TextDocument, body: Mapping[str, JSON]) -> None:
    """An assistant, or an agent with every version of it that is stored."""
    document.add("name", body.get("name"))
    document.is_whole &= isinstance(body.get("name"), str)  # an agent without one is shown by its id
    versions = body.get("versions")
    stored = [v for v in versions.values() if isinstance(v, Mapping)] if isinstance(versions, Mapping) else []
    for version in [body, *stored]:
        definition = version.get("definition")
        document.add("description", version.get("description"))
        for owner in [version, *([definition] if isinstance(definition, Mapping) else [])]:
            document.add("instructions", owner.get("instructions"))
            _add_tools(document, owner.get("tools"))
        if isinstance(definition, Mapping):
            _add_tools(
                document, [{k: v for k, v in definition.items() if k not in ("instructions", "tools")}]
            )
        document.add_values("metadata", version.get("metadata"))
        _add_resource_files(document, version)


def _add_resource_files(document: TextDocument, body: Mapping[str, JSON]) -> None:
    document.add_files(body.get("file_ids"))
    resources = body.get("tool_resources")
    for branch in resources.values() if isinstance(resources, Mapping) else ():
        if isinstance(branch, Mapping):
            document.add_files(branch.get("file_ids"))


def _read_thread(document: TextDocument, body: Mapping[str, JSON]) -> None:
    document.add_values("metadata", body.get("metadata"))
    _add_resource_files(document, body)


def _read_file(document: TextDocument, body: Mapping[str, JSON]) -> None:
    document.add("filename", body.get("filename"))
    document.add_files(body.get("id"))


def _read_vector_store(document: TextDocument, body: Mapping[str, JSON]) -> None:
    document.add("name", body.get("name"))
    document.add("description", body.get("description"))
    document.add_values("metadata", body.get("metadata"))


def _read_vector_store_file(document: TextDocument, body: Mapping[str, JSON]) -> None:
    document.add_values("attributes", body.get("attributes"))
    _walk_key(document, "last_error", body.get("last_error"), "error")
    document.add_files(body.get("file_id") or body.get("id"))


DOCUMENT_READERS: Mapping[str, Callable[[TextDocument, Mapping[str, JSON]], None]] = {
    "file": _read_file,
    "vector_store": _read_vector_store,
    "vector_store_file": _read_vector_store_file,
    "assistant": _read_assistant,
    "thread": _read_thread,
    "message": _read_message,
    "run": _read_run,
    "run_step": _read_run_step,
}


def iter_metadata(kind: str, body: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    """Keys and values of the metadata of an object, masked, for filters."""
    owner = newest_form(body) if kind == "assistant" else body
    metadata = owner.get("attributes" if kind == "vector_store_file" else "metadata")
    for key, value in metadata.items() if isinstance(metadata, Mapping) else ():
        if not isinstance(value, (Mapping, list)) and value is not None:
            yield mask_text(key), mask_text(value if isinstance(value, str) else str(value))
