"""The names under which a loss can be reported, so that a misspelled name in --accept-loss is noticed.

Beside a kind's own fields and facts there are names that only rules use: `messages` of a thread, a part of a
field such as `content.text.annotations`. A key that only one object has (an unknown key, an odd branch) is
not here: it is known from the losses of the plan in which it occurs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from migrate.model import KINDS
from migrate.model.loss import EVERY_OBJECT, Loss

# Kind -> names of losses that are neither a field nor a fact of it.
RULE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "file": ("content",),
    "vector_store": ("files",),
    "vector_store_file": (),
    "assistant": (
        "agent_card",
        "agent_endpoint.authorization_schemes",
        "agent_endpoint.protocol_configuration",
        "agent_endpoint.protocols",
        "connections",
        "definition.rai_config",
        "definition.secrets",
        "identity",
        "state",
        "tool_resources.azure_ai_search",
        "tool_resources.code_interpreter.file_ids",
        "tool_resources.file_search.vector_store_ids",
        "tool_resources.file_search.vector_stores",
        "tool_resources.mcp.authorization",
        "tool_resources.mcp.headers",
        "tool_resources.secrets",
        "tools.authorization",
        "tools.headers",
        "tools.secrets",
    ),
    "thread": (
        "messages",
        "tool_resources.azure_ai_search",
        "tool_resources.code_interpreter.file_ids",
        "tool_resources.file_search.vector_store_ids",
        "tool_resources.mcp",
    ),
    "message": (
        "content.image_file",
        "content.image_url",
        "content.input_file",
        "content.refusal",
        "content.text.annotations",
    ),
    "run": (),
    "run_step": (),
}


def accepted_names(kind: str, field: str) -> set[str]:
    """Every name by which a loss can be accepted: the field, the fields around it, and each of them behind
    its kind (`message.content`)."""
    steps = field.split(".")
    plain = {".".join(steps[:end]) for end in range(1, len(steps) + 1)}
    return plain | {f"{kind}.{name}" for name in plain}


def declared_names() -> set[str]:
    """Every name that is known before a plan is made."""
    found: set[str] = set()
    for kind, form in KINDS.items():
        for field in (*form.fields, *form.facts, *RULE_FIELDS[kind], EVERY_OBJECT):
            found |= accepted_names(kind, field)
    return found - {EVERY_OBJECT}


def unknown_names(given: Iterable[str], losses: Iterable[Loss]) -> list[str]:
    """Those of the given names that fit no loss, neither of this plan nor of any."""
    left = set(given) - declared_names() - {"all"}
    for loss in losses if left else ():
        left -= accepted_names(loss.kind, loss.field)
    return sorted(left)
