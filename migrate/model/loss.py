"""Losses: what a target cannot store, per object and field, reported before anything is written.

A misspelled name in --accept-loss is noticed, because the names under which losses are reported are known:
fields and facts of a kind, and names that only rules use (`messages` of a thread, parts of a field such as
`content.text.annotations`). A key that only one object has (an unknown key) is known from the plan's losses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from migrate.model import KINDS

Grade = Literal["adapted", "lost", "blocked"]

# As the id of a loss: it is true of every object of the kind.
EVERY_OBJECT = "*"
# How the reason of a loss begins that only an apply can find out: it was tried, and is not on the target.
ARRIVED_WITHOUT_PREFIX = "it arrived without this: "


@dataclass(frozen=True)
class Loss:
    """One field or object that will not arrive as it was. `way_out`: what a user can do about it.

    Grade `adapted`: the content arrives in another form, or stays in the archive because only a service can
    set it (dates, ids). `lost`: it will not be on the target. `blocked`: the object cannot be created.
    """

    kind: str
    id: str
    field: str
    grade: Grade
    reason: str
    way_out: str = ""
    parent: str = ""
    name: str = ""


# Kind -> names of losses that are neither a field nor a fact of it.
RULE_FIELDS: Mapping[str, Collection[str]] = {
    "file": {"content"},
    "vector_store": {"files"},
    "assistant": set(
        "agent_card agent_endpoint.authorization_schemes agent_endpoint.protocol_configuration"
        " agent_endpoint.protocols connections definition.rai_config definition.secrets identity state"
        " tool_resources.azure_ai_search tool_resources.code_interpreter.file_ids"
        " tool_resources.file_search.vector_store_ids tool_resources.file_search.vector_stores"
        " tool_resources.mcp.authorization tool_resources.mcp.headers tool_resources.secrets"
        " tools.authorization tools.headers tools.secrets".split()
    ),
    "thread": set(
        "messages tool_resources.azure_ai_search tool_resources.code_interpreter.file_ids"
        " tool_resources.file_search.vector_store_ids tool_resources.mcp".split()
    ),
    "message": set(
        "content.image_file content.image_url content.input_file content.refusal"
        " content.text.annotations".split()
    ),
}


def accepted_names(kind: str, field: str) -> set[str]:
    """Every name by which a loss can be accepted: the field, the fields that contain it, and each of them
    after its kind (`message.content`)."""
    steps = field.split(".")
    names = {".".join(steps[:end]) for end in range(1, len(steps) + 1)}
    return names | {f"{kind}.{name}" for name in names}


def is_loss_accepted(given: Collection[str], kind: str, field: str) -> bool:
    """Whether one of the names given with --accept-loss accepts a loss."""
    return bool(given) and not {"all", *accepted_names(kind, field)}.isdisjoint(given)


def declared_names() -> set[str]:
    """Every name that is known before a plan is made."""
    names: set[str] = set()
    for kind, form in KINDS.items():
        for field in (*form.fields, *form.facts, *RULE_FIELDS.get(kind, ()), EVERY_OBJECT):
            names |= accepted_names(kind, field)
    return names - {EVERY_OBJECT}


def unknown_names(given: Iterable[str], losses: Iterable[Loss]) -> list[str]:
    """The given names that match no loss of this plan and no declared name."""
    unknown = set(given) - declared_names() - {"all"}
    for loss in losses if unknown else ():
        unknown -= accepted_names(loss.kind, loss.field)
    return sorted(unknown)
