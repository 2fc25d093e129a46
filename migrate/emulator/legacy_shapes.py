"""Convert objects and bodies between the API of 2024-05 and later and the one before it.

2024-02-15-preview shows an assistant with `retrieval`, `file_ids`, no `tool_resources` (reported 2024-12).
"""

from __future__ import annotations

from migrate.emulator.state import Json

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
