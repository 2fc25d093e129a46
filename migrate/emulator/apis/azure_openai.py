"""Azure OpenAI: dated versions below `/openai`, and `/openai/v1` with files and vector stores only."""

from __future__ import annotations

from functools import cache

from migrate.emulator.apis import Api, Dialect, Head
from migrate.emulator.errors import gateway, resource_not_found
from migrate.emulator.options import OLD_VERSION, Options
from migrate.emulator.router import Router
from migrate.emulator.routes import ASSISTANTS, ATTRIBUTES, FILES, PARSED_CONTENT, STORES, THREADS
from migrate.emulator.schemas import assistants
from migrate.emulator.services import AZURE, AZURE_V1
from migrate.emulator.state import Json

# The first version whose description knows the key; all others refuse unknown keys.
SINCE = {"chunking_strategy": "2024-07-01-preview", "attributes": "2025-03-01-preview"}
MOST_CUSTOM_HEADERS = 10


def choose_dated(head: Head, options: Options) -> Dialect:
    version = head.query.get("api-version")
    if options.dated_gone or version is None or version not in options.api_versions:
        raise resource_not_found(head.method, head.path)
    if sum(name.startswith(b"x-ms-") for name in head.headers) > MOST_CUSTOM_HEADERS:
        raise gateway(431, "Too many custom headers")
    return dated_dialect(version, options.retired)


@cache
def dated_dialect(version: str, retired: bool) -> Dialect:
    live = () if retired else (*ASSISTANTS, *THREADS)
    if version == OLD_VERSION:
        return Dialect(Router((*live, *FILES)), assistants.old_bodies(AZURE), as_new, as_old)
    has_attributes = version >= SINCE["attributes"]
    return Dialect(
        Router((*live, *FILES, *STORES, *(ATTRIBUTES if has_attributes else ()))),
        assistants.bodies(
            AZURE, has_chunking=version >= SINCE["chunking_strategy"], has_attributes=has_attributes
        ),
    )


DATED_API = Api("/openai", AZURE, choose_dated)


V1_VERSIONS = (None, "v1", "preview")

V1_DIALECT = Dialect(Router((*FILES, *STORES, *ATTRIBUTES, *PARSED_CONTENT)), assistants.bodies(AZURE_V1))


def choose_v1(head: Head, _options: Options) -> Dialect:
    if head.query.get("api-version") not in V1_VERSIONS:
        raise gateway(400, "API version not supported")
    return V1_DIALECT


V1_API = Api("/openai/v1", AZURE_V1, choose_v1)


OLD_TOOLS = {"file_search": "retrieval"}
NEW_TOOLS = {old: new for new, old in OLD_TOOLS.items()}


def as_old(answer: Json) -> Json:
    """Any answer; lists row by row. An object that was saved in the old shape stays as it is."""
    if isinstance(answer.get("data"), list):
        return {**answer, "data": [as_old(row) for row in answer["data"]]}
    shape = _OLD.get(answer.get("object", ""))
    return shape(answer) if shape else answer


def _assistant(row: Json) -> Json:
    if "file_ids" in row:
        return row
    gone = ("tool_resources", "temperature", "top_p", "response_format")
    old = {key: value for key, value in row.items() if key not in gone}
    interpreter = (row.get("tool_resources") or {}).get("code_interpreter") or {}
    old["tools"] = [_renamed(tool, OLD_TOOLS) for tool in row["tools"]]
    old["file_ids"] = interpreter.get("file_ids", [])
    return old


def _message(row: Json) -> Json:
    if "file_ids" in row:
        return row
    old = {key: value for key, value in row.items() if key != "attachments"}
    old["file_ids"] = [each["file_id"] for each in row.get("attachments") or () if "file_id" in each]
    return old


def _thread(row: Json) -> Json:
    return {key: value for key, value in row.items() if key != "tool_resources"}


_OLD = {"assistant": _assistant, "thread.message": _message, "thread": _thread}


def as_new(operation: str, body: Json) -> Json:
    """A checked old body in today's words."""
    translate = _NEW.get(operation)
    return translate(dict(body)) if translate else body


def _new_assistant(body: Json) -> Json:
    if "tools" in body:
        body["tools"] = [_renamed(tool, NEW_TOOLS) for tool in body["tools"]]
    if (file_ids := body.pop("file_ids", None)) is not None:
        body["tool_resources"] = {"code_interpreter": {"file_ids": file_ids}}
    return body


def _new_message(body: Json) -> Json:
    tools = [{"type": "code_interpreter"}]  # Azure never ran retrieval (reported 2024)
    file_ids = body.pop("file_ids", None) or []
    return {**body, "attachments": [{"file_id": file_id, "tools": tools} for file_id in file_ids]}


def _new_thread(body: Json) -> Json:
    return {**body, "messages": [_new_message(dict(message)) for message in body.get("messages", ())]}


_NEW = {
    "assistant.create": _new_assistant,
    "assistant.update": _new_assistant,
    "message.create": _new_message,
    "thread.create": _new_thread,
}


def _renamed(tool: Json, names: dict[str, str]) -> Json:
    return {**tool, "type": names.get(tool["type"], tool["type"])}
