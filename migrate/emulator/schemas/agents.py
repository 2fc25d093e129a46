"""The versions of new agents and their tools, one schema for each tool.

`codecs/write_forms/foundry.py` checks the same bodies when a plan is made. The tables are separate on
purpose: see `schemas/assistants.py`.
"""

from __future__ import annotations

from typing import Any

from migrate.emulator.errors import preview_feature, refuse
from migrate.emulator.schemas.assistants import (
    FUNCTION_NAME_PATTERN,
    MAX_DESCRIPTION,
    MAX_TOOLS,
    REASONING_EFFORTS,
    Schemas,
    non_empty,
)
from migrate.emulator.schemas.rules import (
    Rule,
    any_object,
    anything,
    array,
    boolean,
    by_type,
    choice,
    complete,
    each,
    mapping,
    metadata,
    nullable,
    number,
    record,
    string,
    tagged,
)

NAME_PATTERN = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
PREVIEW_KINDS = ("workflow", "external", "voice")

text = string()
named = each("name description", text)  # many tools accept both (recorded 2026-06)
count = number(0, 2**31 - 1, whole=True)
nullable_object = nullable(any_object)


def _nested(name: str, **fields: Rule) -> Rule:
    """A tool with its settings, all of them required, below its own name."""
    return complete(**{name: complete(**fields)})


def _without_template(value: Any, at: str) -> None:
    """Only some fields may contain `{{inputs}}`; these may not (recorded 2026-03)."""
    non_empty(value, at)
    if "{{" in value:
        raise refuse(f"Invalid '{at}'.", param=at)


connection = complete(project_connection_id=non_empty)
connections = array(connection, minimum=1)
search = {**each("market set_lang freshness", text), "count": count}
bing = record("project_connection_id", project_connection_id=non_empty, **search)
custom_bing = record(
    "project_connection_id instance_name", project_connection_id=non_empty, instance_name=non_empty, **search
)
index = record(  # an empty connection or name is accepted (recorded 2026-04)
    **each("project_connection_id index_name query_type filter index_asset_id", text), top_k=count
)
queue = complete(
    type=choice("storage_queue"),
    storage_queue=complete(**each("queue_service_endpoint queue_name", non_empty)),
)
azure_function = record("name parameters", name=non_empty, description=text, parameters=any_object)
openapi_auth = tagged(
    anonymous=record(),
    managed_identity=complete(security_scheme=complete(audience=non_empty)),
    project_connection=complete(security_scheme=connection),
)
context_size = choice("low", "medium", "high")
approval = by_type(text=choice("always", "never"), object=any_object)
a2a = each("base_url agent_card_path project_connection_id", text)

RECORDED_TOOLS: dict[str, Rule] = {
    "function": record(
        "name parameters strict",
        name=string(pattern=FUNCTION_NAME_PATTERN),
        description=nullable(text),
        parameters=any_object,
        strict=boolean,
    ),
    "code_interpreter": record(
        container=record(
            "type",
            type=choice("auto"),
            file_ids=array(non_empty),
            memory_limit=choice("1g", "4g", "16g", "64g"),
        ),
    ),
    "file_search": record(
        "vector_store_ids",
        vector_store_ids=array(non_empty, minimum=1),
        max_num_results=number(1, 50, whole=True),
        ranking_options=record(
            ranker=choice("auto", "default-2024-11-15"),
            score_threshold=number(0, 1),
            hybrid_search=nullable_object,
        ),
        filters=nullable_object,
        **named,
    ),
    "bing_grounding": _nested("bing_grounding", search_configurations=array(bing, minimum=1)),
    "bing_custom_search_preview": _nested(
        "bing_custom_search_preview", search_configurations=array(custom_bing, minimum=1)
    ),
    "azure_ai_search": _nested("azure_ai_search", indexes=array(index, minimum=1)),
    "openapi": complete(
        openapi=record(
            "name spec auth",
            name=non_empty,
            description=text,
            spec=any_object,
            auth=openapi_auth,
            default_params=array(text),
        ),
    ),
    "azure_function": _nested(
        "azure_function", function=azure_function, **each("input_binding output_binding", queue)
    ),
    "mcp": record(
        "server_label server_url",
        **each("server_label server_url", _without_template),
        server_description=text,
        require_approval=nullable(approval),
        allowed_tools=nullable(by_type(array=array(text), object=any_object)),
        headers=nullable_object,
        authorization=text,
        project_connection_id=non_empty,
    ),
    "sharepoint_grounding_preview": _nested("sharepoint_grounding_preview", project_connections=connections),
    "fabric_dataagent_preview": _nested("fabric_dataagent_preview", project_connections=connections),
    "browser_automation_preview": _nested("browser_automation_preview", connection=connection),
    "a2a_preview": record(**a2a),
    "fabric_iq_preview": record(
        "project_connection_id",
        project_connection_id=non_empty,
        **each("server_label server_url", text),
        require_approval=nullable(approval),
    ),
    "work_iq_preview": connection,
    "reminder_preview": record(),
}

# Never recorded; from the description of the SDK.
DESCRIBED_TOOLS: dict[str, Rule] = {
    "browser_automation": _nested("browser_automation", connection=connection),
    "a2a": record(**a2a, a2a_version=text),
    "computer_use_preview": complete(environment=non_empty, **each("display_width display_height", count)),
    "computer": record(),
    "capture_structured_outputs": record(
        "outputs",
        outputs=complete(name=non_empty, description=text, schema=any_object, strict=boolean),
        **named,
    ),
    "custom": record("name", name=non_empty, description=text, format=any_object),
    "image_generation": any_object,
    "memory_search_preview": any_object,
    "shell": record(environment=anything, **named),
    "web_search": record(
        **each("filters user_location custom_search_configuration", nullable_object),
        search_context_size=context_size,
        **named,
    ),
    "web_search_preview": record(user_location=nullable_object, search_context_size=context_size),
}

AGENT_TOOLS = {**RECORDED_TOOLS, **DESCRIBED_TOOLS}

# --------------------------------------------------------------------------------------- the definition

text_format = tagged(
    **each("text json_object", record()),
    json_schema=record(
        "name schema", name=string(64, 1), description=text, schema=any_object, strict=nullable(boolean)
    ),
)
structured_input = record(description=text, default_value=anything, schema=any_object, required=boolean)
summary = nullable(choice("auto", "concise", "detailed"))
reasoning = record(
    effort=nullable(choice(*REASONING_EFFORTS, "max")),
    **each("summary generate_summary", summary),
    **each("context mode", anything),
)
prompt_agent = record(
    "kind model",
    kind=choice("prompt"),
    model=non_empty,
    instructions=nullable(text),
    temperature=nullable(number(0, 2)),
    top_p=nullable(number(0, 1)),
    reasoning=nullable(reasoning),
    tools=array(tagged(**AGENT_TOOLS), MAX_TOOLS),
    tool_choice=by_type(text=choice("none", "auto", "required"), object=any_object),
    text=record(format=text_format),
    structured_inputs=mapping(structured_input),
    rai_config=record("rai_policy_name", rai_policy_name=non_empty, invocations_moderation=anything),
    harness=nullable_object,
    skills=array(record("name", name=non_empty, version=text)),
)


def strict_definition(value: Any, at: str) -> None:
    """Accept only what is recorded or described."""
    any_object(value, at)
    if value.get("kind") in PREVIEW_KINDS:
        raise preview_feature(value["kind"])
    prompt_agent(value, at)


def lenient_definition(value: Any, at: str) -> None:
    """Check only what every definition needs, so that future keys are accepted."""
    any_object(value, at)
    record("kind", kind=non_empty)({"kind": value["kind"]} if "kind" in value else {}, at)
    array(any_object, MAX_TOOLS)(value.get("tools", []), f"{at}.tools")


def schemas(definition: Rule) -> Schemas:
    """The schemas of new agents, with one of the two rules for the definition."""
    return {
        "agent_version.create": record(
            "definition",
            definition=definition,
            metadata=metadata,
            description=nullable(string(MAX_DESCRIPTION)),
        )
    }
