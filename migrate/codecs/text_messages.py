"""Messages that contain only text, recognized from their JSON without decoding it. Most are such.

Where both sides of a comparison are such messages, equal text is the whole proof, because no rule changes
text. A body that contains anything else, known or unknown, is decoded in full.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from migrate.codecs.capabilities import Capabilities
from migrate.codecs.foundry.items import ITEM_SERVER_KEYS
from migrate.model import JSON, KINDS
from migrate.model.stamp import remove_stamp_keys

TEXT_ROLES = ("user", "assistant")
MESSAGE_KEYS = frozenset({"id", *KINDS["message"].fields, *KINDS["message"].facts} - {"phase"})
ITEM_KEYS = frozenset({"type", "role", "content", "object", "created_at", *ITEM_SERVER_KEYS})
ITEM_TEXTS = frozenset({"input_text", "output_text", "text"})
PART_KEYS = frozenset({"type", "text", "annotations"})


class TextMessage(NamedTuple):
    """The role and the text parts of a message; no part is empty."""

    role: str
    texts: tuple[str, ...]

    def fits(self, capabilities: Capabilities) -> bool:
        """Whether the service stores the message unchanged."""
        text_max = capabilities.text_max
        return self.role in capabilities.roles and all(
            len(text) <= text_max and (text.isascii() or _is_utf8(text)) for text in self.texts
        )

    @property
    def fields(self) -> dict[str, JSON]:
        """The fields of the message in canonical form."""
        parts = [{"type": "text", "text": {"value": text, "annotations": []}} for text in self.texts]
        return {"role": self.role, "content": parts}


def message_text(body: Mapping[str, JSON]) -> TextMessage | None:
    """A message of the Assistants API, if it contains only text."""
    if not body.keys() <= MESSAGE_KEYS or body.get("attachments"):
        return None
    metadata = body.get("metadata")
    if metadata and (not isinstance(metadata, dict) or remove_stamp_keys(metadata)):
        return None
    return _text_message(body, _part_text)


def item_text(body: Mapping[str, JSON]) -> TextMessage | None:
    """An item of a conversation, if it is a message that contains only text."""
    if body.get("type", "message") != "message" or not body.keys() <= ITEM_KEYS:
        return None
    return _text_message(body, _item_part_text)


def _text_message(body: Mapping[str, JSON], part_text: Callable[[JSON], str]) -> TextMessage | None:
    role, content = body.get("role"), body.get("content")
    if role not in TEXT_ROLES or not isinstance(content, list):
        return None
    texts = tuple(map(part_text, content))
    return TextMessage(role, texts) if texts and all(texts) else None


def _part_text(part: JSON) -> str:
    """The text of a message part, or '' where the part contains anything else."""
    if not isinstance(part, dict) or len(part) != 2 or part.get("type") != "text":
        return ""
    text = part.get("text")
    if not isinstance(text, dict) or not text.keys() <= {"value", "annotations"} or text.get("annotations"):
        return ""
    value = text.get("value")
    return value if isinstance(value, str) else ""


def _item_part_text(part: JSON) -> str:
    """The text of a part of an item, or '' where the part contains anything else."""
    if not isinstance(part, dict) or part.get("annotations"):
        return ""
    type_ = part.get("type")
    if not isinstance(type_, str) or type_ not in ITEM_TEXTS:
        return ""
    if not all(key in PART_KEYS or value in (None, []) for key, value in part.items()):
        return ""
    value = part.get("text")
    return value if isinstance(value, str) else ""


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
