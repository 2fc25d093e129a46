"""The bodies of conversations and their items. Each role of a message accepts its own types of content."""

from __future__ import annotations

import math
from typing import Any

from migrate.emulator.errors import invalid_payload, refuse
from migrate.emulator.schemas.assistants import Schemas, non_empty
from migrate.emulator.schemas.rules import (
    Rule,
    anything,
    array,
    by_type,
    choice,
    complete,
    each,
    metadata,
    nullable,
    number,
    record,
    string,
    tagged,
)

MAX_ITEMS = 20  # in one request (recorded 2026-02)


def _exactly_one(names: str, rule: Rule) -> Rule:
    """What `rule` accepts, if exactly one of these keys has a value."""

    def check(value: Any, at: str) -> None:
        rule(value, at)
        if sum(value.get(name) is not None for name in names.split()) != 1:
            raise refuse(f"Exactly one of these must be given: {names}.", param=at)

    return check


input_text = complete(text=non_empty)
detail = choice("auto", "low", "high", "original")  # "original" is described since 2026-08
USER_PARTS: dict[str, Rule] = {
    "input_text": input_text,
    "input_image": _exactly_one(
        "image_url file_id",
        record(**each("image_url file_id", nullable(non_empty)), detail=nullable(detail)),
    ),
    "input_file": _exactly_one(
        "file_id file_url file_data",
        record(**each("file_id file_url file_data filename", nullable(non_empty))),
    ),
}
# Of an answer, as the API description of 2026-08 requires its keys; the other types are refused (assumed). No
# project was seen to accept or refuse any: the faults `refuse-citations` and `drop-citations`.
position = number(0, math.inf, whole=True)
citation = tagged(
    file_citation=complete(file_id=non_empty, filename=string(), index=position),
    file_path=complete(file_id=non_empty, index=position),
)
PARTS_BY_ROLE: dict[str, dict[str, Rule]] = {
    "user": USER_PARTS,
    "assistant": {"output_text": complete(text=non_empty, annotations=array(citation))},
    "system": {"input_text": input_text},
    "developer": {"input_text": input_text},
}
CONTENT_BY_ROLE = {
    role: by_type(text=non_empty, array=array(tagged(**parts), minimum=1))
    for role, parts in PARTS_BY_ROLE.items()
}

# The OpenAI platform accepted these forms (recorded 2025-09 to 2026-08), but no project was seen to accept
# them: a phase, a namespace, an output that is a list, data inside the item. The fault `refuse-unseen-forms`
# refuses them.
phase = nullable(choice("commentary", "final_answer"))
OUTPUT_PARTS = {**USER_PARTS, "input_text": complete(text=string())}


def _message(value: Any, at: str) -> None:
    record("role content", role=choice(*PARTS_BY_ROLE), content=anything, phase=phase)(value, at)
    CONTENT_BY_ROLE[value["role"]](value["content"], f"{at}.content")


item = tagged(
    message=_message,
    function_call=record(
        "call_id name arguments",
        **each("call_id name", non_empty),
        arguments=string(),
        namespace=nullable(non_empty),
    ),
    function_call_output=record(
        "call_id output",
        call_id=non_empty,
        output=by_type(text=string(), array=array(tagged(**OUTPUT_PARTS))),
        **each("name namespace", nullable(non_empty)),
    ),
)


def _items(minimum: int) -> Rule:
    rule = array(item, minimum=minimum)

    def check(value: Any, at: str) -> None:
        if isinstance(value, list) and len(value) > MAX_ITEMS:
            # (recorded 2026-02)
            raise invalid_payload(f"maxItems: Value should have at most {MAX_ITEMS} items", f"/{at}")
        rule(value, at)

    return check


SCHEMAS: Schemas = {
    "conversation.create": record(items=nullable(_items(0)), metadata=metadata),
    "conversation.update": record("metadata", metadata=metadata),
    "items.create": complete(items=_items(1)),
}
