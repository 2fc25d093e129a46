"""What a list of threads shows of one thread, collected from its messages and runs.

Bodies may have any types: what is not as it should be counts as absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from migrate.model.document_texts import TextDocument
from migrate.model.entity import JSON
from migrate.model.json_paths import value_at
from migrate.model.served_version import newest_form

# Characters of the first message that are kept.
MAX_FIRST_WORDS_CHARS = 140
# Types of parts of a message that are files or images.
FILE_PART_TYPES = frozenset({"image_file", "input_file", "input_image", "image_url"})
FAILED_STATES = frozenset({"failed", "incomplete", "expired"})


@dataclass
class ThreadSummary:
    """`newest_at`, `oldest_at`: seconds since 1970, 0 where no message has a time. `first_words`: of the
    first message of a user, else of the first with text. `assistants`: ids of those that answered or ran, in
    the order of their first appearance."""

    count: int = 0
    newest_at: int = 0
    oldest_at: int = 0
    first_words: str = ""
    assistants: dict[str, None] = field(default_factory=dict)
    has_files: bool = False
    has_errors: bool = False
    _first_words_of_user: bool = False

    def add_message(self, body: Mapping[str, JSON], document: TextDocument, at: int) -> None:
        """Count a message or an item, which has the texts of `document`. `at`: as `whole_seconds` returns
        it."""
        self.count += 1
        self.newest_at = max(self.newest_at, at)
        self.oldest_at = min(self.oldest_at or at, at) or self.oldest_at
        if not self._first_words_of_user and (not self.first_words or document.role == "user"):
            self._take_first_words(document)
        self.add_assistant(body)
        self.has_files = self.has_files or bool(document.files) or _has_file_part(body.get("content"))
        self.has_errors = self.has_errors or _has_failed(body)

    def _take_first_words(self, document: TextDocument) -> None:
        text = next((text for name, text in document.fields if name == "content"), "")
        words = " ".join(text[: 4 * MAX_FIRST_WORDS_CHARS].split())
        if words:
            is_long = len(words) > MAX_FIRST_WORDS_CHARS
            self.first_words = f"{words[: MAX_FIRST_WORDS_CHARS - 1]}…" if is_long else words
            self._first_words_of_user = document.role == "user"

    def add_run(self, body: Mapping[str, JSON]) -> None:
        """Count a run."""
        self.add_assistant(body)
        self.has_errors = self.has_errors or _has_failed(body) or bool(body.get("last_error"))

    def add_assistant(self, body: Mapping[str, JSON]) -> None:
        """Remember which assistant, or agent, a body is of."""
        if id_ := agent_of_body(body):
            self.assistants.setdefault(id_)


def agent_of_body(body: Mapping[str, JSON]) -> str:
    """The id of the assistant, or the agent, that a message, an item or a run is of; '' where it refers to
    none."""
    id_ = body.get("assistant_id") or value_at(body, "created_by", "agent", "name")
    return id_ if isinstance(id_, str) else ""


def _has_failed(body: Mapping[str, JSON]) -> bool:
    status = body.get("status")
    return isinstance(status, str) and status in FAILED_STATES


def _has_file_part(content: JSON) -> bool:
    return isinstance(content, list) and any(
        isinstance(part, dict) and str(part.get("type")) in FILE_PART_TYPES for part in content
    )


def whole_seconds(body: Mapping[str, JSON]) -> int:
    """When an object was created, in whole seconds since 1970 of the next thousand years; 0 where that is not
    known."""
    seconds = newest_form(body).get("created_at")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < 1 << 35:
        return 0
    return int(seconds)
