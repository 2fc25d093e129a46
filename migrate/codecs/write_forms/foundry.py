"""Forms of a Foundry project: agents and their tools, conversations and their items.

From recordings of 2025-11 to 2026-07 and, where none has the key, the SDK's models. What no recording has is
unknown rather than wrong: a project may take it, and the plan says that it is tried.
"""

from __future__ import annotations

from collections.abc import Mapping

from migrate.codecs.capabilities import Profile
from migrate.codecs.write_forms import assistants
from migrate.codecs.write_forms.assistants import FUNCTION_NAME, detail, identifier, metadata
from migrate.codecs.write_forms.rules import (
    Form,
    anything,
    boolean,
    choice,
    either,
    free_object,
    list_of,
    number,
    record,
    tagged,
    text,
)

COUNT_MAX = 2**31 - 1
EFFORTS = (*assistants.EFFORTS, "max")
ITEMS_MAX = 20

count = number(0, COUNT_MAX, whole=True)
link = text()
"""The id of a connection. One that names none blocks the agent, by a rule of its own."""
connection = record("project_connection_id", project_connection_id=link)
connections = list_of(connection, least=1)
effort = choice(*EFFORTS)


def _under(name: str, **fields: Form) -> Form:
    """Settings under the tool's own name, all of them needed."""
    return record(name, **{name: record(" ".join(fields), **fields)})


# --------------------------------------------------------------------------------------------- tools

searches = {"market": text(), "set_lang": text(), "count": count, "freshness": text()}
index = record(
    project_connection_id=text(),
    index_name=text(),
    query_type=text(),
    top_k=count,
    filter=text(),
    index_asset_id=text(),
)
queue = record(
    "type storage_queue",
    type=choice("storage_queue"),
    storage_queue=record(
        "queue_service_endpoint queue_name", queue_service_endpoint=identifier, queue_name=identifier
    ),
)
authorisation = tagged(
    {
        "anonymous": record(),
        "managed_identity": record(
            "security_scheme", security_scheme=record("audience", audience=identifier)
        ),
        "project_connection": record("security_scheme", security_scheme=connection),
    }
)
approval = either(choice("always", "never"), free_object)
a2a = {"base_url": text(), "agent_card_path": text(), "project_connection_id": text()}
size = choice("low", "medium", "high")

TOOLS: Mapping[str, Form] = {
    "function": record(
        "name parameters strict",
        name=text(pattern=FUNCTION_NAME),
        description=text(),
        parameters=free_object,
        strict=boolean,
    ),
    "code_interpreter": record(
        container=record(
            "type",
            type=choice("auto"),
            file_ids=list_of(identifier),
            memory_limit=choice("1g", "4g", "16g", "64g"),
        )
    ),
    "file_search": record(
        "vector_store_ids",
        vector_store_ids=list_of(identifier, least=1),
        max_num_results=number(1, assistants.RESULTS_MAX, whole=True),
        ranking_options=record(
            ranker=choice("auto", "default-2024-11-15"),
            score_threshold=number(0, 1),
            hybrid_search=free_object,
        ),
        filters=free_object,
        name=text(),
        description=text(),
    ),
    "bing_grounding": _under(
        "bing_grounding",
        search_configurations=list_of(
            record("project_connection_id", project_connection_id=link, **searches), least=1
        ),
    ),
    "bing_custom_search_preview": _under(
        "bing_custom_search_preview",
        search_configurations=list_of(
            record(
                "project_connection_id instance_name",
                project_connection_id=link,
                instance_name=identifier,
                **searches,
            ),
            least=1,
        ),
    ),
    "azure_ai_search": _under("azure_ai_search", indexes=list_of(index, least=1)),
    "openapi": record(
        "openapi",
        openapi=record(
            "name spec auth",
            name=identifier,
            description=text(),
            spec=free_object,
            auth=authorisation,
            default_params=list_of(text()),
        ),
    ),
    "azure_function": _under(
        "azure_function",
        function=record("name parameters", name=identifier, description=text(), parameters=free_object),
        input_binding=queue,
        output_binding=queue,
    ),
    "mcp": record(
        "server_label server_url",
        server_label=identifier,
        server_url=identifier,
        server_description=text(),
        require_approval=approval,
        allowed_tools=either(list_of(text()), free_object),
        project_connection_id=link,
    ),
    "sharepoint_grounding_preview": _under("sharepoint_grounding_preview", project_connections=connections),
    "fabric_dataagent_preview": _under("fabric_dataagent_preview", project_connections=connections),
    "browser_automation_preview": _under("browser_automation_preview", connection=connection),
    "browser_automation": _under("browser_automation", connection=connection),
    "a2a_preview": record(**a2a),
    "a2a": record(**a2a, a2a_version=text()),
    "fabric_iq_preview": record(
        "project_connection_id",
        project_connection_id=link,
        server_label=text(),
        require_approval=approval,
    ),
    "work_iq_preview": record("project_connection_id", project_connection_id=link),
    "reminder_preview": record(),
    "computer_use_preview": record(
        "environment display_width display_height",
        environment=identifier,
        display_width=count,
        display_height=count,
    ),
    "computer": record(),
    "capture_structured_outputs": record(
        "outputs",
        outputs=record(
            "name description schema strict",
            name=identifier,
            description=text(),
            schema=free_object,
            strict=boolean,
        ),
        name=text(),
        description=text(),
    ),
    "custom": record("name", name=identifier, description=text(), format=free_object),
    "image_generation": free_object,
    "memory_search_preview": free_object,
    "shell": record(environment=free_object, name=text(), description=text()),
    "web_search": record(
        filters=free_object,
        user_location=free_object,
        search_context_size=size,
        custom_search_configuration=free_object,
        name=text(),
        description=text(),
    ),
    "web_search_preview": record(user_location=free_object, search_context_size=size),
}
tool = tagged(TOOLS)

# --------------------------------------------------------------------------------------- definition

text_format = tagged(
    {
        "text": record(),
        "json_object": record(),
        "json_schema": record(
            "name schema",
            name=text(assistants.SCHEMA_NAME_MAX, 1),
            description=text(),
            schema=free_object,
            strict=boolean,
        ),
    }
)
structured_input = record(description=text(), default_value=anything, schema=free_object, required=boolean)
summary = choice("auto", "concise", "detailed")


def _inputs(value: object, at: str) -> object:
    yield from free_object(value, at)
    for name, one in value.items() if isinstance(value, Mapping) else ():
        yield from structured_input(one, f"{at}.{name}")


DEFINITION: Mapping[str, Form] = {
    "tool_choice": either(choice("none", "auto", "required"), free_object),
    "text": record(),
    "structured_inputs": _inputs,  # type: ignore[dict-item]
    "reasoning": record(summary=summary, generate_summary=summary, context=anything, mode=anything),
    "rai_config": record("rai_policy_name", rai_policy_name=identifier, invocations_moderation=anything),
    "harness": free_object,
    "skills": list_of(record("name", name=identifier, version=text())),
}
"""What only this generation says of an agent, key by key; formats and efforts are fields of their own."""


def _definition(profile: Profile) -> Form:
    more = {name: form for name, form in DEFINITION.items() if name not in ("text", "reasoning")}
    return record(
        "kind model",
        kind=choice("prompt"),
        model=identifier,
        instructions=text(),
        temperature=assistants.temperature,
        top_p=assistants.top_p,
        tools=list_of(tool, profile.tools_max),
        text=record(format=text_format),
        reasoning=record(
            effort=effort, summary=summary, generate_summary=summary, context=anything, mode=anything
        ),
        **more,
    )


# --------------------------------------------------------------------------------------------- items

words = text(least=1)
image = either(
    record("image_url", image_url=identifier, detail=detail),
    record("file_id", file_id=identifier, detail=detail),
)
paper = either(
    record("file_url", file_url=identifier, filename=text()),
    record("file_data", file_data=identifier, filename=text()),
    record("file_id", file_id=identifier),
)
input_text = record("text", text=words)
spoken = tagged({"input_text": input_text, "input_image": image, "input_file": paper})
answered = tagged(
    {"output_text": record("text annotations", text=words, annotations=list_of(anything, most=0))}
)
phase = choice("commentary", "final_answer")
item = tagged(
    {
        "message": either(
            record("role content", role=choice("assistant"), content=list_of(answered, least=1), phase=phase),
            record(
                "role content",
                role=choice("user", "system", "developer"),
                content=list_of(spoken, least=1),
            ),
        ),
        "function_call": record(
            "call_id name arguments", call_id=words, name=words, arguments=text(), namespace=text()
        ),
        "function_call_output": record(
            "call_id output",
            call_id=words,
            output=either(text(), list_of(spoken)),
            name=text(),
            namespace=text(),
        ),
    }
)


def body(kind: str, profile: Profile) -> Form:
    """The whole body that makes an object of a kind."""
    if kind == "message":
        return item
    if kind == "thread":
        return record("metadata", metadata=metadata)
    if kind == "assistant":
        return record(
            "definition metadata",
            definition=_definition(profile),
            metadata=metadata,
            description=text(profile.description_max),
        )
    return assistants.body(kind, profile)
