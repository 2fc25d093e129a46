"""Forms of a Foundry project: agents and their tools, conversations and their items.

The sources are recordings of 2025-11 to 2026-07 and, for keys that none of them has, the models of the SDK. A
key in neither is unknown, not wrong: a project may accept it, and the plan reports that it is tried.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from migrate.codecs.capabilities import Capabilities
from migrate.codecs.write_forms import assistants
from migrate.codecs.write_forms.assistants import (
    FUNCTION_NAME_PATTERN,
    detail_form,
    identifier_form,
    metadata_form,
)
from migrate.codecs.write_forms.rules import (
    Misfit,
    ValueForm,
    any_of,
    any_text,
    array_of,
    boolean,
    choice,
    complete,
    each,
    free_object,
    not_null,
    number,
    object_with,
    one_of_types,
    string,
)
from migrate.model import JSON

MAX_COUNT = 2**31 - 1
FOUNDRY_EFFORT_VALUES = (*assistants.EFFORT_VALUES, "max")

count_form = number(0, MAX_COUNT, whole=True)
# The id of a connection. An empty one is allowed here, because `fit_connections` blocks the agent for it.
connection_id_form = any_text
connection_form = complete(project_connection_id=connection_id_form)
connections_form = array_of(connection_form, least=1)
foundry_effort_form = choice(*FOUNDRY_EFFORT_VALUES)


def _nested_settings(name: str, **fields: ValueForm) -> ValueForm:
    """Settings under the tool's own name, all required."""
    return complete(**{name: complete(**fields)})


# --------------------------------------------------------------------------------------------- tools

search_forms = {**each("market set_lang freshness", any_text), "count": count_form}
bing_form = object_with("project_connection_id", project_connection_id=connection_id_form, **search_forms)
custom_bing_form = object_with(
    "project_connection_id instance_name",
    project_connection_id=connection_id_form,
    instance_name=identifier_form,
    **search_forms,
)
index_form = object_with(
    **each("project_connection_id index_name query_type filter index_asset_id", any_text), top_k=count_form
)
queue_form = complete(
    type=choice("storage_queue"),
    storage_queue=complete(**each("queue_service_endpoint queue_name", identifier_form)),
)
authorization_form = one_of_types(
    {
        "anonymous": object_with(),
        "managed_identity": complete(security_scheme=complete(audience=identifier_form)),
        "project_connection": complete(security_scheme=connection_form),
    }
)
approval_form = any_of(choice("always", "never"), free_object)
a2a_forms = each("base_url agent_card_path project_connection_id", any_text)
named_forms = each("name description", any_text)
context_size_form = choice("low", "medium", "high")

FOUNDRY_TOOL_FORMS: Mapping[str, ValueForm] = {
    "function": object_with(
        "name parameters strict",
        name=string(pattern=FUNCTION_NAME_PATTERN),
        description=any_text,
        parameters=free_object,
        strict=boolean,
    ),
    "code_interpreter": object_with(
        container=object_with(
            "type",
            type=choice("auto"),
            file_ids=array_of(identifier_form),
            memory_limit=choice("1g", "4g", "16g", "64g"),
        )
    ),
    "file_search": object_with(
        "vector_store_ids",
        vector_store_ids=array_of(identifier_form, least=1),
        max_num_results=number(1, assistants.MAX_SEARCH_RESULTS, whole=True),
        ranking_options=object_with(
            ranker=choice("auto", "default-2024-11-15"),
            score_threshold=number(0, 1),
            hybrid_search=free_object,
        ),
        filters=free_object,
        **named_forms,
    ),
    "bing_grounding": _nested_settings("bing_grounding", search_configurations=array_of(bing_form, least=1)),
    "bing_custom_search_preview": _nested_settings(
        "bing_custom_search_preview", search_configurations=array_of(custom_bing_form, least=1)
    ),
    "azure_ai_search": _nested_settings("azure_ai_search", indexes=array_of(index_form, least=1)),
    "openapi": complete(
        openapi=object_with(
            "name spec auth",
            name=identifier_form,
            description=any_text,
            spec=free_object,
            auth=authorization_form,
            default_params=array_of(any_text),
        ),
    ),
    "azure_function": _nested_settings(
        "azure_function",
        function=object_with(
            "name parameters", name=identifier_form, description=any_text, parameters=free_object
        ),
        **each("input_binding output_binding", queue_form),
    ),
    "mcp": object_with(
        "server_label server_url",
        **each("server_label server_url", identifier_form),
        server_description=any_text,
        require_approval=approval_form,
        allowed_tools=any_of(array_of(any_text), free_object),
        project_connection_id=connection_id_form,
    ),
    "sharepoint_grounding_preview": _nested_settings(
        "sharepoint_grounding_preview", project_connections=connections_form
    ),
    "fabric_dataagent_preview": _nested_settings(
        "fabric_dataagent_preview", project_connections=connections_form
    ),
    "browser_automation_preview": _nested_settings("browser_automation_preview", connection=connection_form),
    "browser_automation": _nested_settings("browser_automation", connection=connection_form),
    "a2a_preview": object_with(**a2a_forms),
    "a2a": object_with(**a2a_forms, a2a_version=any_text),
    "fabric_iq_preview": object_with(
        "project_connection_id",
        project_connection_id=connection_id_form,
        server_label=any_text,
        require_approval=approval_form,
    ),
    "work_iq_preview": connection_form,
    "reminder_preview": object_with(),
    "computer_use_preview": complete(
        environment=identifier_form, **each("display_width display_height", count_form)
    ),
    "computer": object_with(),
    "capture_structured_outputs": object_with(
        "outputs",
        outputs=complete(name=identifier_form, description=any_text, schema=free_object, strict=boolean),
        **named_forms,
    ),
    "custom": object_with("name", name=identifier_form, description=any_text, format=free_object),
    "image_generation": free_object,
    "memory_search_preview": free_object,
    "shell": object_with(environment=free_object, **named_forms),
    "web_search": object_with(
        **each("filters user_location custom_search_configuration", free_object),
        search_context_size=context_size_form,
        **named_forms,
    ),
    "web_search_preview": object_with(user_location=free_object, search_context_size=context_size_form),
}
foundry_tool_form = one_of_types(FOUNDRY_TOOL_FORMS)

# --------------------------------------------------------------------------------------- definition

flat_schema_form = object_with("name schema", **assistants.schema_forms)
text_format_form = one_of_types({**assistants.plain_format_forms, "json_schema": flat_schema_form})
structured_input_form = object_with(
    description=any_text, default_value=not_null, schema=free_object, required=boolean
)
# Besides the effort, which is a field of an assistant.
reasoning_forms = {
    **each("summary generate_summary", choice("auto", "concise", "detailed")),
    **each("context mode", not_null),
}


def _inputs_form(value: JSON, at: str) -> Iterator[Misfit]:
    """Structured inputs by their names."""
    yield from free_object(value, at)
    for name, member in value.items() if isinstance(value, Mapping) else ():
        yield from structured_input_form(member, f"{at}.{name}")


# Keys of a definition that only new agents have. Formats and efforts are fields of an assistant.
DEFINITION_FORMS: Mapping[str, ValueForm] = {
    "tool_choice": any_of(choice("none", "auto", "required"), free_object),
    "text": object_with(),
    "structured_inputs": _inputs_form,
    "reasoning": object_with(**reasoning_forms),
    "rai_config": object_with(
        "rai_policy_name", rai_policy_name=identifier_form, invocations_moderation=not_null
    ),
    "harness": free_object,
    "skills": array_of(object_with("name", name=identifier_form, version=any_text)),
}


def _definition_form(capabilities: Capabilities) -> ValueForm:
    more = {name: form for name, form in DEFINITION_FORMS.items() if name not in ("text", "reasoning")}
    return object_with(
        "kind model",
        kind=choice("prompt"),
        model=identifier_form,
        instructions=any_text,
        temperature=assistants.temperature_form,
        top_p=assistants.top_p_form,
        tools=array_of(foundry_tool_form, capabilities.tools_max),
        text=object_with(format=text_format_form),
        reasoning=object_with(effort=foundry_effort_form, **reasoning_forms),
        **more,
    )


# --------------------------------------------------------------------------------------------- items

non_empty_text_form = string(least=1)
image_form = any_of(
    object_with("image_url", image_url=identifier_form, detail=detail_form),
    object_with("file_id", file_id=identifier_form, detail=detail_form),
)
file_form = any_of(
    object_with("file_url", file_url=identifier_form, filename=any_text),
    object_with("file_data", file_data=identifier_form, filename=any_text),
    complete(file_id=identifier_form),
)
input_text_form = complete(text=non_empty_text_form)
input_part_form = one_of_types(
    {"input_text": input_text_form, "input_image": image_form, "input_file": file_form}
)
position_form = number(0, math.inf, whole=True)
# Of an answer. The API description of 2026-08 has more types, and requires these keys.
citation_form = one_of_types(
    {
        "file_citation": complete(file_id=identifier_form, filename=any_text, index=position_form),
        "file_path": complete(file_id=identifier_form, index=position_form),
    }
)
output_part_form = one_of_types(
    {"output_text": complete(text=non_empty_text_form, annotations=array_of(citation_form))}
)
phase_form = choice("commentary", "final_answer")
answer_form = object_with(
    "role content",
    role=choice("assistant"),
    content=array_of(output_part_form, least=1),
    phase=phase_form,
)
question_form = complete(
    role=choice("user", "system", "developer"), content=array_of(input_part_form, least=1)
)
item_form = one_of_types(
    {
        "message": any_of(answer_form, question_form),
        "function_call": object_with(
            "call_id name arguments",
            **each("call_id name", non_empty_text_form),
            **each("arguments namespace", any_text),
        ),
        "function_call_output": object_with(
            "call_id output",
            call_id=non_empty_text_form,
            output=any_of(any_text, array_of(input_part_form)),
            **each("name namespace", any_text),
        ),
    }
)


def foundry_body_form(kind: str, capabilities: Capabilities) -> ValueForm:
    """The form of the request body that creates an object of a kind."""
    if kind == "message":
        return item_form
    if kind == "thread":
        return complete(metadata=metadata_form)
    if kind == "assistant":
        return object_with(
            "definition metadata",
            definition=_definition_form(capabilities),
            metadata=metadata_form,
            description=string(capabilities.description_max),
        )
    return assistants.assistants_body_form(kind, capabilities)
