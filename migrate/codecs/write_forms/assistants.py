"""Forms of the Assistants wire: what each service of it takes for tools, formats, resources and messages.

From the API descriptions of 2024-05 to 2026-08 and of the classic agents' SDK; where a recording says more
than a description, the recording is followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from migrate.codecs.capabilities import Profile
from migrate.codecs.write_forms.rules import (
    Form,
    Misfit,
    anything,
    boolean,
    choice,
    either,
    free_object,
    list_of,
    number,
    pairs,
    record,
    tagged,
    text,
)
from migrate.model import JSON

FUNCTION_NAME = r"[a-zA-Z0-9_-]{1,64}"
FUNCTION_DESCRIPTION_MAX = 1_024
SCHEMA_NAME_MAX = 64
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
RESULTS_MAX = 50
DAYS_MAX = 365
CHUNK_TOKENS = (100, 4096)

identifier = text(least=1)
temperature = number(0, 2)
top_p = number(0, 1)
effort = choice(*EFFORTS)
metadata = pairs(text(512))

# --------------------------------------------------------------------------------------------- tools

ranking = record(
    ranker=choice("auto", "none", "default_2024_08_21"),
    score_threshold=number(0, 1),
    hybrid_search=free_object,
)
function = record(
    "name",
    name=text(pattern=FUNCTION_NAME),
    description=text(FUNCTION_DESCRIPTION_MAX),
    parameters=free_object,
    strict=boolean,
)
TOOLS: Mapping[str, Form] = {
    "code_interpreter": record(),
    "file_search": record(
        file_search=record(max_num_results=number(1, RESULTS_MAX, whole=True), ranking_options=ranking)
    ),
    "function": record("function", function=function),
}
NESTED = (
    "bing_grounding",
    "bing_custom_search",
    "openapi",
    "azure_function",
    "connected_agent",
    "deep_research",
    "fabric_dataagent",
    "sharepoint_grounding",
    "browser_automation",
)
"""Tools of classic agents whose settings lie under their own name, and which have any."""
CLASSIC_TOOLS: Mapping[str, Form] = {
    **TOOLS,
    **{name: record(name, **{name: free_object}) for name in NESTED},
    "azure_ai_search": record(azure_ai_search=free_object),
    "mcp": record(
        "server_label server_url",
        server_label=identifier,
        server_url=identifier,
        allowed_tools=list_of(text()),
    ),
    "computer_use_preview": free_object,
}


@cache
def tool(service: str) -> Form:
    """One tool of an assistant."""
    return tagged(CLASSIC_TOOLS if service == "foundry-classic" else TOOLS)


# ------------------------------------------------------------------------------------------- formats

schema = record("name", name=text(SCHEMA_NAME_MAX, 1), description=text(), schema=free_object, strict=boolean)
response_format = either(
    choice("auto"),
    tagged(
        {"text": record(), "json_object": record(), "json_schema": record("json_schema", json_schema=schema)}
    ),
)

# --------------------------------------------------------------------------------- stores and resources


def _overlap(value: JSON, at: str) -> Iterator[Misfit]:
    """Chunks overlap by half of their length at most."""
    low, high = CHUNK_TOKENS
    found = list(
        record(
            "max_chunk_size_tokens chunk_overlap_tokens",
            max_chunk_size_tokens=number(low, high, whole=True),
            chunk_overlap_tokens=number(0, high, whole=True),
        )(value, at)
    )
    yield from found
    if not found and value["chunk_overlap_tokens"] * 2 > value["max_chunk_size_tokens"]:
        yield Misfit(f"{at}.chunk_overlap_tokens", "is more than half of the size of a chunk")


chunking = tagged({"auto": record(), "static": record("static", static=_overlap)})
expiry = record("anchor days", anchor=choice("last_active_at"), days=number(1, DAYS_MAX, whole=True))
attributes = pairs(either(boolean, number(float("-inf"), float("inf")), text(512)))


def resources(profile: Profile) -> Form:
    """What the tools of one assistant or thread may use."""
    return record(
        code_interpreter=record(file_ids=list_of(identifier, profile.code_files_max)),
        file_search=record(vector_store_ids=list_of(identifier, profile.stores_per_owner)),
        **{
            name: form
            for name, form in (
                ("azure_ai_search", record(indexes=list_of(free_object))),
                ("mcp", list_of(record("server_label", server_label=identifier, require_approval=anything))),
            )
            if name in profile.resources
        },
    )


# ------------------------------------------------------------------------------------------ messages

detail = choice("auto", "low", "high")
attachment = record(
    "file_id tools",
    file_id=identifier,
    tools=list_of(tagged({"code_interpreter": record(), "file_search": record()}), least=1),
)


def message(profile: Profile) -> Form:
    """A message as it is made."""
    words = text(profile.text_max, 1)
    part = tagged(
        {
            "text": record("text", text=words),
            "image_file": record(
                "image_file", image_file=record("file_id", file_id=identifier, detail=detail)
            ),
            "image_url": record("image_url", image_url=record("url", url=identifier, detail=detail)),
        }
    )
    return record(
        "role content",
        role=choice(*profile.roles),
        content=either(words, list_of(part, least=1)),
        attachments=list_of(attachment),
        metadata=metadata,
    )


def body(kind: str, profile: Profile) -> Form:
    """The whole body that makes an object of a kind."""
    if kind == "message":
        return message(profile)
    if kind == "thread":
        return record(tool_resources=resources(profile), metadata=metadata)
    if kind == "vector_store":
        more = {"description": text()} if profile.store_description else {}
        return record(name=text(profile.name_max), expires_after=expiry, metadata=metadata, **more)
    if kind == "vector_store_file":
        return record("file_id", file_id=identifier, attributes=attributes, chunking_strategy=chunking)
    efforts = {"reasoning_effort": effort} if profile.reasoning_effort else {}
    return record(
        "model",
        model=identifier,
        name=text(profile.name_max),
        description=text(profile.description_max),
        instructions=text(profile.instructions_max),
        tools=list_of(tool(profile.service), profile.tools_max),
        tool_resources=resources(profile),
        metadata=metadata,
        temperature=temperature,
        top_p=top_p,
        response_format=response_format,
        **efforts,
    )
