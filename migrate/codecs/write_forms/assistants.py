"""Forms of the Assistants API: what each service accepts for tools, formats, resources and messages.

The sources are the API descriptions of 2024-05 to 2026-08 and the SDK of classic agents; where a recording
shows more than a description, the recording counts.

The emulator (`migrate/emulator/schemas/`) has its own tables on purpose: a mistake that both shared would
hide in every test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from migrate.codecs.capabilities import Capabilities
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
    string_map,
)
from migrate.model import JSON

FUNCTION_NAME_PATTERN = r"[a-zA-Z0-9_-]{1,64}"
MAX_FUNCTION_DESCRIPTION_CHARS = 1_024
MAX_SCHEMA_NAME_CHARS = 64
EFFORT_VALUES = ("none", "minimal", "low", "medium", "high", "xhigh")
MAX_SEARCH_RESULTS = 50
MAX_EXPIRY_DAYS = 365
CHUNK_TOKENS_RANGE = (100, 4096)

identifier_form = string(least=1)
temperature_form = number(0, 2)
top_p_form = number(0, 1)
effort_form = choice(*EFFORT_VALUES)
metadata_form = string_map(string(512))

# --------------------------------------------------------------------------------------------- tools

ranking_form = object_with(
    ranker=choice("auto", "none", "default_2024_08_21"),
    score_threshold=number(0, 1),
    hybrid_search=free_object,
)
function_form = object_with(
    "name",
    name=string(pattern=FUNCTION_NAME_PATTERN),
    description=string(MAX_FUNCTION_DESCRIPTION_CHARS),
    parameters=free_object,
    strict=boolean,
)
ASSISTANTS_TOOL_FORMS: Mapping[str, ValueForm] = {
    "code_interpreter": object_with(),
    "file_search": object_with(
        file_search=object_with(
            max_num_results=number(1, MAX_SEARCH_RESULTS, whole=True), ranking_options=ranking_form
        )
    ),
    "function": complete(function=function_form),
}
# Tools of classic agents with required settings under their own name.
NESTED_TOOL_TYPES = (
    "bing_grounding bing_custom_search openapi azure_function connected_agent deep_research fabric_dataagent "
    "sharepoint_grounding browser_automation".split()
)
CLASSIC_TOOL_FORMS: Mapping[str, ValueForm] = {
    **ASSISTANTS_TOOL_FORMS,
    **{name: complete(**{name: free_object}) for name in NESTED_TOOL_TYPES},
    "azure_ai_search": object_with(azure_ai_search=free_object),
    "mcp": object_with(
        "server_label server_url",
        **each("server_label server_url", identifier_form),
        allowed_tools=array_of(any_text),
    ),
    "computer_use_preview": free_object,
}


@cache
def tool_form(service: str) -> ValueForm:
    """The form of one tool of an assistant."""
    return one_of_types(CLASSIC_TOOL_FORMS if service == "foundry-classic" else ASSISTANTS_TOOL_FORMS)


# ------------------------------------------------------------------------------------------- formats

schema_forms: Mapping[str, ValueForm] = {
    "name": string(MAX_SCHEMA_NAME_CHARS, 1),
    "description": any_text,
    "schema": free_object,
    "strict": boolean,
}
plain_format_forms = each("text json_object", object_with())
nested_schema_form = complete(json_schema=object_with("name", **schema_forms))
response_format_form = any_of(
    choice("auto"), one_of_types({**plain_format_forms, "json_schema": nested_schema_form})
)

# --------------------------------------------------------------------------------- stores and resources


static_chunk_form = complete(
    max_chunk_size_tokens=number(*CHUNK_TOKENS_RANGE, whole=True),
    chunk_overlap_tokens=number(0, CHUNK_TOKENS_RANGE[1], whole=True),
)


def _static_chunks(value: JSON, at: str) -> Iterator[Misfit]:
    """Chunks overlap by at most half of their length."""
    misfits = list(static_chunk_form(value, at))
    yield from misfits
    if not misfits and value["chunk_overlap_tokens"] * 2 > value["max_chunk_size_tokens"]:
        yield Misfit(f"{at}.chunk_overlap_tokens", "is more than half of the size of a chunk")


chunking_form = one_of_types({"auto": object_with(), "static": complete(static=_static_chunks)})
expiry_form = complete(anchor=choice("last_active_at"), days=number(1, MAX_EXPIRY_DAYS, whole=True))
attributes_form = string_map(any_of(boolean, number(float("-inf"), float("inf")), string(512)))


def resources_form(capabilities: Capabilities) -> ValueForm:
    """The form of `tool_resources` of an assistant or thread."""
    more = {
        "azure_ai_search": object_with(indexes=array_of(free_object)),
        "mcp": array_of(object_with("server_label", server_label=identifier_form, require_approval=not_null)),
    }
    return object_with(
        code_interpreter=object_with(file_ids=array_of(identifier_form, capabilities.code_files_max)),
        file_search=object_with(
            vector_store_ids=array_of(identifier_form, capabilities.stores_per_owner_max)
        ),
        **{name: form for name, form in more.items() if name in capabilities.resources},
    )


# ------------------------------------------------------------------------------------------ messages

detail_form = choice("auto", "low", "high")
attachment_form = complete(
    file_id=identifier_form,
    tools=array_of(one_of_types(each("code_interpreter file_search", object_with())), least=1),
)
image_file_form = object_with("file_id", file_id=identifier_form, detail=detail_form)
image_url_form = object_with("url", url=identifier_form, detail=detail_form)


def message_form(capabilities: Capabilities) -> ValueForm:
    """The form of the request that creates a message."""
    text_form = string(capabilities.text_max, 1)
    part = one_of_types(
        {
            "text": complete(text=text_form),
            "image_file": complete(image_file=image_file_form),
            "image_url": complete(image_url=image_url_form),
        }
    )
    return object_with(
        "role content",
        role=choice(*capabilities.roles),
        content=any_of(text_form, array_of(part, least=1)),
        attachments=array_of(attachment_form),
        metadata=metadata_form,
    )


def assistants_body_form(kind: str, capabilities: Capabilities) -> ValueForm:
    """The form of the request body that creates an object of a kind."""
    if kind == "message":
        return message_form(capabilities)
    if kind == "thread":
        return object_with(tool_resources=resources_form(capabilities), metadata=metadata_form)
    if kind == "vector_store":
        more = {"description": any_text} if capabilities.store_description else {}
        return object_with(
            name=string(capabilities.name_max), expires_after=expiry_form, metadata=metadata_form, **more
        )
    if kind == "vector_store_file":
        return object_with(
            "file_id", file_id=identifier_form, attributes=attributes_form, chunking_strategy=chunking_form
        )
    efforts = {"reasoning_effort": effort_form} if capabilities.reasoning_effort else {}
    return object_with(
        "model",
        model=identifier_form,
        name=string(capabilities.name_max),
        description=string(capabilities.description_max),
        instructions=string(capabilities.instructions_max),
        tools=array_of(tool_form(capabilities.service), capabilities.tools_max),
        tool_resources=resources_form(capabilities),
        metadata=metadata_form,
        temperature=temperature_form,
        top_p=top_p_form,
        response_format=response_format_form,
        **efforts,
    )
