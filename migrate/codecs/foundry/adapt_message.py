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

from migrate.codecs.adapt.context import Ledger, Target
from migrate.codecs.adapt.message import (
    DETAILS,
    attached_tools,
    file_called,
    file_named_in,
    fit_detail,
    fit_parts,
    fit_role,
    nameless,
    text_part,
)
from migrate.codecs.adapt.message import PARTS as FAMILY
from migrate.codecs.foundry.items import CALL_KEYS, PHASES, TRIED_KEYS, has_form
from migrate.model import JSON, Entity
from migrate.model.message import ITEM_ROLE
from migrate.model.stamp import remove_stamp_keys

Part = dict[str, Any]

TRIED = "never seen accepted by a project: tried at apply"
LINE = "where it is refused, a line of text names it"
REFUSED = "the archive has it"


def input_file(part: Part, target: Target, ledger: Ledger) -> list[JSON]:
    """A file in the conversation itself, which only this service has. One key says where it is; a name
    beside an id is the file's own."""
    file_id, url, data = (part.get(key) for key in ("file_id", "file_url", "file_data"))
    if isinstance(file_id, str) and file_id:
        if target.has("file", file_id):
            return [{"type": "input_file", "file_id": file_id}]
        called = file_called(file_id, target)
        ledger.lost("content.input_file", f"file {called} cannot be moved; a line of text names it")
        return [text_part(f"[file {called}]")]
    name = part.get("filename")
    named = {"filename": name} if isinstance(name, str) and name else {}
    if isinstance(url, str) and url and not url.startswith("data:"):
        return [{"type": "input_file", "file_url": url, **named}]
    called = file_named_in(part, target)
    if isinstance(data, str) and data:
        if target.tries:
            ledger.adapted("content.input_file", f"a file inside the conversation is {TRIED}", LINE)
            return [{"type": "input_file", "file_data": data, **named}]
        ledger.lost("content.input_file", f"file {called} lies in the conversation; a line of text names it")
        return [text_part(f"[file {called}]")]
    if not called:
        return nameless(part, "file", ledger)
    ledger.lost("content.input_file", f"the service shows of file {called} nothing but its name")
    return [text_part(f"[file {called}]")]


# ------------------------------------------------------------------------------------- outputs of calls


def fit_output(parts: list[JSON], target: Target, ledger: Ledger) -> JSON:
    """The output of a call that is a list of texts, images and files (recorded on the OpenAI platform). As
    one text where it cannot be tried."""
    fitted = [one for part in parts for one in _fit_output_part(part, target, ledger)]
    if target.tries and fitted:
        ledger.adapted("content.output", f"an output of several parts is {TRIED}", "else it arrives as text")
        return fitted
    ledger.lost("content.output", "an output of several parts arrives as text", "the archive has it whole")
    return "\n".join(part["text"] if part["type"] == "input_text" else _line(part, target) for part in fitted)


def _fit_output_part(part: JSON, target: Target, ledger: Ledger) -> list[Part]:
    type_ = part.get("type") if isinstance(part, Mapping) else None
    if isinstance(part, Mapping) and type_ == "input_text" and isinstance(part.get("text"), str):
        return [_text(part["text"])] if part["text"] else []
    if isinstance(part, Mapping) and type_ == "input_file":
        return [
            _text(one["text"]["value"]) if "text" in one else one
            for one in input_file(dict(part), target, ledger)
        ]
    if isinstance(part, Mapping) and type_ == "input_image":
        return [_output_image(part, target, ledger)]
    ledger.lost("content.output", f"a part of type {type_!r} cannot be written", "the archive has it whole")
    return [_text(f"[content of type {type_}]")]


def _output_image(part: Mapping[str, JSON], target: Target, ledger: Ledger) -> Part:
    file_id, url, detail = part.get("file_id"), part.get("image_url"), part.get("detail")
    size = {"detail": detail if detail in DETAILS else "auto"}
    if isinstance(file_id, str) and file_id:
        if target.has("file", file_id):
            return {"type": "input_image", "file_id": file_id, **size}
        called = file_called(file_id, target)
        ledger.lost("content.output", f"image {called} cannot be moved; a line of text names it")
        return _text(f"[image {called}]")
    if isinstance(url, str) and url:
        return {"type": "input_image", "image_url": url, **size}
    ledger.lost("content.output", "image without id and address: its content is unknown", "in the archive")
    return _text("[content of type input_image]")


def _text(value: str) -> Part:
    return {"type": "input_text", "text": value}


def _line(part: Mapping[str, JSON], target: Target) -> str:
    """A part that is no text, in words. Ids are those of the source: they stand in a text."""
    what = "image" if part["type"] == "input_image" else "file"
    address = str(part.get("image_url") or "")
    shown = "" if address.startswith("data:") else address
    return f"[{what} {file_named_in(part, target) or shown or 'inside the output'}]"


def unsaid(entity: Entity, target: Target) -> str:
    """Why an item that nobody said is not replayed, or ''."""
    if entity.fields.get("role") != ITEM_ROLE:
        return ""
    item = (entity.fields.get("content") or [{}])[0]
    type_ = str(item.get("type")) if isinstance(item, dict) else ""
    if type_ not in CALL_KEYS:
        return f"an item of type {type_} is made by a run and has no write form; it stays in the archive"
    if not has_form(item):
        return f"{type_} lacks something that is required on writing; it stays in the archive"
    if not target.paired(entity.parent, str(item.get("call_id"))):
        return f"{type_} without its other half would break later responses; it stays in the archive"
    return ""


def adapt_message(entity: Entity, target: Target, ledger: Ledger) -> Entity:
    """A message in a form that can be written and reads back the same."""
    _tell_homeless(entity, target, ledger)
    if entity.fields.get("role") == ITEM_ROLE:
        item = _fit_item(entity.fields["content"][0], target, ledger)
        return entity.with_fields(content=[item], attachments=None, metadata=None)
    role = fit_role(entity, target, ledger)
    parts = ASSISTANT if role == "assistant" else SPOKEN
    native = target.source_type == target.profile.service
    known = {**parts, "input_file": input_file} if native and role != "assistant" else parts
    content = fit_parts(entity, known, target, ledger)
    phase = _fit_phase(entity, role, target, ledger)
    return entity.with_fields(role=role, content=content, phase=phase, attachments=None, metadata=None)


def tries(entity: Entity) -> bool:
    """Whether an adapted message has a form that no project was seen to accept: apply writes it, and where it
    is refused, the form that `Target.tries` switched off gives."""
    if entity.fields.get("phase"):
        return True
    parts = entity.fields.get("content") or []
    if entity.fields.get("role") == ITEM_ROLE:
        item = parts[0]
        keys = TRIED_KEYS.get(str(item.get("type")), ())
        return isinstance(item.get("output"), list) or any(key in item for key in keys)
    return any(_is_inside(part) for part in parts)


def _is_inside(part: Mapping[str, JSON]) -> bool:
    """Whether a part holds its image or file in itself."""
    if part.get("type") == "input_file":
        return "file_data" in part
    image = part.get("image_url") if part.get("type") == "image_url" else None
    return isinstance(image, Mapping) and str(image.get("url")).startswith("data:")


def _fit_phase(entity: Entity, role: str, target: Target, ledger: Ledger) -> str | None:
    """What an answer is: a remark on the way, or the last word."""
    phase = entity.fields.get("phase")
    if not phase:
        return None
    if role == "assistant" and phase in PHASES and target.tries:
        ledger.adapted("phase", f"phase {phase} is {TRIED}", f"where it is refused it is left out; {REFUSED}")
        return str(phase)
    ledger.lost("phase", f"phase {phase!r} of a message of {role} cannot be written", "the archive has it")
    return None


def _fit_item(inside: Part, target: Target, ledger: Ledger) -> Part:
    """A call or its output with the keys that can be written; a null says nothing."""
    type_ = str(inside.get("type"))
    item = {key: inside[key] for key in CALL_KEYS.get(type_, ()) if key in inside}
    for key in sorted(set(inside) - set(item)):
        value = inside[key]
        if value is None:
            continue
        if key in TRIED_KEYS.get(type_, ()) and isinstance(value, str) and value and target.tries:
            ledger.adapted(f"content.{key}", f"{key} {value} is {TRIED}", f"else it is left out; {REFUSED}")
            item[key] = value
        else:
            ledger.lost(f"content.{key}", "is not accepted on writing", "the archive has it")
    if isinstance(item.get("output"), list):
        item["output"] = fit_output(item["output"], target, ledger)
    return item


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
    own = remove_stamp_keys(metadata) if isinstance(metadata, Mapping) else {}
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
        if target.source_type != target.profile.service or not target.tries:
            return _inside_address(url, ledger)
        ledger.adapted("content.image_url", f"an image inside its address is {TRIED}", LINE)
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


SPOKEN: Mapping[str, Callable[[Part, Target, Ledger], list[JSON]]] = {
    **FAMILY,
    "image_url": _image_address,
}
ASSISTANT: Mapping[str, Callable[[Part, Target, Ledger], list[JSON]]] = {
    **FAMILY,
    "image_file": _image_of_assistant,
    "image_url": _address_of_assistant,
}
