"""Compares assistants and threads of a source with agents and conversations of a project, and the reverse.

Like `estate_comparison`, for targets or sources of the newer generation: one line for every difference that
no loss of the plan announced. Only what the plan grades as lost or blocked is excused. The expected form of
everything else is defined here a second time, independently of the program.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.e2e.common_form import (
    NEWER_TYPE,
    STAMP,
    Agent,
    Conversation,
    Message,
    Part,
    agents_of,
    conversations_of,
)
from tests.e2e.estate_comparison import PlannedLosses, id_map, stored
from tests.e2e.running import World

Json = dict[str, Any]
NO_TEXT = "(this message has no text)"
SPEAKERS = {NEWER_TYPE: ("user", "assistant", "system", "developer")}
CALLS = ("function_call", "function_call_output")
TOLD_AS = {name: name for name in ("model", "instructions", "temperature", "top_p")}
TOLD_AS |= {"text": "response_format", "reasoning": "reasoning_effort"}
# Maximum number of metadata pairs of an object.
MAX_PAIRS = 16


@dataclass
class Move:
    """The facts for comparing both sides."""

    types: tuple[str, str]
    new: Mapping[tuple[str, str], str]
    # Grades lost and blocked.
    told: PlannedLosses
    # All grades.
    named: PlannedLosses
    models: Mapping[str, str]
    connections: Mapping[str, str]

    def id(self, kind: str, old: str) -> str:
        return self.new.get((kind, old), old)

    def stamp(self, id_: str, pairs: int) -> str | None:
        return f"{self.types[0]}:{id_}" if pairs < MAX_PAIRS else None


def differences(
    world: World,
    ids: list[Json],
    losses: list[Json],
    models: Mapping[str, str] | None = None,
    connections: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Every difference between target and source that was not announced as lost."""
    new = id_map(ids)
    told = PlannedLosses([row for row in losses if row["grade"] in ("lost", "blocked")])
    move = Move(world.types, new, told, PlannedLosses(losses), models or {}, connections or {})
    yield from stored(world, ids, losses)
    for kind, read, compare in (("assistant", agents_of, _agent), ("thread", conversations_of, _talk)):
        ours, theirs = read(world.here, world.types[0]), read(world.target.estate, world.types[1])
        arrived = [new[kind, id_] for id_ in ours if (kind, id_) in new]
        if len(set(arrived)) != len(arrived):
            yield f"{kind}: two objects became one"
        if stray := set(theirs) - set(arrived):
            yield f"{kind}: nobody's: {sorted(stray)}"
        for id_, one in ours.items():
            other = theirs.get(new.get((kind, id_), ""))
            if (other is None) is not told.blocked(kind, id_):
                yield f"{kind} {id_} is {'not ' if other is None else ''}on the target"
            elif other is not None:
                yield from compare(one, other, move)


def _agent(one: Agent, other: Agent, move: Move) -> Iterator[str]:
    where = f"assistant {one.id}"
    for field, ours, theirs in (
        ("name", one.name, other.name),
        ("description", one.description, other.description),
        ("metadata", one.metadata, other.metadata),
    ):
        nameless = field == "name" and one.name is None and move.types[1] == NEWER_TYPE
        if ours != theirs and not nameless and not move.told("assistant", one.id, field):
            yield f"{where} {field}: {ours!r} became {theirs!r}"
    if other.ours.get(STAMP) != move.stamp(one.id, len(one.metadata)):
        yield f"{where} carries the stamp {other.ours.get(STAMP)}"
    wanted = {**one.said, "model": move.models.get(one.said["model"], one.said["model"])}
    for field in sorted(wanted.keys() | other.said.keys()):
        excused = any(move.told("assistant", one.id, told) for told in (TOLD_AS.get(field), "definition"))
        if wanted.get(field) != other.said.get(field) and not excused:
            yield f"{where} {field}: {wanted.get(field)!r} became {other.said.get(field)!r}"
    yield from _tools(one, other, move)


def _tools(one: Agent, other: Agent, move: Move) -> Iterator[str]:
    """Every tool has its counterpart. If a part of a tool is lost, the rest is there."""
    spelled = _as_they_are if move.types[1] == NEWER_TYPE else _without_ranker
    wanted = [spelled(_with_ids(tool, move)) for tool in one.tools]
    lost = move.told.count("assistant", one.id, "tools")
    excused = lost or move.told("assistant", one.id, "tool_resources")
    for tool in map(spelled, other.tools):
        whole = [each for each in wanted if each == tool]
        parts = [each for each in wanted if _within(tool, each)] if excused else []
        if not whole and not parts:
            yield f"assistant {one.id} tools: {tool!r} is nobody's of {wanted!r}"
            continue
        wanted.remove((whole or parts)[0])
    if len(wanted) > lost:
        yield f"assistant {one.id} tools: {wanted!r} did not arrive"


def _as_they_are(tool: Json) -> Json:
    return tool


def _without_ranker(tool: Json) -> Json:
    """The default ranker has another name on older services, and may be absent."""
    ranking = tool.get("ranking_options") or {}
    if ranking.get("ranker") not in ("auto", "default-2024-11-15"):
        return tool
    return {**tool, "ranking_options": {k: v for k, v in ranking.items() if k != "ranker"}}


def _with_ids(value: Any, move: Move) -> Any:
    """A tool with the ids of the target."""
    if isinstance(value, list):
        return [_with_ids(inner, move) for inner in value]
    if not isinstance(value, dict):
        return value
    out = {k: v if k in ("parameters", "spec", "schema") else _with_ids(v, move) for k, v in value.items()}
    for key, kind in (("file_ids", "file"), ("vector_store_ids", "vector_store")):
        if key in out:
            out[key] = [move.id(kind, id_) for id_ in out[key]]
    if "project_connection_id" in out:
        named = out["project_connection_id"]
        out["project_connection_id"] = move.connections.get(named, named)
    return out


def _within(part: Any, whole: Any) -> bool:
    """Whether the first value is contained in the second one."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and _within(value, whole[key]) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return all(any(_within(one, other) for other in whole) for one in part)
    return bool(part == whole)


def _talk(one: Conversation, other: Conversation, move: Move) -> Iterator[str]:
    where = f"thread {one.id}"
    if one.metadata != other.metadata and not move.told("thread", one.id, "metadata"):
        yield f"{where} metadata: {one.metadata} became {other.metadata}"
    if other.ours.get(STAMP) != move.stamp(one.id, len(one.metadata)):
        yield f"{where} carries the stamp {other.ours.get(STAMP)}"
    for kind, ours, theirs in (("file", one.files, other.files), ("vector_store", one.stores, other.stores)):
        wanted = sorted(move.id(kind, id_) for id_ in ours)
        lost = Counter(wanted) - Counter(theirs)
        if Counter(theirs) - Counter(wanted) or (lost and not move.told("thread", one.id, "tool_resources")):
            yield f"{where}: {kind} {wanted} became {sorted(theirs)}"
    said = [message for message in one.messages if not _unsaid(message, move)]
    if len(said) != len(other.messages):
        yield f"{where}: {len(said)} messages became {len(other.messages)}"
    for message, found in zip(said, other.messages, strict=False):
        yield from _message(message, found, move)


def _unsaid(message: Message, move: Move) -> bool:
    """Items that are no messages, cannot be written, and are reported by the plan. Function calls can be
    written."""
    if message.item is None or (move.types[1] == NEWER_TYPE and message.item["type"] in CALLS):
        return False
    return move.told("message", message.id, "*")


def _message(one: Message, other: Message, move: Move) -> Iterator[str]:
    where = f"message {one.id}"
    if one.item is not None:
        if one.item["type"] not in CALLS or one.item != other.item:
            yield f"{where}: {one.item} became {other.item}"
        return
    role = one.role if one.role in SPEAKERS.get(move.types[1], ("user", "assistant")) else "user"
    if other.role != role:
        yield f"{where}: role {one.role} became {other.role}"
    wanted = list(_parts(one, role, move))
    same = len(wanted) == len(other.parts) and all(map(_alike, wanted, other.parts))
    if not same:
        yield f"{where}: {wanted} became {other.parts}"
    if one.attached and move.types[1] == NEWER_TYPE and not move.named("message", one.id, "attachments"):
        yield f"{where}: nobody said what becomes of its attachments"
    if one.metadata and other.metadata != one.metadata and not move.told("message", one.id, "metadata"):
        yield f"{where}: metadata {one.metadata} became {other.metadata}"


def _parts(message: Message, role: str, move: Move) -> Iterator[Part]:
    """The parts that the target must have, in order. `names`: a text that must contain this word."""
    into_new = move.types[1] == NEWER_TYPE
    kept = [part for part in message.parts if part != ("text", "")]
    for type_, value in kept or [("text", NO_TEXT)]:
        if type_ == "refusal":
            yield "text", value
        elif type_ == "picture" and (("file", value) not in move.new or (into_new and role == "assistant")):
            yield "names", value
        elif type_ == "picture":
            yield type_, move.id("file", value)
        elif type_ == "address" and into_new and (value.startswith("data:") or role == "assistant"):
            yield "names", value[len("data:") :].split(";")[0] if value.startswith("data:") else value
        elif type_ == "paper":
            if into_new:
                yield type_, move.id("file", value)
            elif move.told("message", message.id, "content"):
                yield "names", "input_file"
        else:
            yield type_, value


def _alike(wanted: Part, found: Part) -> bool:
    if wanted[0] == "names":
        return found[0] == "text" and wanted[1] in found[1]
    return wanted == found
