"""A name for a message, which has none of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from migrate.model.entity import Entity
from migrate.model.message import ITEM_ROLE
from migrate.model.secrets import mask_text
from migrate.model.utc_time import READABLE_MINUTES, utc_text

# Characters of the text of a message in its label, and characters that are searched for credentials.
MAX_LABEL_TEXT_CHARS, MAX_SEARCHED_CHARS = 40, 1_000


def object_label(entity: Entity) -> str:
    """The name of an object in a list. A message is named by its time, role and first words."""
    return message_label(entity) if entity.kind == "message" else entity.name


def message_label(message: Entity) -> str:
    """Time (UTC, where the service gives one), role and first words of a message, without credentials:
    `2026-11-18 07:00 user: How often do I water`. Of an item that is not a message, its type."""
    created = message.facts.get("created_at")
    parts = [
        utc_text(created, READABLE_MINUTES) if created else "",
        f"{message.fields.get('role') or 'message'}:",
    ]
    if message.fields.get("role") == ITEM_ROLE:
        content = message.fields.get("content")
        item = content[0] if isinstance(content, list) and content else {}
        parts[1:] = ["item", str(item.get("type") or "") if isinstance(item, Mapping) else ""]
    text = mask_text(" ".join(_texts(message))[:MAX_SEARCHED_CHARS])
    parts.append(_first_words(" ".join(text.split())))
    return " ".join(filter(None, parts)).rstrip(":")


def _texts(message: Entity) -> Iterator[str]:
    """The texts of a message, in order; of a part without text, its type."""
    content = message.fields.get("content")
    for part in content if isinstance(content, list) else ():
        if isinstance(part, Mapping) and message.fields.get("role") != ITEM_ROLE:
            text = part.get("text")
            value = text.get("value") if isinstance(text, Mapping) else text
            yield value if isinstance(value, str) else f"({part.get('type') or 'part'})"


def _first_words(text: str) -> str:
    """The first words of a text, cut at the end of a word where one is near."""
    if len(text) <= MAX_LABEL_TEXT_CHARS:
        return text
    shown = text[:MAX_LABEL_TEXT_CHARS]
    words = shown.rpartition(" ")[0]
    return f"{words if len(words) > MAX_LABEL_TEXT_CHARS // 2 else shown}…"
