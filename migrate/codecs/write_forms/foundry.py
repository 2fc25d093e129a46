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
    array_of,
    boolean,
    choice,
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
connection_id_form = string()
connection_form = object_with("project_connection_id", project_connection_id=connection_id_form)
connections_form = array_of(connection_form, least=1)
foundry_effort_form = choice(*FOUNDRY_EFFORT_VALUES)


def _nested_settings(name: str, **fields: ValueForm) -> ValueForm:
    """Settings under the tool's own name, all required."""
    return object_with(name, **{name: object_with(" ".join(fields), **fields)})


# --------------------------------------------------------------------------------------------- tools

search_forms = {"market": string(), "set_lang": string(), "count": count_form, "freshness": string()}
index_form = object_with(
    project_connection_id=string(),
    index_name=string(),
    query_type=string(),
    top_k=count_form,
    filter=string(),
    index_asset_id=string(),
)
queue_form = object_with(
    "type storage_queue",
    type=choice("storage_queue"),
    storage_queue=object_with(
        "queue_service_endpoint queue_name",
        queue_service_endpoint=identifier_form,
        queue_name=identifier_form,
    ),
)
authorization_form = one_of_types(
    {
        "anonymous": object_with(),
        "managed_identity": object_with(
            "security_scheme", security_scheme=object_with("audience", audience=identifier_form)
        ),
        "project_connection": object_with("security_scheme", security_scheme=connection_form),
    }
)
approval_form = any_of(choice("always", "never"), free_object)
a2a_forms = {"base_url": string(), "agent_card_path": string(), "project_connection_id": string()}
context_size_form = choice("low", "medium", "high")

FOUNDRY_TOOL_FORMS: Mapping[str, ValueForm] = {
    "function": object_with(
        "name parameters strict",
        name=string(pattern=FUNCTION_NAME_PATTERN),
        description=string(),
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
        name=string(),
        description=string(),
    ),
    "bing_grounding": _nested_settings(
        "bing_grounding",
        search_configurations=array_of(
            object_with("project_connection_id", project_connection_id=connection_id_form, **search_forms),
            least=1,
        ),
    ),
    "bing_custom_search_preview": _nested_settings(
        "bing_custom_search_preview",
        search_configurations=array_of(
            object_with(
                "project_connection_id instance_name",
                project_connection_id=connection_id_form,
                instance_name=identifier_form,
                **search_forms,
            ),
            least=1,
        ),
    ),
    "azure_ai_search": _nested_settings("azure_ai_search", indexes=array_of(index_form, least=1)),
    "openapi": object_with(
        "openapi",
        openapi=object_with(
            "name spec auth",
            name=identifier_form,
            description=string(),
            spec=free_object,
            auth=authorization_form,
            default_params=array_of(string()),
        ),
    ),
    "azure_function": _nested_settings(
        "azure_function",
        function=object_with(
            "name parameters", name=identifier_form, description=string(), parameters=free_object
        ),
        input_binding=queue_form,
        output_binding=queue_form,
    ),
    "mcp": object_with(
        "server_label server_url",
        server_label=identifier_form,
        server_url=identifier_form,
        server_description=string(),
        require_approval=approval_form,
        allowed_tools=any_of(array_of(string()), free_object),
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
    "a2a": object_with(**a2a_forms, a2a_version=string()),
    "fabric_iq_preview": object_with(
        "project_connection_id",
        project_connection_id=connection_id_form,
        server_label=string(),
        require_approval=approval_form,
    ),
    "work_iq_preview": object_with("project_connection_id", project_connection_id=connection_id_form),
    "reminder_preview": object_with(),
    "computer_use_preview": object_with(
        "environment display_width display_height",
        environment=identifier_form,
        display_width=count_form,
        display_height=count_form,
    ),
    "computer": object_with(),
    "capture_structured_outputs": object_with(
        "outputs",
        outputs=object_with(
            "name description schema strict",
            name=identifier_form,
            description=string(),
            schema=free_object,
            strict=boolean,
        ),
        name=string(),
        description=string(),
    ),
    "custom": object_with("name", name=identifier_form, description=string(), format=free_object),
    "image_generation": free_object,
    "memory_search_preview": free_object,
    "shell": object_with(environment=free_object, name=string(), description=string()),
    "web_search": object_with(
        filters=free_object,
        user_location=free_object,
        search_context_size=context_size_form,
        custom_search_configuration=free_object,
        name=string(),
        description=string(),
    ),
    "web_search_preview": object_with(user_location=free_object, search_context_size=context_size_form),
}
foundry_tool_form = one_of_types(FOUNDRY_TOOL_FORMS)

# --------------------------------------------------------------------------------------- definition

text_format_form = one_of_types(
    {
        "text": object_with(),
        "json_object": object_with(),
        "json_schema": object_with(
            "name schema",
            name=string(assistants.MAX_SCHEMA_NAME_CHARS, 1),
            description=string(),
            schema=free_object,
            strict=boolean,
        ),
    }
)
structured_input_form = object_with(
    description=string(), default_value=not_null, schema=free_object, required=boolean
)
summary_form = choice("auto", "concise", "detailed")


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
    "reasoning": object_with(
        summary=summary_form, generate_summary=summary_form, context=not_null, mode=not_null
    ),
    "rai_config": object_with(
        "rai_policy_name", rai_policy_name=identifier_form, invocations_moderation=not_null
    ),
    "harness": free_object,
    "skills": array_of(object_with("name", name=identifier_form, version=string())),
}


def _definition_form(capabilities: Capabilities) -> ValueForm:
    more = {name: form for name, form in DEFINITION_FORMS.items() if name not in ("text", "reasoning")}
    return object_with(
        "kind model",
        kind=choice("prompt"),
        model=identifier_form,
        instructions=string(),
        temperature=assistants.temperature_form,
        top_p=assistants.top_p_form,
        tools=array_of(foundry_tool_form, capabilities.tools_max),
        text=object_with(format=text_format_form),
        reasoning=object_with(
            effort=foundry_effort_form,
            summary=summary_form,
            generate_summary=summary_form,
            context=not_null,
            mode=not_null,
        ),
        **more,
    )


# --------------------------------------------------------------------------------------------- items

non_empty_text_form = string(least=1)
image_form = any_of(
    object_with("image_url", image_url=identifier_form, detail=detail_form),
    object_with("file_id", file_id=identifier_form, detail=detail_form),
)
file_form = any_of(
    object_with("file_url", file_url=identifier_form, filename=string()),
    object_with("file_data", file_data=identifier_form, filename=string()),
    object_with("file_id", file_id=identifier_form),
)
input_text_form = object_with("text", text=non_empty_text_form)
input_part_form = one_of_types(
    {"input_text": input_text_form, "input_image": image_form, "input_file": file_form}
)
position_form = number(0, math.inf, whole=True)
# Of an answer. The API description of 2026-08 has more types, and requires these keys.
citation_form = one_of_types(
    {
        "file_citation": object_with(
            "file_id filename index", file_id=identifier_form, filename=string(), index=position_form
        ),
        "file_path": object_with("file_id index", file_id=identifier_form, index=position_form),
    }
)
output_part_form = one_of_types(
    {
        "output_text": object_with(
            "text annotations", text=non_empty_text_form, annotations=array_of(citation_form)
        )
    }
)
phase_form = choice("commentary", "final_answer")
item_form = one_of_types(
    {
        "message": any_of(
            object_with(
                "role content",
                role=choice("assistant"),
                content=array_of(output_part_form, least=1),
                phase=phase_form,
            ),
            object_with(
                "role content",
                role=choice("user", "system", "developer"),
                content=array_of(input_part_form, least=1),
            ),
        ),
        "function_call": object_with(
            "call_id name arguments",
            call_id=non_empty_text_form,
            name=non_empty_text_form,
            arguments=string(),
            namespace=string(),
        ),
        "function_call_output": object_with(
            "call_id output",
            call_id=non_empty_text_form,
            output=any_of(string(), array_of(input_part_form)),
            name=string(),
            namespace=string(),
        ),
    }
)


def foundry_body_form(kind: str, capabilities: Capabilities) -> ValueForm:
    """The form of the request body that creates an object of a kind."""
    if kind == "message":
        return item_form
    if kind == "thread":
        return object_with("metadata", metadata=metadata_form)
    if kind == "assistant":
        return object_with(
            "definition metadata",
            definition=_definition_form(capabilities),
            metadata=metadata_form,
            description=string(capabilities.description_max),
        )
    return assistants.assistants_body_form(kind, capabilities)
