"""Generated estates in the form of a service's answers, archived for comparisons."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.archive.bodies import BodyRow
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.model import Entity
from migrate.model.references import remap_references
from migrate.stages.estate import Estate
from migrate.stages.match.journal_pairs import JournalPairs
from tests import strategies

Body = dict[str, Any]
HERE, ELSEWHERE = "https://east.example.com", "https://west.example.com"

# A tool that every generated assistant has. Mutations change it at known paths.
STEADY_TOOL = {
    "type": "function",
    "function": {
        "name": "steady",
        "description": "Looks a price up",
        "parameters": {"type": "object", "properties": {"amount": {"type": "integer", "minimum": 1}}},
    },
}


@dataclass
class Generated:
    """Kind -> parent -> bodies, in the order of the listing."""

    bodies: dict[str, dict[str, list[Body]]] = field(default_factory=dict)

    def of(self, kind: str) -> Iterator[tuple[str, Body]]:
        """Parent and body of every object of a kind."""
        for parent, rows in self.bodies[kind].items():
            yield from ((parent, row) for row in rows)

    def copy(self) -> Generated:
        return Generated(copy.deepcopy(self.bodies))


def _listed(entities: list[Entity], prefix: str) -> list[Body]:
    rows = []
    for number, entity in enumerate(entities, 1):
        body = {**entity.fields, **entity.extras, "created_at": 1_700_000_000 + number}
        rows.append({**body, "id": f"{prefix}{number}", "object": entity.kind})
    return rows


@st.composite
def estates(draw: st.DrawFn) -> Generated:
    """One to three objects of each kind, odd ones among them; ids as the references of `strategies` use
    them."""

    def some(strategy: st.SearchStrategy[Entity], prefix: str) -> list[Body]:
        return _listed(draw(st.lists(strategy, min_size=1, max_size=3)), prefix)

    assistants = some(strategies.assistants, "asst_")
    for row in assistants:
        row["tools"] = [*(row.get("tools") or []), copy.deepcopy(STEADY_TOOL)]
    stores, threads = some(strategies.stores, "vs_"), some(strategies.threads, "thread_")
    files = [{**row, "id": f"file-{letter}"} for row, letter in
             zip(some(strategies.named_files, ""), "abc", strict=False)]  # fmt: skip
    for row in files:
        del row["sha256"]
    members = {
        store["id"]: [
            {
                **draw(strategies.store_files).fields,
                "id": file["id"],
                "file_id": file["id"],
                "status": "completed",
            }
            for file in files
        ]
        for store in stores
    }
    said = {
        thread["id"]: _listed(
            draw(st.lists(strategies.messages, min_size=2, max_size=4)), f"msg_{thread['id']}_"
        )
        for thread in threads
    }
    for row in (row for rows in said.values() for row in rows):
        row["content"] = [{"type": "text", "text": {"value": "said"}}, *(row.get("content") or [])]
    tops = {"file": files, "vector_store": stores, "assistant": assistants, "thread": threads}
    return Generated(
        {**{k: {"": rows} for k, rows in tops.items()}, "vector_store_file": members, "message": said}
    )


def archive_estate(archive: Archive, made: Generated, url: str = HERE, type_: str = "azure-openai") -> Estate:
    """The estate as a complete snapshot of a resource."""
    writer = SnapshotWriter.begin(archive, type_, url, {"threads": True, "runs": False}, None)
    for kind, by_parent in made.bodies.items():
        for parent, rows in by_parent.items():
            writer.add_page(kind, parent, [BodyRow.from_json(kind, row) for row in rows], "")
            writer.end_listing(kind, parent)
    writer.finish("complete", "")
    return Estate(SnapshotReader(archive.conn, list_snapshots(archive.conn)[-1]))


def other_resource(made: Generated) -> Generated:
    """The same estate on another resource, where every object has another id."""
    here = {(kind, row["id"]) for kind in made.bodies for _, row in made.of(kind)}
    return Generated({kind: dict(_moved(kind, by, here)) for kind, by in made.bodies.items()})


def journal(made: Generated) -> dict[tuple[str, str], str]:
    """The pairs in the journal of a move to `other_resource`."""
    return {(kind, row["id"]): f"new-{row['id']}" for kind in made.bodies for _, row in made.of(kind)}


def journal_pairs_of(pairs: Mapping[tuple[str, str], str]) -> JournalPairs:
    """The same pairs in the form of an open journal, where messages are read thread by thread."""
    messages = {old: new for (kind, old), new in pairs.items() if kind == "message"}
    objects = {pair: new for pair, new in pairs.items() if pair[0] != "message"}
    return JournalPairs(objects, lambda left, right: messages.items())


def _moved(
    kind: str, by_parent: Mapping[str, list[Body]], here: set[tuple[str, str]]
) -> Iterator[tuple[str, list[Body]]]:
    def new(of: str, old: str) -> str | None:
        return f"new-{old}" if (of, old) in here else None

    for parent, rows in by_parent.items():
        moved = []
        for row in rows:
            entity = remap_references(Entity(kind, row["id"], parent, row), new)
            own = f"new-{row['id']}"
            if kind == "vector_store_file":  # its id is that of the file
                own = entity.fields["file_id"]
            moved.append({**entity.fields, "id": own, "created_at": 1_800_000_000})
        yield f"new-{parent}" if parent else "", moved
