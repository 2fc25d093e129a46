"""A thread, or a conversation of a project, as people read it: messages, runs, tool calls, files, citations.

All texts are without credentials (`migrate.model.secrets`). Times are ISO 8601 in UTC, as in
`2026-03-01T10:00:00Z`, or '' where the service gives none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from migrate.model.entity import JSON

ConversationPartType = Literal[
    "text", "image", "file", "refusal", "call", "result", "code", "reasoning", "other"
]


@dataclass(frozen=True)
class FileReference:
    """A file that a conversation refers to.

    `name`: '' where the snapshot does not have the file. `size`: bytes; None where it is not known.
    `has_bytes`: the archive has them. `is_parsed_text`: these bytes are only the text that a vector store
    parsed out of the file. `image_type`: image/png, image/jpeg, image/gif or image/webp, proved by the first
    bytes; '' for anything else, whatever the name says.
    """

    id: str
    name: str = ""
    size: int | None = None
    has_bytes: bool = False
    image_type: str = ""
    is_parsed_text: bool = False


@dataclass(frozen=True)
class Citation:
    """A source of a text. `start`, `end`: place of the `marker` in the text in characters; -1 where it has no
    place there. `title`: name or title that the citation itself gives."""

    marker: str
    start: int = -1
    end: int = -1
    file: FileReference | None = None
    title: str = ""
    url: str = ""
    quote: str = ""


@dataclass(frozen=True)
class ConversationPart:
    """One part of a message, of an item or of the output of a tool.

    `text`: the text; arguments of a call; output of a result; code; of another part its JSON. `name`: the
    tool of a call, the type of another part, the name of a file that has no id. `call_id`: what connects a
    call and its result. `url`: address of an image, also `data:`. `image_type`: set where the address itself
    contains an image, proved by its first bytes.
    """

    what: ConversationPartType
    text: str = ""
    citations: tuple[Citation, ...] = ()
    file: FileReference | None = None
    url: str = ""
    name: str = ""
    call_id: str = ""
    image_type: str = ""


@dataclass(frozen=True)
class Attachment:
    """A file that is attached to a message, for some tools. `text`: what is attached where there is no file
    id."""

    file: FileReference | None
    tools: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class TokenUsage:
    """Tokens of a run or of one of its steps."""

    prompt: int
    completion: int
    total: int


@dataclass(frozen=True)
class ToolCall:
    """A tool that a run called: its type, its name, its input (arguments, code or JSON) and its outputs."""

    type: str
    name: str = ""
    input: str = ""
    outputs: tuple[ConversationPart, ...] = ()
    id: str = ""


@dataclass(frozen=True)
class RunStep:
    """A step of a run. `type`: message_creation or tool_calls."""

    id: str
    type: str
    status: str
    at: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: TokenUsage | None = None
    error: str = ""


@dataclass(frozen=True)
class RunRecord:
    """A run of an assistant. Only `id` and `steps` are set where the snapshot has steps of a run that it does
    not have."""

    id: str
    status: str = ""
    model: str = ""
    assistant: str = ""
    assistant_id: str = ""
    started_at: str = ""
    finished_at: str = ""
    usage: TokenUsage | None = None
    error: str = ""
    steps: tuple[RunStep, ...] = ()


@dataclass(frozen=True)
class NewId:
    """What an object became: its id on a target (`TYPE URL`)."""

    target: str
    id: str


@dataclass(frozen=True)
class ConversationMessage:
    """One message, or an item of a conversation that is no message: its `role` is ''.

    `number`: place in the thread, from 1. `assistant`: its name, or its id. `runs`: those that began before
    the message and after the one before it. `gaps`: what the service did not show of it. `left_out`: members
    of its body that were not read, because it has too many; `runs_left_out`: what was not read of the runs.
    """

    number: int
    id: str
    at: str
    role: str
    assistant: str
    assistant_id: str
    status: str
    parts: tuple[ConversationPart, ...]
    attachments: tuple[Attachment, ...] = ()
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    runs: tuple[RunRecord, ...] = ()
    new_ids: tuple[NewId, ...] = ()
    assistant_version: str = ""
    gaps: tuple[str, ...] = ()
    left_out: int = 0
    runs_left_out: str = ""


@dataclass(frozen=True)
class ConversationHead:
    """Facts about a thread. `count`: messages that the snapshot has. `gap`: why messages are missing, or ''.
    `assistants`: id and name of those of the newest runs and messages, newest first. `notes`: what else was
    not read."""

    id: str
    created_at: str
    metadata: Mapping[str, JSON]
    snapshot: int
    estate_type: str
    url: str
    count: int
    gap: str = ""
    assistants: tuple[tuple[str, str], ...] = ()
    new_ids: tuple[NewId, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conversation:
    """A thread, or a part of it. `messages` can be iterated once. `trailing_runs`: those after the last
    message, where the part ends with it; `trailing_left_out`: what was not read of them."""

    head: ConversationHead
    messages: Iterator[ConversationMessage]
    trailing_runs: tuple[RunRecord, ...] = ()
    trailing_left_out: str = ""


@dataclass(frozen=True)
class TranscriptSummary:
    """A thread in one line of a list. `newest_at`: time of the newest message; of a thread whose messages
    carry no time, when it was created."""

    id: str
    first_words: str
    created_at: str
    newest_at: str
    count: int
    assistants: tuple[tuple[str, str], ...] = ()
    gap: str = ""
