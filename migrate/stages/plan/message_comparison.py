"""What planning learns when it compares the messages of a thread with those on the target."""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate.model import Entity
from migrate.model.results.plan import Action
from migrate.stages.fingerprints import object_fingerprint


@dataclass
class MessageComparison:
    """What planning knows of a thread's messages: how many are replayed, the files they attach, and how many
    stand on the target in their place; of some that stand there the source's may be `gone`; there may be
    `more`, or one `unlike` ours (ours, its id, a field)."""

    count: int = 0
    attached: set[str] = field(default_factory=set)
    beside: int = 0
    gone: int = 0
    more: int = 0
    relabelled: list[Action] = field(default_factory=list)
    unlike: tuple[Entity, str, str] | None = None


def metadata_update(message: Entity, there: Entity) -> Action:
    """The action that writes the metadata of a message again; nothing else of a message can be changed."""
    return Action(
        action="update", kind="message", id=message.id, parent=message.parent, target_id=there.id,
        target_parent=there.parent, before=object_fingerprint(there), fields=("metadata",),
    )  # fmt: skip


def attached_file_ids(message: Entity) -> set[str]:
    """Files that a message brings for tools."""
    attachments = message.fields.get("attachments") or []
    return {str(attachment.get("file_id")) for attachment in attachments if attachment.get("tools")}
