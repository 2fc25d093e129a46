"""The tools about assistants and agents, and about how any object changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from migrate.archive.snapshots.history import describe_other_snapshot
from migrate.errors import BadUsage
from migrate.mcp.answers import (
    QUOTED,
    QUOTED_NOTE,
    TextSegment,
    cut_segments,
    json_size,
    quote,
)
from migrate.mcp.tools import (
    SNAPSHOT_PARAMETER,
    ArchiveTool,
    ToolParameter,
    ToolRequest,
    limit_parameter,
    offset_parameter,
)
from migrate.model import JSON, Entity
from migrate.model.masked_values import mask_body
from migrate.model.references import references_of
from migrate.model.served_version import served_version_remarks
from migrate.model.utc_time import ISO_SECONDS, utc_text
from migrate.reports.commands.history import history_document
from migrate.stages.estate import Estate
from migrate.stages.object_lookup import ObjectLookup
from migrate.stages.query.history import object_histories

# Places of one object, such as vector stores of a file, that an answer describes.
MAX_PLACES = 20
# Characters of instructions in a list.
MAX_BEGINNING_CHARS = 200


def list_assistants_answer(request: ToolRequest) -> dict[str, JSON]:
    """The assistants of a snapshot, in the order of their listing."""
    head = request.head()
    snapshot = request.snapshot
    rows, following = request.rows(Estate(snapshot).iter_members("assistant", ""), _assistant_row, head)
    state, reason = snapshot.listing_state("assistant")
    gap = {} if state == "complete" else quote(list_not_complete=reason or state or "it was not read")
    return {**head, "count": snapshot.count("assistant", ""), **gap, "assistants": rows, "next": following}


def _assistant_row(assistant: Entity) -> dict[str, JSON]:
    fields = assistant.fields
    instructions = str(fields.get("instructions") or "")
    tools = [tool.get("type") for tool in fields.get("tools") or () if isinstance(tool, Mapping)]
    beginning = " ".join(instructions[: MAX_BEGINNING_CHARS * 2].split())[:MAX_BEGINNING_CHARS]
    return {
        "id": assistant.id,
        "created_at": utc_text(assistant.facts.get("created_at"), ISO_SECONDS) or None,
        **quote(
            name=assistant.name, model=fields.get("model"), description=fields.get("description"),
            instructions_begin=beginning, instructions_characters=len(instructions), tools=tools,
        ),
    }  # fmt: skip


def get_assistant_answer(request: ToolRequest) -> dict[str, JSON]:
    """One assistant as the service returned it, without credentials; what it uses, by name."""
    head, snapshot = request.head(), request.snapshot
    text, offset = request.text("assistant"), request.number("offset")
    found = ObjectLookup(snapshot.conn, snapshot).find_one(text, ("assistant",))
    bodies = [body for kind, _, body in snapshot.find(found.id) if kind == "assistant"] if found else []
    if not found or not bodies:
        other = describe_other_snapshot(snapshot, text)
        raise BadUsage(
            f"snapshot {snapshot.info.id} has no assistant {text!r}{other}",
            todo="list_assistants lists them; list_snapshots lists the snapshots",
        )
    body = mask_body(bodies[0])
    head |= {"id": found.id, "created_at": utc_text(body.get("created_at"), ISO_SECONDS) or None}
    if remarks := served_version_remarks(bodies[0]):
        head |= {"remarks": remarks}
    room = request.room(head)
    if not offset:
        uses = quote(uses=list(_uses(request, found.id)), name=found.name)
        head |= uses
        room -= json_size(uses)
        if json_size(body) <= room:
            return {**head, QUOTED: {**head.get(QUOTED, {}), "body": body}, "next": None}
    pieces, following, _ = cut_segments(
        [TextSegment("body_json", json.dumps(body, ensure_ascii=False))], offset, room
    )
    goes_on = request.next_call(offset=following) if following is not None else None
    return {**head, QUOTED: {**head.get(QUOTED, {}), "pieces": pieces}, "next": goes_on}


def _uses(request: ToolRequest, assistant: str) -> Iterator[dict[str, JSON]]:
    """Vector stores and files that an assistant refers to, with their names."""
    estate = Estate(request.snapshot)
    entity = estate.objects("assistant").get(assistant)
    for _, kind, id_ in references_of(entity) if entity else ():
        other = estate.objects(kind).get(id_) if kind in ("file", "vector_store", "assistant") else None
        yield {"kind": kind, "id": id_, "name": other.name if other else "(not in this snapshot)"}


def history_answer(request: ToolRequest) -> dict[str, JSON]:
    """How one object changed over all snapshots."""
    text = request.text("object")
    histories = history_document(object_histories(request.archive.conn, text))
    if not histories:
        raise BadUsage(
            f"no snapshot of the archive has an object {text!r}",
            "it is no id, no name, and no beginning of an id",
            "search finds objects by their texts, list_assistants and list_threads list them",
        )
    head: dict[str, JSON] = {
        "place_count": len(histories),
        "places": [_place(number, row) for number, row in enumerate(histories[:MAX_PLACES])],
        "note": QUOTED_NOTE,
    }
    events = [(number, event) for number, row in enumerate(histories) for event in row["events"]]
    rows, following = request.rows(events, _event_row, head)
    return {**head, "count": len(events), "events": rows, "next": following}


def _place(number: int, history: Mapping[str, JSON]) -> dict[str, JSON]:
    facts = ("kind", "id", "parent", "since", "snapshots", "held_by")
    return {
        "place": number,
        **{name: history[name] for name in facts if history[name]},
        "estate": f"{history['type']} {history['url']}",
        **quote(name=history["name"]),
    }


def _event_row(row: tuple[int, Mapping[str, JSON]]) -> dict[str, JSON]:
    number, event = row
    messages = event["messages"]
    return {
        "place": number,
        "snapshot": event["snapshot"],
        **({"until": event["until"]} if event["until"] != event["snapshot"] else {}),
        "read_at": event["started_at"],
        "what": event["what"],
        **({"messages": messages} if messages else {}),
        **quote(
            reason=event["reason"], changed=event["paths"], set_by_the_service=event["facts"],
            files_added=event["came"], files_removed=event["went"],
        ),
    }  # fmt: skip


ASSISTANT_TOOLS = (
    ArchiveTool(
        "list_assistants",
        "List assistants",
        "Lists the assistants (or agents) of a snapshot: id, name, model, the beginning of their "
        "instructions, types of their tools. At most 100 assistants an answer. get_assistant has all of one.",
        (SNAPSHOT_PARAMETER, limit_parameter("assistants", 20, 100), offset_parameter("assistants")),
        list_assistants_answer,
    ),
    ArchiveTool(
        "get_assistant",
        "Read an assistant",
        "Returns one assistant (or agent) as its service returned it: instructions, tools, resources, "
        "metadata. Credentials of tools are masked. A body that is too long for one answer comes as "
        "pieces of its JSON text; `next` has the offset of the next piece.",
        (
            ToolParameter("assistant", "text", "Its id, its name, or a beginning of its id.", required=True),
            SNAPSHOT_PARAMETER,
            offset_parameter("characters of the JSON text"),
        ),
        get_assistant_answer,
    ),
    ArchiveTool(
        "history",
        "History of an object",
        "Shows how one object of any kind changed over all snapshots of the archive: when it was first "
        "seen, what changed from which value to which, when it was gone. At most 100 events an answer, "
        "oldest first; long values are cut. No service reports who changed an object.",
        (
            ToolParameter("object", "text", "Its id, its name, or a beginning of its id.", required=True),
            limit_parameter("events", 30, 100),
            offset_parameter("events"),
        ),
        history_answer,
    ),
)
