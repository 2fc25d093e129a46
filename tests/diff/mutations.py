"""Single changes to a generated estate: real ones with the path that diff must report, and neutral ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.diff.generated_estates import Body, Generated

# Kind, id, action and path that diff must report.
ExpectedDifference = tuple[str, str, str, str]


@dataclass(frozen=True)
class Edit:
    """A change of one body. `path`: where it must be reported."""

    kind: str
    path: str
    change: Callable[[Body], None]

    @property
    def name(self) -> str:
        return f"{self.kind} {self.path}"


def _set(*keys: str, to: Any) -> Callable[[Body], None]:
    """Set a value deep in a body. `to` is the value, or a function of the old one."""

    def change(body: Body) -> None:
        place = body
        for key in keys[:-1]:
            place[key] = dict(place.get(key) or {})
            place = place[key]
        place[keys[-1]] = to(place.get(keys[-1])) if callable(to) else to

    return change


def _other(*values: Any) -> Callable[[Any], Any]:
    """The first of these values that differs from the present one."""
    return lambda old: next(value for value in values if value != old)


def _more(item: Any) -> Callable[[Any], Any]:
    return lambda old: [*(old or []), item]


def _longer(old: Any) -> str:
    return f"{old if isinstance(old, str) else ''} and more"


def _steady(change: Callable[[Body], None]) -> Callable[[Body], None]:
    """A change inside the tool that every assistant has."""
    return lambda body: change(body["tools"][-1]["function"])


def _say(body: Body) -> None:
    body["content"][0] = {"type": "text", "text": {"value": "said otherwise"}}


def _amount(key: str, value: Any) -> Callable[[Body], None]:
    return _steady(lambda function: function["parameters"]["properties"]["amount"].update({key: value}))


FORMATS = ({"type": "json_object"}, {"type": "text"})
EXTRA_TOOL = {"type": "function", "function": {"name": "mutant", "parameters": {"type": "object"}}}
STEADY = "tools[function:steady].function"
FILE_IDS = "tool_resources.code_interpreter.file_ids"
STORE_IDS = "tool_resources.file_search.vector_store_ids"

EDITS = [
    Edit("assistant", "name", _set("name", to=_longer)),
    Edit("assistant", "description", _set("description", to=_longer)),
    Edit("assistant", "instructions", _set("instructions", to=_longer)),
    Edit("assistant", "model", _set("model", to=_longer)),
    Edit("assistant", "temperature", _set("temperature", to=_other(0.25, 0.5))),
    Edit("assistant", "top_p", _set("top_p", to=_other(0.25, 0.5))),
    Edit("assistant", "response_format", _set("response_format", to=_other(*FORMATS))),
    Edit("assistant", "reasoning_effort", _set("reasoning_effort", to=_other("medium", "minimal"))),
    Edit("assistant", "metadata.mutant", _set("metadata", "mutant", to="yes")),
    Edit("assistant", "mutant_key", _set("mutant_key", to=[1])),
    Edit("assistant", "tools[function:mutant]", _set("tools", to=_more(EXTRA_TOOL))),
    Edit("assistant", "tools[function:steady]", lambda body: body["tools"].pop()),
    Edit("assistant", f"{STEADY}.description", _steady(_set("description", to="Another"))),
    Edit("assistant", f"{STEADY}.strict", _steady(_set("strict", to=True))),
    Edit("assistant", f"{STEADY}.parameters.properties.amount.minimum", _amount("minimum", 2)),
    Edit("assistant", f"{STEADY}.parameters.properties.amount.minimum", _amount("minimum", True)),
    Edit("assistant", f"{STEADY}.parameters.properties.amount.maximum", _amount("maximum", 9)),
    Edit("assistant", f"{FILE_IDS}[file-mutant]",
         _set("tool_resources", "code_interpreter", "file_ids", to=_more("file-mutant"))),
    Edit("assistant", f"{STORE_IDS}[vs_mutant]",
         _set("tool_resources", "file_search", "vector_store_ids", to=_more("vs_mutant"))),
    Edit("vector_store", "name", _set("name", to=_longer)),
    Edit("vector_store", "description", _set("description", to=_longer)),
    Edit("vector_store", "metadata.mutant", _set("metadata", "mutant", to="yes")),
    Edit("vector_store", "status", _set("status", to="expired")),
    Edit("vector_store_file", "attributes.mutant", _set("attributes", "mutant", to=1)),
    Edit("vector_store_file", "status", _set("status", to="failed")),
    Edit("vector_store_file", "mutant_key", _set("mutant_key", to="x")),
    Edit("thread", "metadata.mutant", _set("metadata", "mutant", to="yes")),
    Edit("thread", f"{FILE_IDS}[file-mutant]",
         _set("tool_resources", "code_interpreter", "file_ids", to=_more("file-mutant"))),
    Edit("message", "role", _set("role", to=_other("user", "assistant"))),
    Edit("message", "content[0].text.value", _say),
    Edit("message", "metadata.mutant", _set("metadata", "mutant", to="yes")),
    Edit("message", "attachments[file-mutant]", _set("attachments", to=_more({"file_id": "file-mutant"}))),
    Edit("file", "filename", _set("filename", to=_longer)),
    Edit("file", "purpose", _set("purpose", to=_other("batch", "evals"))),
    Edit("file", "bytes", _set("bytes", to=lambda old: (old or 0) + 1)),
]  # fmt: skip


def apply_edit(edit: Edit, made: Generated, chance: random.Random) -> set[ExpectedDifference]:
    """Change one object and return the difference that must be reported."""
    _, body = chance.choice(list(made.of(edit.kind)))
    edit.change(body)
    return {(edit.kind, body["id"], "changed", edit.path)}


def remove(kind: str, made: Generated, chance: random.Random) -> set[ExpectedDifference]:
    """Take one object away."""
    parent, body = chance.choice(list(made.of(kind)))
    made.bodies[kind][parent].remove(body)
    for below in ("vector_store_file", "message"):
        made.bodies[below].pop(body["id"], None) if kind in ("vector_store", "thread") else None
    return {(kind, body["id"], "removed", "")}


def add(kind: str, made: Generated, chance: random.Random) -> set[ExpectedDifference]:
    """Add one object."""
    parent, body = chance.choice(list(made.of(kind)))
    fresh = {**body, "id": "mutant", "name": "a mutant"}
    if kind == "vector_store_file":
        fresh["file_id"] = "mutant"
    made.bodies[kind][parent].insert(chance.randrange(len(made.bodies[kind][parent]) + 1), fresh)
    for above, below in (("vector_store", "vector_store_file"), ("thread", "message")):
        if kind == above:
            made.bodies[below]["mutant"] = []
    return {(kind, "mutant", "added", "")}


# ---------------------------------------------------------------------------------------- neutral changes


def _shuffled(value: Any, chance: random.Random) -> Any:
    """The same JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: _shuffled(value[key], chance) for key in keys}
    return [_shuffled(item, chance) for item in value] if isinstance(value, list) else value


def reorder_keys(body: Body, chance: random.Random) -> None:
    again = _shuffled(body, chance)
    body.clear()
    body.update(again)


def reorder_unordered_lists(body: Body, chance: random.Random) -> None:
    for key in ("tools", "attachments"):
        if isinstance(body.get(key), list):
            chance.shuffle(body[key])


OPTIONAL = (
    "description", "name", "temperature", "top_p", "response_format", "metadata", "tool_resources",
    "reasoning_effort", "expires_after", "attributes", "chunking_strategy", "attachments",
)  # fmt: skip


def add_nulls(body: Body, chance: random.Random) -> None:
    for key in OPTIONAL:
        body.setdefault(key, None)


def drop_nulls(body: Body, chance: random.Random) -> None:
    for key in [key for key, value in body.items() if value is None]:
        del body[key]


# Field -> equal spellings of its default value.
DEFAULTS = {
    "temperature": (None, 1, 1.0),
    "top_p": (None, 1.0, 1),
    "response_format": (None, "auto"),
    "metadata": (None, {}),
    "tool_resources": (None, {}, {"code_interpreter": {"file_ids": []}}, {"file_search": None}),
    "attributes": (None, {}),
    "attachments": (None, []),
    "chunking_strategy": (
        None,
        {"type": "auto"},
        {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}},
    ),
}


def spell_defaults(body: Body, chance: random.Random) -> None:
    for key, same in DEFAULTS.items():
        if key in body and body[key] in same and not isinstance(body[key], bool):
            body[key] = chance.choice(same)


def add_strict(body: Body, chance: random.Random) -> None:
    for tool in body.get("tools") or []:
        if isinstance(tool, dict) and isinstance(tool.get("function"), dict):
            tool["function"].setdefault("strict", False)


def pass_time(body: Body, chance: random.Random) -> None:
    body["created_at"] = 1_900_000_000
    for key in ("usage_bytes", "file_counts", "last_active_at", "expires_at"):
        if body.get("object") == "vector_store":
            body[key] = 7


IDLE = (reorder_keys, reorder_unordered_lists, add_nulls, drop_nulls, spell_defaults, add_strict, pass_time)


def make_neutral_changes(
    made: Generated, chance: random.Random, how: Callable[[Body, random.Random], None]
) -> None:
    """Change the spelling of every object without changing its meaning."""
    for kind in made.bodies:
        for _, body in made.of(kind):
            how(body, chance)
