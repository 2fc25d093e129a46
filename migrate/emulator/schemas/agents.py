"""What a version of an agent may be made of; strictly, or with whatever a document of tomorrow may add."""

from __future__ import annotations

from typing import Any

from migrate.emulator.errors import preview_feature
from migrate.emulator.schemas.agent_tools import TOOLS, free, named, text
from migrate.emulator.schemas.assistants import DESCRIPTION, EFFORTS, Bodies
from migrate.emulator.schemas.assistants import TOOLS as MOST_TOOLS
from migrate.emulator.schemas.rules import (
    Rule,
    anything,
    array,
    boolean,
    by_type,
    choice,
    free_object,
    metadata,
    nullable,
    number,
    record,
    string,
    tagged,
)

NAME = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
PREVIEW_KINDS = ("workflow", "external", "voice")

tools = array(tagged(**TOOLS), MOST_TOOLS)
text_format = tagged(
    text=record(),
    json_object=record(),
    json_schema=record(
        "name schema", name=string(64, 1), description=text, schema=free_object, strict=nullable(boolean)
    ),
)
structured_input = record(description=text, default_value=anything, schema=free_object, required=boolean)
reasoning = record(
    effort=nullable(choice(*EFFORTS, "max")),
    summary=nullable(choice("auto", "concise", "detailed")),
    generate_summary=nullable(choice("auto", "concise", "detailed")),
    context=anything,
    mode=anything,
)


def _each(rule: Rule) -> Rule:
    """An object that is used as a table."""

    def check(value: Any, at: str) -> None:
        free_object(value, at)
        for key, each in value.items():
            rule(each, f"{at}.{key}")

    return check


prompt = record(
    "kind model",
    kind=choice("prompt"),
    model=named,
    instructions=nullable(text),
    temperature=nullable(number(0, 2)),
    top_p=nullable(number(0, 1)),
    reasoning=nullable(reasoning),
    tools=tools,
    tool_choice=by_type(text=choice("none", "auto", "required"), object=free_object),
    text=record(format=text_format),
    structured_inputs=_each(structured_input),
    rai_config=record("rai_policy_name", rai_policy_name=named, invocations_moderation=anything),
    harness=free,
    skills=array(record("name", name=named, version=text)),
)


def strict(value: Any, at: str) -> None:
    free_object(value, at)
    if value.get("kind") in PREVIEW_KINDS:
        raise preview_feature(value["kind"])
    prompt(value, at)


def lenient(value: Any, at: str) -> None:
    """Only what cannot be missing."""
    free_object(value, at)
    record("kind", kind=named)({"kind": value["kind"]} if "kind" in value else {}, at)
    array(free_object, MOST_TOOLS)(value.get("tools", []), f"{at}.tools")


def bodies(definition: Rule) -> Bodies:
    return {
        "agent_version.create": record(
            "definition",
            definition=definition,
            metadata=metadata,
            description=nullable(string(DESCRIPTION)),
        )
    }
