"""Messages that are nothing but words, told from their JSON without decoding it. Most messages are.

Where both sides of a comparison are such, equal words are all there is to prove: no rule changes them. A body
with anything else in it, known or not, is none of these and takes the long way, which is the rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

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
    """Who said what, part by part. No part is empty."""

    role: str
    texts: tuple[str, ...]

    def fits(self, capabilities: Capabilities) -> bool:
        """Whether they are written, and read back, just so."""
        most = capabilities.text_max
        return self.role in capabilities.roles and all(
            len(text) <= most and (text.isascii() or _sendable(text)) for text in self.texts
        )

    @property
    def fields(self) -> dict[str, JSON]:
        """A message that says this, in canonical form."""
        parts = [{"type": "text", "text": {"value": text, "annotations": []}} for text in self.texts]
        return {"role": self.role, "content": parts}


def message_text(body: Mapping[str, JSON]) -> TextMessage | None:
    """The words of a message as the Assistants family gives it, if it is nothing else."""
    if not body.keys() <= MESSAGE_KEYS or body.get("attachments"):
        return None
    metadata = body.get("metadata")
    if metadata and (not isinstance(metadata, dict) or remove_stamp_keys(metadata)):
        return None
    return _text_message(body.get("role"), body.get("content"), _text)


def item_text(body: Mapping[str, JSON]) -> TextMessage | None:
    """The words of an item of a conversation, if it is nothing else."""
    if body.get("type", "message") != "message" or not body.keys() <= ITEM_KEYS:
        return None
    return _text_message(body.get("role"), body.get("content"), _item_text)


def _text_message(role: JSON, content: JSON, text: Any) -> TextMessage | None:
    if role not in TEXT_ROLES or not isinstance(content, list):
        return None
    texts = tuple(map(text, content))
    return TextMessage(role, texts) if texts and all(texts) else None


def _text(part: JSON) -> str:
    """The words of a part that is nothing else; '' for any other."""
    if not isinstance(part, dict) or len(part) != 2 or part.get("type") != "text":
        return ""
    text = part.get("text")
    if not isinstance(text, dict) or not text.keys() <= {"value", "annotations"} or text.get("annotations"):
        return ""
    value = text.get("value")
    return value if isinstance(value, str) else ""


def _item_text(part: JSON) -> str:
    if not isinstance(part, dict) or part.get("type") not in ITEM_TEXTS or part.get("annotations"):
        return ""
    if not all(key in PART_KEYS or value in (None, []) for key, value in part.items()):
        return ""
    value = part.get("text")
    return value if isinstance(value, str) else ""


def _sendable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
