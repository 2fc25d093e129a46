"""A message made an item of a conversation: one item per message, none dropped.

| read | written |
|---|---|
| text | text; citations stay in the archive, their markers stay in the text |
| empty text | dropped beside other parts, else a placeholder |
| refusal | text, word for word: whether a refusal is accepted was never seen |
| image of a user | the image under its new id, or by its address |
| image of the assistant | a line that names it: an answer has no form for images |
| image inside the address (data:) | a line that names it: refused in reports |
| attachments, metadata | an item has neither; files are moved, the rest is in the archive |
| anything else | a line that names its type; the archive has it whole |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from migrate.codecs.adapt.attachments import attached_tools
from migrate.codecs.adapt.ledger import Ledger, Target
from migrate.codecs.adapt.message import PARTS as FAMILY
from migrate.codecs.adapt.message import (
    file_called,
    file_named_in,
    fit_detail,
    fit_parts,
    fit_role,
    nameless,
    text_part,
)
from migrate.codecs.foundry.items import CALL_KEYS
from migrate.model import JSON, Entity
from migrate.model.message import ITEM
from migrate.model.stamp import without_ours

Part = dict[str, Any]

FILE_SOURCES = ("file_id", "file_url", "file_data")
"""The keys of which one says where the file of an `input_file` is."""

TRIED = "never seen accepted by a project as an item: tried at apply"
REFUSED_WAY_OUT = "where it is refused: snapshot --exclude 'message:ID'"


def unsaid(entity: Entity, target: Target) -> str:
    """Why an item that nobody said is not replayed, or ''."""
    if entity.fields.get("role") != ITEM:
        return ""
    item = (entity.fields.get("content") or [{}])[0]
    type_ = str(item.get("type")) if isinstance(item, dict) else ""
    if type_ not in CALL_KEYS:
        return f"an item of type {type_} is made by a run and has no write form; it stays in the archive"
    if not target.paired(entity.parent, str(item.get("call_id"))):
        return f"{type_} without its other half would break later responses; it stays in the archive"
    return ""


def adapt_message(entity: Entity, target: Target, ledger: Ledger) -> Entity:
    """A message in a form that can be written and reads back the same."""
    _tell_homeless(entity, target, ledger)
    if entity.fields.get("role") == ITEM:
        inside = entity.fields["content"][0]
        keys = CALL_KEYS.get(str(inside.get("type")), ())
        item = {"type": inside.get("type"), **{k: inside[k] for k in keys if k in inside}}
        for name in sorted(set(inside) - set(item)):
            ledger.lost(f"content.{name}", "is not accepted on writing", "the archive has it")
        return entity.with_fields(content=[item], attachments=None, metadata=None)
    role = fit_role(entity, target, ledger)
    parts = ASSISTANT if role == "assistant" else SPOKEN
    native = target.source_type == target.profile.service
    known = {**parts, "input_file": _input_file} if native and role != "assistant" else parts
    content = fit_parts(entity, known, target, ledger)
    return entity.with_fields(role=role, content=content, attachments=None, metadata=None)


def _tell_homeless(entity: Entity, target: Target, ledger: Ledger) -> None:
    for attachment in filter(lambda one: any(one.values()), entity.fields.get("attachments") or []):
        file_id = attachment.get("file_id")
        if isinstance(file_id, str) and target.has("file", file_id):
            tools = ", ".join(attached_tools(attachment, target)) or "no tool"
            reason = f"an item has no attachments; {file_id} ({tools}) is moved, the id map has its new id"
            ledger.adapted("attachments", reason, "pass it with the next response where it is needed")
        else:
            gone = f"file {file_id} cannot be moved or no longer exists"
            ledger.lost("attachments", gone if file_id else "an attachment names no file")
    metadata = entity.fields.get("metadata")
    own = without_ours(metadata) if isinstance(metadata, Mapping) else {}
    if own:
        ledger.lost("metadata", f"an item has none; {len(own)} pair(s) stay in the archive", "join by: ids")


def _image_of_assistant(part: Part, target: Target, ledger: Ledger) -> list[JSON]:
    old = str((part.get("image_file") or {}).get("file_id") or "")
    if not old:
        return nameless(part, "image", ledger)
    called = file_called(old, target)
    if target.has("file", old):
        reason = f"an answer cannot hold an image; a line names {called}, which is moved as a file"
        ledger.adapted("content.image_file", reason, "look up its new id: ids FILE.db")
    else:
        ledger.lost("content.image_file", f"image {called} cannot be moved; a line of text names it")
    return [text_part(f"[image {called}]")]


def _image_address(part: Part, target: Target, ledger: Ledger) -> list[JSON]:
    image = part.get("image_url") or {}
    url = image.get("url")
    if not isinstance(url, str) or not url:
        return nameless(part, "image", ledger)
    if url.startswith("data:"):
        if target.source_type != target.profile.service:
            return _inside_address(url, ledger)
        ledger.adapted("content.image_url", f"an image inside its address is {TRIED}", REFUSED_WAY_OUT)
    return [{"type": "image_url", "image_url": {"url": url, **fit_detail(image, ledger)}}]


def _inside_address(url: str, ledger: Ledger) -> list[JSON]:
    kind = url[5:].split(";")[0].split(",")[0] or "no type"
    ledger.lost("content.image_url", f"an image inside its address ({kind}) was reported to be refused")
    return [text_part(f"[image of type {kind}]")]


def _address_of_assistant(part: Part, target: Target, ledger: Ledger) -> list[JSON]:
    url = (part.get("image_url") or {}).get("url")
    if not isinstance(url, str) or not url:
        return nameless(part, "image", ledger)
    if url.startswith("data:"):
        return _inside_address(url, ledger)
    ledger.adapted("content.image_url", "an answer cannot hold an image; a line names its address")
    return [text_part(f"[image {url}]")]


def _input_file(part: Part, target: Target, ledger: Ledger) -> list[JSON]:
    """A file in the conversation itself, which only this service has. What is null says nothing; the
    recorded form names the file in one of three ways."""
    file_id, url, data = (part.get(key) for key in FILE_SOURCES)
    if isinstance(file_id, str) and file_id:
        if not target.has("file", file_id):
            called = file_called(file_id, target)
            ledger.lost("content.input_file", f"file {called} cannot be moved; a line of text names it")
            return [text_part(f"[file {called}]")]
        return [{"type": "input_file", "file_id": file_id}]
    named = {k: v for k, v in (("filename", part.get("filename")),) if isinstance(v, str) and v}
    if isinstance(url, str) and url and not url.startswith("data:"):
        return [{"type": "input_file", "file_url": url, **named}]
    if isinstance(data, str) and data:
        ledger.adapted("content.input_file", f"a file inside the conversation is {TRIED}", REFUSED_WAY_OUT)
        return [{"type": "input_file", "file_data": data, **named}]
    called = file_named_in(part, target)
    if not called:
        return nameless(part, "file", ledger)
    ledger.lost("content.input_file", f"the service shows of file {called} nothing but its name")
    return [text_part(f"[file {called}]")]


SPOKEN: Mapping[str, Callable[[Part, Target, Ledger], list[JSON]]] = {
    **FAMILY,
    "image_url": _image_address,
}
ASSISTANT: Mapping[str, Callable[[Part, Target, Ledger], list[JSON]]] = {
    **FAMILY,
    "image_file": _image_of_assistant,
    "image_url": _address_of_assistant,
}
