"""The attachments of a message in their write form: one file, and the types of the tools it is for.

| read | written |
|---|---|
| a tool that messages attach files for | its type alone; options are lost |
| any other tool, a tool without a type | left out, lost |
| no tool at all (missing, null, empty) | the attachment is left out, lost: every service requires one |
| no file id (null, missing, a data source) | left out, lost |
| the same file several times | as often, each time with its tools |

Each attachment that changes is told once, however much of it is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from migrate.codecs.adapt.context import Ledger, Target
from migrate.model import JSON, Entity

ATTACHMENT_TOOLS = ("code_interpreter", "file_search")
"""The only tools that an attachment may name, on every service (API descriptions of 2024-05 to 2026-08)."""


def fit_attachments(entity: Entity, target: Target, ledger: Ledger) -> list[JSON]:
    """Attachments to replay. One for file_search would make the service put the file into the thread's
    store, a second time or after it was taken out, so it is left out where that store is moved."""
    kept: list[JSON] = []
    for attachment in entity.fields.get("attachments") or []:
        if not any(attachment.values()):
            continue
        file_id = attachment.get("file_id")
        if not isinstance(file_id, str) or not target.has("file", file_id):
            gone = f"file {file_id} cannot be moved or no longer exists"
            ledger.lost("attachments", gone if file_id else "an attachment names no file")
            continue
        tools = attached_tools(attachment, target)
        if left := list(_left_out(attachment, tools)):
            what = "cannot be attached" if not tools else "is attached without them"
            reason = f"{file_id} {what}: {', '.join(left)}; {target.profile.service} takes a file only for "
            ledger.lost("attachments", reason + " or ".join(ATTACHMENT_TOOLS), "the file itself is moved")
        if not tools:
            continue
        if "file_search" in tools and target.thread_searches(entity.parent):
            reason = f"{file_id} is searched through the thread's own vector store, as far as it lies there"
            ledger.adapted("attachments", reason)
            tools = [tool for tool in tools if tool != "file_search"]
        if tools:
            kept.append({"file_id": file_id, "tools": [{"type": type_} for type_ in tools]})
    return kept


def attached_tools(attachment: Mapping[str, JSON], target: Target) -> list[str]:
    """The types of the tools that a file can be attached for, each once."""
    tools = attachment.get("tools")
    rows = tools if isinstance(tools, list) else []
    types = [tool.get("type") for tool in rows if isinstance(tool, Mapping)]
    allowed = [t for t in types if t in ATTACHMENT_TOOLS and t in target.profile.tool_types]
    return [str(type_) for type_ in dict.fromkeys(allowed)]


def _left_out(attachment: Mapping[str, JSON], kept: list[str]) -> Iterator[str]:
    """What an attachment says beside the types of its tools, in words."""
    tools = attachment.get("tools")
    if not tools:
        yield "it names no tool"
    elif not isinstance(tools, list):
        yield "its tools are no list"
    for tool in tools if isinstance(tools, list) else ():
        type_ = tool.get("type") if isinstance(tool, Mapping) else None
        if type_ not in kept:
            yield f"the tool {type_!r}" if type_ else "a tool without a type"
        elif any(value not in (None, {}) for key, value in tool.items() if key != "type"):
            yield f"options of {type_}"
    for key, value in attachment.items():
        if key not in ("file_id", "tools") and value:
            yield f"the key {key!r}"
