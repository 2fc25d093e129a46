"""Files and images inside a conversation: an `input_file` of a message, and the parts of a call's output.

Nothing that is null is ever written. What no project was seen to accept, and none was seen to refuse, is
written and told as tried; where `Target.tries` is off, a line of text stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.codecs.adapt.context import Ledger, Target
from migrate.codecs.adapt.message import DETAILS, file_called, file_named_in, nameless, text_part
from migrate.model import JSON

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
