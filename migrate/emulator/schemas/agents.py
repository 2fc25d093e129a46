"""What a version of an agent may be made of; strictly, or with whatever a document of tomorrow may add."""

from __future__ import annotations

from typing import Any

from migrate.emulator.errors import preview_feature, refuse
from migrate.emulator.schemas.assistants import DESCRIPTION, EFFORTS, FUNCTION_NAME, MAX_TOOLS, Bodies
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

text = string()
count = number(0, 2**31 - 1, whole=True)
named = string(minimum=1)
free = nullable(free_object)


def _under(name: str, **fields: Rule) -> Rule:
    """Settings under the tool's own name; older and newer words for a tool share them."""
    return record(name, **{name: record(" ".join(fields), **fields)})


def _without_template(value: Any, at: str) -> None:
    """Only some places take `{{inputs}}`; these do not (recorded 2026-03)."""
    named(value, at)
    if "{{" in value:
        raise refuse(f"Invalid '{at}'.", param=at)


connection = record("project_connection_id", project_connection_id=named)
connections = array(connection, minimum=1)
search = {"market": text, "set_lang": text, "count": count, "freshness": text}
bing = record("project_connection_id", project_connection_id=named, **search)
custom_bing = record(
    "project_connection_id instance_name", project_connection_id=named, instance_name=named, **search
)
index = record(  # an empty connection or name is stored (recorded 2026-04)
    "",
    project_connection_id=text,
    index_name=text,
    query_type=text,
    top_k=count,
    filter=text,
    index_asset_id=text,
)
queue = record(
    "type storage_queue",
    type=choice("storage_queue"),
    storage_queue=record("queue_service_endpoint queue_name", queue_service_endpoint=named, queue_name=named),
)
plain_function = record("name parameters", name=named, description=text, parameters=free_object)
authorisation = tagged(
    anonymous=record(),
    managed_identity=record("security_scheme", security_scheme=record("audience", audience=named)),
    project_connection=record("security_scheme", security_scheme=connection),
)
approval = by_type(text=choice("always", "never"), object=free_object)
a2a = {"base_url": text, "agent_card_path": text, "project_connection_id": text}

SEEN: dict[str, Rule] = {
    "function": record(
        "name parameters strict",
        name=string(pattern=FUNCTION_NAME),
        description=nullable(text),
        parameters=free_object,
        strict=boolean,
    ),
    "code_interpreter": record(
        container=record(
            "type", type=choice("auto"), file_ids=array(named), memory_limit=choice("1g", "4g", "16g", "64g")
        ),
    ),
    # A name and a description are kept (recorded 2026-06).
    "file_search": record(
        "vector_store_ids",
        vector_store_ids=array(named, minimum=1),
        max_num_results=number(1, 50, whole=True),
        ranking_options=record(
            ranker=choice("auto", "default-2024-11-15"),
            score_threshold=number(0, 1),
            hybrid_search=nullable(free_object),
        ),
        filters=free,
        name=text,
        description=text,
    ),
    "bing_grounding": _under("bing_grounding", search_configurations=array(bing, minimum=1)),
    "bing_custom_search_preview": _under(
        "bing_custom_search_preview", search_configurations=array(custom_bing, minimum=1)
    ),
    "azure_ai_search": _under("azure_ai_search", indexes=array(index, minimum=1)),
    "openapi": record(
        "openapi",
        openapi=record(
            "name spec auth",
            name=named,
            description=text,
            spec=free_object,
            auth=authorisation,
            default_params=array(text),
        ),
    ),
    "azure_function": _under(
        "azure_function", function=plain_function, input_binding=queue, output_binding=queue
    ),
    "mcp": record(
        "server_label server_url",
        server_label=_without_template,
        server_url=_without_template,
        server_description=text,
        require_approval=nullable(approval),
        allowed_tools=nullable(by_type(array=array(text), object=free_object)),
        headers=free,
        authorization=text,
        project_connection_id=named,
    ),
    "sharepoint_grounding_preview": _under("sharepoint_grounding_preview", project_connections=connections),
    "fabric_dataagent_preview": _under("fabric_dataagent_preview", project_connections=connections),
    "browser_automation_preview": _under("browser_automation_preview", connection=connection),
    "a2a_preview": record(**a2a),
    "fabric_iq_preview": record(
        "project_connection_id",
        project_connection_id=named,
        server_label=text,
        server_url=text,
        require_approval=nullable(approval),
    ),
    "work_iq_preview": record("project_connection_id", project_connection_id=named),
    "reminder_preview": record(),
}

# Never recorded: from the description of the SDK.
DESCRIBED: dict[str, Rule] = {
    "browser_automation": _under("browser_automation", connection=connection),
    "a2a": record(**a2a, a2a_version=text),
    "computer_use_preview": record(
        "environment display_width display_height",
        environment=named,
        display_width=count,
        display_height=count,
    ),
    "computer": record(),
    "capture_structured_outputs": record(
        "outputs",
        outputs=record(
            "name description schema strict", name=named, description=text, schema=free_object, strict=boolean
        ),
        name=text,
        description=text,
    ),
    "custom": record("name", name=named, description=text, format=free_object),
    "image_generation": free_object,
    "memory_search_preview": free_object,
    "shell": record(environment=anything, name=text, description=text),
    "web_search": record(
        filters=free,
        user_location=free,
        search_context_size=choice("low", "medium", "high"),
        custom_search_configuration=free,
        name=text,
        description=text,
    ),
    "web_search_preview": record(user_location=free, search_context_size=choice("low", "medium", "high")),
}

AGENT_TOOLS = {**SEEN, **DESCRIBED}


NAME = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
PREVIEW_KINDS = ("workflow", "external", "voice")

tools = array(tagged(**AGENT_TOOLS), MAX_TOOLS)
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
    array(free_object, MAX_TOOLS)(value.get("tools", []), f"{at}.tools")


def bodies(definition: Rule) -> Bodies:
    return {
        "agent_version.create": record(
            "definition",
            definition=definition,
            metadata=metadata,
            description=nullable(string(DESCRIPTION)),
        )
    }
