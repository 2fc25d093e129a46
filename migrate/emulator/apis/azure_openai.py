"""Azure OpenAI: dated versions below `/openai`, and `/openai/v1` with files and vector stores only.

The oldest dated version, 2024-02-15-preview, has other shapes: `retrieval`, `file_ids`, no `tool_resources`
(reported 2024-12). Its bodies and answers are converted from and to the stored form.
"""

from __future__ import annotations

from functools import cache

from migrate.emulator.apis import Api, ApiVersion, RequestHead
from migrate.emulator.errors import gateway, resource_not_found, version_unsupported
from migrate.emulator.options import V1_SHAPES_VERSION, Options
from migrate.emulator.router import Router
from migrate.emulator.routes import ASSISTANTS, ATTRIBUTES, FILES, PARSED_CONTENT, STORES, THREADS
from migrate.emulator.schemas import assistants
from migrate.emulator.services import AZURE, AZURE_V1
from migrate.emulator.state import Json

# The first version whose description has the key; all earlier ones refuse unknown keys.
CHUNKING_SINCE, ATTRIBUTES_SINCE = "2024-07-01-preview", "2025-03-01-preview"
MAX_CUSTOM_HEADERS = 10
V1_QUERY_VERSIONS = (None, "v1", "preview")


def _select_dated_version(head: RequestHead, options: Options) -> ApiVersion:
    version = head.query.get("api-version")
    if options.dated_paths_retired or version is None or version not in options.api_versions:
        raise resource_not_found(head.method, head.path)
    if sum(name.startswith(b"x-ms-") for name in head.headers) > MAX_CUSTOM_HEADERS:
        raise gateway(431, "Too many custom headers")
    return dated_version(version, options.retired)


@cache
def dated_version(version: str, retired: bool) -> ApiVersion:
    """What one dated version accepts; `retired`: without assistants and threads."""
    routes = FILES if retired else (*ASSISTANTS, *THREADS, *FILES)
    if version == V1_SHAPES_VERSION:
        return ApiVersion(Router(routes), assistants.v1_schemas(AZURE), _decode_body, _encode_answer)
    has_attributes = version >= ATTRIBUTES_SINCE
    has_chunking = version >= CHUNKING_SINCE
    return ApiVersion(
        Router((*routes, *STORES, *(ATTRIBUTES if has_attributes else ()))),
        assistants.schemas(AZURE, has_chunking=has_chunking, has_attributes=has_attributes),
    )


_V1 = ApiVersion(Router((*FILES, *STORES, *ATTRIBUTES, *PARSED_CONTENT)), assistants.schemas(AZURE_V1))


def _select_v1(head: RequestHead, _options: Options) -> ApiVersion:
    if head.query.get("api-version") not in V1_QUERY_VERSIONS:
        raise version_unsupported()
    return _V1


APIS = (Api("/openai", AZURE, _select_dated_version), Api("/openai/v1", AZURE_V1, _select_v1))

# ---------------------------------------------------------------------- the shapes of 2024-02-15-preview

OLD_TOOLS = {"file_search": "retrieval"}
NEW_TOOLS = {"retrieval": "file_search"}


def _rename_tools(tools: list[Json], names: dict[str, str]) -> list[Json]:
    return [{**tool, "type": names.get(tool["type"], tool["type"])} for tool in tools]


def _without(row: Json, *keys: str) -> Json:
    return {key: value for key, value in row.items() if key not in keys}


def _encode_answer(answer: Json) -> Json:
    """Lists are converted row by row. An object that was saved in the old shape stays as it is."""
    if isinstance(answer.get("data"), list):
        return {**answer, "data": [_encode_answer(row) for row in answer["data"]]}
    if answer.get("object") == "thread":
        return _without(answer, "tool_resources")
    if "file_ids" in answer:
        return answer
    if answer.get("object") == "assistant":
        old = _without(answer, "tool_resources", "temperature", "top_p", "response_format")
        interpreter = (answer.get("tool_resources") or {}).get("code_interpreter") or {}
        return old | {
            "tools": _rename_tools(answer["tools"], OLD_TOOLS),
            "file_ids": interpreter.get("file_ids", []),
        }
    if answer.get("object") == "thread.message":
        attachments = answer.get("attachments") or ()
        file_ids = [each["file_id"] for each in attachments if "file_id" in each]
        return {**_without(answer, "attachments"), "file_ids": file_ids}
    return answer


def _decode_body(operation: str, body: Json) -> Json:
    """Convert a body that has passed its schema."""
    if operation in ("assistant.create", "assistant.update"):
        return _decode_assistant(body)
    if operation == "message.create":
        return _decode_message(body)
    if operation == "thread.create":
        return {**body, "messages": [_decode_message(message) for message in body.get("messages", ())]}
    return body


def _decode_assistant(body: Json) -> Json:
    new = _without(body, "file_ids")
    if "tools" in body:
        new["tools"] = _rename_tools(body["tools"], NEW_TOOLS)
    if (file_ids := body.get("file_ids")) is not None:
        new["tool_resources"] = {"code_interpreter": {"file_ids": file_ids}}
    return new


def _decode_message(body: Json) -> Json:
    tools = [{"type": "code_interpreter"}]  # Azure never ran retrieval (reported 2024)
    attachments = [{"file_id": file_id, "tools": tools} for file_id in body.get("file_ids") or ()]
    return {**_without(body, "file_ids"), "attachments": attachments}
