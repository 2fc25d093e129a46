"""What a conversation and its items may be made of; each role has its own kinds of content."""

from __future__ import annotations

from typing import Any

from migrate.emulator.errors import invalid, refuse
from migrate.emulator.schemas.assistants import Bodies
from migrate.emulator.schemas.rules import (
    Rule,
    array,
    by_type,
    choice,
    metadata,
    nullable,
    record,
    string,
    tagged,
)

MOST_ITEMS = 20

text = string(minimum=1)
file_id = string(minimum=1)


def _one_of(names: str, rule: Rule) -> Rule:
    """Exactly one of these keys must say something."""

    def check(value: Any, at: str) -> None:
        rule(value, at)
        if sum(value.get(name) is not None for name in names.split()) != 1:
            raise refuse(f"Exactly one of these must be given: {names}.", param=at)

    return check


def _none(value: Any, at: str) -> None:
    """Citations cannot be written: they would name files of nobody (assumed)."""
    if value != []:
        raise refuse(f"Invalid '{at}': expected an empty array.", param=at)


input_text = record("text", text=text)
detail = choice("auto", "low", "high", "original")  # the last one as described in 2026-08
PARTS: dict[str, dict[str, Rule]] = {
    "user": {
        "input_text": input_text,
        "input_image": _one_of(
            "image_url file_id",
            record(image_url=nullable(text), file_id=nullable(file_id), detail=nullable(detail)),
        ),
        "input_file": _one_of(
            "file_id file_url file_data",
            record(
                file_id=nullable(file_id),
                file_url=nullable(text),
                file_data=nullable(text),
                filename=nullable(text),
            ),
        ),
    },
    "assistant": {"output_text": record("text annotations", text=text, annotations=_none)},
    "system": {"input_text": input_text},
    "developer": {"input_text": input_text},
}
CONTENT = {role: by_type(text=text, array=array(tagged(**parts), minimum=1)) for role, parts in PARTS.items()}
role = choice(*PARTS)


# What the OpenAI platform took as items (recorded 2025-09 to 2026-08), and no project was seen to take: a
# phase, a namespace, an output that is a list, data inside the item. `refuse-unseen-forms` refuses it.
phase = nullable(choice("commentary", "final_answer"))
OUTPUT_PARTS = {
    "input_text": record("text", text=string()),
    **{k: PARTS["user"][k] for k in ("input_image", "input_file")},
}


def _message(value: Any, at: str) -> None:
    record("role content", role=role, content=lambda _value, _at: None, phase=phase)(value, at)
    CONTENT[value["role"]](value["content"], f"{at}.content")


item = tagged(
    message=_message,
    function_call=record(
        "call_id name arguments",
        call_id=text,
        name=text,
        arguments=string(),
        namespace=nullable(text),
    ),
    function_call_output=record(
        "call_id output",
        call_id=text,
        output=by_type(text=string(), array=array(tagged(**OUTPUT_PARTS))),
        name=nullable(text),
        namespace=nullable(text),
    ),
)


def _items(minimum: int) -> Rule:
    rule = array(item, minimum=minimum)

    def check(value: Any, at: str) -> None:
        if isinstance(value, list) and len(value) > MOST_ITEMS:
            # (recorded 2026-02)
            raise invalid(f"maxItems: Value should have at most {MOST_ITEMS} items", f"/{at}")
        rule(value, at)

    return check


BODIES: Bodies = {
    "conversation.create": record(items=nullable(_items(0)), metadata=metadata),
    "conversation.update": record("metadata", metadata=metadata),
    "items.create": record("items", items=_items(1)),
}
