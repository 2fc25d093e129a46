"""An example: an object with one feature, the same object without it, and the target.

Prefixes of ids have a meaning: `gone-...` cannot be moved, `shared-...` is on the target already, `lone-...`
is a call without its other half.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from migrate.codecs import CODECS, Capabilities, Target
from migrate.model import JSON, Entity

# Types of source of the examples: the one with all older tools, and the newer generation.
OLDER, NEWER = "foundry-classic", "foundry"

HASH = "0" * 64
FILES = {
    name: Entity("file", name, fields={"filename": filename, "bytes": 1, "sha256": HASH})
    for name, filename in (("report", "report.pdf"), ("table", "sales.csv"), ("picture", "leaf.png"))
}
# The smallest object of each kind. Every target stores it unchanged.
BARE = {
    "file": Entity("file", "report", fields={**FILES["report"].fields, "purpose": "assistants"}),
    "vector_store": Entity("vector_store", "store", fields={"name": "Handbook"}),
    "vector_store_file": Entity("vector_store_file", "report", "store", {"file_id": "report"}),
    "assistant": Entity(
        "assistant", "asst_OfTheExample1", fields={"name": "Desk", "model": "gpt-4.1", "tools": []}
    ),
    "thread": Entity("thread", "thread_1"),
    "message": Entity(
        "message",
        "msg_1",
        "thread_1",
        {"role": "user", "content": [{"type": "text", "text": {"value": "Hello", "annotations": []}}]},
    ),
}

# A thread with a vector store of its own.
SEARCHING = "thread_searching"
DEPLOYMENTS = frozenset({"gpt-4.1", "o4-mini"})
CONNECTIONS = frozenset({"search", "pages"})
# Names of agents on the target.
TAKEN = frozenset({"Seed-Desk"})


@dataclass(frozen=True)
class Example:
    """One object with one feature.

    `says`: fields of the object. `without`: fields of the object that it is compared with. Both are added to
    the smallest object of the kind. `source`: the type of service that it was read from.
    """

    kind: str
    field: str
    title: str
    says: Mapping[str, JSON] = dataclasses.field(default_factory=dict)
    without: Mapping[str, JSON] = dataclasses.field(default_factory=dict)
    facts: Mapping[str, JSON] = dataclasses.field(default_factory=dict)
    extras: Mapping[str, JSON] = dataclasses.field(default_factory=dict)
    source: str = OLDER
    id: str = ""
    parent: str = ""

    @property
    def entity(self) -> Entity:
        """The object."""
        bare = BARE[self.kind]
        fields = {**bare.fields, **self.without, **self.says}
        place = self.parent or bare.parent
        return Entity(self.kind, self.id or bare.id, place, fields, self.facts, self.extras)

    @property
    def plain(self) -> Entity:
        """The same object without the feature. Its request body is compared."""
        bare = BARE[self.kind]
        place = self.parent or bare.parent
        return Entity(self.kind, self.id or bare.id, place, {**bare.fields, **self.without})

    @property
    def silent(self) -> Entity:
        """The same object without the field. Its losses are compared."""
        fields = {name: value for name, value in self.plain.fields.items() if name not in self._only_here}
        return dataclasses.replace(self.plain, fields=fields)

    @property
    def _only_here(self) -> frozenset[str]:
        return frozenset({self.field} & self.without.keys())


def around(capabilities: Capabilities, source: str, entity: Entity) -> Target:
    """The target, with what it and the rest of the estate have."""
    can_list = capabilities.service == NEWER
    name_all = CODECS[capabilities.service].assign_names
    return Target(
        capabilities,
        source_type=source,
        models={"gpt-4-1106-preview": "gpt-4.1"},
        connections={"old-search": "search"},
        deployments=DEPLOYMENTS if can_list else None,
        target_connections=CONNECTIONS if can_list else None,
        names=name_all([(entity.id, entity.name)], TAKEN) if name_all else {},
        reasoning=frozenset({"o4-mini"}),
        in_place=lambda _, id_: id_.startswith("shared-") and source in capabilities.shared_with,
        has_call_and_output=lambda _, call: not call.startswith("lone-"),
        has=lambda _, id_: bool(id_) and not id_.startswith("gone-"),
        can_reference=lambda _, referenced: not referenced.startswith("gone-"),
        find_file=FILES.get,
        moves_thread_store=lambda thread: thread == SEARCHING,
    )
